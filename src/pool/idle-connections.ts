/**
 * The idle connections of all hosts. It knows which of them was used least recently, which have expired, when to look for those that a peak
 * has left behind, and whether one more may be kept. Adding and removing take constant time, but for the order that a host may have: see
 * idle-order.ts. It closes nothing.
 */
import type { Connection, HostPool } from './records.js';
import { ExpiryWheel } from './expiry-wheel.js';
import type { Kinds } from './kinds.js';
import type { Limits } from './limits.js';
import { Link, List } from './list.js';

export class IdleConnections<K extends Kinds> {
  /** All idle connections, the least recently used first. */
  readonly lru: List<Connection<K>> = new List();
  /** Connections by the time at which they expire. Connections that were leased again stay in here until the sweep comes by. */
  readonly expiring: ExpiryWheel<Connection<K>> = new ExpiryWheel();
  /** The end of the interval that `beginTrim` has begun. `Infinity`: none is under way. */
  trimsAt = Infinity;
  /** Nothing becomes idle any more. */
  isClosed = false;

  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.lru.size;
  }

  /** Hot path. Whether one more connection of `host` may become idle. */
  mayAdd(host: HostPool<K>): boolean {
    return this.#limits.maxTotalFreeSockets > 0 && this.#mayKeep(host, 0);
  }

  /** Hot path. Whether a released connection of `host` is of use: a request waits for it, or it may become idle. */
  mayStay(host: HostPool<K>): boolean {
    // Connections that are validated, and not waited for, become idle, too.
    const surplus = host.validating - host.waiting.size;
    return surplus < 0 || this.#mayKeep(host, surplus);
  }

  /** Whether one more connection of `host` may become idle after `others`. */
  #mayKeep({ abandoned, idle, limits, section }: HostPool<K>, others: number): boolean {
    if (!this.#limits.keepAlive || this.isClosed || section?.isClosed || abandoned) return false;
    return idle.size + others < limits.maxFreeSockets;
  }

  /** Hot path. */
  add(connection: Connection<K>): void {
    const { host } = connection;
    host.addIdle(connection);
    this.lru.push(connection.lruLink);
    this.expiring.add(connection);
    host.reservation?.idle.push((connection.reservationLink ??= new Link(connection)));
    host.gateway?.idle.push((connection.gatewayLink ??= new Link(connection)));
  }

  /** Hot path. The connection stays in the wheel: most become idle again before the sweep comes by. */
  remove(connection: Connection<K>): void {
    const { gatewayLink, host, reservationLink } = connection;
    host.removeIdle(connection);
    this.lru.remove(connection.lruLink);
    if (host.reservation && reservationLink) host.reservation.idle.remove(reservationLink);
    if (host.gateway && gatewayLink) host.gateway.idle.remove(gatewayLink);
  }

  /** Called when a connection becomes idle. Begins an interval, unless one is under way, and returns its end. */
  beginTrim(now: number): number {
    const { trimInterval } = this.#limits;
    this.trimsAt = trimInterval === 0 ? Infinity : Math.min(this.trimsAt, now + trimInterval);
    return this.trimsAt;
  }

  /** Whether an interval is over at `now`. If so, the next one begins, unless nothing is idle. */
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
