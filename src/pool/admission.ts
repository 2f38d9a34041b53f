/**
 * Puts requests in the queue, and takes them out without a connection: refused at once because the queue is full, refused later because they have
 * waited for too long, or aborted. A request for which a connection may be opened now, or at the end of this turn, is not refused.
 */
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { Waiter } from './records.js';
import type { Refusal } from './refusal.js';
import type { Supply } from './supply.js';

export class Admission<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;

  constructor(books: Books<K>, supply: Supply<K>) {
    this.#books = books;
    this.#supply = supply;
  }

  /** See `Pool.enqueue`. */
  enqueue(waiter: Waiter<K>): void {
    if (this.#books.isClosedFor(waiter.host)) {
      this.#books.enqueue(waiter);
      this.#refuse(waiter, 'closed', 0);
      return;
    }
    this.#books.enqueue(waiter);
    this.#startFor(waiter);
    if (this.#books.queues.exceeded(waiter.host)) this.#overflow(waiter);
    this.#tellWhereStuck(waiter);
  }

  /** See `Pool.readmit`. */
  readmit(waiter: Waiter<K>): void {
    this.#books.enqueueAgain(waiter);
    this.#startFor(waiter);
    this.#tellWhereStuck(waiter);
  }

  #startFor(waiter: Waiter<K>): void {
    const { host } = waiter;
    // The request found no idle connection: for trimming, all of the host's were needed.
    if (host.unserved > 0) host.idleLow = 0;
    // The idle connections have been idle for longer than is safe for it: the oldest is closed, and a new one opened.
    const old = waiter.unreplayable && host.unserved > 0 ? host.idle.head : undefined;
    if (old) this.#supply.close(old.value, 'idle-timeout');
    else this.#supply.start(host);
  }

  #tellWhereStuck({ host, state }: Waiter<K>): void {
    if (state === 'queued' && host.isStuck) this.#books.saturate(host);
  }

  /** The queue is too long. Connections that may be opened at the end of this turn are opened now, before a request is refused. */
  #overflow(waiter: Waiter<K>): void {
    const { host } = waiter;
    const { capacity, endOfTurn, limits, queues } = this.#books;
    while (queues.exceeded(host) && host.unserved > 0 && capacity.mayOpen(host))
      if (!this.#supply.dial(host)) break;
    for (const other of endOfTurn.paced) {
      while (queues.unserved > limits.maxTotalQueueSize && other.unserved > 0 && capacity.mayOpen(other))
        if (!this.#supply.dial(other)) break;
    }
    if (waiter.state !== 'queued') return;
    const exceeded = queues.exceeded(host, capacity.slotsFor(host), capacity.closing);
    if (exceeded) this.#refuse(waiter, exceeded, 0);
  }

  #refuse(waiter: Waiter<K>, limitedBy: Refusal['limitedBy'], waited: number): void {
    const { host, connection } = waiter;
    const { capacity, driver, idle, limits, queues } = this.#books;
    this.#books.dequeue(waiter);
    if (connection) connection.waiter = undefined;
    waiter.state = 'done';
    this.#books.changes++;
    const ofAll = limitedBy === 'maxTotalQueueSize';
    driver.refuse(waiter, {
      limitedBy,
      limit: ofAll ? limits.maxTotalQueueSize : limitedBy === 'closed' ? 0 : host.limits[limitedBy],
      waiting: ofAll ? queues.unserved : host.waiting.size,
      active: ofAll ? capacity.size - idle.size - capacity.closing : host.inUse,
      waited,
    });
    this.#supply.closeUnneeded(host);
    this.#books.forgetIfEmpty(host);
  }

  /** See `Pool.expire`. */
  expire(now: number): number {
    const { queues } = this.#books;
    for (;;) {
      const waiter = queues.overdue(now);
      if (!waiter) return queues.nextDeadline;
      this.#refuse(waiter, 'acquireTimeout', now - waiter.since);
    }
  }

  /** See `Pool.abort`. */
  abort(waiter: Waiter<K>): boolean {
    if (waiter.state === 'done') return false;
    const { host, connection } = waiter;
    if (waiter.state === 'queued') {
      this.#books.dequeue(waiter);
    } else if (waiter.state === 'awaiting-slot') {
      if (connection) connection.replayWaiter = undefined;
    } else {
      // The connection that is being opened for it serves the next waiter instead.
      this.#books.beginUnclaimed(host);
    }
    if (connection?.waiter === waiter) connection.waiter = undefined;
    waiter.state = 'done';
    this.#books.changes++;
    this.#supply.closeUnneeded(host);
    this.#books.forgetIfEmpty(host);
    return true;
  }
}
