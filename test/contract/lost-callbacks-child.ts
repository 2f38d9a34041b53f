/**
 * A process of its own for fake-timers.test.ts: every callback that the pool asks for is lost for a while, as if its timers had
 * been faked. Prints what the pool does after that; and ends only if its idle connections do not keep it alive.
 */
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import timers from 'node:timers';
import { certificate } from '../support/certificate.js';
import { get } from '../support/server.js';

let lost = 0;
let isLossy = true;
const { setImmediate: nodesSetImmediate, setTimeout: nodesSetTimeout } = timers;
const lossy = <A extends unknown[]>(callback: (...args: A) => void): ((...args: A) => void) =>
  isLossy ? () => void lost++ : callback;
timers.setTimeout = Object.assign(
  (callback: () => void, ...rest: [number]) => nodesSetTimeout(lossy(callback), ...rest),
  nodesSetTimeout,
);
timers.setImmediate = Object.assign(
  (callback: () => void, ...rest: []) => nodesSetImmediate(lossy(callback), ...rest),
  nodesSetImmediate,
);
syncBuiltinESMExports();
const { PoolingAgent } = await import('../../src/index.js');
const { poolOf } = await import('../support/agent.js');

const { key, cert: ca } = await certificate();
const server = createServer(
  { key, cert: ca, keepAliveTimeout: 0 },
  (req, res) => void (req.url === '/' && res.end('ok')),
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
server.unref();
server.on('secureConnection', (socket) => socket.unref());
const { port } = server.address() as AddressInfo;
const wait = (ms: number): Promise<void> => new Promise((resolve) => void nodesSetTimeout(resolve, ms));

const agent = new PoolingAgent({ ca, maxSockets: 2, idleTimeout: 100, socketTimeout: 100 });
const patient = new PoolingAgent({ ca, maxSockets: 1, idleTimeout: 60_000 });
const pool = poolOf(agent);
let answered = 0;
const one = (path = '/', via = agent): Promise<unknown> =>
  get({ port, ca }, { agent: via, path }).then(
    () => answered++,
    (error: NodeJS.ErrnoException) => error.code,
  );
/** The outcome of a request that waits behind one that is never answered. */
const waiting = (): Promise<unknown> =>
  new Promise((resolve) => {
    const blocking = request({ port, ca, path: '/never', agent: patient }).on('error', () => {});
    blocking.end();
    const req = request({ port, ca, agent: patient, timeout: 50 });
    const end = (outcome: string) => (): void => {
      resolve(outcome);
      req.destroy();
      blocking.destroy();
    };
    req.on('error', () => {});
    req.on('timeout', end('timed out'));
    nodesSetTimeout(end('waits on'), 300);
  });

await one();
await one('/', patient);
const early = Promise.all([one(), one(), one(), one(), one('/never')]);
const firstWaits = waiting();
await wait(350);
isLossy = false;
const later = Promise.all([one(), one(), one(), one(), one('/never')]);
const codes = [...(await early), ...(await later)].filter((result) => typeof result === 'string');
await one();
const wasOpen = pool.size > 0;
await wait(400);
const waits = [await firstWaits, await waiting()];
await one('/', patient);
console.log(JSON.stringify({ answered, codes, waits, hadLost: lost > 2, wasOpen, isOpen: pool.size > 0 }));
