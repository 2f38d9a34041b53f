/**
 * One host (more exactly: one identity): its connections by state, and its queue. Holds and counts; what to
 * do next is decided in pool.ts, because most decisions look at other hosts too.
 */
import type { LearnedIdle } from '../liveness/learned-idle.js';
import type { Connection } from './connection.js';
import type { Kinds } from './kinds.js';
import { Link, List } from './list.js';
import type { Waiter } from './waiter.js';

export class HostPool<K extends Kinds> {
  readonly origin: K['origin'];

  /** Every connection that is not closed. Its size is what `maxSockets` limits. */
  readonly connections: Set<Connection<K>> = new Set();
  /** Free connections, the longest idle first. */
  readonly idle: List<Connection<K>> = new List();
  /** Requests in the order in which they came. */
  readonly waiting: List<Waiter<K>> = new List();

  /** Waiters that take no risk: see `Waiter.careful`. */
  careful = 0;
  /** Connections in state `settling`. */
  settling = 0;
  /** Connections in state `closing`. */
  closing = 0;
  /** Connections in state `connecting` that are bound to no request: they serve whoever is first. */
  unbound = 0;

  /** Waiters from here on have had no dial started on their behalf (late binding only). */
  undialled: Link<Waiter<K>> | undefined = undefined;

  /** Nothing of it is kept idle any more. */
  abandoned = false;
  /** What it was seen to do to idle connections, if it was seen to do any. */
  learned: LearnedIdle | undefined = undefined;

  /** The turn of the event loop in which it dialled last. */
  dialTurn = -1;

  /** Place among the hosts that wait for room under `maxTotalSockets`. */
  readonly hungryLink: Link<HostPool<K>> = new Link(this);
  /** Place among the hosts that dial at the end of this turn. */
  readonly pacedLink: Link<HostPool<K>> = new Link(this);

  constructor(origin: K['origin']) {
    this.origin = origin;
  }

  /** How many waiters can count on no connection that is already on its way to them. */
  get need(): number {
    return this.waiting.size - this.settling - this.unbound;
  }

  get isEmpty(): boolean {
    return this.connections.size === 0 && this.waiting.size === 0;
  }
}
