/**
 * Which idle connection is leased next, where the list of the idle ones does not tell by itself: it is kept in the
 * order in which they became idle, which is enough for 'lifo' and 'fifo'.
 */
import type { Connection } from './connection.js';
import { Entry, Heap } from './heap.js';
import type { Kinds } from './kinds.js';

export interface IdleOrder<K extends Kinds> {
  readonly next: Connection<K> | undefined;
  add(connection: Connection<K>): void;
  remove(connection: Connection<K>): void;
}

/** The one that has served the fewest requests; of several, the one idle for longest. O(log n). */
export class LeastUsed<K extends Kinds> implements IdleOrder<K> {
  readonly #heap = new Heap<Connection<K>>(isLessUsed);
  #added = 0;

  get next(): Connection<K> | undefined {
    return this.#heap.top;
  }

  add(connection: Connection<K>): void {
    connection.rank = this.#added++;
    this.#heap.add((connection.entry ??= new Entry(connection)));
  }

  remove({ entry }: Connection<K>): void {
    if (entry) this.#heap.remove(entry);
  }
}

function isLessUsed<K extends Kinds>(a: Connection<K>, b: Connection<K>): boolean {
  return a.served === b.served ? a.rank < b.rank : a.served < b.served;
}

/** Any. O(1). */
export class Random<K extends Kinds> implements IdleOrder<K> {
  readonly #random: () => number;
  readonly #members: Connection<K>[] = [];

  /** @param random a number from 0 to below 1, anew at every call */
  constructor(random: () => number) {
    this.#random = random;
  }

  get next(): Connection<K> | undefined {
    const members = this.#members;
    // The last one, where the numbers are not what they should be: test tools fake `Math.random`.
    return members[Math.floor(this.#random() * members.length)] ?? members.at(-1);
  }

  add(connection: Connection<K>): void {
    connection.rank = this.#members.length;
    this.#members.push(connection);
  }

  /** The last one takes its place. */
  remove(connection: Connection<K>): void {
    const last = this.#members.pop();
    if (!last || last === connection) return;
    this.#members[connection.rank] = last;
    last.rank = connection.rank;
  }
}
