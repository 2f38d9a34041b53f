/** The answer of `agent.stats()`: a copy of all counters, and the current state. Plain JSON, without secrets. */
import { booleanValue, optional, optionsObject } from '../validate.js';
import type { AddressState } from '../egress/dns/destination.js';
import { sumOf } from '../pool/counters.js';
import type { ConnectPhase, CountedReason, Counters, RefusalCount } from '../pool/counters.js';
import type { HostPool } from '../pool/records.js';
import type { Kinds } from '../pool/kinds.js';
import type { DurationStats } from './durations.js';
import type { HostRecord } from './host-records.js';

/** Counters of one host, or of all hosts together. */
export interface CounterStats {
  // Now

  /** Connections that are being opened and are not ready to be used yet: lookup, TCP and TLS. */
  readonly connecting: number;
  /** Connections that a request has, or is about to get. */
  readonly active: number;
  /** Connections that are free. */
  readonly idle: number;
  /** Connections that are being closed. They count against all limits until they are closed. */
  readonly closing: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;

  // Since the agent was made

  /** Requests that came. A request that the agent sends again counts once. */
  readonly requests: number;
  /** Requests that were given a connection which had served a request before. */
  readonly reused: number;
  /** Requests that had to wait for longer than the turn of the event loop in which they came. */
  readonly queued: number;
  /** The number of times that a request was sent again because its connection was lost. */
  readonly replayed: number;
  /**
   * Connections that were dialled or adopted. Always the sum of `connecting`, `active`, `idle`, `closing`, and of all numbers of `failed` and `closed`
   * (of a host: since the agent has begun to count it).
   */
  readonly opened: number;
  /** Connections that ended in an error of their own before they were ready, by the phase in which their dial failed. */
  readonly failed: Readonly<Record<ConnectPhase, number>>;
  /** All other connections that ended, by reason. */
  readonly closed: Readonly<Record<CountedReason, number>>;
  /** Requests that got no connection: `maxQueueSize` or `maxTotalQueueSize`, `acquireTimeout`, a closed agent. */
  readonly refused: Readonly<Record<RefusalCount, number>>;
  /** TLS handshakes that succeeded: full ones, and those that resumed a session. */
  readonly handshakes: {
    /** Handshakes without a session, or whose session the server did not take. */
    readonly full: number;
    /** Handshakes that resumed a session. */
    readonly resumed: number;
  };
}

/** The options of `agent.stats()`. */
export interface StatsOptions {
  /** Whether single hosts are included. Without them the call takes constant time. Default: `true`. */
  readonly hosts?: boolean | undefined;
}

/** An address of a host that was dialled by its name. */
export interface AddressStats {
  /** IPv4 or IPv6. */
  readonly address: string;
  /** Connections to the address, including those that are being opened and try it first. */
  readonly connections: number;
  /** Whether the last answer of the resolver has the address. */
  readonly current: boolean;
  /** The code of the last error with the address, if it has not worked since; empty if the error had none. */
  readonly lastError?: string;
  /** Milliseconds since that error. */
  readonly failedAgo?: number;
}

/** The counters of one host (`host:port`). */
export interface HostStats extends CounterStats {
  /** The addresses of the host's last look-ups, and others that connections lead to. Left out where the agent did not look the name up. */
  readonly addresses?: readonly AddressStats[];
  /** As the agent's `timeInQueue`, for at most the 100 hosts with the most `queued` requests. */
  readonly timeInQueue?: DurationStats;
}

/** The result of `agent.stats()`. */
export interface AgentStats extends CounterStats {
  /** The option `name`. */
  readonly name?: string;
  /** The waiting times of `queued` requests, from their arrival, whatever became of them. */
  readonly timeInQueue: DurationStats;
  /** The times from the beginning of a dial until its connection was ready. */
  readonly connectTime: DurationStats;
  /** The ages of connections when they ended, from the moment when they were ready. */
  readonly connectionAge: DurationStats;
  /**
   * By `host:port`: hosts that hold a connection or a waiting request, or were used within `trimInterval`, at most 1000. Hosts that are forgotten
   * stay in the agent's sums.
   */
  readonly hosts?: Readonly<Record<string, HostStats>>;
}

/** Open connections by their state. Those of a host are the sum over its identities. */
interface Open {
  idle: number;
  closing: number;
}

/** The part of the pool that has counts. */
interface Counted {
  readonly capacity: { readonly closing: number };
  readonly counters: Counters;
  readonly idle: { readonly size: number };
}

/** O(1). */
export function totalsOf({ capacity, counters, idle }: Counted): CounterStats {
  return countersOf(counters, { idle: idle.size, closing: capacity.closing });
}

/**
 * @param records the records that are shown
 * @param addresses the addresses by the name of a record
 * @param now the time on the monotonic clock
 */
export function hostStatsOf<K extends Kinds>(
  hosts: Iterable<HostPool<K>>,
  records: readonly HostRecord[],
  addresses: ReadonlyMap<string, readonly AddressState[]> = new Map(),
  now = 0,
): Record<string, HostStats> {
  const open = new Map<Counters, Open>();
  for (const { closing, counters, idle } of hosts) {
    const sum = open.get(counters) ?? { idle: 0, closing: 0 };
    sum.idle += idle.size;
    sum.closing += closing;
    open.set(counters, sum);
  }
  const entries = records.map((record): [string, HostStats] => {
    const { address, name, timeInQueue } = record;
    const known = addresses.get(address);
    return [
      name,
      {
        ...countersOf(record, open.get(record) ?? { idle: 0, closing: 0 }),
        ...(timeInQueue && { timeInQueue: timeInQueue.stats() }),
        ...(known && { addresses: known.map((one) => addressStats(one, now)) }),
      },
    ];
  });
  return Object.fromEntries(entries);
}

function addressStats({ address, connections, failure, isCurrent }: AddressState, now: number): AddressStats {
  const known = { address, connections, current: isCurrent };
  return failure ? { ...known, lastError: failure.code, failedAgo: now - failure.at } : known;
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
 * A checked copy of the options of `agent.stats`.
 *
 * @throws `ERR_INVALID_ARG_TYPE`
 */
export function statsOptions(options: unknown): StatsOptions {
  if (options === undefined) return {};
  return { hosts: optional(optionsObject(options), 'hosts', booleanValue, true) };
}

/** For tests: whether the sum of `opened` is right. */
export function addsUp({ active, closed, closing, connecting, failed, idle, opened }: CounterStats): boolean {
  return opened === connecting + active + idle + closing + sumOf(closed) + sumOf(failed);
}
