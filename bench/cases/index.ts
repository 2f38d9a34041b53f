/** The cases by name. A client's process loads only its own. */
import type { Case } from './case.js';

export const CASES = ['warm', 'burst', 'queue', 'hosts', 'pool'] as const;

export type CaseName = (typeof CASES)[number];

export async function loadCase(name: CaseName): Promise<Case> {
  switch (name) {
    case 'warm':
      return (await import('./warm.js')).warm;
    case 'burst':
      return (await import('./burst.js')).burst;
    case 'queue':
      return (await import('./queue.js')).queue;
    case 'hosts':
      return (await import('./hosts.js')).hosts;
    case 'pool':
      return (await import('./pool.js')).pool;
  }
}
