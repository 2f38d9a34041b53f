/**
 * openssl s_server, with its status page. It speaks HTTP/1.0 and serves one connection after the other: every request has
 * a connection of its own, and the others wait in the system's queue.
 */
import { starter } from './real-server.js';
import type { Settings, Start } from './real-server.js';

function flags({ protocol, tickets, cache, clients, more = [] }: Settings): string[] {
  return [
    protocol === 'TLSv1.3' ? '-tls1_3' : '-tls1_2',
    ...(tickets ? [] : ['-no_ticket']),
    ...(cache ? [] : ['-no_cache']),
    ...(clients ? ['-Verify', '1', '-verify_return_error', '-CAfile', 'clients.pem'] : []),
    ...more,
  ];
}

export const startSServer: Start = starter({
  name: 'openssl',
  ready: 'ACCEPT',
  command(path, port, settings) {
    const material = ['-cert', 'certificate.pem', '-key', 'key.pem'];
    return [path, 's_server', '-www', '-accept', `127.0.0.1:${port}`, ...material, ...flags(settings)];
  },
  understand(page) {
    const [, what, protocol = ''] = /^(New|Reused), (\S+), Cipher is/m.exec(page) ?? [];
    const [, client] = /Subject: CN ?= ?(\S+)/.exec(page) ?? [];
    return { connection: undefined, protocol, resumed: what === 'Reused', client };
  },
});
