/**
 * The end, at the owner's word: of idle connections, of all connections, of everything at once, or in peace. In peace, no new request
 * is taken and nothing is kept idle, and the requests that are here already get their connections as ever.
 *
 * Work that may be long (thousands of connections) can be done piece by piece: `closeIdle` and `end` stop after each piece, and go on when
 * they are asked to. Between two pieces the books are in order, and anything may happen.
 */
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { Connection, HostPool, Waiter } from './records.js';
import type { Supply } from './supply.js';

export class Shutdown<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;

  constructor(books: Books<K>, supply: Supply<K>) {
    this.#books = books;
    this.#supply = supply;
  }

  /** See `Pool.beginClose`. */
  begin(): void {
    this.#books.close();
    for (const host of this.#books.hosts) {
      this.#closeValidating(host);
      this.#supply.closeUnneeded(host);
    }
  }

  /** See `Pool.closeIdle`. */
  *closeIdle(): Generator<void, void, undefined> {
    const { lru } = this.#books.idle;
    for (let link = lru.head; link; link = lru.head) {
      this.#supply.close(link.value, 'shutdown');
      // It counts as idle whatever is done: the others would wait behind it for ever.
      if (link.list) return;
      yield;
    }
  }

  /** See `Pool.closeIdleConnections`. */
  closeIdleConnections(): void {
    // Once each: what takes their place is not closed.
    for (const connection of this.#books.idle.lru) this.#supply.close(connection, 'shutdown');
    for (const host of this.#books.hosts) this.#closeValidating(host);
  }

  /** Connections of `host` that are validated for nobody are as good as idle. */
  #closeValidating(host: HostPool<K>): void {
    if (host.validating <= host.waiting.size) return;
    for (const connection of host.connections) {
      if (connection.state === 'validating') this.#supply.close(connection, 'shutdown');
      if (host.validating <= host.waiting.size) return;
    }
  }

  /** See `Pool.closeAllConnections`. */
  closeAllConnections(): void {
    const all: Connection<K>[] = [];
    for (const host of this.#books.hosts)
      for (const connection of host.connections) if (connection.pooled !== undefined) all.push(connection);
    for (const connection of all) this.#supply.close(connection, 'shutdown');
  }

  /** See `Pool.destroy`. */
  destroy(error: unknown, closeError: unknown): void {
    const { driver, hosts } = this.#books;
    const rejected: Waiter<K>[] = [];
    for (const host of hosts) for (const waiter of host.waiting) rejected.push(this.#dequeue(waiter));
    for (const host of hosts) {
      for (const connection of host.connections) this.#end(connection, closeError, rejected);
      this.#books.forgetIfEmpty(host);
    }
    for (const waiter of rejected) driver.reject(waiter, error);
  }

  /** See `Pool.end`. */
  *end(errorOf: (host: HostPool<K>) => unknown): Generator<void, void, undefined> {
    // A request that loses its connection between two pieces may come back at a host that was done already.
    for (let isDone = false; !isDone;) {
      isDone = true;
      for (const _ of this.#endOnce(errorOf)) {
        isDone = false;
        yield;
      }
    }
  }

  *#endOnce(errorOf: (host: HostPool<K>) => unknown): Generator<void, void, undefined> {
    const { driver, hosts } = this.#books;
    for (const host of hosts) {
      for (let waiter = host.waiting.next; waiter; waiter = host.waiting.next) {
        driver.reject(this.#dequeue(waiter), errorOf(host));
        this.#supply.closeUnneeded(host);
        this.#books.forgetIfEmpty(host);
        yield;
      }
    }
    for (const host of hosts) {
      for (const connection of host.connections) {
        if (connection.state === 'closing' && !connection.replayWaiter) continue;
        const rejected: Waiter<K>[] = [];
        this.#end(connection, undefined, rejected);
        for (const waiter of rejected) driver.reject(waiter, errorOf(host));
        this.#books.forgetIfEmpty(host);
        yield;
      }
    }
  }

  #dequeue(waiter: Waiter<K>): Waiter<K> {
    this.#books.dequeue(waiter);
    if (waiter.connection) waiter.connection.waiter = undefined;
    waiter.state = 'done';
    return waiter;
  }

  /** Closes `connection`. The waiters that count on it alone, which are to be rejected, go to `rejected`. */
  #end(connection: Connection<K>, closeError: unknown, rejected: Waiter<K>[]): void {
    const spare = this.#books.takeSpare(connection);
    const { host, replayWaiter, waiter } = connection;
    if (spare) rejected.push(spare);
    if (replayWaiter) {
      connection.replayWaiter = undefined;
      replayWaiter.state = 'done';
      rejected.push(replayWaiter);
    }
    if (waiter?.state === 'dialling') {
      connection.waiter = undefined;
      host.unclaimed++;
      waiter.state = 'done';
      rejected.push(waiter);
    }
    this.#supply.close(connection, 'destroyed', closeError);
  }
}
