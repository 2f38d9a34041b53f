/** Agents that only say something: what they say is up to the test. */
import type { DurationStats } from '../../src/observe/durations.js';
import { totalsOf } from '../../src/observe/stats.js';
import type { AgentStats, HostStats } from '../../src/observe/stats.js';
import { Counters } from '../../src/pool/counters.js';
import type { Observed } from '../../src/telemetry/observed.js';

const NONE: DurationStats = { count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };

/** Counts like those of a host that has seen nothing, but for `numbers`. */
export function hostStats(numbers: Partial<HostStats> = {}): HostStats {
  const nothing = { capacity: { closing: 0 }, counters: new Counters(), idle: { size: 0 } };
  return { ...totalsOf(nothing), ...numbers };
}

interface PretendAgent extends Observed {
  /** How often the agent was asked. */
  asked: number;
  numbers: Partial<AgentStats>;
  hosts: Record<string, HostStats>;
}

/** @param hosts as `agent.stats()` has them */
export function pretendAgent(name: string | undefined, hosts: Record<string, HostStats> = {}): PretendAgent {
  return {
    ...(name !== undefined && { name }),
    asked: 0,
    numbers: {},
    hosts,
    stats({ hosts: withHosts = true } = {}) {
      this.asked++;
      return {
        ...hostStats(),
        timeInQueue: NONE,
        connectTime: NONE,
        connectionAge: NONE,
        ...this.numbers,
        ...(withHosts && { hosts: this.hosts }),
      };
    },
  };
}
