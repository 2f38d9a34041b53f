/** Timeouts and deadlines of waiting requests are reported in the order of time, however late the event loop is. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { PoolingAgentOptions } from '../../src/index.js';
import { holdingServer } from '../contract/support.js';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { block } from '../support/block.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

interface Queue {
  /** Sends a request that has to wait. */
  readonly wait: (name: string, options?: RequestOptions) => void;
  /** The events of waiting requests. */
  readonly events: string[];
  /** Lets the loop go on when all of their times are over, and until nobody waits. */
  readonly blockFor: (ms: number) => Promise<void>;
}

/** An agent whose only connection is in use. */
async function busyAgent(t: TestContext, options: PoolingAgentOptions): Promise<Queue> {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, ...options });
  const events: string[] = [];
  const wait = (name: string, more: RequestOptions = {}): void => {
    const req = request({ host: 'localhost', port: server.port, agent, ...more });
    req.on('timeout', () => events.push(`${name} timeout`));
    req.on('error', (error: NodeJS.ErrnoException) => events.push(`${name} ${error.code}`));
    req.end();
  };
  wait('active');
  await until(() => server.held.length === 1);
  const blockFor = async (ms: number): Promise<void> => {
    // They are armed at the end of the turn in which they came.
    await new Promise(setImmediate);
    block(ms);
    await until(() => waitingCount(agent) === 0);
    // An error is emitted in a tick of its own.
    await new Promise(setImmediate);
  };
  return { wait, events, blockFor };
}

const REFUSED = 'ERR_POOL_ACQUIRE_TIMEOUT';

test('timeouts before acquireTimeout come before it, and those after it not at all', LIMIT, async (t) => {
  const { wait, events, blockFor } = await busyAgent(t, { acquireTimeout: 240 });
  wait('early', { timeout: 120 });
  wait('late', { timeout: 10_000 });
  wait('never');
  wait('at once', { timeout: 20 });
  await blockFor(320);
  assert.deepEqual(events, [
    'at once timeout',
    'early timeout',
    `early ${REFUSED}`,
    `late ${REFUSED}`,
    `never ${REFUSED}`,
    `at once ${REFUSED}`,
  ]);
});

test('who was refused by then hears of no timeout that was over later', LIMIT, async (t) => {
  const { wait, events, blockFor } = await busyAgent(t, { acquireTimeout: 40 });
  wait('b', { timeout: 120 });
  wait('a', { timeout: 80 });
  await blockFor(200);
  assert.deepEqual(events, [`b ${REFUSED}`, `a ${REFUSED}`]);
});

test('timeouts that are over together come in their order, not in that of arrival', LIMIT, async (t) => {
  let events: string[] = [];
  // The time of each begins when it is made. Where a busy machine held that up for as long as the timeouts lie apart, they have another order.
  for (let isHeldUp = true; isHeldUp;) {
    const queue = await busyAgent(t, { acquireTimeout: 150 });
    ({ events } = queue);
    const begun = performance.now();
    for (const timeout of [60, 20, 80, 40, 100]) queue.wait(String(timeout), { timeout });
    isHeldUp = performance.now() - begun >= 20;
    await queue.blockFor(250);
  }
  assert.deepEqual(
    events.filter((event) => event.endsWith('timeout')),
    [20, 40, 60, 80, 100].map((timeout) => `${timeout} timeout`),
  );
  assert.equal(events.length, 10);
});
