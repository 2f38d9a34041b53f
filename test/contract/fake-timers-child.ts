/**
 * A process of its own for fake-timers.test.ts: makes requests while timers and clocks are fake, and after that. The pool is
 * loaded before they are faked, or after it. Prints what came of it.
 */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import type * as Package from '../../src/index.js';
import { certificate } from '../support/certificate.js';
import { get } from '../support/server.js';

type Pooling = typeof Package;

const [when] = process.argv.slice(2);
const later = setTimeout;
const load = (): Promise<Pooling> => import('../../src/index.js');

const { key, cert: ca } = await certificate();
const server = createServer({ key, cert: ca, keepAliveTimeout: 0 }, (req, res) =>
  req.resume().on('end', () => res.end('ok')),
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

/** How many of a burst and of a few requests in turn are answered, given 5 s. */
async function answered({ PoolingAgent }: Pooling, options: Package.PoolingAgentOptions): Promise<number> {
  const agent = new PoolingAgent({ ca, ...options });
  let count = 0;
  const one = async (method: string): Promise<void> => {
    const { body } = await get({ port, ca }, { agent, method }, method === 'POST' ? 'x' : undefined);
    if (body === 'ok') count++;
  };
  const all = async (): Promise<void> => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => one(i % 2 === 0 ? 'GET' : 'POST')));
    for (const method of ['GET', 'POST', 'GET', 'POST']) await one(method);
  };
  const ended = new Promise<void>((resolve) => void later(resolve, 5000).unref());
  await Promise.race([all(), ended]);
  agent.destroy();
  return count;
}

const early = when === 'after loading' ? await load() : undefined;
mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'], now: 1 });
const pooling = early ?? (await load());
const counts: number[] = [];
for (const options of [{}, { maxSockets: 1 }, { maxTotalSockets: 3 }, { binding: 'late' as const }]) {
  counts.push(await answered(pooling, options));
}
mock.timers.reset();
counts.push(await answered(pooling, {}));
console.log(counts.join());
server.closeAllConnections();
server.close();
