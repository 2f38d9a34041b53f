/** The pool removes its listeners and properties from a socket that leaves it; those of others stay. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { request, connect } from '../support/protocol.js';
import { TLSSocket } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { PoolingAgent } from '../../src/index.js';
import { pooledSocketOf } from '../../src/connections/pooled-socket.js';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { LIMIT, replaceCreateConnection, untilIdle } from './support.js';

/** Every event that somebody listens to on `socket`, as often. */
function listenersOf(socket: TLSSocket): string[] {
  return socket.eventNames().flatMap((event) => socket.listeners(event).map(() => String(event)));
}

async function upgradingServer(t: TestContext): Promise<TestServer> {
  const server = await httpsServer(t);
  server.server.on('upgrade', (_req, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
  });
  return server;
}

/** @returns the socket, which has left the pool or is about to */
async function upgrade(t: TestContext, { port }: TestServer, agent: PoolingAgent): Promise<TLSSocket> {
  const headers = { connection: 'Upgrade', upgrade: 'x' };
  const req = request({ host: 'localhost', port, agent, headers }).end();
  const [, socket] = (await once(req, 'upgrade')) as [IncomingMessage, TLSSocket];
  t.after(() => socket.destroy());
  return socket;
}

test('a socket that leaves for an upgrade has nothing of the pool on it', LIMIT, async (t) => {
  const server = await upgradingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  agent.on('keylog', () => {});
  const { req: first } = await get(server, { agent });
  const reused = await untilIdle(agent);
  const own = { push: Object.hasOwn(reused, 'push'), destroy: Object.hasOwn(reused, '_destroy') };
  assert.deepEqual(own, { push: true, destroy: true }, 'while it is in the pool');
  const socket = await upgrade(t, server, agent);
  assert.equal(socket, first.socket);
  await until(() => agent.totalSocketCount === 0);
  assert.equal(pooledSocketOf(socket), undefined);
  const theClass = Object.getPrototypeOf(socket) as TLSSocket;
  assert.equal(socket.push, theClass.push);
  assert.equal(socket._destroy, theClass._destroy);
  assert.equal(socket.listenerCount('keylog'), 0);
  for (const event of ['free', 'agentRemove', 'timeout']) {
    assert.equal(socket.listenerCount(event), 0, event);
  }
  // Nothing that comes now is a stray byte.
  assert.equal(socket.destroyed, false);
});

test(
  'no listener of the pool hides an error of a socket that has left, after a resumed handshake either',
  LIMIT,
  async (t) => {
    const server = await upgradingServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    const { req: first } = await get(server, { agent, headers: { connection: 'close' } });
    await until(() => agent.totalSocketCount === 0);
    const socket = await upgrade(t, server, agent);
    assert.notEqual(socket, first.socket);
    if (socket instanceof TLSSocket) assert.equal(socket.isSessionReused(), true);
    await until(() => agent.totalSocketCount === 0);
    assert.equal(socket.listenerCount('error'), 0);
  },
);

test('request after request, the same listeners, and those of others among them', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const theirs: string[] = [];
  replaceCreateConnection(agent, (options) => {
    const socket = connect(options as ConnectionOptions);
    for (const event of ['free', 'close', 'end', 'timeout', 'agentRemove', 'data']) {
      if (event !== 'data') socket.on(event, () => theirs.push(event));
    }
    return socket;
  });
  await get(server, { agent });
  const socket = await untilIdle(agent);
  const before = listenersOf(socket);
  for (let i = 0; i < 20; i++) {
    await get(server, { agent });
    await untilIdle(agent);
  }
  assert.deepEqual(listenersOf(socket).toSorted(), before.toSorted());
  assert.equal(theirs.filter((event) => event === 'free').length, 21);
  for (const event of socket.eventNames()) assert.ok(socket.listenerCount(event) < 10, String(event));
  socket.destroy();
  await until(() => theirs.includes('close'));
  assert.equal(pooledSocketOf(socket), undefined);
  for (const event of ['free', 'close', 'end', 'timeout', 'agentRemove']) {
    assert.ok(socket.listenerCount(event) >= 1, `${event}: somebody else's stays`);
  }
});

test('a `push` that somebody had put on the socket comes back when it leaves', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  let calls = 0;
  let own: unknown;
  replaceCreateConnection(agent, (options) => {
    const socket = connect(options as ConnectionOptions);
    const { push } = socket;
    own = socket.push = function counting(...args) {
      calls++;
      return push.apply(this, args);
    };
    return socket;
  });
  await get(server, { agent, path: '/1' });
  const socket = await untilIdle(agent);
  assert.ok(calls > 0);
  assert.notEqual(socket.push, own);
  socket.emit('agentRemove');
  assert.equal(agent.totalSocketCount, 0);
  assert.equal(socket.push, own);
  socket.destroy();
});

test('an error between two requests is not uncaught, at no moment of a life', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  for (let i = 0; i < 3; i++) {
    const { req } = await get(server, { agent });
    const { socket } = req;
    if (i > 0) await untilIdle(agent);
    socket?.destroy(new Error(`nobody asked: ${i}`));
    await until(() => agent.totalSocketCount === 0);
  }
});
