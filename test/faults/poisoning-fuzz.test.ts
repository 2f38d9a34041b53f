/**
 * Servers that send anything at any time. No response may reach a request that it was not sent for, and every request
 * ends, once.
 *
 * `FAULT_SECONDS` says for how long (default: 5, by effort), `FAULT_SEED` with which seed it begins (default: 1).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import type { PoolingAgentOptions } from '../../src/index.js';
import { activeCount, poolingAgent, waitingCount } from '../support/agent.js';
import { auditedEvents } from '../support/audit.js';
import { byEffort } from '../support/effort.js';
import { faultServer, threadedFaultServer } from '../support/fault-server/index.js';
import type { FaultPlan, FaultServer } from '../support/fault-server/index.js';
import { Random } from '../support/random.js';
import { TaggedClient, times } from '../support/tagged-client.js';
import type { Shot } from '../support/tagged-client.js';
import { until } from '../support/until.js';

const SECONDS = Number(process.env['FAULT_SECONDS'] ?? byEffort(5));
const FIRST_SEED = Number(process.env['FAULT_SEED'] ?? 1);
const LIMIT = { timeout: 120_000 + SECONDS * 1000 };

/** The share of requests that meet each fault. The sum stays below 1: the rest is answered. */
const ANYTHING: Omit<FaultPlan, 'seed'> = {
  requests: {
    'twice-same-record': 0.06,
    'twice-next-record': 0.04,
    'twice-next-write': 0.06,
    'twice-later': 0.06,
    'long-body': 0.02,
    'garbage-after': 0.03,
    'line-break-after': 0.03,
    garbage: 0.01,
    early: 0.03,
    'early-close': 0.01,
    late: 0.05,
    slow: 0.01,
    informational: 0.02,
    'false-close': 0.02,
    'close-after': 0.02,
    'end-after': 0.02,
    'reset-after': 0.02,
    'close-on-arrival': 0.01,
    'reset-on-arrival': 0.01,
    'reset-mid-body': 0.01,
    'close-mid-head': 0.01,
    'bad-chunk': 0.01,
    'two-lengths': 0.01,
    switching: 0.005,
    alert: 0.005,
    'bad-record': 0.005,
  },
  idle: { stray: 0.15, 'timeout-408': 0.1, garbage: 0.1, fin: 0.1, rst: 0.1, unread: 0.05 },
  idleAfter: [0, 30],
  handshakes: { unasked: 0.05, 'close-when-ready': 0.02, slow: 0.05 },
};

/** Stray responses that a client can always tell from an answer to a later request, however the two cross on their way. */
const NOTHING_LATE: Omit<FaultPlan, 'seed'> = {
  requests: {
    'twice-same-record': 0.15,
    'twice-next-record': 0.1,
    'long-body': 0.05,
    'garbage-after': 0.05,
    'end-after': 0.03,
    'reset-after': 0.03,
    late: 0.1,
  },
  idle: { fin: 0.2, rst: 0.2 },
  idleAfter: [0, 30],
};

const POOLS: readonly PoolingAgentOptions[] = [
  {},
  { maxSockets: 1 },
  { maxSockets: 3, scheduling: 'fifo' },
  { maxTotalSockets: 2 },
  { maxSockets: 4, binding: 'late' },
  { maxSockets: 8, maxFreeSockets: 1 },
];

function shotFor(server: FaultServer, random: Random): Shot {
  const method = random.pick(['GET', 'GET', 'GET', 'POST', 'HEAD', 'PUT', 'DELETE']);
  const hasBody = method === 'POST' || method === 'PUT';
  return {
    server,
    method,
    ...(hasBody && { body: 'x'.repeat(random.between(2, 3000)) }),
    ...(hasBody && random.chance(0.3) && { bodyPause: random.between(0, 5) }),
    ...(random.chance(0.05) && { abortAfter: random.between(0, 10) }),
    slowReader: random.chance(0.1),
  };
}

/** One seed: some hundred requests, part in a queue, part one after the other, part after a while. */
async function round(
  t: TestContext,
  seed: number,
  options: PoolingAgentOptions,
  server: FaultServer,
): Promise<TaggedClient> {
  const random = new Random(seed);
  const agent = poolingAgent(t, { ca: server.ca, ...options });
  const client = new TaggedClient(agent, `${seed}-`);
  await times(250, 12, async () => {
    await client.send(shotFor(server, random));
    if (random.chance(0.3)) await sleep(random.between(0, 25));
    // Requests begin after the loop has polled, as they do in programs that wait for something.
    if (random.chance(0.6)) await setImmediate();
  });
  await until(() => activeCount(agent) === 0 && waitingCount(agent) === 0);
  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
  assert.deepEqual(client.wrong, [], `seed ${seed}, ${JSON.stringify(options)}`);
  assert.equal(client.pending.size, 0);
  return client;
}

async function fuzz(
  t: TestContext,
  serverFor: (seed: number) => Promise<FaultServer>,
): Promise<TaggedClient[]> {
  const begun = performance.now();
  const clients: TaggedClient[] = [];
  const before = auditedEvents();
  for (let seed = FIRST_SEED; performance.now() - begun < (SECONDS / 2) * 1000; seed++) {
    const server = await serverFor(seed);
    const options = POOLS[seed % POOLS.length] as PoolingAgentOptions;
    clients.push(await round(t, seed, options, server));
    await server.close();
  }
  const sent = sum(clients, ({ sent: count }) => count);
  const answered = sum(clients, ({ outcomes }) => outcomes.answered);
  const reused = sum(clients, (client) => client.reused);
  const crossed = sum(clients, ({ outcomes }) => outcomes.crossed);
  t.diagnostic(
    `${clients.length} seeds, ${sent} requests: ${answered} answered, ${reused} on a used connection, ${crossed} crossed a stray response`,
  );
  assert.ok(auditedEvents() - before > sent, 'the audit was on');
  assert.ok(
    answered > sent / 4,
    'many were answered, also where the machine is so busy that clients give up',
  );
  assert.ok(reused > sent / 10, 'connections were used again');
  return clients;
}

function sum(clients: readonly TaggedClient[], count: (client: TaggedClient) => number): number {
  return clients.reduce((total, client) => total + count(client), 0);
}

test('a server that sends anything at any time', LIMIT, async (t) => {
  await fuzz(t, (seed) => faultServer(t, { seed, ...ANYTHING }));
});

test('a server with a loop of its own, that sends too much', LIMIT, async (t) => {
  const clients = await fuzz(t, (seed) => threadedFaultServer(t, { seed, ...NOTHING_LATE }));
  assert.equal(
    sum(clients, ({ outcomes }) => outcomes.crossed),
    0,
    'nothing crossed',
  );
});
