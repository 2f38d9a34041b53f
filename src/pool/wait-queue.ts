/**
 * The requests of one host that wait, and which of them is next: the most urgent one, and of these the one that has waited
 * longest. No request starves: of any `MAX_PASSED_OVER + 1` requests that are served in a row, at least one is the one that
 * had waited longest of all.
 *
 * Everything takes constant time, except for requests whose priority was changed while they waited, and for those that have left and come back.
 * They keep their position by arrival among others of their priority, in O(log n), where n counts such requests only.
 */
import { Entry, Heap } from './heap.js';
import { List } from './list.js';
import type { Link } from './list.js';

/** RFC 9218, section 4.1: urgency goes from 0, the most urgent, to 7; 3 is the default. */
export const LEAST_URGENT = 7;
export const DEFAULT_PRIORITY = 3;

/** The number of more urgent requests that are served in a row before the one that has waited longest is. */
export const MAX_PASSED_OVER = 20;

/** The part of a waiter that a queue needs. A waiter belongs to one queue. */
interface Queued<W> {
  priority: number;
  /** Its number in order of arrival. */
  readonly arrival: number;
  /** `Infinity`: it may wait for any time. */
  readonly since: number;
  readonly link: Link<W>;
  /** The queue's own. */
  entry: Entry<W> | undefined;
}

/** Requests of one priority. */
class Level<W extends Queued<W>> {
  /** In order of arrival. */
  readonly list: List<W> = new List();
  /** Requests that were put into this level after later arrivals. */
  moved: Heap<W> | undefined = undefined;

  get first(): W | undefined {
    const head = this.list.head?.value;
    const top = this.moved?.top;
    return top && (!head || cameBefore(top, head)) ? top : head;
  }

  get firstToExpire(): W | undefined {
    let link = this.list.head;
    while (link && link.value.since === Infinity) link = link.next;
    let first = link?.value;
    for (const waiter of this.moved ?? []) {
      if (waiter.since !== Infinity && (!first || cameBefore(waiter, first))) first = waiter;
    }
    return first;
  }

  /** Adds `waiter` at its position by arrival, which need not be the end. */
  insert(waiter: W): void {
    const { head, tail } = this.list;
    if (!tail || cameBefore(tail.value, waiter)) {
      this.list.push(waiter.link);
    } else if (head && cameBefore(waiter, head.value)) {
      this.list.unshift(waiter.link);
    } else {
      this.moved ??= new Heap<W>(cameBefore);
      this.moved.add((waiter.entry ??= new Entry(waiter)));
    }
  }

  remove(waiter: W): boolean {
    if (this.list.remove(waiter.link)) return true;
    return waiter.entry !== undefined && this.moved?.remove(waiter.entry) === true;
  }

  *[Symbol.iterator](): Generator<W, void, undefined> {
    yield* this.list;
    if (this.moved) yield* this.moved;
  }
}

function cameBefore(a: { arrival: number }, b: { arrival: number }): boolean {
  return a.arrival < b.arrival;
}

export class WaitQueue<W extends Queued<W>> {
  size = 0;
  /** The requests of the default priority: nearly all. */
  readonly #usual: Level<W> = new Level();
  /** The other levels, by priority; made when the first request needs one. */
  #others: Level<W>[] | undefined = undefined;
  /** One bit for each level that is not empty. */
  #occupied = 0;
  /** How often in a row another request was taken than the one that has waited longest. */
  #passedOver = 0;

  push(waiter: W): void {
    this.#level(waiter.priority).list.push(waiter.link);
    this.#occupied |= 1 << waiter.priority;
    this.size++;
  }

  /** Adds `waiter` at its position by arrival: later arrivals may be here already. */
  insert(waiter: W): void {
    const { priority } = waiter;
    this.#level(priority).insert(waiter);
    this.#occupied |= 1 << priority;
    this.size++;
  }

  /** Takes out `waiter`, which is served: it is the next one, or the first that may have the connection. */
  take(waiter: W): void {
    if (waiter === this.oldest) this.#passedOver = 0;
    else this.#passedOver++;
    this.remove(waiter);
  }

  /** The request that is served next. */
  get next(): W | undefined {
    const occupied = this.#occupied;
    if (occupied === 0) return undefined;
    if (this.#passedOver >= MAX_PASSED_OVER && !this.#isSingle) return this.oldest;
    // The lowest bit that is set.
    return this.#level(31 - Math.clz32(occupied & -occupied)).first;
  }

  /** The position of `waiter` in the queue, from 1, if no other request comes. For readers: O(n) of those with its priority. */
  placeOf(waiter: W): number {
    let place = 1;
    for (let rest = this.#occupied; rest !== 0; rest &= rest - 1) {
      const priority = 31 - Math.clz32(rest & -rest);
      if (priority > waiter.priority) break;
      for (const other of this.#level(priority)) {
        if (priority < waiter.priority || cameBefore(other, waiter)) place++;
      }
    }
    return place;
  }

  /** The request that is served next of those that pass `test`. O(n). */
  firstThat(test: (waiter: W) => boolean): W | undefined {
    for (let rest = this.#occupied; rest !== 0; rest &= rest - 1) {
      let first: W | undefined;
      for (const waiter of this.#level(31 - Math.clz32(rest & -rest))) {
        if (test(waiter) && (!first || cameBefore(waiter, first))) first = waiter;
      }
      if (first) return first;
    }
    return undefined;
  }

  /** The request that has waited longest. */
  get oldest(): W | undefined {
    let oldest: W | undefined;
    for (let rest = this.#occupied; rest !== 0; rest &= rest - 1) {
      const { first } = this.#level(31 - Math.clz32(rest & -rest));
      if (first && (!oldest || cameBefore(first, oldest))) oldest = first;
    }
    return oldest;
  }

  /** The request that has waited longest of those that may not wait for any time. */
  get nextToExpire(): W | undefined {
    const { oldest } = this;
    if (!oldest || oldest.since !== Infinity) return oldest;
    // Requests that may wait for any time are few, and come first.
    let next: W | undefined;
    for (let rest = this.#occupied; rest !== 0; rest &= rest - 1) {
      const first = this.#level(31 - Math.clz32(rest & -rest)).firstToExpire;
      if (first && (!next || cameBefore(first, next))) next = first;
    }
    return next;
  }

  /** Takes `waiter` out, wherever it stands. A waiter that is not in this queue is left alone. */
  remove(waiter: W): boolean {
    const level = this.#level(waiter.priority);
    if (!level.remove(waiter)) return false;
    if (!level.first) this.#occupied &= ~(1 << waiter.priority);
    this.size--;
    return true;
  }

  /** Gives `waiter`, which is in here, another priority. It counts as having come when it came. */
  move(waiter: W, priority: number): void {
    if (waiter.priority === priority || !this.remove(waiter)) return;
    waiter.priority = priority;
    this.insert(waiter);
  }

  /** In order of arrival. For readers: it sorts. */
  [Symbol.iterator](): ArrayIterator<W> {
    const all = [...this.#usual];
    // One by one: a queue may be longer than a call may have arguments.
    for (const level of this.#others ?? []) for (const waiter of level ?? []) all.push(waiter);
    return all.toSorted((a, b) => a.arrival - b.arrival).values();
  }

  /** Whether all requests have the same priority: then the next one has waited longest. */
  get #isSingle(): boolean {
    return (this.#occupied & (this.#occupied - 1)) === 0;
  }

  #level(priority: number): Level<W> {
    if (priority === DEFAULT_PRIORITY) return this.#usual;
    this.#others ??= [];
    return (this.#others[priority] ??= new Level());
  }
}
