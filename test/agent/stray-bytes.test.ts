/** Bytes that nobody asked for, on a connection that a request has: before it was sent, and while it still reads its response. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from '../support/protocol.js';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { PoolingAgent, PoolingAgentOptions } from '../../src/index.js';
import { pooledSocketOf } from '../../src/connections/pooled-socket.js';
import { poolingAgent, poolOf } from '../support/agent.js';
import { get, rawServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { onRequest, response } from './raw-requests.js';

const LIMIT = { timeout: 120_000 };

interface Setting {
  readonly agent: PoolingAgent;
  readonly server: Omit<TestServer, 'server'>;
  /** Connections of the server, in order. */
  readonly sockets: TLSSocket[];
  /** Paths of the requests that it has received. */
  readonly paths: string[];
}

/** A server that answers each request with its path, and an agent with one connection to it. */
async function setUp(
  t: TestContext,
  version: 'TLSv1.2' | 'TLSv1.3',
  options: PoolingAgentOptions,
): Promise<Setting> {
  const sockets: TLSSocket[] = [];
  const paths: string[] = [];
  const read = onRequest((socket, path) => {
    paths.push(path);
    socket.write(response(path));
  });
  const server = await rawServer(
    t,
    (socket) => {
      sockets.push(socket);
      read(socket);
    },
    { maxVersion: version },
  );
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, validateAfterIdle: Infinity, ...options });
  return { agent, server, sockets, paths };
}

const untilIdle = (agent: PoolingAgent): Promise<void> =>
  until(() => poolOf(agent).idle.size === 1 && agent.totalSocketCount === 1);

/** Surplus bytes that a server may send. */
const STRAY: Record<string, string> = {
  'another response': response('stray'),
  'a line break': '\r\n',
  'what is no HTTP': '\0\u0001\u0002',
};

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const [what, stray] of Object.entries(STRAY)) {
    describe(`${what}, ${version}`, () => {
      it(
        'while a complete response is still being read: the reader gets all of it, and nobody comes after it',
        LIMIT,
        async (t) => {
          const { agent, server, sockets, paths } = await setUp(t, version, {});
          const req = request({ host: 'localhost', port: server.port, agent, path: '/slow' }).end();
          const [res] = (await once(req, 'response')) as [IncomingMessage];
          await until(() => res.complete);
          const next = get(server, { agent, path: '/next' });
          const { socket } = req;
          assert.ok(socket);
          const before = socket.bytesRead;
          sockets[0]?.write(stray);
          await until(() => socket.bytesRead > before && pooledSocketOf(socket)?.poisoned !== false);
          let body = '';
          for await (const chunk of res) body += String(chunk);
          assert.equal(body, '/slow');
          assert.equal((await next).body, '/next');
          assert.ok(socket.destroyed);
          assert.equal(server.connections(), 2);
          assert.deepEqual(paths, ['/slow', '/next']);
        },
      );

      for (const replay of [true, false]) {
        it(
          `before the request was sent: it ${replay ? 'goes on elsewhere' : 'ends'} (replay: ${replay})`,
          LIMIT,
          async (t) => {
            const { agent, server, sockets, paths } = await setUp(t, version, { replay });
            await get(server, { agent, path: '/first' });
            await untilIdle(agent);
            const req = request({
              host: 'localhost',
              port: server.port,
              agent,
              path: '/post',
              method: 'POST',
              headers: { 'content-length': 0 },
            });
            const errors: NodeJS.ErrnoException[] = [];
            req.on('error', (error) => errors.push(error));
            const [socket] = (await once(req, 'socket')) as [TLSSocket];
            sockets[0]?.write(stray);
            await until(() => socket.destroyed);
            if (replay) {
              req.end();
              const [res] = (await once(req, 'response')) as [IncomingMessage];
              assert.equal((await res.toArray()).join(''), '/post');
              assert.deepEqual(errors, []);
            } else {
              await until(() => req.closed);
              assert.deepEqual(
                errors.map(({ code }) => code),
                ['ECONNRESET'],
              );
            }
            assert.equal((await get(server, { agent, path: '/next' })).body, '/next');
            assert.deepEqual(paths, ['/first', ...(replay ? ['/post'] : []), '/next']);
            assert.equal(server.connections(), 2);
          },
        );
      }
    });
  }
}
