/**
 * What an agent says about itself to `util.inspect` and `JSON.stringify`: counts and limits. Its options, which hold keys, and its
 * sockets and sessions are left out.
 */
import type { PoolView } from '../connections/agent-pool.js';

/** What `JSON.stringify(agent)` is made of. A limit that is infinite is `null` in JSON. */
export interface AgentSummary {
  /** Hosts (more exactly: identities) that have a connection, or a request that waits. */
  readonly hosts: number;
  /** Connections that are not closed. */
  readonly connections: number;
  /** Those of them that are free. */
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
  readonly maxSockets: number;
  readonly maxTotalSockets: number;
  readonly maxFreeSockets: number;
  readonly maxTotalFreeSockets: number;
  readonly maxQueueSize: number;
  readonly maxTotalQueueSize: number;
  readonly keepAlive: boolean;
  readonly scheduling: string;
}

export function summaryOf({ hosts, idle, limits, size }: PoolView): AgentSummary {
  let waiting = 0;
  for (const host of hosts) waiting += host.waiting.size;
  return {
    hosts: hosts.size,
    connections: size,
    idle: idle.size,
    waiting,
    maxSockets: limits.maxSockets,
    maxTotalSockets: limits.maxTotalSockets,
    maxFreeSockets: limits.maxFreeSockets,
    maxTotalFreeSockets: limits.maxTotalFreeSockets,
    maxQueueSize: limits.maxQueueSize,
    maxTotalQueueSize: limits.maxTotalQueueSize,
    keepAlive: limits.keepAlive,
    scheduling: limits.scheduling,
  };
}

/** One line. `agent` may be the prototype, or a copy without a pool. */
export function inspectAgent(agent: object, pool: PoolView | undefined): string {
  const name = agent.constructor?.name || 'PoolingAgent';
  if (!pool) return `${name} {}`;
  const { hosts, connections, idle, waiting } = summaryOf(pool);
  return `${name} { hosts: ${hosts}, connections: ${connections}, idle: ${idle}, waiting: ${waiting} }`;
}
