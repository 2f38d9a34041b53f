/** Reads the statistics of agents for metrics: an agent that fails does not affect the others, and the numbers of hosts add up. */
import type { AgentStats } from '../index.js';
import type { Observed } from './observed.js';

/** The numbers that, summed over all hosts, are those of the agent. */
const BY_HOST = ['active', 'idle', 'waiting'] as const;

export type CountsByHost = Record<(typeof BY_HOST)[number], number>;

const warned = new WeakSet<Observed>();

/** The statistics of `agent`. `undefined`: its `stats()`, which may be overridden, has thrown; a warning says so once. */
export function statsOf(agent: Observed): AgentStats | undefined {
  try {
    return agent.stats();
  } catch (error) {
    if (!warned.has(agent)) {
      warned.add(agent);
      const name = error instanceof Error ? error.name : typeof error;
      process.emitWarning(`The stats() of an agent threw (${name}), and the agent is left out of metrics`, {
        code: 'POOLING_AGENT_METRICS',
      });
    }
    return undefined;
  }
}

/** The numbers of hosts that `stats` does not list, because it lists no more than the busiest. `undefined`: there are none. */
export function unlisted(stats: AgentStats): CountsByHost | undefined {
  const rest: CountsByHost = { active: stats.active, idle: stats.idle, waiting: stats.waiting };
  for (const host of Object.values(stats.hosts ?? {})) for (const key of BY_HOST) rest[key] -= host[key];
  for (const key of BY_HOST) rest[key] = Math.max(0, rest[key]);
  return BY_HOST.some((key) => rest[key] > 0) ? rest : undefined;
}
