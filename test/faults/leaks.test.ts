/**
 * Thousands of requests to servers that misbehave, and nothing is left of them: no socket, no listener, no timer, no memory.
 * The servers run in threads, so that what is counted here is the client's. No audit: it would take most of the time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { PoolingAgent } from '../../src/agent/pooling-agent.js';
import { poolOf } from '../support/agent.js';
import { threadedFaultServer } from '../support/fault-server/index.js';
import type { FaultServer } from '../support/fault-server/index.js';
import { Random } from '../support/random.js';
import { TaggedClient, times } from '../support/tagged-client.js';
import { until } from '../support/until.js';
import { byEffort } from '../support/effort.js';

const REQUESTS = byEffort(6000);
/** At least, and at most: V8 may still compile, and load files that the first fault of its kind needs. */
const LAPS = 5;
const MAX_LAPS = 15;
const CONCURRENCY = 40;

/** Rare enough that connections are used many times. */
const FAULTS = {
  requests: {
    'close-on-arrival': 0.003,
    'reset-on-arrival': 0.003,
    'close-mid-body': 0.002,
    'reset-mid-head': 0.002,
    'twice-same-record': 0.003,
    'garbage-after': 0.003,
    garbage: 0.002,
    'end-after': 0.003,
    'long-head': 0.001,
    'bad-chunk': 0.002,
    informational: 0.002,
    early: 0.002,
    switching: 0.001,
    alert: 0.001,
    never: 0.0005,
    'stall-mid-body': 0.0005,
  },
  idle: { fin: 0.02, rst: 0.02, 'timeout-408': 0.02 },
  idleAfter: [1, 10],
  handshakes: { reset: 0.02, alert: 0.02, 'close-in-handshake': 0.02, hang: 0.01, 'close-when-ready': 0.02 },
} as const;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function heapUsed(): Promise<number> {
  // A second collection finds objects that finalizers have freed.
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await sleep(5);
  }
  return process.memoryUsage().heapUsed;
}

/** The resources that keep this process alive, by kind. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  // The runner's own, and those of the servers' threads, come and go.
  for (const kind of ['PipeWrap', 'MessagePort', 'Immediate', 'FSReqPromise', 'TTYWrap'])
    Reflect.deleteProperty(counts, kind);
  return counts;
}

function listeners(emitter: NodeJS.EventEmitter): Record<string, number> {
  const names = emitter.eventNames().toSorted((a, b) => String(a).localeCompare(String(b)));
  return Object.fromEntries(names.map((name) => [String(name), emitter.listenerCount(name)]));
}

function idleSockets(agent: PoolingAgent): TLSSocket[] {
  return Object.values(agent.freeSockets).flat() as TLSSocket[];
}

function sizeOf(view: NodeJS.ReadOnlyDict<unknown[]>): number {
  return Object.values(view).flat().length;
}

/** Until all connections are idle, and rest. */
async function quiet(agent: PoolingAgent): Promise<void> {
  const rest = (): boolean => [...poolOf(agent).idle].every(({ pooled }) => pooled?.rested);
  await until(
    () => poolOf(agent).idle.size === agent.totalSocketCount && sizeOf(agent.requests) === 0 && rest(),
  );
}

async function lap(client: TaggedClient, servers: readonly FaultServer[], random: Random): Promise<void> {
  await times(REQUESTS / LAPS, CONCURRENCY, async (i) => {
    const method = i % 5 === 0 ? 'POST' : 'GET';
    await client.send({
      server: servers[i % servers.length] as FaultServer,
      method,
      ...(method === 'POST' && { body: 'x'.repeat(500) }),
      ...(random.chance(0.01) && { abortAfter: random.between(0, 5) }),
    });
  });
}

/** In two laps, for ever: a leak of 300 bytes a request would be 0.7 MB; of 600 in `npm test`, with 0.4 as many, and of 80 with four times as many. */
function grows(heaps: readonly number[]): boolean {
  return (heaps.at(-1) ?? 0) - (heaps.at(-3) ?? 0) >= 600_000;
}

async function startServers(t: TestContext): Promise<FaultServer[]> {
  return Promise.all([1, 2].map((seed) => threadedFaultServer(t, { seed, ...FAULTS })));
}

test(`${REQUESTS} requests with faults leave nothing behind`, { timeout: 240_000 }, async (t) => {
  const targets = await startServers(t);
  const agent = new PoolingAgent({ ca: targets.map(({ ca }) => ca), maxSockets: 10 });
  t.after(() => agent.destroy());
  // With the one listener for uncaught exceptions that all agents of a process share.
  const before = { resources: resources(), process: listeners(process) };
  const ownListeners = listeners(agent);
  const random = new Random(1);
  const client = new TaggedClient(agent);

  const heaps: number[] = [];
  while (heaps.length < LAPS || (grows(heaps) && heaps.length < MAX_LAPS)) {
    await lap(client, targets, random);
    await quiet(agent);
    heaps.push(await heapUsed());
  }
  const { outcomes, pending, reused, sent, wrong } = client;
  const megabytes = heaps.map((bytes) => (bytes / 2 ** 20).toFixed(2)).join(', ');
  t.diagnostic(
    `${sent} requests: ${JSON.stringify(outcomes)}, ${reused} on used connections; heap after each ${REQUESTS / LAPS}: ${megabytes} MB`,
  );

  assert.deepEqual(wrong, []);
  assert.equal(pending.size, 0, 'every request ended');
  assert.ok(outcomes.failed > REQUESTS / 100, 'there were faults');
  assert.ok(outcomes.answered > REQUESTS / 2 && reused > REQUESTS / 4, 'and there was a pool');
  assert.deepEqual(listeners(process), before.process);
  assert.deepEqual(listeners(agent), ownListeners);
  assert.ok(!grows(heaps), `the heap grew: ${megabytes} MB`);

  assert.equal(agent.totalSocketCount, sizeOf(agent.freeSockets));
  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
  const pool = poolOf(agent);
  assert.deepEqual(
    [pool.hosts.size, pool.idle.size, pool.capacity.blocked.size, pool.endOfTurn.paced.size],
    [0, 0, 0, 0],
  );
  await until(() => isDeepStrictEqual(resources(), before.resources)).catch(() => {});
  assert.deepEqual(resources(), before.resources, 'what keeps the process alive');
  for (const target of targets) await until(async () => (await target.statistics()).open === 0);
});

test(
  'a connection has as many listeners after 500 requests as after two',
  { timeout: 120_000 },
  async (t) => {
    const server = await threadedFaultServer(t, { seed: 1 });
    const agent = new PoolingAgent({ ca: server.ca, maxSockets: 1 });
    t.after(() => agent.destroy());
    const client = new TaggedClient(agent);
    const counts: Record<string, number>[] = [];
    let socket: TLSSocket | undefined;
    for (const count of [2, 500]) {
      // Part from the queue, part one after the other.
      await times(count, 5, () => client.send({ server, patience: 20_000 }));
      await quiet(agent);
      [socket] = idleSockets(agent);
      counts.push(listeners(socket as TLSSocket));
    }
    assert.deepEqual(counts[1], counts[0]);
    for (const [event, count] of Object.entries(counts[1] ?? {})) {
      assert.ok(count < 10, `${count} listeners for ${event}`);
    }
    assert.equal((await server.statistics()).accepted, 1);
    assert.equal(client.outcomes.answered, 502);
  },
);
