/**
 * Which idle connection is leased next, where the list of the idle ones does not tell by itself: it is kept in the
 * order in which they became idle, which is enough for 'lifo' and 'fifo'.
 */
import { Entry, Heap } from './heap.js';

interface Usage {
  /** Requests that it has served. */
  readonly served: number;
  /** For the order: the place in it. */
  readonly rank: number;
}

/** A connection, as far as an order needs to know it. It is in one order at most. */
interface Ranked<C> extends Usage {
  rank: number;
  /** For the order. */
  entry: Entry<C> | undefined;
}

export interface IdleOrder<C> {
  readonly next: C | undefined;
  add(connection: C): void;
  remove(connection: C): void;
}

/** The one that has served the fewest requests; of several, the one idle for longest. O(log n). */
export class LeastUsed<C extends Ranked<C>> implements IdleOrder<C> {
  readonly #heap = new Heap<C>(isLessUsed);
  #added = 0;

  get next(): C | undefined {
    return this.#heap.top;
  }

  add(connection: C): void {
    connection.rank = this.#added++;
    this.#heap.add((connection.entry ??= new Entry(connection)));
  }

  remove({ entry }: C): void {
    if (entry) this.#heap.remove(entry);
  }
}

function isLessUsed(a: Usage, b: Usage): boolean {
  return a.served === b.served ? a.rank < b.rank : a.served < b.served;
}

/** Any of them. O(1). */
export class Random<C extends Ranked<C>> implements IdleOrder<C> {
  readonly #random: () => number;
  readonly #members: C[] = [];

  /** @param random a number from 0 to below 1, anew at every call */
  constructor(random: () => number) {
    this.#random = random;
  }

  get next(): C | undefined {
    const members = this.#members;
    // The last one, where the numbers are not what they should be: test tools fake `Math.random`.
    return members[Math.floor(this.#random() * members.length)] ?? members.at(-1);
  }

  add(connection: C): void {
    connection.rank = this.#members.length;
    this.#members.push(connection);
  }

  /** The last one takes its place. */
  remove(connection: C): void {
    const last = this.#members.pop();
    if (!last || last === connection) return;
    this.#members[connection.rank] = last;
    last.rank = connection.rank;
  }
}
