/** Closes connections that no request needs: expired ones, those that a peak has left behind, and those of hosts that are given up. */
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { CloseReason } from './close-reason.js';
import type { Connection, HostPool } from './records.js';
import type { Supply } from './supply.js';

export class Upkeep<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;

  constructor(books: Books<K>, supply: Supply<K>) {
    this.#books = books;
    this.#supply = supply;
  }

  /** Closes connections that have been idle for too long, in time that depends on their number alone. Returns the time of the next call, or `Infinity`. */
  reap(now: number): number {
    const { expiring } = this.#books.idle;
    expiring.sweep(now, (connection) => {
      if (connection.state === 'idle') this.#supply.expire(connection, now);
    });
    return expiring.next;
  }

  /** No further request gets `connection`: it is closed at once, or after its exchange. `false`: it is neither idle nor active now. */
  retireNow(connection: Connection<K>, reason: CloseReason, now: number): boolean {
    if (connection.state === 'idle') {
      this.#supply.close(connection, reason);
      return true;
    }
    if (connection.state !== 'active') return false;
    this.#books.changes++;
    connection.retireAt = now;
    connection.retireReason = reason;
    return true;
  }

  /** The machine may have slept: each idle connection is validated before it is leased. */
  suspect(): void {
    for (const connection of this.#books.idle) connection.validateAt = -Infinity;
  }

  /** Called when a connection becomes idle: an interval begins, unless one is under way. Returns its end. */
  beginTrim(now: number): number {
    return this.#books.idle.beginTrim(now);
  }

  /**
   * Closes idle connections that were not needed once in a whole `trimInterval` in which others of their host were: those
   * that a peak has left behind. Idle time alone does not show them where all are used in turn. Returns the time of the next call:
   * `Infinity` if nothing is idle.
   */
  trim(now: number): number {
    const { hosts, idle } = this.#books;
    if (idle.endTrim(now)) {
      for (const host of hosts) {
        for (
          let surplus = host.takeUnneeded() - host.limits.minFreeSockets;
          surplus > 0 && host.idle.head;
          surplus--
        ) {
          this.#supply.close(host.idle.head.value, 'surplus');
        }
      }
    }
    return idle.trimsAt;
  }

  /** No further request will name `host`: its idle connections are closed, its active ones after their exchange. */
  abandon(host: HostPool<K>): void {
    host.abandoned = true;
    this.#books.changes++;
    for (const connection of host.idle) this.#supply.close(connection, 'surplus');
    for (const connection of host.connections)
      if (connection.waiter?.state === 'spare') this.#supply.close(connection, 'surplus');
  }
}
