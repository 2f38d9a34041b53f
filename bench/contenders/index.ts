/**
 * The contenders by name. Each is loaded in a process of its own, so that none runs on code that V8 has
 * optimized for, or spoiled with, another.
 */
import type { Contender } from './contender.js';

/** In the order of the tables: other agents, ours, and the floors. */
export const CONTENDERS = [
  'core',
  'agentkeepalive',
  'https-proxy-agent',
  'hpagent',
  'undici',
  'fetch-node',
  'ours',
  'fetch-ours',
  'undici-ours',
  'undici-connector',
  'zero-pool',
  'raw-tls',
] as const;

export type ContenderName = (typeof CONTENDERS)[number];

const load: Record<ContenderName, () => Promise<{ contender: Contender }>> = {
  core: () => import('./core.js'),
  agentkeepalive: () => import('./agentkeepalive.js'),
  'https-proxy-agent': () => import('./https-proxy-agent.js'),
  hpagent: () => import('./hpagent.js'),
  undici: () => import('./undici.js'),
  'fetch-node': () => import('./fetch-node.js'),
  ours: () => import('./ours.js'),
  'fetch-ours': () => import('./fetch-ours.js'),
  'undici-ours': () => import('./undici-ours.js'),
  'undici-connector': () => import('./undici-connector.js'),
  'zero-pool': () => import('./zero-pool.js'),
  'raw-tls': () => import('./raw-tls.js'),
};

export async function loadContender(name: ContenderName): Promise<Contender> {
  return (await load[name]()).contender;
}
