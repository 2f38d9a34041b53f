/** A request that has no connection yet. */
import type { Connection } from './connection.js';
import type { Entry } from './heap.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import { Link } from './list.js';

/**
 * - `queued`: in its host's queue.
 * - `dialling`: bound to a connection that is being opened for it alone.
 * - `awaiting-place`: waits for the connection that it has lost to be closed; one for it alone is opened in its place.
 * - `done`: assigned, rejected or aborted; the pool has nothing more to do with it.
 */
export type WaiterState = 'queued' | 'dialling' | 'awaiting-place' | 'done';

/** RFC 9218, section 4.1: urgency goes from 0, the most urgent, to 7; 3 is the default. */
export const LEAST_URGENT = 7;
export const DEFAULT_PRIORITY = 3;

export class Waiter<K extends Kinds> {
  readonly host: HostPool<K>;
  readonly request: K['request'];
  /** Its request cannot be sent twice, and gets no connection that has been idle for longer than is safe. */
  readonly unreplayable: boolean;
  state: WaiterState = 'queued';
  /** 0 to 7, the most urgent first. While it is queued, only its queue changes it. */
  priority: number;
  /** Its number among all that ever waited: lower has waited longer, or comes before those. */
  arrival = 0;
  /** When it came, on the pool's clock. `Infinity`: it may wait for any time. */
  readonly since: number;
  /** The connection being opened on its behalf, or the lost one whose place it is to get. */
  connection: Connection<K> | undefined = undefined;
  /** Place in the host's queue, among those of its priority. */
  readonly link: Link<Waiter<K>> = new Link(this);
  /** The same for one whose priority was changed. */
  entry: Entry<Waiter<K>> | undefined = undefined;
  /** Place among those that have had no dial started on their behalf (late binding only). */
  undialledLink: Link<Waiter<K>> | undefined = undefined;

  constructor(
    host: HostPool<K>,
    request: K['request'],
    replay: 'replayable' | 'unreplayable' = 'replayable',
    since = Infinity,
    priority: number = DEFAULT_PRIORITY,
  ) {
    this.host = host;
    this.request = request;
    this.unreplayable = replay === 'unreplayable';
    this.since = since;
    this.priority = priority;
  }
}
