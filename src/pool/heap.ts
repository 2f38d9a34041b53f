/**
 * An intrusive binary heap: the member that comes first is on top. Adding, removing anywhere and moving take O(log n). As with
 * a list, a member that can be in two heaps at once owns two entries.
 */
export class Entry<T> {
  readonly value: T;
  heap: Heap<T> | undefined = undefined;
  index = -1;

  constructor(value: T) {
    this.value = value;
  }
}

export class Heap<T> {
  readonly #comesBefore: (a: T, b: T) => boolean;
  readonly #entries: Entry<T>[] = [];

  /** @param comesBefore a strict order; what it reads of a member changes only together with a call of `update` */
  constructor(comesBefore: (a: T, b: T) => boolean) {
    this.#comesBefore = comesBefore;
  }

  get size(): number {
    return this.#entries.length;
  }

  get top(): T | undefined {
    return this.#entries[0]?.value;
  }

  add(entry: Entry<T>): void {
    entry.heap = this;
    entry.index = this.#entries.length;
    this.#entries.push(entry);
    this.#rise(entry);
  }

  /** Takes `entry` out. An entry that is in no heap, or in another one, is left alone. */
  remove(entry: Entry<T>): boolean {
    if (entry.heap !== this) return false;
    const last = this.#entries.pop();
    if (last && last !== entry) {
      this.#put(last, entry.index);
      this.update(last);
    }
    entry.heap = undefined;
    entry.index = -1;
    return true;
  }

  /** The values by which `entry` is ordered have changed. */
  update(entry: Entry<T>): void {
    this.#rise(entry);
    this.#sink(entry);
  }

  /** All members, in no order. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (const { value } of this.#entries) yield value;
  }

  #rise(entry: Entry<T>): void {
    while (entry.index > 0) {
      const { index } = entry;
      const parent = this.#entries[(index - 1) >> 1];
      if (!parent || !this.#comesBefore(entry.value, parent.value)) return;
      this.#put(entry, parent.index);
      this.#put(parent, index);
    }
  }

  #sink(entry: Entry<T>): void {
    const entries = this.#entries;
    for (;;) {
      const { index } = entry;
      let child = entries[2 * index + 1];
      const right = entries[2 * index + 2];
      if (child && right && this.#comesBefore(right.value, child.value)) child = right;
      if (!child || !this.#comesBefore(child.value, entry.value)) return;
      this.#put(entry, child.index);
      this.#put(child, index);
    }
  }

  #put(entry: Entry<T>, index: number): void {
    entry.index = index;
    this.#entries[index] = entry;
  }
}
