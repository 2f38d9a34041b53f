/** Users' decisions about a socket when its request is over: that it is not kept, or for how long. */
import assert from 'node:assert/strict';
import type { Agent } from 'node:https';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { PoolingAgent } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { collectUncaught } from '../support/uncaught.js';
import { until } from '../support/until.js';
import { forBoth, holdingServer, LIMIT, untilIdle } from './support.js';

/** When the next request in turn is made: before the connection of the one before is idle, or after that. */
const NEXT: Record<string, () => Promise<unknown>> = {
  'in a tick': () => new Promise<void>((resolve) => process.nextTick(resolve)),
  'in a microtask': () => Promise.resolve(),
  'in a turn': () => new Promise(setImmediate),
  'a moment later': () => setTimeout(5),
};

for (const [when, next] of Object.entries(NEXT)) {
  forBoth(`keepSocketAlive says no, the next request comes ${when}`, async ({ t, agent: make }) => {
    const server = await httpsServer(t);
    const agent = make({ ca: server.ca, maxSockets: 1 });
    let asked = 0;
    agent.keepSocketAlive = () => ++asked < 0;
    for (let i = 1; i <= 6; i++) {
      await get(server, { agent });
      assert.equal(server.connections(), i);
      await next();
    }
    await until(() => asked === 6);
  });

  forBoth(`keepSocketAlive may say no at any release, ${when}`, async ({ t, agent: make }) => {
    const server = await httpsServer(t);
    const agent = make({ ca: server.ca, maxSockets: 1 });
    const { keepSocketAlive } = agent;
    let asked = 0;
    agent.keepSocketAlive = (socket) => ++asked % 3 > 0 && keepSocketAlive.call(agent, socket);
    for (let i = 0; i < 9; i++) {
      await get(server, { agent });
      await next();
    }
    await until(() => asked === 9);
    assert.equal(server.connections(), 3);
  });
}

for (const how of ['a subclass', 'the prototype']) {
  test(`keepSocketAlive of ${how} is asked once for each release`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const asked: unknown[] = [];
    class Strict extends PoolingAgent {}
    const patched = how === 'a subclass' ? Strict.prototype : PoolingAgent.prototype;
    const descriptor = Object.getOwnPropertyDescriptor(patched, 'keepSocketAlive');
    t.after(() => descriptor && Object.defineProperty(patched, 'keepSocketAlive', descriptor));
    const agent = new Strict({ ca: server.ca, maxSockets: 1 });
    t.after(() => agent.destroy());
    patched.keepSocketAlive = (socket) => asked.push(socket) < 0;
    for (let i = 0; i < 4; i++) await get(server, { agent });
    assert.equal(server.connections(), 4);
    await until(() => asked.length === 4);
    assert.equal(new Set(asked).size, 4);
  });
}

test('where a request waits, keepSocketAlive is asked, too', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = new PoolingAgent({ ca: server.ca, maxSockets: 1 });
  t.after(() => agent.destroy());
  let asked = 0;
  agent.keepSocketAlive = () => ++asked < 0;
  await Promise.all(['/1', '/2', '/3'].map((path) => get(server, { agent, path })));
  assert.equal(server.connections(), 3);
  await until(() => asked === 3 && agent.totalSocketCount === 0);
});

test('a keepSocketAlive that says yes where a request waits lets that have the socket', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = new PoolingAgent({ ca: server.ca, maxSockets: 1 });
  t.after(() => agent.destroy());
  agent.keepSocketAlive = () => true;
  const paths = ['/1', '/2', '/3', '/4'];
  const answers = await Promise.all(paths.map((path) => get(server, { agent, path })));
  assert.deepEqual(
    answers.map(({ body }) => body),
    paths,
  );
  assert.equal(server.connections(), 1);
});

test('a keepSocketAlive that throws: the socket is not kept', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = new PoolingAgent({ ca: server.ca, maxSockets: 1 });
  t.after(() => agent.destroy());
  const thrown = collectUncaught(t);
  const error = new Error('no');
  agent.keepSocketAlive = () => {
    throw error;
  };
  await get(server, { agent });
  await get(server, { agent });
  assert.equal(server.connections(), 2);
  await until(() => thrown.length === 2 && agent.totalSocketCount === 0);
  assert.deepEqual(thrown, [error, error]);
});

/** When a timeout is set on a released socket. */
const SET: Record<string, (agent: Agent, set: (socket: Socket) => void) => Promise<void>> = {
  "in 'free'": async (agent, set) => void agent.on('free', set),
  "a tick after 'free'": async (agent, set) =>
    void agent.on('free', (socket) => process.nextTick(set, socket)),
  "soon after 'free'": async (agent, set) =>
    void agent.on('free', (socket) => void setTimeout(10).then(() => set(socket))),
  'when it is idle for a while': async (agent, set) =>
    void agent.on('free', (socket) => void setTimeout(80).then(() => set(socket))),
};

for (const [when, listen] of Object.entries(SET)) {
  for (const timeout of [undefined, 50, 30_000]) {
    const has = timeout === undefined ? '' : `, after a request with a timeout of ${timeout} ms`;
    forBoth(`a timeout that is set on a socket ${when} closes it${has}`, async ({ t, agent: make, ours }) => {
      const server = await httpsServer(t);
      const agent = make({ ca: server.ca, ...(ours && { idleTimeout: Infinity, maxIdleTimeout: Infinity }) });
      await listen(agent, (socket) => {
        socket.setTimeout(50);
        // Node's own agent leaves it to who has set it.
        if (!ours) socket.once('timeout', () => socket.destroy());
      });
      const { req } = await get(server, { agent, ...(timeout !== undefined && { timeout }) });
      await until(() => req.destroyed && agent.totalSocketCount === 0);
    });
  }
}

test("a request's own timeout ends with it", LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = new PoolingAgent({ ca: server.ca, idleTimeout: 60_000 });
  t.after(() => agent.destroy());
  await get(server, { agent, timeout: 60 });
  await setTimeout(150);
  assert.equal((await untilIdle(agent)).timeout || 0, 0);
  assert.equal(server.open(), 1);
});

forBoth('a timeout of an idle socket is none of the next request', async ({ t, agent: make }) => {
  const server = await holdingServer(t);
  const agent = make({ ca: server.ca, maxSockets: 1 });
  agent.on('free', (socket: Socket) => socket.setTimeout(60));
  const first = get(server, { agent });
  await until(() => server.held.length === 1);
  server.held[0]?.end();
  await first;
  let timeouts = 0;
  const second = get(server, { agent, timeout: 30_000 }).finally(() => assert.equal(timeouts, 0));
  await until(() => server.held.length === 2);
  for (const sockets of Object.values(agent.sockets)) {
    for (const socket of sockets ?? []) socket.on('timeout', () => timeouts++);
  }
  await setTimeout(150);
  server.held[1]?.end('late');
  assert.equal((await second).body, 'late');
});
