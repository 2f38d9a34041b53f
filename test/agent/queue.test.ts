/** Requests that wait: their order, their timeouts, their context, and what `destroy` does to them. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { ClientRequest, ServerResponse } from 'node:http';
import { request } from '../support/protocol.js';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { activeCount, poolingAgent, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

/** An agent whose only connection is in use until `free` is called. */
async function saturated(t: TestContext, options: PoolingAgentOptions = {}) {
  const held: ServerResponse[] = [];
  const server = await httpsServer(t, (req, res) => {
    if (req.url === '/hold') held.push(res);
    else res.end(req.url);
  });
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, ...options });
  const active = get(server, { agent, path: '/hold' });
  active.catch(() => {});
  await until(() => held.length === 1);
  const send = (more: RequestOptions = {}): ClientRequest => {
    const req = request({ host: 'localhost', port: server.port, agent, ...more }, (res) => res.resume());
    req.end();
    return req;
  };
  return { server, agent, active, send, free: () => held[0]?.end() };
}

test('first in, first out', LIMIT, async (t) => {
  const { server, agent, free } = await saturated(t);
  const order: string[] = [];
  const answers = Array.from({ length: 20 }, async (_, i) => {
    order.push((await get(server, { agent, path: `/${i}` })).body);
  });
  free();
  await Promise.all(answers);
  assert.deepEqual(
    order,
    answers.map((_, i) => `/${i}`),
  );
  assert.equal(server.connections(), 1);
});

const TIMEOUTS: Record<string, (send: (more?: RequestOptions) => ClientRequest) => ClientRequest> = {
  'the option': (send) => send({ timeout: 30 }),
  setTimeout: (send) => send().setTimeout(30),
  'setTimeout over the option': (send) => send({ timeout: 1_000_000 }).setTimeout(30),
};

for (const [name, sendWith] of Object.entries(TIMEOUTS)) {
  test(`'timeout' while it waits, by ${name}; it may go on waiting`, LIMIT, async (t) => {
    const { server, agent, send, free, active } = await saturated(t);
    const req = sendWith(send);
    await once(req, 'timeout');
    assert.equal(req.destroyed, false);
    assert.equal(waitingCount(agent), 1);
    free();
    await active;
    await once(req, 'response');
    assert.equal(server.connections(), 1);
  });
}

test("the callback of setTimeout is called once, and its listener stays as Node's does", LIMIT, async (t) => {
  const { send, free } = await saturated(t);
  let calls = 0;
  const req = send();
  req.setTimeout(20, () => calls++);
  await once(req, 'timeout');
  free();
  await once(req, 'response');
  assert.equal(calls, 1);
});

test("the agent's timeout runs in the queue, too", LIMIT, async (t) => {
  const { agent, send } = await saturated(t);
  agent.options.timeout = 30;
  const req = send().on('error', () => {});
  await once(req, 'timeout');
  req.destroy();
});

test('a timeout that is taken back does not fire', LIMIT, async (t) => {
  const { send, free } = await saturated(t);
  const req = send({ timeout: 30 });
  req.setTimeout(0);
  req.on('timeout', () => assert.fail('fired'));
  await setTimeout(60);
  free();
  await once(req, 'response');
});

test('a request that got its connection is timed anew, on the socket', LIMIT, async (t) => {
  const { send, free } = await saturated(t);
  const req = send({ timeout: 20_000, path: '/hold' });
  free();
  const [socket] = await once(req, 'socket');
  await setImmediate();
  assert.equal(socket.timeout, 20_000);
  req.on('error', () => {}).destroy();
});

test(
  "a waiting request's destroy and setTimeout are Node's own again when it is served",
  LIMIT,
  async (t) => {
    const { send, free } = await saturated(t);
    const req = send();
    assert.ok(Object.hasOwn(req, 'destroy'));
    free();
    await once(req, 'response');
    for (const name of ['destroy', 'setTimeout']) assert.ok(!Object.hasOwn(req, name), name);
  },
);

test('a destroy that somebody else had put on the request stays', LIMIT, async (t) => {
  const { server, agent, free } = await saturated(t);
  let calls = 0;
  const original = agent.addRequest;
  agent.addRequest = function (req, ...rest) {
    const { destroy } = req;
    req.destroy = function (error) {
      calls++;
      return destroy.call(this, error);
    };
    original.call(this, req, ...rest);
  };
  const served = request({ host: 'localhost', port: server.port, agent }, (res) => res.resume());
  const { destroy } = served;
  served.end();
  const ended = request({ host: 'localhost', port: server.port, agent }).on('error', () => {});
  assert.ok(destroy);
  ended.destroy();
  assert.equal(calls, 1);
  assert.equal(waitingCount(agent), 1);
  free();
  await once(served, 'response');
  served.destroy();
  assert.equal(calls, 2);
});

test('each goes on in its own async context', LIMIT, async (t) => {
  const storage = new AsyncLocalStorage<number>();
  const { send, free } = await saturated(t);
  const seen: unknown[] = [];
  const ends = Array.from({ length: 5 }, (_, i) =>
    storage.run(i, async () => {
      const req = send();
      for (const event of ['socket', 'finish', 'response']) {
        req.on(event, () => seen.push([event, i, storage.getStore()]));
      }
      await new Promise((resolve) => req.on('close', resolve));
    }),
  );
  free();
  await Promise.all(ends);
  assert.equal(seen.length, 15);
  for (const [event, own, store] of seen as [string, number, number][]) assert.equal(store, own, event);
});

test(
  'destroy() ends the waiting with a coded error, the active with a reset, and nobody twice',
  LIMIT,
  async (t) => {
    const { server, agent, active, send } = await saturated(t);
    const waiting = Array.from({ length: 5 }, () => send());
    const ends = waiting.map(async (req) => {
      const codes: unknown[] = [];
      req.on('error', (error: NodeJS.ErrnoException) => codes.push(error.code));
      await new Promise((resolve) => req.on('close', resolve));
      return codes;
    });
    agent.destroy();
    assert.equal(waitingCount(agent), 0);
    for (const codes of await Promise.all(ends)) assert.deepEqual(codes, ['ERR_AGENT_DESTROYED']);
    await assert.rejects(active, { code: 'ECONNRESET' });
    assert.equal(agent.totalSocketCount, 0);
    assert.equal((await get(server, { agent, path: '/again' })).body, '/again');
  },
);

test('destroy(error) gives everybody that error', LIMIT, async (t) => {
  const { agent, active, send } = await saturated(t);
  const req = send();
  const failed = once(req, 'error');
  const reason = new Error('shutting down');
  agent.destroy(reason);
  assert.equal((await failed)[0], reason);
  await assert.rejects(active, reason);
});

test('destroy() while a connection is being opened', LIMIT, async (t) => {
  const server = await httpsServer(t);
  for (const binding of ['eager', 'late'] as const) {
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 2, binding });
    const answers = Array.from({ length: 5 }, () => get(server, { agent }));
    agent.destroy();
    const results = await Promise.allSettled(answers);
    assert.ok(results.every(({ status }) => status === 'rejected'));
    await until(() => agent.totalSocketCount === 0);
    assert.equal(activeCount(agent), 0);
    assert.equal((await get(server, { agent, path: '/again' })).body, '/again');
  }
});

test('a connect failure ends one request, and the next goes on at once', LIMIT, async (t) => {
  const server = await httpsServer(t);
  let dials = 0;
  const lookup: NonNullable<RequestOptions['lookup']> = (_host, options, callback) => {
    const error = ++dials % 2 ? Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }) : null;
    if (options.all) process.nextTick(callback, error, [{ address: '127.0.0.1', family: 4 }]);
    else process.nextTick(callback, error, '127.0.0.1', 4);
  };
  for (const binding of ['eager', 'late'] as const) {
    dials = 0;
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, lookup, binding });
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => get(server, { agent })));
    const failed = results.filter(({ status }) => status === 'rejected');
    assert.equal(failed.length, 1, binding);
    assert.equal((failed[0] as PromiseRejectedResult).reason.code, 'ENOTFOUND');
    assert.equal(dials, 2);
    agent.destroy();
  }
});
