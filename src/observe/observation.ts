/** The view that the package's other entries have of an agent beyond its public surface: single durations, and the details of a host. */
import type { AgentPool } from '../connections/agent-pool.js';
import { detailsOf, maxSocketsOf } from './details.js';
import type { HostDetails } from './details.js';
import type { DurationListener } from './duration-listener.js';
import { recorderOf } from './recorder.js';

export interface Observation {
  /** The same for an agent and its lent views, so that an agent is not counted twice. */
  readonly identity: object;
  details(host: string, most: number): HostDetails;
  /** By `host:port`. */
  maxSockets(): ReadonlyMap<string, number>;
  /** @returns a function that stops it */
  listen(listener: DurationListener): () => void;
}

export function observationOf(pool: AgentPool): Observation {
  return {
    identity: pool.identity,
    details: (host, most) => detailsOf(pool, host, most),
    maxSockets: () => maxSocketsOf(pool),
    listen: (listener) => recorderOf(pool).listen(listener),
  };
}
