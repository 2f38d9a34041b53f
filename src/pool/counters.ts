/**
 * The counts of one host, or of all hosts together. Code that changes the books adds to both. Identities of one `host:port` share one
 * object, which outlives them.
 *
 * All counts only grow, except for the three of the first group. Between two events of the pool, `opened` is the sum of the open, failed and closed
 * connections: invariants.ts checks that.
 */
import type { CloseReason } from './close-reason.js';
import type { Refusal } from './refusal.js';

/**
 * The step that a dial waits for: `createConnection`, for a socket; the others, for the socket's event of that name. Through a proxy, three steps
 * come before these: its connection, its TLS handshake, and its answer.
 */
export type ConnectPhase =
  | 'proxyConnect'
  | 'proxySecureConnect'
  | 'tunnel'
  | 'createConnection'
  | 'lookup'
  | 'connect'
  | 'secureConnect';

/** The reasons by which closed connections are counted. A failed dial is counted by its phase instead. */
export type CountedReason = Exclude<CloseReason, 'connect-failed'>;

/** The reasons for which requests are refused: a full queue, `acquireTimeout`, a closed agent. */
export type RefusalCount = 'queueFull' | 'acquireTimeout' | 'closed';

export class Counters {
  // Now

  /** Connections that are being opened and are not ready to be used yet, whether a request has them or not. Closing and idle ones do not count. */
  connecting = 0;
  /** Connections that are not closed: `opened` less all that is in `failed` and `closed`. */
  open = 0;
  /** Requests in a queue: waiters in state `queued`. Changed by queues.ts. */
  waiting = 0;

  // Connections since the beginning

  /** Connections that were dialled, or adopted from outside. */
  opened = 0;
  /** Connections that ended in an error of their own before they were ready, by the phase of their dial. */
  readonly failed: Record<ConnectPhase, number> = {
    proxyConnect: 0,
    proxySecureConnect: 0,
    tunnel: 0,
    createConnection: 0,
    lookup: 0,
    connect: 0,
    secureConnect: 0,
  };
  /** Connections that ended in any other way. */
  readonly closed: Record<CountedReason, number> = {
    'idle-timeout': 0,
    'max-age': 0,
    'max-requests': 0,
    'peer-dead': 0,
    'address-gone': 0,
    evicted: 0,
    'server-closed': 0,
    poisoned: 0,
    surplus: 0,
    shutdown: 0,
    destroyed: 0,
    closed: 0,
    detached: 0,
  };

  // Requests since the beginning. The driver's, as all that follows

  /** Requests that came. A request that is sent again counts once. */
  requests = 0;
  /** Requests that were given a connection which had served a request before. */
  reused = 0;
  /** Requests that had to wait beyond the turn of the event loop in which they came. */
  queued = 0;
  /** The number of times that a request was sent again. */
  replayed = 0;
  /** Requests that got no connection because they were not allowed to wait, or to wait longer. */
  readonly refused: Record<RefusalCount, number> = { queueFull: 0, acquireTimeout: 0, closed: 0 };
  /** TLS handshakes that succeeded. */
  readonly handshakes: { full: number; resumed: number } = { full: 0, resumed: 0 };
}

/** By which counter a refusal is counted. */
export function refusalCount(limitedBy: Refusal['limitedBy']): RefusalCount {
  return limitedBy === 'acquireTimeout' || limitedBy === 'closed' ? limitedBy : 'queueFull';
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const count of Object.values(counts)) sum += count;
  return sum;
}
