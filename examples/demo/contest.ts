/** Puts two agents through the same phases, round by round, the one and the other first in turn. */
import { Agent } from 'node:https';
import type { AgentOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { PoolingAgent } from '../../src/index.js';
import { drive } from './load.js';
import { shown } from './inspect.js';
import type { Load, Sample } from './load.js';
import type { Target } from './target.js';

export interface Phase {
  readonly name: string;
  readonly load: Load;
  readonly options: AgentOptions;
  /** Sent before the measured requests of a round, over the same agent. */
  readonly before?: Load;
  /** Bursts of a round, each after all connections were closed: the sessions stay. */
  readonly bursts: number;
}

const contenders = {
  'https.Agent': (options: AgentOptions): Agent => new Agent(options),
  PoolingAgent: (options: AgentOptions, name: string): Agent => shown(new PoolingAgent({ ...options, name })),
};

export type Name = keyof typeof contenders;
export const names = Object.keys(contenders) as Name[];

export interface Result {
  samples: Sample[];
  connections: number;
  resumed: number;
}

/** Requests of one agent in one round of a phase. */
export function requestsOf({ before, bursts, load }: Phase): number {
  return (before?.requests ?? 0) + bursts * load.requests;
}

/** Runs a round of a phase with every agent, and adds what it saw to `results`. */
export async function round(
  phase: Phase,
  number: number,
  target: Target,
  results: Record<Name, Result>,
  doing: (name: string) => void,
  tick: () => void,
): Promise<void> {
  for (const name of number % 2 === 0 ? names : names.toReversed()) {
    doing(`${phase.name}, ${name}`);
    const { ca, lookup } = target;
    const agent = contenders[name]({ keepAlive: true, ca, lookup, ...phase.options }, phase.name);
    const result = results[name];
    const earlier = await target.counts();
    if (phase.before) await drive(agent, target, phase.before, tick);
    for (let burst = 0; burst < phase.bursts; burst++) {
      result.samples.push(await drive(agent, target, phase.load, tick));
      agent.destroy();
      // Until both ends have forgotten the connections; not measured.
      await sleep(30);
    }
    const later = await target.counts();
    result.connections += later.connections - earlier.connections;
    result.resumed += later.resumed - earlier.resumed;
  }
}
