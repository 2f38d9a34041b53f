/**
 * Two agents over one pool, and everything that may be done to one of them, at random moments, while both have requests: each request ends once, with its own
 * answer or an error; the books are right after each event; and the capacity that one half gives up serves the other.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { ClientRequest, IncomingMessage, RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { createAgents } from '../../src/index.js';
import type { AgentsOptions, PoolingAgents } from '../../src/index.js';
import { checkInvariants } from '../../src/pool/invariants.js';
import { poolOf } from '../support/agent.js';
import { auditedEvents } from '../support/audit.js';
import { certificate } from '../support/certificate.js';
import { Random } from '../support/random.js';
import { until } from '../support/until.js';

const SEEDS = 5;
const STEPS = 30;

type Half = 'http' | 'https';
const HALVES = ['http', 'https'] as const;

interface Target {
  readonly half: Half;
  readonly port: number;
}

/** Two servers for each protocol. Some answers come late, some say that they are the last, and some never come. */
async function targets(t: TestContext, random: Random): Promise<[Target, ...Target[]]> {
  const { key, cert } = await certificate();
  const listener: RequestListener = (req, res) => {
    const fate = random.next();
    req.resume();
    if (fate < 0.05) {
      req.socket.destroy();
      return;
    }
    if (fate < 0.1) res.setHeader('connection', 'close');
    if (fate < 0.5) res.end(req.url);
    else void sleep(random.between(0, 8)).then(() => res.end(req.url));
  };
  const found: Target[] = [];
  for (const half of [...HALVES, ...HALVES]) {
    const server =
      half === 'http' ? http.createServer(listener) : https.createServer({ key, cert }, listener);
    server.keepAliveTimeout = 0;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    found.push({ half, port: (server.address() as AddressInfo).port });
  }
  return found as [Target, ...Target[]];
}

function optionsFor(random: Random): AgentsOptions {
  return {
    maxTotalSockets: random.between(1, 6),
    maxSockets: random.pick([1, 2, Infinity]),
    maxFreeSockets: random.pick([0, 1, 256]),
    scheduling: random.pick(['lifo', 'fifo', 'random']),
    fairness: random.pick(['round-robin', 'fifo']),
    binding: random.pick(['eager', 'late']),
    idleTimeout: random.pick([20, 4000]),
    hosts: random.pick([
      undefined,
      { 'http://localhost': { maxSockets: 2, weight: 2 } },
      { '*': { maxSockets: 1 } },
      (_host: string, _port: number, protocol: string) =>
        protocol === 'http:' ? { maxSockets: 2 } : undefined,
    ]),
  };
}

/** Sends requests, and notes whatever is wrong with their ends. */
class Sender {
  readonly wrong: string[] = [];
  readonly requests: ClientRequest[] = [];
  ended = 0;
  /** The halves that were destroyed or closed: the others' requests hear nothing of that. */
  readonly over: Set<Half> = new Set();
  readonly answered: Record<Half, number> = { http: 0, https: 0 };
  readonly #pair: PoolingAgents;
  readonly #random: Random;

  constructor(pair: PoolingAgents, random: Random) {
    this.#pair = pair;
    this.#random = random;
  }

  send({ half, port }: Target): void {
    const random = this.#random;
    const path = `/${this.requests.length}`;
    const method = random.pick(['GET', 'GET', 'POST']);
    const module = half === 'http' ? http : https;
    const req = module.request({ agent: this.#pair[half], host: 'localhost', port, path, method });
    this.requests.push(req);
    let ends = 0;
    let errors = 0;
    req.on('response', (res: IncomingMessage) => {
      let body = '';
      res.setEncoding('utf8').on('data', (text: string) => (body += text));
      res
        .on('error', () => {})
        .on('end', () => {
          this.answered[half]++;
          if (body !== path) this.wrong.push(`${path} was answered with ${body}`);
        });
    });
    req.on('error', (error: NodeJS.ErrnoException) => {
      if (++errors > 1) this.wrong.push(`${path} had a second error`);
      if (error.code?.startsWith('ERR_AGENT_') && !this.over.has(half))
        this.wrong.push(`${path} ended with ${error.code} of the other half`);
    });
    req.on('close', () => {
      this.ended++;
      if (++ends > 1) this.wrong.push(`${path} ended twice`);
    });
    req.end(method === 'POST' ? 'body' : undefined);
    if (random.chance(0.1)) setTimeout(() => req.destroy(), random.between(0, 15));
    if (random.chance(0.03)) req.destroy();
  }
}

const EVENTS: readonly [Event, ...Event[]] = [
  (pair, { pick }, { over }) => {
    const half = pick(HALVES);
    over.add(half);
    pair[half].destroy();
  },
  (pair, { pick }) => pair[pick(HALVES)].closeIdleConnections(),
  (pair, { pick }) => pair[pick(HALVES)].closeAllConnections(),
  (pair, { pick, between }) => (pair[pick(HALVES)].maxTotalSockets = between(1, 6)),
  (pair, { pick }) =>
    pair[pick(HALVES)].setHostLimits(pick(['localhost', 'http://localhost', 'https://*']), {
      maxSockets: pick([1, 3]),
    }),
  (pair) => pair.https.updateTls({}),
  (pair, _random, { requests }) => {
    const req = requests.at(-1);
    if (req) pair[req.protocol === 'http:' ? 'http' : 'https'].setPriority(req, 0);
  },
];
type Chance = Pick<Random, 'between' | 'pick'>;
type Event = (pair: PoolingAgents, random: Chance, sender: Sender) => unknown;

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`seed ${seed}`, { timeout: 120_000 }, async (t) => {
    const random = new Random(seed);
    const chance: Chance = {
      between: (least, greatest) => random.between(least, greatest),
      pick: (members) => random.pick(members),
    };
    const servers = await targets(t, random);
    const pair = createAgents({ ca: (await certificate()).cert, ...optionsFor(random) });
    const pool = poolOf(pair.https);
    const sender = new Sender(pair, random);
    const before = auditedEvents();
    for (let step = 0; step < STEPS; step++) {
      for (let more = random.between(0, 7); more > 0; more--) sender.send(random.pick(servers));
      if (random.chance(0.5)) random.pick(EVENTS)(pair, chance, sender);
      assert.deepEqual(pair.http.stats(), pair.https.stats());
      if (random.chance(0.5)) await sleep(random.between(0, 8));
      else await setImmediate();
    }
    // On a busy machine that may have been too short for an answer.
    for (const [index, half] of HALVES.entries())
      while (sender.answered[half] === 0) {
        sender.send(servers[index] as Target);
        await sleep(5);
      }
    const closing = random.pick(HALVES);
    sender.over.add(closing);
    const isClosed = pair[closing].close({ timeout: 50 });
    await until(() => sender.ended === sender.requests.length);
    await isClosed;
    assert.deepEqual(
      [pair[closing].sockets, pair[closing].freeSockets],
      [{ __proto__: null }, { __proto__: null }],
    );
    for (const half of HALVES) pair[half].destroy();
    await until(() => pool.size === 0);
    checkInvariants(pool);
    assert.deepEqual(sender.wrong, []);
    for (const half of HALVES)
      assert.ok(sender.answered[half] > 0, `${half}: ${sender.answered[half]} answers`);
    assert.ok(auditedEvents() - before > sender.requests.length, 'the audit was on');
  });
}
