/** Node's own server, in this process. */
import { constants, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Server, ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TestContext } from 'node:test';
import { certificate } from '../support/certificate.js';
import { parseStatement } from './real-server.js';
import type { RealServer, Settings } from './real-server.js';
import { freePort } from './server-process.js';

export interface NodeServer extends RealServer {
  /** The tickets that it gave away are worth nothing from now on. */
  rotateTicketKeys(): void;
}

export async function startNode(t: TestContext, settings: Settings): Promise<NodeServer> {
  const { cert } = await certificate();
  let server = await run(t, settings, await freePort());
  const { port } = server.address() as AddressInfo;
  return {
    port,
    ca: cert,
    understand: (body) => parseStatement(body, 'true'),
    async restart(changes) {
      await stop(server);
      server = await run(t, { ...settings, ...changes }, port);
    },
    rotateTicketKeys: () => server.setTicketKeys(randomBytes(48)),
  };
}

async function run(t: TestContext, settings: Settings, port: number): Promise<Server> {
  const server = createServer({ ...(await certificate()), ...optionsOf(settings) }, (req, res) =>
    res.end(statementOf(req.socket as TLSSocket)),
  );
  server.keepAliveTimeout = (settings.idleSeconds ?? 0) * 1000;
  server.maxRequestsPerSocket = settings.requestsPerConnection ?? 0;
  if (settings.cache) rememberSessions(server);
  server.on('tlsClientError', () => {});
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => stop(server));
  return server;
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

function optionsOf({ protocol, tickets, clients }: Settings): ServerOptions {
  return {
    minVersion: protocol,
    maxVersion: protocol,
    secureOptions: tickets ? 0 : constants.SSL_OP_NO_TICKET,
    ...(clients && { requestCert: true, ca: [...clients] }),
  };
}

function statementOf(socket: TLSSocket): string {
  return [
    `connection=${socket.remotePort}`,
    `protocol=${socket.getProtocol()}`,
    `resumed=${socket.isSessionReused()}`,
    `client=${socket.getPeerCertificate().subject?.CN ?? ''}`,
  ].join('\n');
}

/** Node keeps no sessions by itself: that is the program's business. */
function rememberSessions(server: Server): void {
  const sessions = new Map<string, Buffer>();
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    sessions.set(id.toString('hex'), session);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
    done(null, sessions.get(id.toString('hex')) ?? null);
  });
}
