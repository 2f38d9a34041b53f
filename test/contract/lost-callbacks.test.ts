/**
 * A timer that the pool has started does not end: it was a fake, and the tool that had made it is gone. Whoever waits for it
 * is seen to when the pool asks again, and nothing counts as asked for until the end of time.
 */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import timers from 'node:timers';
import { setTimeout as wait } from 'node:timers/promises';
import type { PoolingAgent } from '../../src/index.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

let isLossy = false;
let lost = 0;
const { setTimeout: nodesSetTimeout } = timers;
/** Whether a callback is lost is decided when it is asked for. */
timers.setTimeout = Object.assign(
  (callback: () => void, ...rest: [number]) =>
    nodesSetTimeout(isLossy ? () => void lost++ : callback, ...rest),
  nodesSetTimeout,
);
syncBuiltinESMExports();

// Loaded now: the pool takes its timers when it is loaded.
const { idleCount, poolingAgent, poolOf, waitingCount } = await import('../support/agent.js');
const { get, httpsServer } = await import('../support/server.js');
const { isReferenced } = await import('../../src/node/handle.js');
const { WaitWatch } = await import('../../src/connections/wait-watch.js');
const { LOST_AFTER, monotonicNow } = await import('../../src/node/timers.js');

/** Runs `body` while callbacks are lost; then so much time passes that the last one counts as lost. */
async function losing(t: TestContext, ms: number, body: () => unknown): Promise<void> {
  t.after(() => (isLossy = false));
  const before = lost;
  isLossy = true;
  await body();
  await wait(ms + LOST_AFTER + 50);
  isLossy = false;
  assert.ok(lost > before, 'something was lost');
}

function idleHandlesOf(agent: PoolingAgent): boolean[] {
  return Object.values(agent.freeSockets).flatMap((sockets) => (sockets ?? []).map((s) => isReferenced(s)));
}

/** The only connection of `agent` becomes idle. */
async function becomeIdle(agent: PoolingAgent, server: TestServer): Promise<void> {
  await get(server, { agent });
  await until(() => poolOf(agent).idle.size === 1);
}

/** It becomes idle, time and again, until it waits for the callback that unrefs it: only one that does so often waits. */
async function becomeIdleUntilReferenced(agent: PoolingAgent, server: TestServer): Promise<void> {
  await until(async () => {
    await becomeIdle(agent, server);
    return idleHandlesOf(agent).includes(true);
  });
}

test('a timeout of a request that waits is told with that of the next', LIMIT, async (t) => {
  const server = await httpsServer(t, () => {});
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const told: string[] = [];
  const send = (name: string, timeout?: number): void => {
    const req = request({ host: 'localhost', port: server.port, agent, ...(timeout && { timeout }) });
    req.on('error', () => {});
    req.on('timeout', () => {
      told.push(name);
      req.destroy();
    });
    req.end();
  };
  send('active');
  await until(() => server.requests() === 1);
  await losing(t, 30, () => send('first', 30));
  assert.deepEqual(told, []);
  assert.equal(waitingCount(agent), 1);
  send('second', 30);
  await until(() => waitingCount(agent) === 0);
  assert.deepEqual(told, ['first', 'second']);
});

test('connections that are idle for too long close with the next that becomes idle', LIMIT, async (t) => {
  const server = await httpsServer(t);
  // It runs from when the answer has come, and a busy machine may take long to release the connection then.
  const agent = poolingAgent(t, { ca: server.ca, idleTimeout: 500 });
  const pool = poolOf(agent);
  await losing(t, 500, async () => {
    await Promise.all([get(server, { agent }), get(server, { agent })]);
    await until(() => pool.idle.size === 2);
  });
  assert.equal(pool.size, 2);
  await get(await httpsServer(t), { agent });
  await until(() => pool.size === 0);
});

test(
  'a connection keeps the process alive no longer than until it is idle for the next time',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, idleTimeout: 60_000 });
    await losing(t, 50, () => becomeIdleUntilReferenced(agent, server));
    assert.deepEqual(idleHandlesOf(agent), [true]);
    await becomeIdle(agent, server);
    await until(() => idleHandlesOf(agent).includes(false));
    assert.equal(server.connections(), 1);
  },
);

test('a connection keeps the process alive no longer than until another one is idle', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, idleTimeout: 60_000 });
  await losing(t, 50, () => becomeIdleUntilReferenced(agent, server));
  assert.deepEqual(idleHandlesOf(agent), [true]);
  await get(await httpsServer(t), { agent });
  await until(() => !idleHandlesOf(agent).includes(true));
  assert.equal(idleCount(agent), 2);
});

test('exchanges that stand still are looked for when the next request begins to wait', LIMIT, async (t) => {
  let looks = 0;
  const watch = new WaitWatch(
    () => looks === 0,
    () => looks++,
  );
  await losing(t, 1000, () => watch.begin(monotonicNow()));
  watch.begin(monotonicNow());
  await until(() => looks === 1);
});
