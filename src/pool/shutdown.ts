/**
 * Ends idle connections, all connections, or everything, at once or gracefully. During a graceful end no new request is taken and no
 * connection is kept idle, and the requests that are here already get their connections as ever.
 *
 * Long work (thousands of connections) can be done piece by piece: `closeIdle` and `end` are generators. Between two pieces the books are in
 * order, and anything may happen.
 */
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { Link } from './list.js';
import type { Connection, HostPool, Section, Waiter } from './records.js';
import type { Supply } from './supply.js';

export class Shutdown<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;

  constructor(books: Books<K>, supply: Supply<K>) {
    this.#books = books;
    this.#supply = supply;
  }

  /**
   * From now on no new request is taken, and nothing becomes idle. Requests that are here already get their connections, and lost ones
   * are sent again. Connections that are idle already are closed by `closeIdle`.
   */
  begin(section?: Section): void {
    this.#books.close(section);
    for (const host of this.#hostsOf(section)) {
      this.#closeValidating(host);
      this.#supply.closeUnneeded(host);
    }
  }

  /** Closes idle connections, one before each `yield`, until there are none. */
  *closeIdle(section?: Section): Generator<void, void, undefined> {
    const { lru } = this.#books.idle;
    /** The last one of another section: all before it are of others, too. */
    let passed: Link<Connection<K>> | undefined;
    for (let link = lru.head; link; link = passed?.list ? passed.next : lru.head) {
      if (!isIn(link.value.host, section)) {
        passed = link;
        continue;
      }
      this.#supply.close(link.value, 'shutdown');
      // This connection stays in the list whatever is done: the loop would not end.
      if (link.list) return;
      yield;
    }
  }

  /** Closes connections that are idle, or that are validated and no request waits for. */
  closeIdleConnections(section?: Section): void {
    // A snapshot: connections that become idle meanwhile are not closed.
    for (const connection of this.#books.idle.lru)
      if (isIn(connection.host, section)) this.#supply.close(connection, 'shutdown');
    for (const host of this.#hostsOf(section)) this.#closeValidating(host);
  }

  /** Closes connections of `host` that are validated and that no request waits for: these count as idle here. */
  #closeValidating(host: HostPool<K>): void {
    if (host.validating <= host.waiting.size) return;
    for (const connection of host.connections) {
      if (connection.state === 'validating') this.#supply.close(connection, 'shutdown');
      if (host.validating <= host.waiting.size) return;
    }
  }

  /**
   * Closes every connection, also those that requests have. Requests that wait get others, and so do those whose dial has brought no socket
   * yet.
   */
  closeAllConnections(section?: Section): void {
    const all: Connection<K>[] = [];
    for (const host of this.#hostsOf(section))
      for (const connection of host.connections) if (connection.pooled !== undefined) all.push(connection);
    for (const connection of all) this.#supply.close(connection, 'shutdown');
  }

  /** Closes every connection and rejects every waiter. The pool stays usable, unless it was closed. */
  destroy(error: unknown, closeError?: unknown, section?: Section): void {
    const { driver } = this.#books;
    const rejected: Waiter<K>[] = [];
    for (const host of this.#hostsOf(section))
      for (const waiter of host.waiting) rejected.push(this.#dequeue(waiter));
    for (const host of this.#hostsOf(section)) {
      for (const connection of host.connections) this.#end(connection, closeError, rejected);
      this.#books.forgetIfEmpty(host);
    }
    for (const waiter of rejected) driver.reject(waiter, error);
  }

  /**
   * `destroy` piece by piece: a waiter or a connection before each `yield`. The pool must have been closed: requests would fill any other meanwhile.
   *
   * @param errorOf what waiters of a host are rejected with
   */
  *end(errorOf: (host: HostPool<K>) => unknown, section?: Section): Generator<void, void, undefined> {
    // A request that loses its connection between two pieces may come back at a host that was visited already.
    for (let isDone = false; !isDone;) {
      isDone = true;
      for (const _ of this.#endOnce(errorOf, section)) {
        isDone = false;
        yield;
      }
    }
  }

  *#endOnce(
    errorOf: (host: HostPool<K>) => unknown,
    section: Section | undefined,
  ): Generator<void, void, undefined> {
    const { driver } = this.#books;
    for (const host of this.#hostsOf(section)) {
      for (let waiter = host.waiting.next; waiter; waiter = host.waiting.next) {
        driver.reject(this.#dequeue(waiter), errorOf(host));
        this.#supply.closeUnneeded(host);
        this.#books.forgetIfEmpty(host);
        yield;
      }
    }
    for (const host of this.#hostsOf(section)) {
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

  /** The hosts of `section`, or all. */
  *#hostsOf(section: Section | undefined): Generator<HostPool<K>, void, undefined> {
    for (const host of this.#books.hosts) if (isIn(host, section)) yield host;
  }

  #dequeue(waiter: Waiter<K>): Waiter<K> {
    this.#books.dequeue(waiter);
    if (waiter.connection) waiter.connection.waiter = undefined;
    waiter.state = 'done';
    return waiter;
  }

  /** Closes `connection`. Waiters that are bound to it, and are to be rejected, are added to `rejected`. */
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
      // `close` takes it out of this count at once.
      host.unclaimed++;
      waiter.state = 'done';
      rejected.push(waiter);
    }
    this.#supply.close(connection, 'destroyed', closeError);
  }
}

interface InSection {
  readonly section: Section | undefined;
}

function isIn(host: InSection, section: Section | undefined): boolean {
  return !section || host.section === section;
}
