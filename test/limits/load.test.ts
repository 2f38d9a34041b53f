/**
 * 200 hosts, random limits for each and for all, servers that fail and clients that give up: no limit is exceeded, by
 * what the servers see or the pool says, no request is lost, and none ends twice. Audited: every event of the pool is
 * followed by a check of all invariants.
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { request } from 'node:https';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { HostLimitOptions, PoolingAgent, PoolingAgentOptions } from '../../src/index.js';
import { lookupLoopback } from '../contract/support.js';
import { poolingAgent, poolOf } from '../support/agent.js';
import { auditedEvents } from '../support/audit.js';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { byEffort } from '../support/effort.js';

const LIMIT = { timeout: 120_000 };
const HOSTS = 200;
const REQUESTS = byEffort(400);
const CLIENTS = 100;

const nameOf = (host: number): string => `h${host}.localhost`;

/** The same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Counts connections by the name that they are for, and answers, or not. */
async function countingServer(t: TestContext, random: () => number) {
  const open = new Map<string, Set<Socket>>();
  let total = 0;
  let peak = 0;
  const peaks = new Map<string, number>();
  const answer = (path: string, res: ServerResponse): void => {
    const chance = random();
    const { socket } = res;
    if (chance < 0.03) socket?.destroy();
    else if (chance < 0.05)
      res.writeHead(200, { 'content-length': 100 }).write('short', () => socket?.destroy());
    else if (chance < 0.1) res.setHeader('connection', 'close').end(path);
    else if (chance < 0.3) setTimeout(() => res.end(path), random() * 10);
    else res.end(path);
  };
  const server: TestServer = await httpsServer(t, (req, res) => answer(req.url ?? '', res));
  server.server.on('secureConnection', (socket: TLSSocket) => {
    const name = String(socket.servername);
    const own = open.get(name) ?? new Set();
    open.set(name, own.add(socket));
    peak = Math.max(peak, ++total);
    peaks.set(name, Math.max(peaks.get(name) ?? 0, own.size));
    socket.on('close', () => {
      total--;
      own.delete(socket);
    });
  });
  return { server, peakOf: (name: string) => peaks.get(name) ?? 0, peak: () => peak };
}

interface Ends {
  answered: number;
  failed: number;
  refused: number;
}

function send(
  agent: PoolingAgent,
  port: number,
  random: () => number,
  path: string,
  ends: Ends,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const hostname = nameOf(Math.floor(random() * HOSTS));
    const options = { agent, port, hostname, path, priority: Math.floor(random() * 8) };
    let end: keyof Ends = 'failed';
    let errors = 0;
    const req = request(options, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      res.on('error', () => {});
      res.on('end', () => {
        end = 'answered';
        if (body !== path) reject(new Error(`${path} was answered with ${body}`));
      });
    });
    req.on('error', (error: NodeJS.ErrnoException) => {
      if (++errors > 1) reject(new Error('two errors for one request'));
      if (error.code?.startsWith('ERR_POOL')) end = 'refused';
    });
    req.on('close', () => {
      ends[end]++;
      // A client that is refused does not come back at once.
      if (end === 'refused') setTimeout(resolve, 10 * random());
      else resolve();
    });
    if (random() < 0.05) setTimeout(() => req.destroy(), random() * 20);
    if (random() < 0.05) setTimeout(() => agent.setPriority(req, Math.floor(random() * 8)), random() * 5);
    req.end();
  });
}

async function storm(t: TestContext, seed: number, options: PoolingAgentOptions): Promise<void> {
  const random = randomFrom(seed);
  const { server, peakOf, peak } = await countingServer(t, random);
  const hosts: Record<string, HostLimitOptions> = { '*.localhost': { maxSockets: 3 } };
  for (let host = 0; host < HOSTS; host += 2) {
    hosts[nameOf(host)] = {
      maxSockets: 1 + Math.floor(random() * 4),
      maxFreeSockets: Math.floor(random() * 3),
      scheduling: (['lifo', 'fifo', 'least-used', 'random'] as const)[Math.floor(random() * 4)],
      weight: 1 + Math.floor(random() * 3),
      ...(random() < 0.3 && { maxQueueSize: Math.floor(random() * 3) }),
      ...(random() < 0.3 && { acquireTimeout: 1 + Math.floor(random() * 50) }),
      ...(random() < 0.05 && { reserve: 1 }),
    };
  }
  // The certificate names none of them.
  const checkServerIdentity = (): undefined => undefined;
  const own = { ca: server.ca, lookup: lookupLoopback, checkServerIdentity };
  const agent = poolingAgent(t, { ...own, ...options, hosts });
  const pool = poolOf(agent);
  const before = auditedEvents();
  const ends: Ends = { answered: 0, failed: 0, refused: 0 };
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < REQUESTS) {
      const id = sent++;
      if (id % 100 === 0) {
        // Only ever raised: what the servers saw at most must not exceed the last word.
        const name = nameOf(2 * Math.floor((random() * HOSTS) / 2));
        const rule = (hosts[name] = { ...hosts[name], maxSockets: (hosts[name]?.maxSockets ?? 1) + 1 });
        agent.setHostLimits(name, rule);
      }
      await send(agent, server.port, random, `/${id}`, ends);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  assert.equal(ends.answered + ends.failed + ends.refused, REQUESTS, 'every request ends, once');
  assert.ok(ends.answered > REQUESTS / 8, `${JSON.stringify(ends)} of ${REQUESTS}`);
  await until(() => pool.queues.unserved === 0 && pool.size === pool.idle.size);
  assert.ok(auditedEvents() - before > REQUESTS, 'the audit was on');
  const { maxTotalSockets = Infinity } = options;
  // The server hears of a close a moment after the client, whose end it is: hence the margins of its view.
  assert.ok(peak() <= maxTotalSockets + 10, `${peak()} connections at once`);
  for (let host = 0; host < HOSTS; host++) {
    const most = hosts[nameOf(host)]?.maxSockets ?? 3;
    assert.ok(peakOf(nameOf(host)) <= most + 1, `${peakOf(nameOf(host))} connections to a host with ${most}`);
  }
  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
  assert.equal(pool.hosts.size, 0);
  assert.equal(pool.nextDeadline, Infinity);
}

test('in turn, with room for a fifth of them', LIMIT, (t) =>
  storm(t, 1, { maxTotalSockets: 40, maxTotalQueueSize: 155 }),
);
test('by age, late binding', LIMIT, (t) =>
  storm(t, 2, { maxTotalSockets: 60, fairness: 'fifo', binding: 'late', maxTotalFreeSockets: 30 }),
);
test('without a total limit', LIMIT, (t) => storm(t, 3, { scheduling: 'fifo', trimInterval: 50 }));
