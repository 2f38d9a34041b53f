/** nginx, one process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseStatement, starter } from './real-server.js';
import type { Settings, Start } from './real-server.js';

const ANSWER = [
  'connection=$connection',
  'protocol=$ssl_protocol',
  'resumed=$ssl_session_reused',
  'client=$ssl_client_s_dn',
].join('\\n');

function configuration(port: number, settings: Settings): string {
  const { protocol, tickets, cache, clients, requestsPerConnection = 100_000, idleSeconds = 600 } = settings;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path temp;`,
  );
  return `
    daemon off;
    # With more processes, those below would survive when the first one is killed.
    master_process off;
    pid nginx.pid;
    error_log stderr warn;
    events { worker_connections 512; }
    http {
      access_log off;
      ${temporary.join(' ')}
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        ssl_protocols ${protocol};
        ssl_session_tickets ${tickets ? 'on' : 'off'};
        ssl_session_cache ${cache ? 'shared:sessions:1m' : 'off'};
        ${clients ? 'ssl_client_certificate clients.pem; ssl_verify_client on;' : ''}
        keepalive_requests ${requestsPerConnection};
        keepalive_timeout ${idleSeconds}s;
        location / { return 200 "${ANSWER}"; }
      }
    }`;
}

export const startNginx: Start = starter({
  name: 'nginx',
  command(path, port, settings, directory) {
    writeFileSync(join(directory, 'nginx.conf'), configuration(port, settings));
    return [path, '-p', directory, '-c', 'nginx.conf', '-e', 'stderr'];
  },
  understand(body) {
    const statement = parseStatement(body, 'r');
    return { ...statement, client: statement.client?.replace('CN=', '') };
  },
});
