/** The cases by name. A client's process loads only its own. */
import type { Case } from './case.js';

export const CASES = [
  'pace',
  'warm',
  'overhead',
  'burst',
  'connect',
  'resumption',
  'queue',
  'hosts',
  'reliability',
  'pool',
  'counting',
  'fairness',
  'close',
  'ready',
  'cold',
  'fetch',
  'tunnel',
] as const;

export type CaseName = (typeof CASES)[number];

export async function loadCase(name: CaseName): Promise<Case> {
  switch (name) {
    case 'pace':
      return (await import('./pace.js')).pace;
    case 'warm':
      return (await import('./warm.js')).warm;
    case 'overhead':
      return (await import('./overhead.js')).overhead;
    case 'burst':
      return (await import('./burst.js')).burst;
    case 'connect':
      return (await import('./connect.js')).connect;
    case 'resumption':
      return (await import('./resumption.js')).resumption;
    case 'queue':
      return (await import('./queue.js')).queue;
    case 'hosts':
      return (await import('./hosts.js')).hosts;
    case 'reliability':
      return (await import('./reliability.js')).reliability;
    case 'pool':
      return (await import('./pool.js')).pool;
    case 'counting':
      return (await import('./counting.js')).counting;
    case 'fairness':
      return (await import('./fairness.js')).fairness;
    case 'close':
      return (await import('./close.js')).close;
    case 'ready':
      return (await import('./ready.js')).ready;
    case 'cold':
      return (await import('./cold.js')).cold;
    case 'tunnel':
      return (await import('./tunnel.js')).tunnel;
    case 'fetch':
      return (await import('./fetch.js')).fetchCase;
  }
}
