/** A request that has no connection yet. */
import type { Connection } from './connection.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import { Link } from './list.js';

/**
 * - `queued`: in its host's queue.
 * - `dialling`: bound to a connection that is being opened for it alone.
 * - `inheriting`: waits for the connection that it has lost to be closed; one for it alone is opened in its place.
 * - `done`: assigned, rejected or aborted; the pool has nothing more to do with it.
 */
export type WaiterState = 'queued' | 'dialling' | 'inheriting' | 'done';

export class Waiter<K extends Kinds> {
  readonly host: HostPool<K>;
  readonly request: K['request'];
  /** It cannot be sent twice: it gets no connection that has been idle for longer than is safe. */
  readonly careful: boolean;
  state: WaiterState = 'queued';
  /** The connection being opened on its behalf, or the one that it inherits the place of. */
  connection: Connection<K> | undefined = undefined;
  /** Place in the host's queue. */
  readonly link: Link<Waiter<K>> = new Link(this);

  constructor(host: HostPool<K>, request: K['request'], careful = false) {
    this.host = host;
    this.request = request;
    this.careful = careful;
  }
}
