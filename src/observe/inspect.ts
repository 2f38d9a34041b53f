/**
 * The words of an agent about itself, for `util.inspect` and `JSON.stringify`: its name, counts and limits, and the hosts of which something is open. Its options, which hold
 * keys, and its sockets and sessions are left out.
 */
import type { AgentPool, PoolView } from '../connections/agent-pool.js';
import { recordOf } from './host-records.js';
import { recorderOf } from './recorder.js';
import { hostStatsOf } from './stats.js';
import type { CounterStats } from './stats.js';

/** The content of `JSON.stringify(agent)`. A limit that is infinite is `null` in JSON. */
export interface AgentSummary {
  /** The option `name`. */
  readonly name?: string;
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

export function summaryOf(pool: AgentPool): AgentSummary {
  const { name } = recorderOf(pool);
  const { counters, hosts, idle, limits, size } = pool.view;
  return {
    ...(name !== undefined && { name }),
    hosts: hosts.size,
    connections: size,
    idle: idle.size,
    waiting: counters.waiting,
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

/** Hosts that are named; of more it is said how many there are. */
const MAX_NAMED = 5;

/** One line of counts, and one of hosts, if anything of them is open or waits. `agent` may be the prototype, or a copy without a pool. */
export function inspectAgent(agent: object, pool: AgentPool | undefined): string {
  const type = agent.constructor?.name || 'PoolingAgent';
  if (!pool) return `${type} {}`;
  const { name } = recorderOf(pool);
  const { hosts, connections, idle, waiting } = summaryOf(pool);
  const label = name === undefined ? '' : `name: '${name}', `;
  const counts = `hosts: ${hosts}, connections: ${connections}, idle: ${idle}, waiting: ${waiting}`;
  const names = hostsOf(pool.view.hosts);
  return `${type} { ${label}${counts} }${names && `\n  ${names}`}`;
}

/** `api.example.com:443: 3 active, 2 idle; db.example.com:443: 1 connecting`, the busiest first. */
function hostsOf(hosts: PoolView['hosts']): string {
  const records = new Set(Array.from(hosts, recordOf));
  const stats = Object.entries(hostStatsOf(hosts, [...records]));
  const busiestFirst = stats.toSorted(([, a], [, b]) => held(b) - held(a));
  const named = busiestFirst.slice(0, MAX_NAMED).map(([host, one]) => `${host}: ${countsOf(one)}`);
  if (stats.length > MAX_NAMED) named.push(`${stats.length - MAX_NAMED} more`);
  return named.join('; ');
}

function held({ active, closing, connecting, idle, waiting }: CounterStats): number {
  return active + closing + connecting + idle + waiting;
}

function countsOf({ active, closing, connecting, idle, waiting }: CounterStats): string {
  const counts = Object.entries({ connecting, active, idle, closing, waiting });
  return counts
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
}
