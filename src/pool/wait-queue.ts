/**
 * The requests of one host that wait, and who of them is next: the most urgent, and of these the one that has waited
 * longest. Nobody starves: of any `MAX_PASSED_OVER + 1` requests that are served in a row, at least one is the one that
 * had waited longest of all.
 *
 * Everything takes constant time, except for those whose priority was changed while they waited: they keep their place
 * by arrival among others of the new priority, which takes O(log n) of those that were moved there.
 */
import { Entry, Heap } from './heap.js';
import type { Kinds } from './kinds.js';
import { List } from './list.js';
import { DEFAULT_PRIORITY } from './waiter.js';
import type { Waiter } from './waiter.js';

/** How many more urgent ones are served ahead of who has waited longest, until that one is. */
export const MAX_PASSED_OVER = 20;

/** Those of one priority. */
class Level<K extends Kinds> {
  /** In order of arrival. */
  readonly list: List<Waiter<K>> = new List();
  /** Those that came here from another level. */
  moved: Heap<Waiter<K>> | undefined = undefined;

  get first(): Waiter<K> | undefined {
    const head = this.list.head?.value;
    const top = this.moved?.top;
    return top && (!head || cameBefore(top, head)) ? top : head;
  }

  get firstToExpire(): Waiter<K> | undefined {
    let link = this.list.head;
    while (link && link.value.since === Infinity) link = link.next;
    let first = link?.value;
    for (const waiter of this.moved ?? []) {
      if (waiter.since !== Infinity && (!first || cameBefore(waiter, first))) first = waiter;
    }
    return first;
  }

  move(waiter: Waiter<K>): void {
    this.moved ??= new Heap<Waiter<K>>(cameBefore);
    this.moved.add((waiter.entry ??= new Entry(waiter)));
  }

  remove(waiter: Waiter<K>): boolean {
    if (this.list.remove(waiter.link)) return true;
    return waiter.entry !== undefined && this.moved?.remove(waiter.entry) === true;
  }

  *[Symbol.iterator](): Generator<Waiter<K>, void, undefined> {
    yield* this.list;
    if (this.moved) yield* this.moved;
  }
}

function cameBefore(a: { arrival: number }, b: { arrival: number }): boolean {
  return a.arrival < b.arrival;
}

export class WaitQueue<K extends Kinds> {
  size = 0;
  /** Most have this one priority. */
  readonly #usual: Level<K> = new Level();
  /** The others, by priority; made when there is first somebody to be in it. */
  #others: Level<K>[] | undefined = undefined;
  /** One bit for each level with somebody in it. */
  #occupied = 0;
  /** How often in a row somebody else than who has waited longest was taken. */
  #passedOver = 0;

  push(waiter: Waiter<K>): void {
    this.#level(waiter.priority).list.push(waiter.link);
    this.#occupied |= 1 << waiter.priority;
    this.size++;
  }

  /** Puts `waiter`, which comes before all that are in here, before them. */
  pushFirst(waiter: Waiter<K>): void {
    waiter.priority = 0;
    this.#level(0).list.unshift(waiter.link);
    this.#occupied |= 1;
    this.size++;
  }

  /** Takes out `waiter`, because it is served: the next one, or the first of those that may be. */
  take(waiter: Waiter<K>): void {
    if (waiter === this.oldest) this.#passedOver = 0;
    else this.#passedOver++;
    this.remove(waiter);
  }

  /** Who is served next. */
  get next(): Waiter<K> | undefined {
    const occupied = this.#occupied;
    if (occupied === 0) return undefined;
    if (this.#passedOver >= MAX_PASSED_OVER && !this.#isSingle) return this.oldest;
    // The lowest bit that is set.
    return this.#level(31 - Math.clz32(occupied & -occupied)).first;
  }

  /** How many are served before `waiter` if nobody else comes, and it. For readers: O(n) of those with its priority. */
  placeOf(waiter: Waiter<K>): number {
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

  /** Who is served next of those that pass `test`. O(n). */
  firstThat(test: (waiter: Waiter<K>) => boolean): Waiter<K> | undefined {
    for (let rest = this.#occupied; rest !== 0; rest &= rest - 1) {
      let first: Waiter<K> | undefined;
      for (const waiter of this.#level(31 - Math.clz32(rest & -rest))) {
        if (test(waiter) && (!first || cameBefore(waiter, first))) first = waiter;
      }
      if (first) return first;
    }
    return undefined;
  }

  /** Who has waited longest. */
  get oldest(): Waiter<K> | undefined {
    let oldest: Waiter<K> | undefined;
    for (let rest = this.#occupied; rest !== 0; rest &= rest - 1) {
      const { first } = this.#level(31 - Math.clz32(rest & -rest));
      if (first && (!oldest || cameBefore(first, oldest))) oldest = first;
    }
    return oldest;
  }

  /** Who has waited longest of those that may not wait for any time. */
  get nextToExpire(): Waiter<K> | undefined {
    const { oldest } = this;
    if (!oldest || oldest.since !== Infinity) return oldest;
    // Few may, and they come first.
    let next: Waiter<K> | undefined;
    for (let rest = this.#occupied; rest !== 0; rest &= rest - 1) {
      const first = this.#level(31 - Math.clz32(rest & -rest)).firstToExpire;
      if (first && (!next || cameBefore(first, next))) next = first;
    }
    return next;
  }

  /** Takes `waiter` out, wherever it stands. One that is not in here is left alone. */
  remove(waiter: Waiter<K>): boolean {
    const level = this.#level(waiter.priority);
    if (!level.remove(waiter)) return false;
    if (!level.first) this.#occupied &= ~(1 << waiter.priority);
    this.size--;
    return true;
  }

  /** Gives `waiter`, which is in here, another priority. It counts as having come when it came. */
  move(waiter: Waiter<K>, priority: number): void {
    if (waiter.priority === priority || !this.remove(waiter)) return;
    waiter.priority = priority;
    this.#level(priority).move(waiter);
    this.#occupied |= 1 << priority;
    this.size++;
  }

  /** In order of arrival. For readers: it sorts. */
  [Symbol.iterator](): ArrayIterator<Waiter<K>> {
    const all = [...this.#usual];
    // One by one: a queue may be longer than a call may have arguments.
    for (const level of this.#others ?? []) for (const waiter of level ?? []) all.push(waiter);
    return all.toSorted((a, b) => a.arrival - b.arrival).values();
  }

  /** All have the same priority: who is next has waited longest. */
  get #isSingle(): boolean {
    return (this.#occupied & (this.#occupied - 1)) === 0;
  }

  #level(priority: number): Level<K> {
    if (priority === DEFAULT_PRIORITY) return this.#usual;
    this.#others ??= [];
    return (this.#others[priority] ??= new Level());
  }
}
