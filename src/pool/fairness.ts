/**
 * The order in which hosts that wait for a slot under `maxTotalSockets` get one: the option `fairness`.
 *
 * - `RoundRobin`: each in turn, first come, first served; in its turn a host gets as many slots as its weight says.
 *   O(1).
 * - `OldestFirst`: the host whose request has waited longest. O(log hosts).
 */
import { Entry, Heap } from './heap.js';
import type { HostPool } from './records.js';
import type { Kinds } from './kinds.js';
import { List } from './list.js';

export interface Turns<K extends Kinds> {
  readonly size: number;
  /** The host that gets the next slot. */
  readonly next: HostPool<K> | undefined;
  /** `host` waits for a slot from now on. It must not be among them yet. */
  add(host: HostPool<K>): void;
  /** `host` waits for a slot no more. */
  remove(host: HostPool<K>): void;
  /** `host`, which is among them, gets a slot. */
  granted(host: HostPool<K>): void;
  /** Whether a request of `host` that is served now comes before its turn. */
  isOvertaking(host: HostPool<K>): boolean;
  [Symbol.iterator](): Iterator<HostPool<K>>;
}

export class RoundRobin<K extends Kinds> implements Turns<K> {
  readonly #line: List<HostPool<K>> = new List();

  get size(): number {
    return this.#line.size;
  }

  get next(): HostPool<K> | undefined {
    return this.#line.head?.value;
  }

  add(host: HostPool<K>): void {
    host.credit = host.limits.weight;
    this.#line.push(host.blockedLink);
  }

  remove(host: HostPool<K>): void {
    this.#line.remove(host.blockedLink);
  }

  granted(host: HostPool<K>): void {
    if (--host.credit > 0) return;
    this.#line.remove(host.blockedLink);
    this.add(host);
  }

  /** A host that has a connection got that in its turn. */
  isOvertaking(): boolean {
    return true;
  }

  [Symbol.iterator](): Iterator<HostPool<K>> {
    return this.#line[Symbol.iterator]();
  }
}

export class OldestFirst<K extends Kinds> implements Turns<K> {
  readonly #heap = new Heap<HostPool<K>>((a, b) => a.blockedSince < b.blockedSince);

  get size(): number {
    return this.#heap.size;
  }

  get next(): HostPool<K> | undefined {
    for (;;) {
      const host = this.#heap.top;
      if (!host?.blockedEntry) return undefined;
      // A key can only be too low: the oldest request of that host may have gone since.
      const since = arrivalOfOldest(host);
      if (since <= host.blockedSince) return host;
      host.blockedSince = since;
      this.#heap.update(host.blockedEntry);
    }
  }

  add(host: HostPool<K>): void {
    host.blockedSince = arrivalOfOldest(host);
    this.#heap.add((host.blockedEntry ??= new Entry(host)));
  }

  remove(host: HostPool<K>): void {
    if (host.blockedEntry) this.#heap.remove(host.blockedEntry);
  }

  granted(): void {}

  isOvertaking(host: HostPool<K>): boolean {
    const { next } = this;
    return next !== undefined && arrivalOfOldest(next) < arrivalOfOldest(host);
  }

  [Symbol.iterator](): Iterator<HostPool<K>> {
    return this.#heap[Symbol.iterator]();
  }
}

function arrivalOfOldest<K extends Kinds>(host: HostPool<K>): number {
  return host.waiting.oldest?.arrival ?? Infinity;
}
