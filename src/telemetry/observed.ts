/** The members of an agent that metrics read. The agent may be of this build of the package or of another one. */
import { kObservation } from '../observe/observation-key.js';
import type { Observation } from '../observe/observation.js';
import type { AgentStats, StatsOptions } from '../index.js';

/** The parts of an agent that metrics read: a `PoolingAgent` of this version or another, or an object like it. */
export interface Observed {
  /** The label of the agent. */
  readonly name?: string | undefined;
  /** As of Node's agents. Default: `'https:'`. */
  readonly protocol?: string;
  /** Whether it was closed. */
  readonly closed?: boolean;
  /** As of `PoolingAgent`. */
  stats(options?: StatsOptions): AgentStats;
}

export function isObserved(value: unknown): value is Observed {
  return typeof value === 'object' && value !== null && 'stats' in value && typeof value.stats === 'function';
}

/** The object by which `agent` is recognised: that of a lent agent is the original's. */
export function identityOf(agent: Observed): object {
  // An agent of an older build has none.
  return (observationOf(agent) as Partial<Observation> | undefined)?.identity ?? agent;
}

/** The members that only agents of this package have. */
export function observationOf(agent: Observed): Observation | undefined {
  return (agent as { [kObservation]?: Observation })[kObservation];
}
