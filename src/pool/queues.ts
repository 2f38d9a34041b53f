/**
 * The requests that wait at all hosts: in which order they came, how many of them can count on no connection, which of them have
 * waited for too long, and which of `maxQueueSize` and `maxTotalQueueSize` is exceeded. It promises constant time, or, with
 * `acquireTimeout`, time that grows with the logarithm of the number of hosts.
 *
 * It only counts, and refuses no request: admission.ts does. The queue of one host, and its order, is wait-queue.ts.
 */
import type { Counters } from './counters.js';
import { Heap } from './heap.js';
import type { HostPool, Waiter } from './records.js';
import type { Kinds } from './kinds.js';
import type { Limits } from './limits.js';
import { Link } from './list.js';

export class Queues<K extends Kinds> {
  /** Waiters that can count on no connection that is already on its way to them: `maxTotalQueueSize` limits their number. */
  unserved = 0;
  /** Hosts with waiters that may not wait for ever, by the time at which the first of these may have waited for too long. */
  readonly deadlines: Heap<HostPool<K>> = new Heap((a, b) => a.deadline < b.deadline);

  readonly #limits: Limits;
  /** Of all hosts. */
  readonly #counters: Counters;
  /** Waiters so far. */
  #arrivals = 0;
  /** Arrival of the next one that comes before all others. */
  #firstArrival = -1;

  constructor(limits: Limits, counters: Counters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  add(waiter: Waiter<K>): void {
    const { host } = waiter;
    waiter.arrival = this.#arrivals++;
    host.waiting.push(waiter);
    if (this.#limits.binding === 'late') host.undialled.push((waiter.undialledLink = new Link(waiter)));
    this.#joined(waiter);
  }

  /**
   * One that has left its queue without an exchange: to its place by arrival. If it may wait for any time, which says that its request has
   * lost a connection, that is before all others of its host. With late binding, whatever is opened for those behind it serves it first.
   */
  addAgain(waiter: Waiter<K>): void {
    const { host, since } = waiter;
    if (since === Infinity) {
      waiter.priority = 0;
      waiter.arrival = this.#firstArrival--;
    }
    host.waiting.insert(waiter);
    this.#joined(waiter);
    // It may have to be refused before any that is here.
    if (since !== Infinity) this.rewatch(host);
  }

  /** Takes `waiter` out, because it is served. */
  take(waiter: Waiter<K>): void {
    waiter.host.waiting.take(waiter);
    this.#left(waiter);
  }

  /** Takes `waiter` out for any other reason. */
  remove(waiter: Waiter<K>): void {
    waiter.host.waiting.remove(waiter);
    this.#left(waiter);
  }

  #joined({ unreplayable, host, since }: Waiter<K>): void {
    host.counters.waiting++;
    this.#counters.waiting++;
    if (unreplayable) host.unreplayable++;
    if (since === Infinity) return;
    host.timed++;
    this.#watch(host);
  }

  #left({ unreplayable, host, since, undialledLink }: Waiter<K>): void {
    host.counters.waiting--;
    this.#counters.waiting--;
    if (undialledLink) host.undialled.remove(undialledLink);
    if (unreplayable) host.unreplayable--;
    if (since !== Infinity && --host.timed === 0) this.#unwatch(host);
  }

  /** The number of `host`'s waiters that can count on nothing may have changed. */
  recount(host: HostPool<K>): void {
    const { unserved } = host;
    this.unserved += unserved - host.countedUnserved;
    host.countedUnserved = unserved;
  }

  /**
   * Which limit is exceeded at `host`, if any is.
   *
   * @param coming places that are about to come free and go to `host` then
   * @param comingInAll places that are about to come free
   */
  exceeded(host: HostPool<K>, coming = 0, comingInAll = 0): 'maxQueueSize' | 'maxTotalQueueSize' | undefined {
    const unserved = host.unserved - coming;
    if (unserved > host.limits.maxQueueSize) return 'maxQueueSize';
    if (unserved > 0 && this.unserved - comingInAll > this.#limits.maxTotalQueueSize)
      return 'maxTotalQueueSize';
    return undefined;
  }

  /** Before this moment no request has waited for too long. `Infinity`: none ever will have. */
  get nextDeadline(): number {
    return this.deadlines.top?.deadline ?? Infinity;
  }

  /** One of those that have waited for too long. */
  overdue(now: number): Waiter<K> | undefined {
    for (;;) {
      const host = this.deadlines.top;
      if (!host || host.deadline > now) return undefined;
      const waiter = host.waiting.nextToExpire;
      if (waiter && waiter.since + host.limits.acquireTimeout <= now) return waiter;
      // The request that was to be refused then has gone meanwhile.
      this.rewatch(host);
    }
  }

  /** The limits of `host` may have changed. */
  rewatch(host: HostPool<K>): void {
    this.#unwatch(host);
    this.#watch(host);
  }

  /** Notes when the first of `host`'s waiters has waited for too long, if it is not noted yet. */
  #watch(host: HostPool<K>): void {
    const { acquireTimeout } = host.limits;
    if (acquireTimeout === 0 || host.deadlineEntry.heap) return;
    const { nextToExpire } = host.waiting;
    if (!nextToExpire) return;
    host.deadline = nextToExpire.since + acquireTimeout;
    this.deadlines.add(host.deadlineEntry);
  }

  #unwatch(host: HostPool<K>): void {
    this.deadlines.remove(host.deadlineEntry);
  }
}
