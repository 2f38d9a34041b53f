/** Requests that have lost their connection and want another one: any, or a new one in the slot of the lost one. They are never refused. */
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { Connection, Waiter } from './records.js';
import type { Supply } from './supply.js';

export class Retries<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;

  constructor(books: Books<K>, supply: Supply<K>) {
    this.#books = books;
    this.#supply = supply;
  }

  /** See `Pool.retry`. */
  retry(connection: Connection<K>, waiter: Waiter<K>): void {
    const { host } = waiter;
    this.#books.enqueueAgain(waiter);
    if (!waiter.unreplayable) this.#supply.validateIdle(host.idle.tail?.value);
    this.#supply.close(connection, 'server-closed');
    this.#supply.pump(host);
  }

  /** See `Pool.retryOnNew`. */
  retryOnNew(connection: Connection<K>, waiter: Waiter<K>): void {
    if (waiter.host !== connection.host) {
      this.retry(connection, waiter);
      return;
    }
    connection.replayWaiter = waiter;
    waiter.state = 'awaiting-slot';
    waiter.connection = connection;
    this.#supply.close(connection, 'server-closed');
  }

  /** `connection` is closed: a new one is opened in its slot for the request that waits for that, unless the slot is gone. */
  dialReplacement({ replayWaiter, host }: Connection<K>): void {
    if (!replayWaiter) return;
    replayWaiter.connection = undefined;
    if (this.#books.capacity.mayOpen(host)) {
      this.#supply.dialAlone(replayWaiter);
    } else {
      replayWaiter.state = 'queued';
      this.#books.enqueueAgain(replayWaiter);
    }
  }
}
