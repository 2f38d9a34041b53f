/**
 * One connection, as the pool sees it. The pool alone writes these fields; the driver keeps its own things
 * in `pooled`.
 */
import type { CloseReason } from './close-reason.js';
import type { Entry } from './heap.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import { Link } from './list.js';
import type { Waiter } from './waiter.js';

/**
 * - `connecting`: the driver was asked to dial and has not answered yet.
 * - `active`: leased to a request. (In eager binding that includes the handshake.)
 * - `validating`: released in this turn of the event loop, and not known to be quiet, or idle for so long that it is
 *   looked at first: not leased before the loop has polled.
 * - `idle`: free, and may be leased at any moment.
 * - `closing`: the driver was asked to close it; counts against the limits until it says that it is done.
 * - `closed`: gone, and in no count.
 */
export type ConnectionState = 'connecting' | 'active' | 'validating' | 'idle' | 'closing' | 'closed';

let lastId = 0;

export class Connection<K extends Kinds> {
  /** Unique in this process: what it is called in debug output. */
  readonly id: number = ++lastId;
  readonly host: HostPool<K>;
  state: ConnectionState = 'connecting';
  pooled: K['pooled'] | undefined = undefined;
  /** The request that opened it, while `connecting`: bound to it (eager), or merely its initiator (late). */
  waiter: Waiter<K> | undefined = undefined;
  /** The request that it was lost under, and that gets its place when it is closed. */
  replayWaiter: Waiter<K> | undefined = undefined;

  // Moments on the pool's clock. The first one is set by the driver when it opens the connection, the others when it parks it.

  /** From then on it serves no request. */
  retireAt: number = Infinity;
  /** When it became idle. -1: it has been leased since. */
  idleSince = -1;
  /** From then on it is not leased. */
  expiresAt: number = Infinity;
  /** From then on it is given only to requests that can be sent twice. `-Infinity`: it was not safe for a moment after its release. */
  safeUntil: number = Infinity;
  /** From then on it is looked at before it is leased. */
  validateAt: number = Infinity;

  /** Requests that it may still be given. Set by the driver when it opens the connection. */
  requestsLeft: number = Infinity;
  /** For how long it had been idle when it was leased, in milliseconds. */
  idledFor = 0;
  /** It was leased although it had been idle for longer than is safe. */
  isUnsafe = false;
  closeReason: CloseReason | undefined = undefined;
  /** How often it was leased. */
  served = 0;

  /** Place in the host's idle list. */
  readonly idleLink: Link<Connection<K>> = new Link(this);
  /** Place in the pool's list of all idle connections, least recently used first. */
  readonly lruLink: Link<Connection<K>> = new Link(this);
  /** Place in the pool's wheel of connections that expire. It keeps it while it is leased. */
  readonly expiryLink: Link<Connection<K>> = new Link(this);
  expirySlot = 0;
  /** Place in its reservation's list of idle connections. */
  reservationLink: Link<Connection<K>> | undefined = undefined;
  /** Place in the host's own order of idle connections, where it has one. */
  entry: Entry<Connection<K>> | undefined = undefined;
  rank = 0;

  constructor(host: HostPool<K>) {
    this.host = host;
  }
}
