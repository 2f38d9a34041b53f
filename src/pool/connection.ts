/**
 * One connection, as the pool sees it. The pool alone writes these fields; the driver keeps its own things
 * in `channel`.
 */
import type { CloseReason } from './close-reason.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import { Link } from './list.js';
import type { Waiter } from './waiter.js';

/**
 * - `connecting`: the driver was asked to dial and has not answered yet.
 * - `active`: leased to a request. (In eager binding that includes the handshake.)
 * - `settling`: released in this turn of the event loop, and not known to be quiet: not leased before the turn's end.
 * - `idle`: free, and may be leased at any moment.
 * - `closing`: the driver was asked to close it; counts against the limits until it says that it is done.
 * - `closed`: gone, and in no count.
 */
export type ConnectionState = 'connecting' | 'active' | 'settling' | 'idle' | 'closing' | 'closed';

export class Connection<K extends Kinds> {
  readonly host: HostPool<K>;
  state: ConnectionState = 'connecting';
  channel: K['channel'] | undefined = undefined;
  /** The request that opened it, while `connecting`: bound to it (eager), or merely its initiator (late). */
  waiter: Waiter<K> | undefined = undefined;
  /** Set by the driver when it parks it: the moment, on the pool's clock, after which it is not leased. */
  expiresAt: number = Infinity;
  closeReason: CloseReason | undefined = undefined;

  /** Place in the host's idle list. */
  readonly idleLink: Link<Connection<K>> = new Link(this);
  /** Place in the pool's list of all idle connections, least recently used first. */
  readonly lruLink: Link<Connection<K>> = new Link(this);

  constructor(host: HostPool<K>) {
    this.host = host;
  }
}
