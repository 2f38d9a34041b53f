/** For how long connections are idle before they are closed, over real ones. */
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { poolingAgent, poolOf } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { untilIdle } from '../contract/support.js';
import { begin, connectionFor, connectionOf, LIMIT, POST } from '../connections/support.js';

test('where the server says nothing, idleTimeout ends an idle connection', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, idleTimeout: 300 });
  const connection = await connectionFor(server, { agent });
  await until(() => agent.totalSocketCount === 0);
  assert.equal(connection.closeReason, 'idle-timeout');
});

test('by default that is 4 s, less than the servers that close soonest', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const connection = connectionOf((await get(server, { agent })).req);
  await untilIdle(agent);
  const { expiresAt, safeUntil, idleSince } = connection;
  assert.equal(Math.round(expiresAt - idleSince), 4000);
  assert.equal(safeUntil, expiresAt);
});

test('zero keeps none, where the server says nothing', LIMIT, async (t) => {
  const server = await httpsServer(t, (req, res) => {
    if (req.url === '/hint') res.setHeader('keep-alive', 'timeout=5');
    res.end();
  });
  const agent = poolingAgent(t, { ca: server.ca, idleTimeout: 0 });
  await get(server, { agent });
  await until(() => agent.totalSocketCount === 0);
  await get(server, { agent, path: '/hint' });
  await untilIdle(agent);
});

test(
  'the server may say more or less than idleTimeout, but not more than maxIdleTimeout',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t, (req, res) => {
      res.setHeader('keep-alive', `timeout=${req.url?.slice(1)}`);
      res.end();
    });
    const idleTime = async (seconds: number, options = {}): Promise<number> => {
      const agent = poolingAgent(t, { ca: server.ca, ...options });
      const connection = connectionOf((await get(server, { agent, path: `/${seconds}` })).req);
      await untilIdle(agent);
      const { expiresAt, idleSince } = connection;
      return Math.round(expiresAt - idleSince);
    };
    assert.equal(await idleTime(30), 29_000);
    assert.equal(await idleTime(3), 2000);
    assert.equal(await idleTime(600), 60_000);
    assert.equal(await idleTime(600, { maxIdleTimeout: 10_000 }), 10_000);
    assert.equal(await idleTime(600, { idleTimeout: 90_000 }), 90_000);
    assert.equal(await idleTime(30, { keepAliveTimeoutBuffer: 3000 }), 27_000);
    assert.equal(await idleTime(30, { agentKeepAliveTimeoutBuffer: 3000 }), 27_000);
    assert.equal(await idleTime(30, { timeout: 1500 }), 1500, "Node's timeout ends idle connections, too");
  },
);

test(
  'with a buffer of all that the server says, only what can be sent twice uses the connection again',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t, (_req, res) => {
      res.setHeader('keep-alive', 'timeout=60');
      res.end();
    });
    const agent = poolingAgent(t, { ca: server.ca, agentKeepAliveTimeoutBuffer: 60_000 });
    const first = connectionOf((await get(server, { agent })).req);
    await untilIdle(agent);
    assert.equal(Math.round(first.expiresAt - first.idleSince), 30_000);
    assert.equal(connectionOf((await get(server, { agent })).req), first);
    await untilIdle(agent);
    const second = connectionOf((await get(server, { agent, ...POST })).req);
    assert.notEqual(second, first);
    assert.equal(first.closeReason, 'idle-timeout', 'one gives way to the other');
    await untilIdle(agent);
    assert.equal(server.connections(), 2);
  },
);

test('the idle time does not go on in the request that ends it', LIMIT, async (t) => {
  const server = await httpsServer(t, async (req, res) => {
    res.setHeader('keep-alive', 'timeout=1');
    if (req.url === '/slow') await setTimeout(600);
    res.end(req.url);
  });
  const agent = poolingAgent(t, { ca: server.ca, idleTimeout: 500, keepAliveTimeoutBuffer: 500 });
  const { socket } = (await get(server, { agent })).req;
  await until(() => poolOf(agent).idle.size === 1);
  const req = begin(server, { agent, path: '/slow' });
  let timeouts = 0;
  req.on('timeout', () => timeouts++);
  req.end();
  const [res] = await once(req, 'response');
  res.resume();
  assert.equal(req.socket, socket);
  assert.equal(socket?.timeout || 0, 0);
  assert.equal(timeouts, 0);
});

test('with nothing idle, no timer waits; after destroy, neither', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, idleTimeout: 50 });
  const destroyed = poolingAgent(t, { ca: server.ca, idleTimeout: 50_000 });
  const armed: object[] = [];
  const timers = createHook({
    init(_id, type, _trigger, resource) {
      if (type === 'Timeout') armed.push(resource);
    },
  });
  timers.enable();
  try {
    for (const one of [agent, destroyed]) {
      armed.length = 0;
      await get(server, { agent: one });
      if (one === destroyed) {
        await untilIdle(one);
        one.destroy();
      }
      await until(() => one.totalSocketCount === 0);
      assert.ok(armed.length > 0);
      await until(() => armed.every((timer) => Reflect.get(timer, '_destroyed') === true));
    }
  } finally {
    timers.disable();
  }
});
