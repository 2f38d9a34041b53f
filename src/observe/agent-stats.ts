/** The answer of `agent.stats()`, put together from the counts of the pool and of its recorder. */
import type { AgentPool } from '../connections/agent-pool.js';
import { monotonicNow } from '../node/timers.js';
import { recorderOf } from './recorder.js';
import { hostStatsOf, statsOptions, totalsOf } from './stats.js';
import type { AgentStats } from './stats.js';

/** @throws `ERR_INVALID_ARG_TYPE` */
export function statsOf(pool: AgentPool, given: unknown): AgentStats {
  const options = statsOptions(given);
  const recorder = recorderOf(pool);
  const { connectionAge, connectTime, name, timeInQueue } = recorder;
  const now = monotonicNow();
  const hosts =
    options.hosts !== false && hostStatsOf(pool.view.hosts, recorder.shown(now), pool.addresses(), now);
  return {
    ...(name !== undefined && { name }),
    ...totalsOf(pool.view),
    timeInQueue: timeInQueue.stats(),
    connectTime: connectTime.stats(),
    connectionAge: connectionAge.stats(),
    ...(hosts && { hosts }),
  };
}
