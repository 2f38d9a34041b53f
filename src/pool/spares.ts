/**
 * Spare connections: opened before a request asks for them. They are guests: one is opened only where there is a place that no request
 * waits for, and no idle connection has to go for it; while it is being opened, a request that needs its place gets that. A request of
 * its own host that comes meanwhile counts on it.
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
  | 'maxSockets'
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

  /** See `Pool.obstacle`. */
  obstacle(host: HostPool<K>): Obstacle | undefined {
    const { capacity, driver, idle, isClosed, limits } = this.#books;
    if (isClosed) return 'closed';
    if (host.abandoned) return 'abandoned';
    if (!limits.keepAlive) return 'keepAlive';
    // One that is ageing makes room when its successor is there.
    const oldest = host.idle.head?.value;
    const leaving = oldest && isAgeing(oldest, driver.now()) ? 1 : 0;
    if (host.expectedIdle - leaving >= host.limits.maxFreeSockets) return 'maxFreeSockets';
    if (idle.size + capacity.spares.size - leaving >= limits.maxTotalFreeSockets)
      return 'maxTotalFreeSockets';
    if (host.connections.size + host.unserved >= host.limits.maxSockets) return 'maxSockets';
    if (capacity.blocked.size > 0 || capacity.placesLeft(host) <= this.#soonDialled) return 'maxTotalSockets';
    return undefined;
  }

  /** Requests for which connections are opened at the end of this turn. */
  get #soonDialled(): number {
    let count = 0;
    for (const { unserved } of this.#books.endOfTurn.paced) count += unserved;
    return count;
  }

  /** See `Pool.openSpare`. */
  open(spare: Waiter<K>): Obstacle | undefined {
    const obstacle = this.obstacle(spare.host);
    if (obstacle) spare.state = 'done';
    else this.#supply.dialSpare(spare);
    return obstacle;
  }

  /** See `Pool.giveUpSpare`. */
  giveUp(spare: Waiter<K>): void {
    const { connection, host } = spare;
    if (!connection || this.#books.takeSpare(connection) !== spare) return;
    this.#books.changes++;
    if (host.unclaimed > host.waiting.size) this.#supply.close(connection, 'surplus');
  }

  /** See `Pool.shortage`. */
  shortage(host: HostPool<K>, least: number): number {
    if (host.expectedIdle < least) return least - host.expectedIdle;
    const now = this.#books.driver.now();
    let ageing = 0;
    for (const connection of host.idle) if (isAgeing(connection, now)) ageing++;
    return Math.max(0, least - host.expectedIdle + ageing);
  }

  /** See `Pool.readyCount`. */
  readyCount(host: HostPool<K>): number {
    const { driver } = this.#books;
    const now = driver.now();
    let count = 0;
    for (const connection of host.idle) if (!isAgeing(connection, now) && driver.usable(connection)) count++;
    return count;
  }

  /** See `Pool.makeWay`. */
  makeWay(host: HostPool<K>): void {
    const oldest = host.idle.head?.value;
    const isNeeded = host.expectedIdle === host.idle.size && host.waiting.size === 0;
    if (oldest && isNeeded && isAgeing(oldest, this.#books.driver.now()))
      this.#supply.close(oldest, 'idle-timeout');
  }
}
