/**
 * Spare connections: opened before a request asks for them. Requests come first: a spare connection is opened only on a free slot that no request
 * waits for, and no idle connection is closed for it. While it is being opened, a request of another host that needs its slot gets that, and a
 * request of its own host counts on it.
 */
import { isAgeing } from './ageing.js';
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { HostPool, Waiter } from './records.js';
import type { Supply } from './supply.js';

/** The reason that keeps a spare connection from being opened. */
export type Obstacle =
  | 'closed'
  /** No further request will name the host: TLS options have changed. */
  | 'abandoned'
  | 'keepAlive'
  /** With these idle times no connection is kept before it has served a request. */
  | 'idleTimeout'
  | 'maxIdleTimeout'
  | 'maxSockets'
  /** The `maxSockets` of the rule for its proxy, which it shares with other hosts. */
  | 'proxy'
  | 'maxTotalSockets'
  | 'maxFreeSockets'
  | 'maxTotalFreeSockets';

export class Spares<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;

  constructor(books: Books<K>, supply: Supply<K>) {
    this.#books = books;
    this.#supply = supply;
  }

  /** The reason that keeps a connection to `host` from being opened now. */
  obstacle(host: HostPool<K>): Obstacle | undefined {
    const { capacity, driver, idle, limits } = this.#books;
    if (this.#books.isClosedFor(host)) return 'closed';
    if (host.abandoned) return 'abandoned';
    if (!limits.keepAlive) return 'keepAlive';
    if (host.limits.idleTimeout === 0) return 'idleTimeout';
    if (host.limits.maxIdleTimeout === 0) return 'maxIdleTimeout';
    // A connection that is ageing makes room when its successor is there.
    const oldest = host.idle.head?.value;
    const leaving = oldest && isAgeing(oldest, driver.now()) ? 1 : 0;
    if (host.expectedIdle - leaving >= host.limits.maxFreeSockets) return 'maxFreeSockets';
    if (idle.size + capacity.spares.size - leaving >= limits.maxTotalFreeSockets)
      return 'maxTotalFreeSockets';
    if (host.connections.size + host.unserved >= host.limits.maxSockets) return 'maxSockets';
    const { gateway } = host;
    if (gateway && (gateway.blocked.size > 0 || gateway.left <= this.#soonDialled)) return 'proxy';
    if (capacity.blocked.size > 0 || capacity.slotsLeft(host) <= this.#soonDialled) return 'maxTotalSockets';
    return undefined;
  }

  /** The number of requests for which connections are opened at the end of this turn. */
  get #soonDialled(): number {
    let count = 0;
    for (const { unserved } of this.#books.endOfTurn.paced) count += unserved;
    return count;
  }

  /** Opens a connection before a request asks for it. Returns the obstacle, if there is one; then nothing has happened. */
  open(spare: Waiter<K>): Obstacle | undefined {
    const obstacle = this.obstacle(spare.host);
    if (obstacle) spare.state = 'done';
    else this.#supply.dialSpare(spare);
    return obstacle;
  }

  /** There is no need for `spare` any more: its connection is closed, unless a request waits for that. The driver is not told. */
  giveUp(spare: Waiter<K>): void {
    const { connection, host } = spare;
    if (!connection || this.#books.takeSpare(connection) !== spare) return;
    this.#books.changes++;
    if (host.unclaimed > host.waiting.size) this.#supply.close(connection, 'surplus');
  }

  /**
   * The number of spare connections to open, so that `host` has `least` free ones now, and also when those that will soon be too old are gone.
   * Connections that are being opened count as free.
   */
  shortage(host: HostPool<K>, least: number): number {
    const now = this.#books.driver.now();
    let ageing = 0;
    for (const connection of host.idle) if (isAgeing(connection, now)) ageing++;
    return Math.max(0, least - host.expectedIdle + ageing);
  }

  /** The number of free connections of `host` that any request may have, and not only for a moment. */
  readyCount(host: HostPool<K>): number {
    const { driver } = this.#books;
    const now = driver.now();
    let count = 0;
    for (const connection of host.idle) if (!isAgeing(connection, now) && driver.usable(connection)) count++;
    return count;
  }

  /** Closes the oldest connection of `host` that will soon be too old, where no slot is free for its successor. */
  makeWay(host: HostPool<K>): void {
    const oldest = host.idle.head?.value;
    const isNeeded = host.expectedIdle === host.idle.size && host.waiting.size === 0;
    if (oldest && isNeeded && isAgeing(oldest, this.#books.driver.now()))
      this.#supply.close(oldest, 'idle-timeout');
  }
}
