/**
 * `npm run demo -- --inspect`: the live page of the demo's agents, for as long as the demo runs. Every PoolingAgent that the demo makes is to be handed
 * to `shown`.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { inspector } from '../../src/inspect/index.js';
import type { PoolingAgent } from '../../src/index.js';

/** One for each phase. They stay, so that the page's sums and its past do. */
const agents = new Set<PoolingAgent>();

export function shown(agent: PoolingAgent): PoolingAgent {
  agents.add(agent);
  return agent;
}

/** @returns where the page is */
export async function servePage(): Promise<string> {
  const server = inspector(agents, { title: 'Demo', interval: 250, history: 60_000 }).listen(0);
  await once(server, 'listening');
  return `http://localhost:${(server.address() as AddressInfo).port}/`;
}
