/** A call of `setHostLimits` that throws has changed nothing: neither rules nor the limits of hosts that are in use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { HostLimitOptions, PoolingAgent } from '../../src/index.js';
import { holdingServer, lookupLoopback } from '../contract/support.js';
import type { HoldingServer } from '../contract/support.js';
import { activeCount, poolingAgent, waitingCount } from '../support/agent.js';
import { get } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

/** Sends `count` requests to `host`; returns how many of them had to wait, when all are answered. */
async function waitersOf(
  server: HoldingServer,
  agent: PoolingAgent,
  host: string,
  count: number,
): Promise<number> {
  const answers = Array.from({ length: count }, () =>
    get(server, { agent, host, servername: 'localhost', lookup: lookupLoopback }),
  );
  const { held } = server;
  await until(
    () =>
      held.length > 0 && held.length === activeCount(agent) && held.length + waitingCount(agent) === count,
  );
  const waiting = waitingCount(agent);
  let isDone = false;
  const done = Promise.all(answers).finally(() => (isDone = true));
  await until(() => {
    for (const res of held.splice(0)) res.end();
    return isDone;
  });
  await done;
  return waiting;
}

/** An agent whose limits come from a function that can be made to throw. */
async function setUp(t: TestContext) {
  const server = await holdingServer(t);
  const hosts = { throws: undefined as unknown, limits: { maxSockets: 3 } as HostLimitOptions };
  const agent = poolingAgent(t, {
    ca: server.ca,
    checkServerIdentity: () => undefined,
    hosts: (host) => {
      if (hosts.throws !== undefined && host === 'a.localhost') throw hosts.throws;
      return hosts.limits;
    },
  });
  return { server, agent, hosts };
}

test(
  'a function that throws for a host in use: the new rule does not hold, for no host',
  LIMIT,
  async (t) => {
    const { server, agent, hosts } = await setUp(t);
    assert.equal(await waitersOf(server, agent, 'a.localhost', 4), 1);
    assert.equal(await waitersOf(server, agent, 'b.localhost', 4), 1);
    const error = new Error('no limits today');
    hosts.throws = error;
    // A rule for another host; and a function that is asked about the hosts in use once more.
    assert.throws(() => agent.setHostLimits('b.localhost', { maxSockets: 1 }), error);
    assert.throws(() => agent.setHostLimits('*.localhost:1', { maxSockets: 1 }), error);
    hosts.throws = undefined;
    assert.equal(await waitersOf(server, agent, 'a.localhost', 4), 1);
    assert.equal(await waitersOf(server, agent, 'b.localhost', 4), 1);
    agent.setHostLimits('b.localhost', { maxSockets: 1 });
    assert.equal(await waitersOf(server, agent, 'b.localhost', 4), 3);
  },
);

test('a rule that was there before comes back, also where it was to be taken away', LIMIT, async (t) => {
  const { server, agent, hosts } = await setUp(t);
  const patterns = ['b.localhost', 'c.localhost'];
  for (const pattern of patterns) agent.setHostLimits(pattern, { maxSockets: 2 });
  assert.equal(await waitersOf(server, agent, 'a.localhost', 1), 0);
  assert.equal(await waitersOf(server, agent, 'b.localhost', 4), 2);
  const error = new Error('no limits today');
  hosts.throws = error;
  for (const limits of [{ maxSockets: 1 }, undefined]) {
    for (const pattern of patterns) assert.throws(() => agent.setHostLimits(pattern, limits), error);
  }
  hosts.throws = undefined;
  for (const host of patterns) assert.equal(await waitersOf(server, agent, host, 4), 2, host);
});

test('a rule that is not valid changes nothing of the one before', LIMIT, async (t) => {
  const { server, agent } = await setUp(t);
  agent.setHostLimits('b.localhost', { maxSockets: 2 });
  for (const limits of [{ maxSockets: -1 }, { maxSocket: 1 }, { weight: 0.5 }, 5]) {
    assert.throws(() => agent.setHostLimits('b.localhost', limits as never));
  }
  assert.equal(await waitersOf(server, agent, 'b.localhost', 4), 2);
});
