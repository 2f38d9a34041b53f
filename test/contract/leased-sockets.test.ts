/** The state of a socket while a request has it, the first one or a later one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { idleCount, poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { forBoth, LIMIT, send, untilIdle } from './support.js';
import type { NodeAgent, Options } from './support.js';

async function lease(server: { port: number }, agent: NodeAgent, options: Options = {}): Promise<TLSSocket> {
  const { req } = send(server, { agent, ...options });
  const [socket] = (await once(req, 'socket')) as [TLSSocket];
  return socket;
}

test("it has the request's timeout, else the agent's, and no other", LIMIT, async (t) => {
  const server = await httpsServer(t, (_req, res) => res.setHeader('keep-alive', 'timeout=60').end());
  const agent = poolingAgent(t, { ca: server.ca }) as unknown as NodeAgent;
  const timeouts: unknown[] = [];
  const step = async (options: Options): Promise<void> => {
    timeouts.push((await lease(server, agent, options)).timeout ?? 0);
    // Idle connections are timed by the pool.
    timeouts.push((await untilIdle(agent)).timeout ?? 0);
  };
  await step({});
  await step({ timeout: 50_000 });
  await step({});
  agent.options.timeout = 40_000;
  await step({});
  await step({ timeout: 50_000 });
  await step({ timeout: 0 });
  const unused = send(server, { agent, timeout: 50_000 });
  unused.req.destroy();
  await unused.closed;
  timeouts.push((await untilIdle(agent)).timeout ?? 0);
  assert.deepEqual(timeouts, [0, 0, 50_000, 0, 0, 0, 40_000, 0, 50_000, 0, 0, 0, 0]);
  assert.equal(server.connections(), 1);
});

forBoth("a request's timeout works on a reused socket, and ends with it", async ({ t, agent: make }) => {
  const server = await httpsServer(t, (req, res) => void (req.url === '/hold' || res.end()));
  const agent = make({ ca: server.ca });
  const socket = await lease(server, agent, { timeout: 20_000 });
  await untilIdle(agent);
  assert.equal(await lease(server, agent), socket);
  await untilIdle(agent);
  assert.equal(socket.timeout || 0, 0);

  const { req, events } = send(server, { agent, path: '/hold', timeout: 20 });
  await once(req, 'timeout');
  assert.equal(req.socket, socket);
  assert.deepEqual(events, []);
  req.destroy();
});

test("a request's highWaterMark holds on a reused socket", LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca }) as unknown as NodeAgent;
  const marks: number[] = [];
  for (const highWaterMark of [100_000, 1000, 1000, 50_000]) {
    marks.push((await lease(server, agent, { highWaterMark })).writableHighWaterMark);
    await untilIdle(agent);
  }
  assert.deepEqual(marks.slice(1), [1000, 1000, 50_000]);
  Reflect.set(agent.options, 'highWaterMark', 2000);
  assert.equal((await lease(server, agent, { highWaterMark: 3000 })).writableHighWaterMark, 2000);
  await untilIdle(agent);
  assert.equal(server.connections(), 1);
});

forBoth("other people's listeners stay", async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  const EVENTS = [
    'free',
    'close',
    'error',
    'timeout',
    'agentRemove',
    'secureConnect',
    'drain',
    'end',
    'keylog',
  ];
  const own = (): void => {};
  const socket = await lease(server, agent);
  for (const event of EVENTS) socket.on(event, own);
  for (let round = 0; round < 3; round++) {
    await untilIdle(agent);
    for (const event of EVENTS) assert.ok(socket.listeners(event).includes(own), `${event}, idle`);
    assert.equal(await lease(server, agent), socket);
    for (const event of EVENTS) assert.ok(socket.listeners(event).includes(own), `${event}, leased`);
  }
  await untilIdle(agent);
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
  for (const event of EVENTS) assert.ok(socket.listeners(event).includes(own), `${event}, closed`);
});

function listenerCounts(socket: TLSSocket): Record<string, number> {
  return Object.fromEntries(
    socket
      .eventNames()
      .map((event) => [String(event), socket.listenerCount(event)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

test('as many listeners after 200 requests as after 2, and few', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca }) as unknown as NodeAgent;
  agent.on('keylog', () => {});
  await get(server, { agent });
  await untilIdle(agent);
  const leased = listenerCounts(await lease(server, agent, { timeout: 10_000 }));
  const socket = await untilIdle(agent);
  const idle = listenerCounts(socket);
  for (let count = 2; count < 200; count++) await get(server, { agent, timeout: 10_000 });
  await untilIdle(agent);
  assert.deepEqual(listenerCounts(socket), idle);
  assert.deepEqual(listenerCounts(await lease(server, agent, { timeout: 10_000 })), leased);
  for (const counts of [idle, leased]) {
    for (const [event, count] of Object.entries(counts)) assert.ok(count < 10, `${count} for ${event}`);
  }
  assert.equal(server.connections(), 1);
});

forBoth('requests in turn use one connection', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  for (let count = 0; count < 50; count++) await get(server, { agent });
  assert.equal(server.connections(), 1);
  assert.equal(idleCount(agent as never), 1);
});

test('it keeps the loop alive, also where a request before it said that it need not', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const isReferenced = (socket: TLSSocket): unknown => {
    const handle = Reflect.get(socket, '_handle') as { _parent?: { hasRef(): boolean }; hasRef(): boolean };
    return (handle._parent ?? handle).hasRef();
  };
  for (const restsBetween of [false, true]) {
    const first = send(server, { agent });
    const [socket] = (await once(first.req, 'socket')) as [TLSSocket];
    socket.unref();
    // Or nothing would keep the test alive.
    const timer = setInterval(() => {}, 1000);
    await first.closed;
    if (restsBetween) await untilIdle(agent);
    clearInterval(timer);
    const second = send(server, { agent });
    assert.deepEqual(await once(second.req, 'socket'), [socket]);
    assert.equal(isReferenced(socket), true);
    await second.closed;
  }
});
