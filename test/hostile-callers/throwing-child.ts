/**
 * Run by throwing-listeners.test.ts in a process of its own, which survives what is thrown: users' listeners throw in every place where
 * they can stand, and afterwards the one slot under the limits has to be there for the next request. Prints a line for each case that
 * went wrong, and how many there were.
 */
import type { RequestOptions } from 'node:https';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { idleCount } from '../support/agent.js';
import { isPlain, PoolingAgent, request } from '../support/protocol.js';
import { httpsServer } from '../support/server.js';

const cleanups: (() => unknown)[] = [];
const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };

let uncaught = 0;
process.on('uncaughtException', (error) => {
  if (error.message === 'thrown by a listener') uncaught++;
  else throw error;
});

interface Emitter {
  on(event: string, listener: () => void): unknown;
}
type Target = 'request' | 'response' | 'socket' | 'agent';

/** Milliseconds for a connection that a listener has left standing; more than a handshake takes on a busy machine. */
const CONNECT_TIMEOUT = 3000;

/** Milliseconds after which a request has been forgotten. */
const PATIENCE = 20_000;

/** The events that listeners hear, and the path of a request that causes each. */
const ALL_PLACES: readonly (readonly [target: Target, event: string, path?: string])[] = [
  ['request', 'socket'],
  ['request', 'finish'],
  ['request', 'response'],
  ['request', 'close'],
  ['request', 'information', '/early'],
  ['request', 'error', '/reset'],
  ['request', 'timeout', '/slow'],
  ['response', 'data'],
  ['response', 'data', '/pieces'],
  ['response', 'end'],
  ['response', 'close'],
  ['socket', 'lookup'],
  ['socket', 'connect'],
  ['socket', 'secureConnect'],
  ['socket', 'session'],
  ['socket', 'keylog'],
  ['socket', 'data'],
  ['socket', 'free'],
  ['socket', 'close', '/last'],
  ['socket', 'error', '/slow'],
  ['socket', 'timeout', '/slow'],
  ['agent', 'free'],
  ['agent', 'first free'],
  ['agent', 'keylog'],
];

const PLACES = ALL_PLACES.filter(([, event]) => !(isPlain && /^(secureConnect|session|keylog)$/.test(event)));

function answer(req: IncomingMessage, res: ServerResponse): void {
  if (req.url === '/reset') {
    req.socket.destroy();
    return;
  }
  if (req.url === '/early') res.writeEarlyHints({ link: '</a>; rel=preload' });
  if (req.url === '/last') res.setHeader('connection', 'close');
  if (req.url === '/pieces') res.write('one');
  const later = req.url === '/slow' || req.url === '/pieces';
  setTimeout(() => res.end(req.url), later ? 60 : 0);
}

/** Resolves with how it ended; `throwsAt` tells where something is thrown on the way, if anywhere. */
function send(options: RequestOptions, prepare?: (req: ClientRequest) => void): Promise<string> {
  return new Promise((resolve) => {
    const req = request({ host: 'localhost', ...options });
    // First, so that what is thrown later does not hide it.
    req.on('error', () => resolve('error'));
    req.on('response', (res) => {
      res.on('error', () => resolve('error'));
      res.on('end', () => resolve('answered'));
      res.on('close', () => resolve('error'));
      res.resume();
    });
    req.on('timeout', () => setTimeout(() => req.destroy(), 100));
    prepare?.(req);
    req.end(options.method === 'POST' ? 'body' : undefined);
  });
}

function throwAt(target: Target, event: string, agent: PoolingAgent, req: ClientRequest): void {
  const on = (emitter: Emitter): void => {
    let done = false;
    emitter.on(event, () => {
      if (done) return;
      done = true;
      throw new Error('thrown by a listener');
    });
  };
  if (target === 'request') on(req);
  else if (target === 'response') req.on('response', on);
  else if (target === 'socket') {
    req.on('socket', (socket) => {
      on(socket);
      if (event === 'error') setTimeout(() => socket.destroy(new Error('lost')), 20);
    });
  } else if (event === 'first free') {
    agent.prependOnceListener('free', () => {
      throw new Error('thrown by a listener');
    });
  } else on(agent);
}

async function outcome(
  [target, event, path = '/']: (typeof PLACES)[number],
  common: RequestOptions,
  agent: PoolingAgent,
  waits: boolean,
): Promise<string> {
  const before = uncaught;
  const options = { ...common, agent };
  const throwing = send({ ...options, path, ...(path === '/slow' && { timeout: 30 }) }, (req) =>
    throwAt(target, event, agent, req),
  );
  const waiting = waits ? send(options) : undefined;
  const end = performance.now() + PATIENCE;
  const late = sleep(PATIENCE, 'never', { ref: false });
  const firstEnd = await Promise.race([throwing, late]);
  if (firstEnd === 'never') return 'the request never ends';
  if (waiting && (await Promise.race([waiting, late])) !== 'answered') return 'the waiting request is lost';
  const next = await Promise.race([send(options), late]);
  if (next !== 'answered') return `the next request: ${next}`;
  while (performance.now() < end && agent.totalSocketCount > idleCount(agent)) await sleep(2);
  if (agent.totalSocketCount > idleCount(agent)) return 'a slot is lost';
  return uncaught === before ? 'nothing was thrown' : 'fine';
}

const server = await httpsServer(context as unknown as TestContext, answer);
const cases: Promise<void>[] = [];
let count = 0;
for (const place of PLACES) {
  for (const binding of ['eager', 'late'] as const) {
    // With late binding the socket has connected when the request gets it.
    if (binding === 'late' && /^(lookup|connect|secureConnect|keylog)$/.test(place[1])) continue;
    for (const method of ['GET', 'POST']) {
      // Over `http:` half of the cases are enough.
      for (const waits of isPlain ? [true] : [false, true]) {
        const limit = (count++ & 1) === 0 ? { maxSockets: 1 } : { maxTotalSockets: 1 };
        const agent = new PoolingAgent({
          ca: server.ca,
          binding,
          replay: false,
          connectTimeout: CONNECT_TIMEOUT,
          ...limit,
        });
        const run = outcome(place, { port: server.port, method }, agent, waits).then((result) => {
          if (result !== 'fine')
            console.log(
              `${place.join(' ')} ${method} ${binding} ${waits ? 'with' : 'without'} a waiting one: ${result}`,
            );
          agent.destroy();
        });
        cases.push(run);
      }
    }
  }
  await Promise.all(cases);
}
console.log(`${count} cases`);
for (const cleanup of cleanups) await cleanup();
