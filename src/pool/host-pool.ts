/**
 * One host (more exactly: one identity): its connections by state, and its queue. Holds and counts; what to
 * do next is decided in pool.ts, because most decisions look at other hosts too.
 */
import type { LearnedIdle } from '../lifetimes/learned-idle.js';
import type { Connection } from './connection.js';
import { Entry } from './heap.js';
import { LeastUsed, Random } from './idle-order.js';
import type { IdleOrder } from './idle-order.js';
import type { Kinds } from './kinds.js';
import type { HostLimits } from './limits.js';
import { Link, List } from './list.js';
import type { Reservation } from './reservation.js';
import { WaitQueue } from './wait-queue.js';
import type { Waiter } from './waiter.js';

export class HostPool<K extends Kinds> {
  readonly origin: K['origin'];

  /** What holds for it. Changed by the pool only. */
  limits: HostLimits;
  /** What is reserved for it and others, if anything is. */
  reservation: Reservation<K> | undefined = undefined;

  /** Every connection that is not closed. Its size is what `maxSockets` limits. */
  readonly connections: Set<Connection<K>> = new Set();
  /** Free connections, the longest idle first. */
  readonly idle: List<Connection<K>> = new List();
  /** Where 'lifo' and 'fifo' do not say which of the free ones is next. */
  #order: IdleOrder<K> | undefined = undefined;
  #scheduling: HostLimits['scheduling'] = 'lifo';
  /** The least number of free connections since the last trim, while they were in use; `Infinity`: none was. */
  idleLow = Infinity;

  /** Requests without a connection. */
  readonly waiting: WaitQueue<K> = new WaitQueue();
  /** Those that have had no dial started on their behalf, in order of arrival (late binding only). */
  readonly undialled: List<Waiter<K>> = new List();
  /** `unserved` as the sum over all hosts has it: see queues.ts. */
  countedUnserved = 0;
  /** The pool has told that requests have to wait here. */
  saturated = false;

  /** Waiters that take no risk: see `Waiter.unreplayable`. */
  unreplayable = 0;
  /** Waiters that may not wait for any time. */
  timed = 0;
  /** Connections in state `validating`. */
  validating = 0;
  /** Connections in state `closing`. */
  closing = 0;
  /** Connections in state `connecting` that are bound to no request: they serve whoever is first. */
  unclaimed = 0;

  /** Nothing of it is kept idle any more. */
  abandoned = false;
  /** What it was seen to do to idle connections, if it was seen to do any. */
  learned: LearnedIdle | undefined = undefined;

  /** The turn of the event loop in which it dialled last. */
  dialTurn = -1;
  /** Place among the hosts that dial at the end of this turn. */
  readonly pacedLink: Link<HostPool<K>> = new Link(this);

  /** It is among the hosts that wait for a place under `maxTotalSockets`. */
  isBlocked = false;
  /** Its place among them, in turn. */
  readonly blockedLink: Link<HostPool<K>> = new Link(this);
  /** Places that it still gets in this turn of its own. */
  credit = 0;
  /** Its place among them, by age. */
  blockedEntry: Entry<HostPool<K>> | undefined = undefined;
  blockedSince = 0;
  /** Its place among those of its reservation. */
  readonly reservationLink: Link<HostPool<K>> = new Link(this);

  /** No request of it waits in vain before this moment on the pool's clock. */
  deadline = Infinity;
  readonly deadlineEntry: Entry<HostPool<K>> = new Entry<HostPool<K>>(this);

  /** @param limits the pool's own, or a rule's */
  constructor(origin: K['origin'], limits: HostLimits) {
    this.origin = origin;
    this.limits = limits;
  }

  /** How many waiters can count on no connection that is already on its way to them. */
  get unserved(): number {
    return Math.max(0, this.waiting.size - this.validating - this.unclaimed);
  }

  /** Connections that are in use or being opened. */
  get inUse(): number {
    return this.connections.size - this.idle.size - this.validating - this.closing;
  }

  /** Whether somebody waits for a limit, and not only for the end of this turn. */
  get isStuck(): boolean {
    return this.unserved > 0 && !this.pacedLink.list;
  }

  get isEmpty(): boolean {
    return this.connections.size === 0 && this.waiting.size === 0;
  }

  /** Hot path. The free connection that is leased next. */
  get nextIdle(): Connection<K> | undefined {
    if (this.#order) return this.#order.next;
    const { idle } = this;
    return (this.#scheduling === 'lifo' ? idle.tail : idle.head)?.value;
  }

  /** Hot path. */
  addIdle(connection: Connection<K>): void {
    this.idle.push(connection.idleLink);
    this.#order?.add(connection);
  }

  /** Hot path. */
  removeIdle(connection: Connection<K>): void {
    this.idle.remove(connection.idleLink);
    this.#order?.remove(connection);
  }

  /** How many free connections were not needed once since this was last asked, while others were. */
  takeUnneeded(): number {
    const { idle, idleLow } = this;
    this.idleLow = Infinity;
    return idleLow === Infinity ? 0 : Math.min(idleLow, idle.size);
  }

  /** Obeys `limits.scheduling` from now on. */
  reorder(random: () => number): void {
    const { scheduling } = this.limits;
    if (scheduling === this.#scheduling) return;
    this.#scheduling = scheduling;
    if (scheduling === 'least-used') this.#order = new LeastUsed();
    else if (scheduling === 'random') this.#order = new Random(random);
    else this.#order = undefined;
    for (const connection of this.idle) this.#order?.add(connection);
  }
}
