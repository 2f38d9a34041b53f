/**
 * The requests that wait at all hosts: their order of arrival, the number of those that can count on no connection, those that have
 * waited for too long, and whether `maxQueueSize` or `maxTotalQueueSize` is exceeded. It promises constant time, or, with
 * `acquireTimeout`, time that grows with the logarithm of the number of hosts.
 *
 * It refuses no request: admission.ts does. wait-queue.ts is the queue of one host, and its order.
 */
import type { Counters } from './counters.js';
import { Heap } from './heap.js';
import type { HostPool, Waiter } from './records.js';
import type { Kinds } from './kinds.js';
import type { Limits } from './limits.js';
import { Link } from './list.js';

export class Queues<K extends Kinds> {
  /** Waiters that can count on no connection: the sum of `unserved` of all hosts, which `recount` keeps. `maxTotalQueueSize` limits it. */
  unserved = 0;
  /** Hosts that have waiters with a deadline, by the earliest of these deadlines. */
  readonly deadlines: Heap<HostPool<K>> = new Heap((a, b) => a.deadline < b.deadline);

  readonly #limits: Limits;
  /** The counters of all hosts together. */
  readonly #counters: Counters;
  /** The number of waiters so far. */
  #arrivals = 0;
  /** The `arrival` of the next waiter that comes before all others. */
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
   * Adds a waiter that has left its queue without an exchange, at its position by arrival. If it may wait for any time, its request has lost a
   * connection, and it comes before all others of its host. With late binding, connections that are opened for the others serve it first.
   */
  addAgain(waiter: Waiter<K>): void {
    const { host, since } = waiter;
    if (since === Infinity) {
      waiter.priority = 0;
      waiter.arrival = this.#firstArrival--;
    }
    host.waiting.insert(waiter);
    this.#joined(waiter);
    // Its deadline may be the earliest.
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

  /** Takes the present `unserved` of `host` into the sum. Only `Books.recount` calls this. */
  recount(host: HostPool<K>): void {
    const { unserved } = host;
    this.unserved += unserved - host.countedUnserved;
    host.countedUnserved = unserved;
  }

  /**
   * The limit that is exceeded at `host`, if one is.
   *
   * @param coming slots that are about to come free and that `host` gets then
   * @param comingInAll slots that are about to come free
   */
  exceeded(host: HostPool<K>, coming = 0, comingInAll = 0): 'maxQueueSize' | 'maxTotalQueueSize' | undefined {
    const unserved = host.unserved - coming;
    if (unserved > host.limits.maxQueueSize) return 'maxQueueSize';
    if (unserved > 0 && this.unserved - comingInAll > this.#limits.maxTotalQueueSize)
      return 'maxTotalQueueSize';
    return undefined;
  }

  /** No deadline of a request is before this moment. `Infinity`: there is none. */
  get nextDeadline(): number {
    return this.deadlines.top?.deadline ?? Infinity;
  }

  /** One of the waiters that have waited for too long. */
  overdue(now: number): Waiter<K> | undefined {
    for (;;) {
      const host = this.deadlines.top;
      if (!host || host.deadline > now) return undefined;
      const waiter = host.waiting.nextToExpire;
      if (waiter && waiter.since + host.limits.acquireTimeout <= now) return waiter;
      // The request with that deadline has gone meanwhile.
      this.rewatch(host);
    }
  }

  /** The limits of `host` may have changed. */
  rewatch(host: HostPool<K>): void {
    this.#unwatch(host);
    this.#watch(host);
  }

  /** Notes the earliest deadline of `host`'s waiters, unless it is noted already. */
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
