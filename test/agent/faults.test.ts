/**
 * A lot at once, with everything that goes wrong in production: servers that reset, stall, close early and close idle
 * connections, and clients that abort. No request is lost, no response goes astray, no limit is exceeded.
 */
import assert from 'node:assert/strict';
import { request } from '../support/protocol.js';
import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { PoolingAgentOptions } from '../../src/index.js';
import { activeCount, idleCount, poolingAgent, waitingCount } from '../support/agent.js';
import { auditedEvents } from '../support/audit.js';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { byEffort } from '../support/effort.js';

const LIMIT = { timeout: 120_000 };
const REQUESTS = byEffort(300);
/** Milliseconds. */
const PATIENCE = 300;

/** Repeatable: the same seed, the same faults. (Numerical Recipes' generator.) */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
}

/** `swallowed` gets the paths that are never answered. */
function faulty(random: () => number, swallowed: Set<unknown>): RequestListener {
  return (req, res) => {
    const dice = random();
    if (dice < 0.03) req.socket.destroy();
    else if (dice < 0.06)
      res.writeHead(200, { 'content-length': 1000 }).write('half', () => req.socket.destroy());
    else if (dice < 0.09) res.writeHead(200, { connection: 'close' }).end(req.url);
    else if (dice < 0.14) setTimeout(() => res.end(req.url), random() * 20);
    else if (dice < 0.18)
      res.on('finish', () => setTimeout(() => req.socket.destroy(), random() * 5)).end(req.url);
    else if (dice < 0.2) req.socket.end('no HTTP');
    else if (dice < 0.99) res.end(req.url);
    else swallowed.add(req.url);
  };
}

type Outcome = 'answered' | 'failed';

function send(
  agent: ReturnType<typeof poolingAgent>,
  server: TestServer,
  path: string,
  random: () => number,
  swallowed: ReadonlySet<unknown>,
) {
  return new Promise<Outcome>((resolve, reject) => {
    const req = request({ host: 'localhost', port: server.port, path, agent, timeout: PATIENCE });
    // Most give up only what is in vain, however busy the machine is.
    const isPatient = random() < 0.9;
    const giveUp = (): void => {
      if (!isPatient || swallowed.has(path)) req.destroy(new Error('timeout'));
    };
    const timer = setInterval(() => swallowed.has(path) && giveUp(), 50);
    let outcome: Outcome | undefined;
    req.on('response', (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      res.on('error', () => {});
      res.on('end', () => {
        outcome = 'answered';
        if (body !== path) reject(new Error(`${path} was answered with ${body}`));
      });
    });
    let errors = 0;
    req.on('error', () => {
      if (++errors > 1) reject(new Error('two errors for one request'));
    });
    req.on('timeout', giveUp);
    req.on('close', () => {
      clearInterval(timer);
      resolve(outcome ?? 'failed');
    });
    if (random() < 0.05) setTimeout(() => req.destroy(), random() * 30);
    req.end();
  });
}

async function storm(t: TestContext, seed: number, options: PoolingAgentOptions): Promise<void> {
  const random = randomFrom(seed);
  const swallowed = new Set<unknown>();
  const servers = [1, 2, 3].map(() => httpsServer(t, faulty(random, swallowed)));
  const all = await Promise.all(servers);
  const agent = poolingAgent(t, { ca: (all[0] as TestServer).ca, ...options });
  const { maxSockets = Infinity } = options;
  const before = auditedEvents();
  let answered = 0;
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < REQUESTS) {
      const id = sent++;
      const server = all[Math.floor(random() * all.length)] as TestServer;
      if ((await send(agent, server, `/${id}`, random, swallowed)) === 'answered') answered++;
    }
  };
  await Promise.all(Array.from({ length: 40 }, client));
  await until(() => activeCount(agent) === 0 && waitingCount(agent) === 0);
  assert.ok(answered > REQUESTS / 2, `${answered} of ${REQUESTS} were answered`);
  // A connection may be open for a moment longer at the server, which has not seen its end yet: hence the margin.
  for (const server of all) assert.ok(server.peak() <= maxSockets + 10);
  assert.ok(auditedEvents() - before > REQUESTS, 'the audit was on');
  // A closing connection counts until it is closed.
  await until(() => agent.totalSocketCount === idleCount(agent));
  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
}

test('no limits', LIMIT, (t) => storm(t, 1, {}));
test('maxSockets', LIMIT, (t) => storm(t, 2, { maxSockets: 3 }));
test('maxTotalSockets', LIMIT, (t) => storm(t, 3, { maxTotalSockets: 4 }));
test('one connection for all', LIMIT, (t) => storm(t, 4, { maxTotalSockets: 1 }));
test('late binding', LIMIT, (t) => storm(t, 5, { binding: 'late', maxTotalSockets: 4 }));
test('fifo, few idle', LIMIT, (t) => storm(t, 6, { scheduling: 'fifo', maxSockets: 5, maxFreeSockets: 1 }));
test('nothing kept alive', LIMIT, (t) => storm(t, 7, { keepAlive: false, maxSockets: 5 }));
