/** The queue over real sockets: its bounds, deadlines, priorities and events, and rules that change meanwhile. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { request } from '../support/protocol.js';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { PoolQueueError } from '../../src/index.js';
import type { PoolingAgentOptions, QueueState } from '../../src/index.js';
import { holdingServer, lookupLoopback, send } from '../contract/support.js';
import { activeCount, idleCount, poolingAgent, poolOf, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

/** An agent whose only connection is in use until `free` is called. */
async function saturated(t: TestContext, options: PoolingAgentOptions = {}) {
  const server = await holdingServer(t);
  const order: string[] = [];
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, ...options });
  const start = (path: string, more: RequestOptions = {}): ClientRequest => {
    const req = request({ host: 'localhost', port: server.port, agent, path, ...more }, (res) =>
      res.resume(),
    );
    req.on('error', () => {}).on('socket', () => order.push(path));
    req.end();
    return req;
  };
  start('/active');
  await until(() => server.held.length === 1);
  order.length = 0;
  /** Answers whatever comes, until `count` requests have had a socket. */
  const serve = async (count: number): Promise<void> => {
    await until(() => {
      for (const res of server.held.splice(0)) res.end();
      return order.length === count;
    });
  };
  return { server, agent, start, serve, order };
}

function timersOfQueue(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

test('a full queue refuses with a coded error that tells', LIMIT, async (t) => {
  const { server, agent, start, serve } = await saturated(t, { maxQueueSize: 2 });
  start('/1');
  start('/2');
  const refused = start('/3');
  const [error] = (await once(refused, 'error')) as [PoolQueueError];
  assert.ok(error instanceof PoolQueueError);
  const { code, host, waiting, active, limit, waited } = error;
  assert.deepEqual(
    { code, host, waiting, active, limit, waited },
    {
      code: 'ERR_POOL_QUEUE_FULL',
      host: `localhost:${server.port}`,
      waiting: 2,
      active: 1,
      limit: 2,
      waited: 0,
    },
  );
  assert.match(error.message, /maxQueueSize: 2/);
  agent.maxQueueSize = Infinity;
  start('/4');
  await serve(3);
});

test('maxTotalQueueSize refuses, too, whatever the host', LIMIT, async (t) => {
  const { server, agent, start } = await saturated(t, {
    maxTotalSockets: 1,
    maxTotalQueueSize: 1,
    lookup: lookupLoopback,
    checkServerIdentity: () => undefined,
  });
  start('/1');
  const { errors, closed } = send(server, { agent, hostname: 'other.localhost' });
  await closed;
  assert.equal(errors.length, 1);
  assert.equal(errors[0]?.code, 'ERR_POOL_QUEUE_FULL');
  assert.match(errors[0]?.message ?? '', /other\.localhost:\d+ .*maxTotalQueueSize: 1/);
});

test('a burst below maxSockets is refused nothing, however short the queue', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 8, maxQueueSize: 0 });
  const all = Array.from({ length: 10 }, () => send(server, { agent }));
  await until(() => server.held.length === 8);
  for (const res of server.held) res.end();
  await Promise.all(all.map(({ closed }) => closed));
  const codes = all.flatMap(({ errors }) => errors.map(({ code }) => code));
  assert.deepEqual(codes, ['ERR_POOL_QUEUE_FULL', 'ERR_POOL_QUEUE_FULL']);
});

test('requests in turn never meet a full queue', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, maxQueueSize: 0 });
  for (let i = 0; i < 50; i++) await get(server, { agent });
  assert.equal(server.connections(), 1);
});

test('acquireTimeout ends the wait with a coded error that tells, and leaves no timer', LIMIT, async (t) => {
  const { server, agent, start, serve } = await saturated(t, { acquireTimeout: 40 });
  // Others come and go: that of connections which became idle a moment ago.
  const timers = (count: number): Promise<void> => until(() => timersOfQueue() === count);
  await timers(0);
  const [first, second] = [start('/1'), start('/2')];
  await setImmediate();
  const [[error]] = (await Promise.all([once(first, 'error'), once(second, 'error')])) as [
    [PoolQueueError],
    unknown,
  ];
  const { code, host, active, limit, waited } = error;
  assert.deepEqual(
    { code, host, active, limit },
    { code: 'ERR_POOL_ACQUIRE_TIMEOUT', host: `localhost:${server.port}`, active: 1, limit: 40 },
  );
  assert.ok(waited >= 40 && waited < 20_000);
  assert.equal(waitingCount(agent), 0);
  await timers(0);
  agent.acquireTimeout = 60_000;
  const third = start('/3');
  await timers(1);
  start('/4').destroy();
  third.destroy();
  await setImmediate();
  // None outlives its request.
  await timers(0);
  await serve(0);
});

test('acquireTimeout set meanwhile holds for requests that wait already', LIMIT, async (t) => {
  const { agent, start } = await saturated(t);
  const waiting = start('/1');
  await setImmediate();
  agent.setHostLimits('localhost', { acquireTimeout: 1 });
  assert.equal(((await once(waiting, 'error')) as [PoolQueueError])[0].code, 'ERR_POOL_ACQUIRE_TIMEOUT');
  const other = start('/2');
  agent.setHostLimits('localhost', undefined);
  agent.acquireTimeout = 1;
  assert.equal(((await once(other, 'error')) as [PoolQueueError])[0].code, 'ERR_POOL_ACQUIRE_TIMEOUT');
});

test('its own timeout and acquireTimeout are two things', LIMIT, async (t) => {
  const { start } = await saturated(t, { acquireTimeout: 60 });
  const req = start('/1', { timeout: 20 });
  const events: string[] = [];
  req.on('timeout', () => events.push('timeout')).on('error', () => events.push('error'));
  await new Promise((resolve) => req.on('close', resolve));
  assert.deepEqual(events, ['timeout', 'error']);
});

test('by priority, then first in, first out; and it can be changed while they wait', LIMIT, async (t) => {
  const { agent, start, serve, order } = await saturated(t);
  const slow = start('/7', { priority: 7 });
  start('/default');
  start('/3', { priority: 3 });
  start('/0', { priority: 0 });
  const late = start('/6', { priority: 6 });
  start('/0-again', { priority: 0 });
  assert.equal(agent.setPriority(late, 0), true, 'in the same turn');
  await setImmediate();
  assert.equal(agent.setPriority(slow, 1), true);
  await serve(6);
  assert.deepEqual(order, ['/0', '/6', '/0-again', '/7', '/default', '/3']);
  assert.equal(agent.setPriority(slow, 1), false, 'it waits no more');
  for (const [value, code] of [
    [-1, 'ERR_OUT_OF_RANGE'],
    [8, 'ERR_OUT_OF_RANGE'],
    [1.5, 'ERR_OUT_OF_RANGE'],
    ['1', 'ERR_INVALID_ARG_TYPE'],
    [undefined, 'ERR_INVALID_ARG_TYPE'],
  ] as const) {
    assert.throws(() => agent.setPriority(slow, value as number), { code });
  }
});

test('a priority that is none is the error of that request, also where nobody waits', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  for (const priority of [8, -1, 0.5, '1', NaN]) {
    const { errors, events, closed } = send(server, { agent, priority: priority as number });
    await closed;
    assert.deepEqual(events, ['error', 'close']);
    const code = typeof priority === 'number' ? 'ERR_OUT_OF_RANGE' : 'ERR_INVALID_ARG_TYPE';
    assert.equal(errors[0]?.code, code);
    assert.match(errors[0]?.message ?? '', /options\.priority/);
  }
  const valid: RequestOptions = { agent, priority: 0 };
  assert.equal((await get(server, valid)).status, 200);
  assert.equal(server.connections(), 1, 'it is no part of what keeps connections apart');
});

test(
  "'saturated' and 'drained' name the host and the counts, and are not told all the time",
  LIMIT,
  async (t) => {
    const { server, agent, start, serve } = await saturated(t);
    const told: [string, QueueState][] = [];
    agent.on('saturated', (state) => told.push(['saturated', state]));
    agent.on('drained', (state) => told.push(['drained', state]));
    for (let i = 0; i < 20; i++) start(`/${i}`);
    await setImmediate();
    const host = `localhost:${server.port}`;
    assert.deepEqual(told, [['saturated', { host, waiting: 1, active: 1, idle: 0, maxSockets: 1 }]]);
    await serve(20);
    await until(() => told.length === 2);
    const [event, state] = told[1] as [string, QueueState];
    assert.equal(event, 'drained');
    assert.equal(state.host, host);
    assert.equal(state.waiting, 0);
  },
);

test('an agent below its limits says nothing', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 30 });
  agent.on('saturated', () => assert.fail('saturated'));
  agent.on('drained', () => assert.fail('drained'));
  await Promise.all(Array.from({ length: 30 }, () => get(server, { agent })));
});

test('rules: each host has its own limits, the most specific counts', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, {
    ca: server.ca,
    maxSockets: 3,
    lookup: lookupLoopback,
    checkServerIdentity: () => undefined,
    hosts: {
      '*.localhost': { maxSockets: 2 },
      [`one.localhost:${server.port}`]: { maxSockets: 1 },
      '127.0.0.0/8': { maxSockets: 4 },
    },
  });
  for (const [hostname, most] of [
    ['one.localhost', 1],
    ['two.localhost', 2],
    ['localhost', 3],
    ['127.0.0.1', 4],
  ] as const) {
    const all = Array.from({ length: 6 }, () => send(server, { agent, hostname }));
    await until(() => activeCount(agent) === most && waitingCount(agent) === 6 - most);
    await until(() => {
      for (const res of server.held.splice(0)) res.end();
      return waitingCount(agent) === 0 && activeCount(agent) === 0;
    });
    await Promise.all(all.map(({ closed }) => closed));
    assert.ok(all.every(({ errors }) => errors.length === 0));
  }
});

test(
  'a changed rule holds at once: for requests that wait and idle connections, not for those in use',
  LIMIT,
  async (t) => {
    const { server, agent, start } = await saturated(t);
    for (let i = 0; i < 5; i++) start(`/${i}`);
    await setImmediate();
    agent.setHostLimits('localhost', { maxSockets: 4 });
    await until(() => server.held.length === 4);
    assert.equal(waitingCount(agent), 2);
    for (const res of server.held.splice(0, 4)) res.end();
    await until(() => server.held.length === 2 && poolOf(agent).idle.size === 2);
    agent.setHostLimits('localhost', { maxSockets: 1 });
    assert.equal(idleCount(agent), 0);
    assert.equal(activeCount(agent), 2);
    for (const res of server.held.splice(0)) res.end();
    await until(() => agent.totalSocketCount === 1);
    agent.setHostLimits('localhost', { maxSockets: 0 });
    await until(() => agent.totalSocketCount === 0);
    start('/paused');
    await setTimeout(5);
    assert.equal(waitingCount(agent), 1);
    agent.setHostLimits('localhost', undefined);
    await until(() => server.held.length === 1);
  },
);

test(
  'an exception or a wrong value of the function is the error of the request; nothing is left of it',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const reason = new Error('no such host in the table');
    const agent = poolingAgent(t, {
      ca: server.ca,
      lookup: lookupLoopback,
      checkServerIdentity: () => undefined,
      hosts: (host, port) => {
        assert.equal(port, server.port);
        if (host === 'bad.localhost') throw reason;
        if (host === 'wrong.localhost') return { maxSockets: -1 };
        return host === 'localhost' ? { maxSockets: 2 } : undefined;
      },
    });
    const [bad, wrong] = ['bad.localhost', 'wrong.localhost'].map((hostname) =>
      send(server, { agent, hostname }),
    );
    await Promise.all([bad?.closed, wrong?.closed]);
    assert.deepEqual(bad?.errors, [reason]);
    assert.equal(wrong?.errors[0]?.code, 'ERR_OUT_OF_RANGE');
    assert.equal(poolOf(agent).hosts.size, 0);
    await Promise.all(Array.from({ length: 10 }, () => get(server, { agent })));
    assert.ok(server.peak() <= 2);
  },
);

test('each scheduling serves, and the agent’s is live', LIMIT, async (t) => {
  const server = await httpsServer(t);
  for (const scheduling of ['lifo', 'fifo', 'least-used', 'random'] as const) {
    const agent = poolingAgent(t, { ca: server.ca, scheduling });
    assert.equal(agent.scheduling, scheduling);
    for (const next of [scheduling, 'random', 'least-used', 'fifo'] as const) {
      agent.scheduling = next;
      const answers = await Promise.all(Array.from({ length: 20 }, () => get(server, { agent })));
      assert.ok(answers.every(({ status }) => status === 200));
    }
    agent.destroy();
  }
});

test('maxTotalFreeSockets and trimInterval, over real sockets', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, {
    ca: server.ca,
    scheduling: 'fifo',
    maxTotalFreeSockets: 6,
    idleTimeout: Infinity,
  });
  const peak = Array.from({ length: 8 }, () => send(server, { agent }));
  await until(() => server.held.length === 8);
  for (const res of server.held.splice(0)) res.end();
  await Promise.all(peak.map(({ closed }) => closed));
  await until(() => agent.totalSocketCount === 6 && idleCount(agent) === 6);
  agent.trimInterval = 150;
  await until(() => {
    if (server.held.length === 0 && activeCount(agent) === 0 && waitingCount(agent) === 0)
      send(server, { agent });
    for (const res of server.held.splice(0)) res.end();
    return agent.totalSocketCount <= 2;
  });
  assert.ok(agent.totalSocketCount >= 1);
});
