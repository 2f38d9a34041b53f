/**
 * The idle connections of all hosts: which one goes first, which have expired, when to look for those that a peak has left
 * behind, and whether one more may be kept. Adding and removing take constant time, but for the order of its host: see
 * idle-order.ts. It closes nothing: pool.ts does.
 */
import type { Connection } from './connection.js';
import { ExpiryWheel } from './expiry-wheel.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import type { Limits } from './limits.js';
import { List } from './list.js';

export class IdleConnections<K extends Kinds> {
  /** All of them, the least recently used first. */
  readonly lru: List<Connection<K>> = new List();
  /** By when they expire: those of them that do, and others that have been idle before. */
  readonly expiring: ExpiryWheel<Connection<K>> = new ExpiryWheel();
  /** When the interval is over that `beginTrim` began. `Infinity`: none is under way. */
  trimsAt = Infinity;

  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.lru.size;
  }

  /** Hot path. Whether one more connection of `host` may become idle. */
  mayAdd(host: HostPool<K>): boolean {
    const { keepAlive, maxTotalFreeSockets } = this.#limits;
    return (
      keepAlive && !host.abandoned && host.idle.size < host.limits.maxFreeSockets && maxTotalFreeSockets > 0
    );
  }

  /** Hot path. Whether a released connection of `host` is of use: somebody waits for it, or it may become idle. */
  mayStay({ abandoned, idle, limits, validating, waiting }: HostPool<K>): boolean {
    if (waiting.size > validating) return true;
    // Those that settle and are not waited for become idle, too.
    const coming = validating - waiting.size;
    return this.#limits.keepAlive && !abandoned && idle.size + coming < limits.maxFreeSockets;
  }

  /** Hot path. */
  add(connection: Connection<K>): void {
    const { host } = connection;
    host.addIdle(connection);
    this.lru.push(connection.lruLink);
    this.expiring.add(connection);
    if (host.reservation) host.reservation.addIdle(connection);
  }

  /** Hot path. It stays in the wheel, where it will be again if it becomes idle again. */
  remove(connection: Connection<K>): void {
    const { host, reservationLink } = connection;
    host.removeIdle(connection);
    this.lru.remove(connection.lruLink);
    if (host.reservation && reservationLink) host.reservation.idle.remove(reservationLink);
  }

  /** Something becomes idle: an interval begins, unless one is under way. Returns its end. */
  beginTrim(now: number): number {
    const { trimInterval } = this.#limits;
    this.trimsAt = trimInterval === 0 ? Infinity : Math.min(this.trimsAt, now + trimInterval);
    return this.trimsAt;
  }

  /** Whether an interval is over at `now`. The next one begins with that; none, if nothing is idle. */
  endTrim(now: number): boolean {
    const { trimInterval } = this.#limits;
    const isIdle = this.size > 0 && trimInterval > 0;
    if (isIdle && now < this.trimsAt) return false;
    this.trimsAt = isIdle ? now + trimInterval : Infinity;
    return isIdle;
  }

  /** The least recently used first. The member just yielded may be removed during the walk. */
  [Symbol.iterator](): Iterator<Connection<K>> {
    return this.lru[Symbol.iterator]();
  }
}
