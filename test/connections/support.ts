/** Connections as the pool sees them, for tests that look behind an agent. */
import assert from 'node:assert/strict';
import type { RequestOptions } from 'node:https';
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { pooledSocketOf } from '../../src/connections/pooled-socket.js';
import type { AgentKinds } from '../../src/connections/pooled-socket.js';
import type { PoolingAgent } from '../../src/index.js';
import type { Connection, HostPool } from '../../src/pool/records.js';
import { poolOf } from '../support/agent.js';
import { CONNECTED, request } from '../support/protocol.js';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

export const LIMIT = { timeout: 120_000 };

export function connectionOf(req: ClientRequest): Connection<AgentKinds> {
  const connection = req.socket && pooledSocketOf(req.socket)?.connection;
  assert.ok(connection, 'its socket is in the pool');
  return connection;
}

/** Of a GET that is answered: found while that is read, before the connection can be closed. */
export function connectionFor(
  server: { port: number; ca: string },
  options: RequestOptions,
): Promise<Connection<AgentKinds>> {
  const req = begin(server, options).end();
  return new Promise((resolve, reject) => {
    req.on('error', reject).on('response', (res) => {
      const connection = connectionOf(req);
      res.resume();
      req.on('close', () => resolve(connection));
    });
  });
}

export function hostOf(agent: PoolingAgent): HostPool<AgentKinds> {
  const [host] = poolOf(agent).hosts;
  assert.ok(host, 'something is open');
  return host;
}

export interface EndingServer extends TestServer {
  /** Connections, the last one last: to close them at the moment that a test wants. */
  readonly sockets: TLSSocket[];
  /** The TCP sockets below. */
  readonly raw: Socket[];
}

/** Answers with the request's path, and leaves it to the test when its connections end. */
export async function endingServer(t: TestContext): Promise<EndingServer> {
  const sockets: TLSSocket[] = [];
  const raw: Socket[] = [];
  const server = await httpsServer(t);
  server.server.on('connection', (socket: Socket) => raw.push(socket));
  server.server.on(CONNECTED, (socket: TLSSocket) => sockets.push(socket));
  return { ...server, sockets, raw };
}

/** A request without a body that may be sent only once. */
export const POST = { method: 'POST', headers: { 'content-length': 0 } } satisfies RequestOptions;

/** A request that is not sent before the test ends it. */
export function begin(server: { port: number; ca: string }, options: RequestOptions): ClientRequest {
  return request({ host: 'localhost', port: server.port, ca: server.ca, ...options });
}
