/**
 * A process of its own for drain.test.ts: sends requests, and ends as a service should when it is told to. Says how each request has ended
 * when all have.
 */
import { PoolingAgent } from '../support/protocol.js';
import { get } from '../support/server.js';
import { fate } from './support.js';

const [port, ca = '', inFlight, waiting] = process.argv.slice(2);
const server = { port: Number(port), ca };
const agent = new PoolingAgent({ ca, maxSockets: Number(inFlight) });
const paths = Array.from({ length: Number(inFlight) + Number(waiting) }, (_, i) => `/${i}`);
const fates = paths.map((path) => fate(get(server, { agent, path })));

process.once('SIGTERM', () => void drain());

async function drain(): Promise<void> {
  const closed = agent.close({ timeout: 20_000 });
  const late = await fate(get(server, { agent, path: '/late' }));
  await closed;
  const lost = (await Promise.all(fates)).filter((ending, i) => ending !== paths[i]);
  process.send?.({ lost, late, left: agent.totalSocketCount }, () => process.disconnect());
}
