/** Reads the statistics of agents for metrics: an agent that fails does not affect the others, and the numbers of hosts add up. */
import type { AgentStats } from '../index.js';
import { CONNECTIONS, COUNTERS } from './catalogue.js';
import type { Observed } from './observed.js';

/** The numbers that, summed over all hosts, are those of the agent. */
const BY_HOST = ['active', 'idle', 'waiting'] as const;

export type CountsByHost = Record<(typeof BY_HOST)[number], number>;

const warned = new WeakSet<Observed>();

/**
 * The statistics of `agent`. `undefined`: its `stats()`, which may be overridden or another version's, has thrown, or lacks a number that is read from it;
 * a warning says so once.
 */
export function statsOf(agent: Observed): AgentStats | undefined {
  try {
    const stats = agent.stats();
    if (isComplete(stats)) return stats;
    warn(agent, 'lacks numbers');
  } catch (error) {
    warn(agent, `threw (${error instanceof Error ? error.name : typeof error})`);
  }
  return undefined;
}

function warn(agent: Observed, what: string): void {
  if (warned.has(agent)) return;
  warned.add(agent);
  process.emitWarning(`The stats() of an agent ${what}, and the agent is left out of metrics`, {
    code: 'POOLING_AGENT_METRICS',
  });
}

/** Whether every number that metrics read is there: one that is not would fail the whole collection, or count as 1. */
function isComplete(stats: AgentStats): boolean {
  return (
    COUNTERS.every(({ by, read }) => {
      const value: unknown = read(stats);
      if (by === undefined) return isCount(value);
      return typeof value === 'object' && value !== null && Object.values(value).every(isCount);
    }) &&
    CONNECTIONS.states.every((state) => isCount(stats[state])) &&
    [stats, ...Object.values(stats.hosts ?? {})].every((counts) =>
      BY_HOST.every((key) => isCount(counts[key])),
    )
  );
}

function isCount(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0;
}

/** The numbers of hosts that `stats` does not list, because it lists no more than the busiest. `undefined`: there are none. */
export function unlisted(stats: AgentStats): CountsByHost | undefined {
  const rest: CountsByHost = { active: stats.active, idle: stats.idle, waiting: stats.waiting };
  for (const host of Object.values(stats.hosts ?? {})) for (const key of BY_HOST) rest[key] -= host[key];
  for (const key of BY_HOST) rest[key] = Math.max(0, rest[key]);
  return BY_HOST.some((key) => rest[key] > 0) ? rest : undefined;
}
