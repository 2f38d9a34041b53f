/** The members of an agent that are read, be it of this build of the package or of another one. */
import { kObservation } from '../observe/observation-key.js';
import type { Observation } from '../observe/observation.js';
import type { AgentStats, StatsOptions } from '../index.js';

export interface Observed {
  readonly name?: string | undefined;
  readonly closed?: boolean;
  stats(options?: StatsOptions): AgentStats;
}

export function isObserved(value: unknown): value is Observed {
  return typeof value === 'object' && value !== null && 'stats' in value && typeof value.stats === 'function';
}

/** The members that only agents of this package have. */
export function observationOf(agent: Observed): Observation | undefined {
  return (agent as { [kObservation]?: Observation })[kObservation];
}
