/** The answers of agents that are asked for metrics: one that fails takes no other's metrics along, and the numbers of hosts add up. */
import type { AgentStats } from '../index.js';
import type { Observed } from './observed.js';

/** The numbers of single hosts that add up to those of the agent. */
const BY_HOST = ['active', 'idle', 'waiting'] as const;

export type CountsByHost = Record<(typeof BY_HOST)[number], number>;

const warned = new WeakSet<Observed>();

/** `undefined`: its `stats()` throws, of which is warned once. It may be overridden, or be of another kind. */
export function statsOf(agent: Observed): AgentStats | undefined {
  try {
    return agent.stats();
  } catch (error) {
    if (!warned.has(agent)) {
      warned.add(agent);
      const name = error instanceof Error ? error.name : typeof error;
      process.emitWarning(`The stats() of an agent has thrown (${name}): it is left out of metrics`, {
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
