/**
 * The server's process: answers every GET with a fixed response. It does not parse HTTP, so that it costs less
 * than any client and is not what is measured. Only one port closes connections.
 */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import { closeWhenIdle } from '../test/support/idle-closing.js';
import type { Certificate } from './certificate.js';
import { answer } from './ipc.js';
import { END_OF_HEAD, RESPONSE, RESPONSE_WITH_HINT } from './responses.js';

export interface ServerPorts {
  readonly port: number;
  /** Responses from here carry a `Keep-Alive` header. */
  readonly hintPort: number;
  /** Connections are closed from here that were idle for a second. */
  readonly idlePort: number;
}

/** The counts so far. */
export interface Counts {
  /** TCP connections accepted. */
  readonly connections: number;
  /** TLS sessions resumed. */
  readonly resumed: number;
}

let connections = 0;
let resumed = 0;

function serve(socket: TLSSocket, response: string): void {
  if (socket.isSessionReused()) resumed++;
  // A head may come in pieces, and so may its end.
  let tail = '';
  socket.on('data', (chunk: Buffer) => {
    const heads = (tail + chunk.toString('latin1')).split(END_OF_HEAD);
    tail = heads.at(-1) ?? '';
    if (heads.length > 1) socket.write(response.repeat(heads.length - 1), 'latin1');
  });
  // Clients leave as they like.
  socket.on('error', () => {});
}

async function listen(certificate: Certificate, onSocket: (socket: TLSSocket) => void): Promise<number> {
  const server: Server = createServer({ ...certificate, noDelay: true }, onSocket);
  server.on('connection', () => connections++);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

answer({
  async listen(certificate: Certificate): Promise<ServerPorts> {
    return {
      port: await listen(certificate, (socket) => serve(socket, RESPONSE)),
      hintPort: await listen(certificate, (socket) => serve(socket, RESPONSE_WITH_HINT)),
      idlePort: await listen(certificate, closeWhenIdle),
    };
  },
  counts: (): Counts => ({ connections, resumed }),
});
