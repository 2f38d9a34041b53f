/**
 * A map with a bound that drops the least recently used entry, by `lru-cache`. Most processes talk to one host with one set of options, and have one
 * entry in each map. So a map holds its first entry itself, and loads `lru-cache` with the second.
 */
import type { LRUCache } from 'lru-cache';
import { loadLruCache } from './late.js';

interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
}

export class RecentlyUsed<K extends {}, V extends {}> {
  readonly #max: number;
  readonly #onDrop: ((value: V) => void) | undefined;
  /** The only entry, while there was never a second one. */
  #only: Entry<K, V> | undefined = undefined;
  #cache: LRUCache<K, V> | undefined = undefined;

  /**
   * @param max the number of entries, at least 1; beyond it the least recently used is dropped
   * @param onDrop called with each value after it has left the map
   */
  constructor(max: number, onDrop?: (value: V) => void) {
    this.#max = Math.min(max, Number.MAX_SAFE_INTEGER);
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#cache?.size ?? (this.#only ? 1 : 0);
  }

  /** Counts as a use. */
  get(key: K): V | undefined {
    return this.#cache ? this.#cache.get(key) : this.#held(key);
  }

  /** Does not count as a use. */
  peek(key: K): V | undefined {
    return this.#cache ? this.#cache.peek(key) : this.#held(key);
  }

  set(key: K, value: V): void {
    const before = this.#only;
    if (this.#cache || (before && before.key !== key)) {
      this.#many().set(key, value);
      return;
    }
    this.#only = { key, value };
    if (before && before.value !== value) this.#onDrop?.(before.value);
  }

  delete(key: K): void {
    if (this.#cache) this.#cache.delete(key);
    else if (this.#only?.key === key) this.clear();
  }

  clear(): void {
    this.#cache?.clear();
    const before = this.#only;
    this.#only = undefined;
    if (before) this.#onDrop?.(before.value);
  }

  /** Takes out the least recently used entry. */
  pop(): V | undefined {
    if (this.#cache) return this.#cache.pop();
    const value = this.#only?.value;
    this.clear();
    return value;
  }

  /** All entries, the most recently used first. */
  entries(): Iterable<[K, V]> {
    if (this.#cache) return this.#cache.entries();
    return this.#only ? [[this.#only.key, this.#only.value]] : [];
  }

  keys(): Iterable<K> {
    if (this.#cache) return this.#cache.keys();
    return this.#only ? [this.#only.key] : [];
  }

  values(): Iterable<V> {
    if (this.#cache) return this.#cache.values();
    return this.#only ? [this.#only.value] : [];
  }

  #held(key: K): V | undefined {
    return this.#only?.key === key ? this.#only.value : undefined;
  }

  #many(): LRUCache<K, V> {
    if (this.#cache) return this.#cache;
    const Cache = loadLruCache();
    const onDrop = this.#onDrop;
    // Bounded by size: `max` would reserve memory for all entries at once, and could not be Infinity.
    this.#cache = new Cache<K, V>({
      maxSize: this.#max,
      sizeCalculation: () => 1,
      ...(onDrop && { disposeAfter: (value) => onDrop(value) }),
    });
    if (this.#only) this.#cache.set(this.#only.key, this.#only.value);
    this.#only = undefined;
    return this.#cache;
  }
}
