/**
 * The order in which idle connections are leased, for `scheduling: 'least-used'` and `'random'`. For 'lifo' and 'fifo' the host's list
 * is enough: it is in the order in which they became idle.
 */
import { Entry, Heap } from './heap.js';

interface Usage {
  /** Requests that the connection has served. */
  readonly served: number;
  /** The order's own: the connection's position in it. */
  readonly rank: number;
}

/** The part of a connection that an order needs. A connection is in one order at most. */
interface Ranked<C> extends Usage {
  rank: number;
  /** The order's own: its entry in a heap. */
  entry: Entry<C> | undefined;
}

export interface IdleOrder<C> {
  readonly next: C | undefined;
  add(connection: C): void;
  remove(connection: C): void;
}

/** The connection that has served the fewest requests is next; of several, the one that has been idle for longest. O(log n). */
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

/** Any connection may be next. O(1). */
export class Random<C extends Ranked<C>> implements IdleOrder<C> {
  readonly #random: () => number;
  readonly #members: C[] = [];

  /** @param random a number from 0 to below 1, anew at every call */
  constructor(random: () => number) {
    this.#random = random;
  }

  get next(): C | undefined {
    const members = this.#members;
    // The last one, where the number is out of range: test tools fake `Math.random`.
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
