/** Closes connections for which there is no request: expired ones, those that a peak has left behind, those of hosts that are given up. */
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { HostPool } from './records.js';
import type { Supply } from './supply.js';

export class Upkeep<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;

  constructor(books: Books<K>, supply: Supply<K>) {
    this.#books = books;
    this.#supply = supply;
  }

  /** See `Pool.reap`. */
  reap(now: number): number {
    const { expiring } = this.#books.idle;
    expiring.sweep(now, (connection) => {
      if (connection.state === 'idle') this.#supply.expire(connection, now);
    });
    return expiring.next;
  }

  /** See `Pool.trim`. */
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

  /** See `Pool.abandon`. */
  abandon(host: HostPool<K>): void {
    host.abandoned = true;
    this.#books.changes++;
    for (const connection of host.idle) this.#supply.close(connection, 'surplus');
    for (const connection of host.connections)
      if (connection.waiter?.state === 'spare') this.#supply.close(connection, 'surplus');
  }
}
