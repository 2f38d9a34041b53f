/** The answer of `agent.stats()`: a copy of all counters, and how things stand now. Plain JSON, without secrets. */
import { booleanValue, optional, optionsObject } from '../validate.js';
import { sumOf } from '../pool/counters.js';
import type { ConnectPhase, CountedReason, Counters, RefusalCount } from '../pool/counters.js';
import type { HostPool } from '../pool/records.js';
import type { Kinds } from '../pool/kinds.js';
import type { DurationStats } from './durations.js';
import type { HostRecord } from './host-records.js';

/** Counters of one host, or of all. */
export interface CounterStats {
  // Now

  /** Connections that were begun and are not ready to be used yet: lookup, TCP and TLS. */
  readonly connecting: number;
  /** Connections that a request has, or that are about to go to one. */
  readonly active: number;
  /** Connections that are free. */
  readonly idle: number;
  /** Connections that were asked to close and have not yet. They count against all limits. */
  readonly closing: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;

  // Since the agent was made

  /** Requests that came. One that the agent sends again is not counted again. */
  readonly requests: number;
  /** Requests that were given a connection which had served a request before. */
  readonly reused: number;
  /** Requests that had to wait for longer than the turn of the event loop in which they came. */
  readonly queued: number;
  /** How often a request was sent again because its connection was lost. */
  readonly replayed: number;
  /**
   * Connections that were begun. Always the sum of `connecting`, `active`, `idle`, `closing`, and of all numbers of `failed` and `closed`
   * (of a host: since the agent has begun to count it).
   */
  readonly opened: number;
  /** Connections that ended in an error of their own before they were ready, by the step that they were waiting for. */
  readonly failed: Readonly<Record<ConnectPhase, number>>;
  /** All others that ended, by reason. */
  readonly closed: Readonly<Record<CountedReason, number>>;
  /** Requests that got no connection: `maxQueueSize` or `maxTotalQueueSize`, `acquireTimeout`, a closed agent. */
  readonly refused: Readonly<Record<RefusalCount, number>>;
  /** TLS handshakes that succeeded: full ones, and those that resumed a session. */
  readonly handshakes: { readonly full: number; readonly resumed: number };
}

export interface StatsOptions {
  /** Whether single hosts are told of, too. Without them it takes constant time. Default: `true`. */
  readonly hosts?: boolean | undefined;
}

export interface HostStats extends CounterStats {
  /** As the agent's, for at most the 100 hosts with the most requests that were `queued`. */
  readonly timeInQueue?: DurationStats;
}

export interface AgentStats extends CounterStats {
  /** The option `name`. */
  readonly name?: string;
  /** How long requests waited that were `queued`, whatever became of them, from when they came. */
  readonly timeInQueue: DurationStats;
  /** How long it took until connections were ready, from the beginning of their dial. */
  readonly connectTime: DurationStats;
  /** How old connections were when they ended, from when they were ready. */
  readonly connectionAge: DurationStats;
  /**
   * By `host:port`: hosts that hold a connection or a waiting request, or were used within `trimInterval`, at most 1000. Hosts that are forgotten
   * stay in the agent's sums.
   */
  readonly hosts?: Readonly<Record<string, HostStats>>;
}

/** Connections that are open, by what they do. Those of a host are the sum of its identities'. */
interface Open {
  idle: number;
  closing: number;
}

/** The pool, as far as its counts go. */
interface Counted {
  readonly capacity: { readonly closing: number };
  readonly counters: Counters;
  readonly idle: { readonly size: number };
}

/** O(1). */
export function totalsOf({ capacity, counters, idle }: Counted): CounterStats {
  return countersOf(counters, { idle: idle.size, closing: capacity.closing });
}

/** @param records those that are shown */
export function hostStatsOf<K extends Kinds>(
  hosts: Iterable<HostPool<K>>,
  records: readonly HostRecord[],
): Record<string, HostStats> {
  const open = new Map<Counters, Open>();
  for (const { closing, counters, idle } of hosts) {
    const sum = open.get(counters) ?? { idle: 0, closing: 0 };
    sum.idle += idle.size;
    sum.closing += closing;
    open.set(counters, sum);
  }
  const entries = records.map((record): [string, HostStats] => {
    const { name, timeInQueue } = record;
    const counters = countersOf(record, open.get(record) ?? { idle: 0, closing: 0 });
    return [name, timeInQueue ? { ...counters, timeInQueue: timeInQueue.stats() } : counters];
  });
  return Object.fromEntries(entries);
}

function countersOf(counters: Counters, { idle, closing }: Open): CounterStats {
  const { closed, connecting, failed, handshakes, open, refused } = counters;
  return {
    connecting,
    active: open - connecting - idle - closing,
    idle,
    closing,
    waiting: counters.waiting,
    requests: counters.requests,
    reused: counters.reused,
    queued: counters.queued,
    replayed: counters.replayed,
    opened: counters.opened,
    failed: { ...failed },
    closed: { ...closed },
    refused: { ...refused },
    handshakes: { ...handshakes },
  };
}

/**
 * A checked copy of what `agent.stats` was called with.
 *
 * @throws `ERR_INVALID_ARG_TYPE`
 */
export function statsOptions(options: unknown): StatsOptions {
  if (options === undefined) return {};
  return { hosts: optional(optionsObject(options), 'hosts', booleanValue, true) };
}

/** Whether `stats` agree with themselves. For tests. */
export function addsUp({ active, closed, closing, connecting, failed, idle, opened }: CounterStats): boolean {
  return opened === connecting + active + idle + closing + sumOf(closed) + sumOf(failed);
}
