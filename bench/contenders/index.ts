/**
 * The contenders by name. Each is loaded in a process of its own, so that none runs on code that V8 has
 * optimized for, or spoiled with, another.
 */
import type { Contender } from './contender.js';

/** In the order of the tables: those to beat, ours, and the floors that nobody can beat. */
export const CONTENDERS = ['core', 'agentkeepalive', 'undici', 'ours', 'zero-pool', 'raw-tls'] as const;

export type ContenderName = (typeof CONTENDERS)[number];

const load: Record<ContenderName, () => Promise<{ contender: Contender }>> = {
  core: () => import('./core.js'),
  agentkeepalive: () => import('./agentkeepalive.js'),
  undici: () => import('./undici.js'),
  ours: () => import('./ours.js'),
  'zero-pool': () => import('./zero-pool.js'),
  'raw-tls': () => import('./raw-tls.js'),
};

export async function loadContender(name: ContenderName): Promise<Contender> {
  return (await load[name]()).contender;
}
