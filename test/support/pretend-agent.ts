/** Agents that only say something: what they say is up to the test. */
import type { DurationStats } from '../../src/observe/durations.js';
import type { AgentStats, HostStats } from '../../src/observe/stats.js';
import type { Observed } from '../../src/telemetry/observed.js';

const NONE: DurationStats = { count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };

export function hostStats(numbers: Partial<HostStats> = {}): HostStats {
  return {
    connecting: 0,
    active: 0,
    idle: 0,
    closing: 0,
    waiting: 0,
    requests: 0,
    reused: 0,
    queued: 0,
    replayed: 0,
    opened: 0,
    failed: {
      proxyConnect: 0,
      proxySecureConnect: 0,
      tunnel: 0,
      createConnection: 0,
      lookup: 0,
      connect: 0,
      secureConnect: 0,
    },
    closed: {
      'idle-timeout': 0,
      'max-age': 0,
      'max-requests': 0,
      'peer-dead': 0,
      'address-gone': 0,
      evicted: 0,
      'server-closed': 0,
      poisoned: 0,
      surplus: 0,
      destroyed: 0,
      closed: 0,
      detached: 0,
      shutdown: 0,
    },
    refused: { queueFull: 0, acquireTimeout: 0, closed: 0 },
    handshakes: { full: 0, resumed: 0 },
    ...numbers,
  };
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
