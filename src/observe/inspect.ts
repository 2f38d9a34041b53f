/**
 * The texts for `util.inspect` and `JSON.stringify`: an agent's name, counts and limits, and its hosts with open connections or waiting requests. They leave out its options, which
 * hold keys, its sockets and its sessions.
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
  /** Hosts (more exactly: identities) that have a connection or a waiting request. */
  readonly hosts: number;
  /** Connections that are not closed. */
  readonly connections: number;
  /** Connections that are free. */
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
  /** The limit of that name, as it is now. */
  readonly maxSockets: number;
  /** The limit of that name, as it is now. */
  readonly maxTotalSockets: number;
  /** The limit of that name, as it is now. */
  readonly maxFreeSockets: number;
  /** The limit of that name, as it is now. */
  readonly maxTotalFreeSockets: number;
  /** The limit of that name, as it is now. */
  readonly maxQueueSize: number;
  /** The limit of that name, as it is now. */
  readonly maxTotalQueueSize: number;
  /** Whether connections are kept. */
  readonly keepAlive: boolean;
  /** The order in which idle connections are used. */
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

/** The number of hosts that are named; further ones are only counted. */
const MAX_NAMED = 5;

/** A line of counts, and a line of hosts with open connections or waiting requests, if there are any. `agent` may be the prototype, or a copy without a pool. */
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
