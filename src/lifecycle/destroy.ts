/** `agent.destroy()`: everything ends at once, also a graceful `agent.close()` that has begun. */
import type { AgentPool } from '../connections/agent-pool.js';

/** A graceful end of a pool that `agent.close()` may be waiting for. */
export interface Ending {
  /** Called when everything was told to end. */
  ended(): void;
}

export const closings: WeakMap<AgentPool, Ending> = new WeakMap();

/** See `PoolingAgent.destroy`. */
export function destroy(pool: AgentPool, error: unknown): void {
  pool.destroy(error);
  closings.get(pool)?.ended();
}
