/** HAProxy, one process, that answers by itself. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseStatement, starter } from './real-server.js';
import type { Settings, Start } from './real-server.js';

const ANSWER = [
  'connection=%[src_port]',
  'protocol=%[ssl_fc_protocol]',
  'resumed=%[ssl_fc_is_resumed]',
  'client=%[ssl_c_s_dn(cn)]',
].join('\\n');

function configuration(port: number, { protocol, tickets, cache, clients, idleSeconds }: Settings): string {
  return `
global
  maxconn 500
  nbthread 1
  tune.ssl.cachesize ${cache ? 1000 : 0}
defaults
  mode http
  timeout client 600s
  timeout connect 600s
  timeout server 600s
  timeout http-keep-alive ${idleSeconds ?? 600}s
frontend interop
  bind 127.0.0.1:${port} ssl crt both.pem ssl-min-ver ${protocol} ssl-max-ver ${protocol} ${tickets ? '' : 'no-tls-tickets'} ${clients ? 'ca-file clients.pem verify required' : ''}
  http-request return status 200 content-type text/plain lf-string "${ANSWER}"
`;
}

export const startHaproxy: Start = starter({
  name: 'haproxy',
  command(path, port, settings, directory) {
    const pems = ['certificate.pem', 'key.pem'].map((name) => readFileSync(join(directory, name), 'utf8'));
    writeFileSync(join(directory, 'both.pem'), pems.join('\n'));
    writeFileSync(join(directory, 'haproxy.cfg'), configuration(port, settings));
    return [path, '-db', '-f', 'haproxy.cfg'];
  },
  understand: (body) => parseStatement(body, '1'),
});
