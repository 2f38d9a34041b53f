/**
 * A server that does nothing wrong, and requests of every shape, many at once, on a loop that is busy: each is answered once and
 * received once, however its bytes get to the socket, and whoever holds them back on the way.
 */
import assert from 'node:assert/strict';
import fc from '../support/fast-check.js';
import { request } from '../support/protocol.js';
import type { ClientRequest } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { setImmediate as turn } from 'node:timers/promises';
import type { PoolingAgent } from '../../src/index.js';
import { poolingAgent } from '../support/agent.js';
import { block } from '../support/block.js';
import { countingServer } from '../support/counting-server.js';
import type { CountingServer } from '../support/counting-server.js';
import { byEffort } from '../support/effort.js';

const LIMIT = { timeout: 120_000 };
const BODY = 'four';

/** How the bytes of a request get to its socket. Each sends `BODY`, if the method has a body. */
const WAYS = {
  'at once': (req, body) => void req.end(body),
  'after microtasks': async (req, body) => {
    await new Promise((resolve) => process.nextTick(process.nextTick, resolve));
    req.end(body);
  },
  'a turn later': async (req, body) => {
    await turn();
    req.end(body);
  },
  "in a 'socket' listener": (req, body) => void req.once('socket', () => req.end(body)),
  'as a stream': (req, body = '') => void Readable.from([...body].map(Buffer.from)).pipe(req),
  'in pieces': async (req, body) => {
    if (body !== undefined) req.write(body.slice(0, 1));
    await turn();
    req.end(body?.slice(1));
  },
  'headers first': async (req, body) => {
    req.flushHeaders();
    await turn();
    req.end(body);
  },
  'after 100 Continue': (req, body) => {
    req.setHeader('Expect', '100-continue');
    req.once('continue', () => req.end(body));
    req.flushHeaders();
  },
  'corked for a tick': (req, body) => {
    req.once('socket', (socket: TLSSocket) => {
      socket.cork();
      process.nextTick(() => socket.uncork());
    });
    req.end(body);
  },
  'corked for a turn': (req, body) => {
    req.once('socket', (socket: TLSSocket) => {
      socket.cork();
      setImmediate(() => socket.uncork());
    });
    req.end(body);
  },
  'corked by the socket listener, ended later': (req, body) => {
    req.once('socket', (socket: TLSSocket) => {
      socket.cork();
      setImmediate(() => {
        req.end(body);
        socket.uncork();
      });
    });
  },
} satisfies Record<string, (req: ClientRequest, body: string | undefined) => void | Promise<void>>;

type Way = keyof typeof WAYS;

interface Plan {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly way: Way;
  /** Milliseconds for which the loop is blocked right after it was made. */
  readonly busy: number;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  way: fc.constantFrom(...(Object.keys(WAYS) as Way[])),
  busy: fc.oneof(
    { weight: 9, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
  ),
});

/** The callback that makes the requests of one round: of the poll phase, of the check phase, or of a timer. */
const PHASES = {
  poll: (go) => go(),
  check: (go) => void setImmediate(go),
  timer: (go) => void setTimeout(go, 1),
} satisfies Record<string, (go: () => void) => void>;

let last = 0;

/** Sends what `plan` says, and resolves with how it ended. */
function send(server: CountingServer, agent: PoolingAgent, { method, way, busy }: Plan): Promise<string> {
  const path = `/${++last}`;
  const body = method === 'GET' ? undefined : BODY;
  const headers = method === 'GET' ? {} : { 'Transfer-Encoding': 'chunked' };
  const outcome: string[] = [];
  const expected = `${path} ${body?.length ?? 0}`;
  const req = request({ host: 'localhost', port: server.port, agent, method, path, headers }, (res) => {
    let text = '';
    res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    res.on('end', () =>
      outcome.push(text === expected ? 'answered' : `answered with ${text}, not ${expected}`),
    );
  });
  req.on('error', (error) => outcome.push(`${method} ${way}: ${error.message}`));
  const closed = new Promise<string>((resolve) => req.on('close', () => resolve(outcome.join())));
  void WAYS[way](req, body);
  if (busy > 0) process.nextTick(() => process.nextTick(() => block(busy)));
  return closed;
}

for (const options of [
  {},
  { maxSockets: 3 },
  { binding: 'late', maxSockets: 20 },
  { validateAfterIdle: 0 },
] as const) {
  test(`each is answered once and received once: ${JSON.stringify(options)}`, LIMIT, async (t) => {
    const server = await countingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, ...options });
    const rounds = fc.array(
      fc.tuple(
        fc.constantFrom(...(Object.keys(PHASES) as (keyof typeof PHASES)[])),
        fc.array(plan, { minLength: 1, maxLength: 50 }),
      ),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        for (const [phase, plans] of all) {
          const outcomes = await new Promise<string[]>((resolve, reject) => {
            PHASES[phase](() => {
              Promise.all(plans.map((one) => send(server, agent, one))).then(resolve, reject);
            });
          });
          assert.deepEqual([...new Set(outcomes)], ['answered']);
          const received = await server.received();
          assert.equal(received.size, plans.length);
          for (const [path, times] of received) assert.equal(times, 1, `${path} was received ${times} times`);
        }
      }),
      { numRuns: byEffort(25), endOnFailure: true },
    );
  });
}
