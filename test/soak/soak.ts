/**
 * `npm run soak`: everything at once, for a minute. Many hosts on servers that misbehave, several agents of different
 * temper, requests of all kinds, aborts, and limits that change all the time; every event of every pool is audited.
 *
 * Prints its figures. Exits with 1 if a request is lost or ends twice, a response goes astray, something is left
 * behind, an invariant breaks, or an error comes that nobody catches.
 *
 * `--seconds N` (default: 60), `--seed N` (default: 1; the same seed, the same faults and requests).
 */
import type { LookupFunction } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PoolingAgent } from '../../src/index.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { activeCount, idleCount, poolOf, waitingCount } from '../support/agent.js';
import { auditedEvents } from '../support/audit.js';
import { faultServer, threadedFaultServer } from '../support/fault-server/index.js';
import type { FaultPlan, FaultServer, FaultStatistics } from '../support/fault-server/index.js';
import { Random } from '../support/random.js';
import { loopback, TaggedClient } from '../support/tagged-client.js';
import type { Shot } from '../support/tagged-client.js';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
});
const SECONDS = Number(values.seconds);
const SEED = Number(values.seed);
const HOSTS = 10;
/** Clients at work at once, for each agent. */
const LANES = 20;

/** For handshakes that hang. */
const PATIENCE = { connectTimeout: 1000 };

const AGENTS: Readonly<Record<string, PoolingAgentOptions>> = {
  'as it comes': {},
  'few sockets': { maxSockets: 2, scheduling: 'fifo' },
  'few in all': { maxTotalSockets: 12 },
  'late binding': { maxSockets: 4, maxTotalSockets: 30, binding: 'late', timeout: 300 },
  'nothing kept': { keepAlive: false, maxSockets: 3 },
};

/** Nothing that could cross a request on its way: here, every response to the wrong request is one too many. */
const REALISTIC: Omit<FaultPlan, 'seed'> = {
  requests: {
    late: 0.05,
    slow: 0.005,
    'close-on-arrival': 0.005,
    'reset-on-arrival': 0.005,
    'end-on-arrival': 0.005,
    'close-mid-head': 0.003,
    'reset-mid-head': 0.003,
    'close-mid-body': 0.003,
    'reset-mid-body': 0.003,
    'stall-mid-body': 0.001,
    never: 0.001,
    'close-after': 0.01,
    'end-after': 0.01,
    'reset-after': 0.01,
    'twice-same-record': 0.02,
    'twice-next-record': 0.02,
    'long-body': 0.01,
    'garbage-after': 0.01,
    'truncated-chunks': 0.003,
    'bad-chunk': 0.003,
    'short-body': 0.003,
    'two-lengths': 0.002,
    'long-head': 0.002,
    informational: 0.003,
    'half-close': 0.003,
    switching: 0.002,
    alert: 0.002,
  },
  idle: { fin: 0.1, rst: 0.1, end: 0.05, unread: 0.05 },
  idleAfter: [2, 200],
  handshakes: {
    hang: 0.003,
    close: 0.01,
    reset: 0.01,
    'reset-in-handshake': 0.01,
    alert: 0.01,
    'plain-http': 0.003,
    'close-when-ready': 0.01,
    slow: 0.03,
  },
  filler: 4000,
};

const WILD: Omit<FaultPlan, 'seed'> = {
  ...REALISTIC,
  requests: {
    ...REALISTIC.requests,
    'twice-next-write': 0.03,
    'twice-later': 0.03,
    'line-break-after': 0.02,
  },
  idle: { stray: 0.05, garbage: 0.03, 'timeout-408': 0.1, fin: 0.1, deaf: 0.005 },
  handshakes: { ...REALISTIC.handshakes, unasked: 0.02 },
  hint: 'timeout=1, max=100',
};

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const problems: string[] = [];
process.on('uncaughtException', (error) => problems.push(`uncaught: ${error.stack ?? error.message}`));
process.on('unhandledRejection', (error) => problems.push(`unhandled: ${String(error)}`));

const cleanUps: (() => unknown)[] = [];
const owner = { after: (fn: () => unknown): void => void cleanUps.push(fn) };

function shotFor(server: FaultServer, random: Random): Shot {
  const method = random.pick(['GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE']);
  const hasBody = method === 'POST' || method === 'PUT';
  return {
    server,
    host: `host-${random.between(1, HOSTS)}.test.localhost`,
    method,
    patience: 1500,
    ...(hasBody && { body: 'x'.repeat(random.between(2, 20_000)) }),
    ...(hasBody && random.chance(0.1) && { bodyPause: random.between(0, 20) }),
    ...(random.chance(0.03) && { abortAfter: random.between(0, 40) }),
    slowReader: random.chance(0.05),
  };
}

/** One client, until `end`: mostly one request after the other, at times a pause or a burst. */
async function lane(
  client: TaggedClient,
  servers: [FaultServer, ...FaultServer[]],
  random: Random,
  end: number,
): Promise<void> {
  while (performance.now() < end) {
    const burst = random.chance(0.02) ? random.between(10, 40) : 1;
    await Promise.all(
      Array.from({ length: burst }, () => client.send(shotFor(random.pick(servers), random))),
    );
    if (random.chance(0.1)) await sleep(random.between(0, 100));
    // Requests begin after the loop has polled, as they do in programs that wait for something.
    await setImmediate();
  }
}

/** Other limits on the live agent, ten times a second. */
async function rotate(
  agent: PoolingAgent,
  options: PoolingAgentOptions,
  random: Random,
  end: number,
): Promise<void> {
  while (performance.now() < end) {
    await sleep(100);
    if (random.chance(0.5)) agent.maxSockets = random.pick([1, 2, 5, 50, 50]);
    if (random.chance(0.5)) agent.maxTotalSockets = random.pick([3, 10, 40, Infinity]);
    if (random.chance(0.5)) agent.maxFreeSockets = random.pick([0, 1, 10, 256]);
    if (random.chance(0.2)) agent.scheduling = random.pick(['fifo', 'lifo']);
    if (random.chance(0.5)) {
      agent.maxSockets = options.maxSockets ?? Infinity;
      agent.maxTotalSockets = options.maxTotalSockets ?? Infinity;
      agent.maxFreeSockets = 256;
    }
    if (random.chance(0.01)) agent.destroy();
  }
}

async function within(ms: number, condition: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await sleep(5);
  }
  return true;
}

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await sleep(10);
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Sockets and timers that keep the process alive. */
function kinds(): string {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (/TLS|TCPSocket|Timeout/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return JSON.stringify(counts);
}

function check(holds: boolean, what: string): void {
  if (!holds) problems.push(what);
}

function total(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const record of records) for (const key in record) sum[key] = (sum[key] ?? 0) + (record[key] ?? 0);
  return sum;
}

async function main(): Promise<void> {
  const servers: [FaultServer, ...FaultServer[]] = [
    await threadedFaultServer(owner, { seed: SEED, ...REALISTIC }),
    await threadedFaultServer(owner, { seed: SEED + 1, ...REALISTIC, hint: 'timeout=5' }),
    // In this process, where the turn of the loop tells what of its strays could have been known.
    await faultServer(owner, { seed: SEED + 2, ...WILD }),
  ];
  const ca = servers.map((server) => server.ca);
  const resourcesBefore = kinds();
  const heapBefore = await heapUsed();
  console.log(
    `Soak: ${SECONDS} s, seed ${SEED}, Node ${process.version}, ${HOSTS} hosts on ${servers.length} servers`,
  );

  const begun = performance.now();
  const end = begun + SECONDS * 1000;
  const clients = Object.entries(AGENTS).map(([name, options], i) => {
    // Node's agents hand `lookup` on; their typings do not say so.
    const all: PoolingAgentOptions & { lookup: LookupFunction } = {
      ca,
      ...PATIENCE,
      ...options,
      lookup: loopback,
    };
    const agent = new PoolingAgent(all);
    const client = new TaggedClient(agent, `${i}-`);
    const random = Random.for(SEED, name);
    const lanes = Array.from({ length: LANES }, (_, n) =>
      lane(client, servers, Random.for(SEED, `${name} ${n}`), end),
    );
    return { name, agent, client, work: Promise.all([...lanes, rotate(agent, options, random, end)]) };
  });
  const sent = (): number => clients.reduce((sum, { client }) => sum + client.sent, 0);
  const progress = setInterval(() => {
    const open = clients.reduce((sum, { agent }) => sum + agent.totalSocketCount, 0);
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(
      `  ${seconds} s: ${sent()} requests, ${open} connections, ${auditedEvents()} events audited, ${problems.length} problems`,
    );
  }, 10_000);
  const allEnded = Promise.all(clients.map(({ work }) => work));
  // Requests that are under way when time is up get 20 seconds more.
  await Promise.race([allEnded, sleep((SECONDS + 20) * 1000, undefined, { ref: false })]);
  clearInterval(progress);

  for (const { name, agent, client } of clients) {
    for (const id of client.pending) problems.push(`${name}: request ${id} never ended`);
    for (const wrong of client.wrong) problems.push(`${name}: ${wrong}`);
    check(
      await within(10_000, () => activeCount(agent) + waitingCount(agent) === 0),
      `${name}: something is still in use`,
    );
    // Connections that no request needs any more may still be connecting or closing.
    check(
      await within(10_000, () => agent.totalSocketCount === idleCount(agent)),
      `${name}: the counts differ`,
    );
    agent.destroy();
    check(await within(5000, () => agent.totalSocketCount === 0), `${name}: sockets stayed open`);
    check(poolOf(agent).hosts.size === 0, `${name}: hosts are left`);
  }
  const statistics: FaultStatistics[] = [];
  for (const server of servers) {
    await within(5000, async () => (await server.statistics()).open === 0);
    statistics.push(await server.statistics());
  }
  check(
    statistics.every(({ open }) => open === 0),
    'servers still have connections open',
  );
  for (const { repeatedByMethod } of statistics) check(!repeatedByMethod['POST'], 'a POST was sent twice');
  check(
    await within(5000, () => kinds() === resourcesBefore),
    `left behind: ${kinds()}; before: ${resourcesBefore}`,
  );

  const outcomes = total(clients.map(({ client }) => client.outcomes));
  const rows = clients.map(({ name, client: { sent: count, reused, outcomes: own } }) => ({
    agent: name,
    requests: count,
    reused,
    ...own,
  }));
  console.table(rows);
  const sums = (pick: (one: FaultStatistics) => number): number =>
    statistics.reduce((sum, one) => sum + pick(one), 0);
  const heapAfter = await heapUsed();
  console.log(
    [
      `requests                 ${sent()}, ${Math.round(sent() / SECONDS)} a second`,
      `answered                 ${outcomes['answered']}`,
      `failed                   ${outcomes['failed']}: ${JSON.stringify(total(clients.map(({ client }) => client.errors)))}`,
      `aborted                  ${outcomes['aborted']}`,
      `crossed a stray response ${outcomes['crossed']}`,
      `astray                   ${outcomes['wrong']}`,
      `TLS connections          ${sums((one) => one.connections)}, ${sums((one) => one.resumed)} resumed`,
      `requests received        ${sums((one) => one.requests)}, more than once: ${JSON.stringify(total(statistics.map((one) => one.repeatedByMethod)))}`,
      `faults played            ${JSON.stringify(total(statistics.map((one) => one.faults)))}`,
      `events audited           ${auditedEvents()}`,
      `heap                     ${heapBefore.toFixed(1)} MB before, ${heapAfter.toFixed(1)} MB after`,
    ].join('\n'),
  );
  check((outcomes['answered'] ?? 0) > sent() / 2, 'most requests should have been answered');
  check(auditedEvents() > sent(), 'the audit was off');
}

try {
  await main();
} catch (error) {
  problems.push(`the soak itself: ${error instanceof Error ? error.stack : String(error)}`);
}
for (const cleanUp of cleanUps) await cleanUp();
console.log(
  problems.length === 0 ? 'Nothing lost, nothing astray, nothing left.' : `${problems.length} PROBLEMS`,
);
for (const problem of problems.slice(0, 50)) console.log(`  ${problem}`);
process.exitCode = problems.length === 0 ? (process.exitCode ?? 0) : 1;
