/**
 * A request that has waited hears of its connection a moment after the pool has given it: not on a stack of somebody else's. In that moment
 * the connection may be closed; then the request has not had it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { PoolingAgent } from '../../src/index.js';
import { replaceCreateConnection, send } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { READY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { LIMIT } from './support.js';

/** `meddle` is called when the first connection is ready, behind the pool's own listener. */
async function setUp(
  t: TestContext,
  meddle: (socket: TLSSocket, agent: PoolingAgent) => void,
): Promise<{ server: TestServer; agent: PoolingAgent; dials: () => number }> {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, binding: 'late', maxSockets: 1 });
  const { createConnection } = agent;
  let calls = 0;
  replaceCreateConnection(agent, function create(...args) {
    const socket = createConnection.apply(this, args as never) as TLSSocket;
    if (++calls === 1) process.nextTick(() => socket.once(READY, () => meddle(socket, agent)));
    return socket;
  });
  return { server, agent, dials: () => calls };
}

test('closed: the request gets the next one, with what it had set', LIMIT, async (t) => {
  const { server, agent, dials } = await setUp(t, (socket) => socket.destroy());
  const [first, second] = [send(server, { agent, timeout: 20_000 }), send(server, { agent })];
  let sockets = 0;
  first.req.on('socket', () => sockets++);
  await Promise.all([first.closed, second.closed]);
  assert.deepEqual(
    [first.events, second.events],
    [
      ['response', 'close'],
      ['response', 'close'],
    ],
  );
  assert.equal(sockets, 1, 'it has heard of one');
  assert.equal(server.requests(), 2);
  assert.equal(dials(), 2);
});

test('closed: those that came later stay behind it', LIMIT, async (t) => {
  const { server, agent } = await setUp(t, (socket) => socket.destroy());
  const paths: unknown[] = [];
  server.server.on('request', ({ url }: { url?: string }) => paths.push(url));
  const requests = ['/1', '/2', '/3'].map((path) => send(server, { agent, path }));
  await Promise.all(requests.map(({ closed }) => closed));
  assert.deepEqual(paths, ['/1', '/2', '/3']);
});

test('closed with an error: that is of nobody, and the request goes on', LIMIT, async (t) => {
  const { server, agent, dials } = await setUp(t, (socket) => socket.destroy(new Error('not this one')));
  assert.equal((await get(server, { agent, path: '/a' })).body, '/a');
  assert.equal(dials(), 2);
});

test(
  'a request that is destroyed in that moment ends, and the connection serves the next',
  LIMIT,
  async (t) => {
    const requests: ReturnType<typeof send>[] = [];
    const { server, agent } = await setUp(t, (socket) => {
      socket.destroy();
      requests[0]?.req.destroy();
    });
    requests.push(send(server, { agent }), send(server, { agent }));
    await Promise.all(requests.map(({ closed }) => closed));
    assert.deepEqual(
      requests.map(({ events }) => events),
      [
        ['error', 'close'],
        ['response', 'close'],
      ],
    );
    await until(() => agent.totalSocketCount === 1);
  },
);

test('the agent is destroyed: the request ends with its error', LIMIT, async (t) => {
  const { server, agent } = await setUp(t, (_socket, own) => own.destroy());
  const { closed, events, errors } = send(server, { agent });
  await closed;
  assert.deepEqual(events, ['error', 'close']);
  assert.equal(errors[0]?.code, 'ERR_AGENT_DESTROYED');
  await until(() => agent.totalSocketCount === 0);
});
