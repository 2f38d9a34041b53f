/** Leases idle connections to requests that need not wait, and takes connections back after their exchange. All of it is the hot path. */
import type { Assignment } from './assignment.js';
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { Connection, HostPool } from './records.js';
import type { Supply } from './supply.js';

export class Leasing<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;
  readonly #assignment: Assignment<K>;

  constructor(books: Books<K>, supply: Supply<K>, assignment: Assignment<K>) {
    this.#books = books;
    this.#supply = supply;
    this.#assignment = assignment;
  }

  /**
   * See `Pool.lease`.
   *
   * @param age of the idle connections that may be leased: `safe` for every request, or `any`
   */
  lease(host: HostPool<K>, age: 'safe' | 'any', req: object | undefined): Connection<K> | undefined {
    const { idle } = host;
    if (idle.size === 0 || this.#books.isClosedFor(host)) return undefined;
    const { driver } = this.#books;
    const now = driver.now();
    for (;;) {
      let connection = host.nextIdle;
      // The connection that is next has been idle for longer than is safe. The one that was used last may not have been.
      if (age === 'safe' && connection && connection.safeUntil <= now) connection = idle.tail?.value;
      if (!connection || (age === 'safe' && connection.safeUntil <= now)) return undefined;
      if (connection.expiresAt <= now || !driver.usable(connection)) {
        if (connection.expiresAt <= now) this.#supply.expire(connection, now);
        else this.#supply.close(connection, 'server-closed');
        if (connection.idleLink.list) return undefined;
      } else {
        this.#books.takeIdle(connection);
        connection.idledFor = now - connection.idleSince;
        connection.isUnsafe = connection.safeUntil <= now;
        if (this.#isDoubtful(connection, now, req)) this.#books.validateAtEndOfTurn(connection);
        else this.#books.activate(connection);
        return connection;
      }
    }
  }

  /**
   * Whether an idle connection is validated before it is leased: it has been idle for long, or the kernel may know of its end, or of bytes that no
   * request has asked for, and that could harm the request.
   */
  #isDoubtful(connection: Connection<K>, now: number, req: object | undefined): boolean {
    const { validateAt } = connection;
    if (validateAt <= now) return true;
    const isReady = this.#books.driver.isReadyToLease(connection, now, req);
    return !isReady && validateAt !== Infinity;
  }

  /** See `Pool.release`. */
  release(connection: Connection<K>): boolean {
    if (connection.state !== 'active') return false;
    if (!this.#endIfServedOut(connection)) this.#assignment.free(connection);
    return true;
  }

  /** See `Pool.releaseUnsafe`. */
  releaseUnsafe(connection: Connection<K>): boolean {
    if (connection.state !== 'active') return false;
    if (this.#endIfServedOut(connection)) return true;
    const { host } = connection;
    if (host.unreplayable === host.waiting.size) {
      this.#supply.close(connection, 'idle-timeout');
    } else {
      connection.safeUntil = -Infinity;
      this.#assignment.free(connection);
    }
    return true;
  }

  /** See `Pool.discard`. */
  discard(connection: Connection<K>): boolean {
    if (connection.state !== 'active') return false;
    this.#supply.close(connection, 'surplus');
    return true;
  }

  /** Closes `connection` if it has reached a limit of age or of requests. `true`: it was closed. */
  #endIfServedOut(connection: Connection<K>): boolean {
    const { capacity, driver } = this.#books;
    if (capacity.isSurplus(connection.host)) this.#supply.close(connection, 'surplus');
    else if (connection.requestsLeft <= 0) this.#supply.close(connection, 'max-requests');
    else if (connection.retireAt !== Infinity && connection.retireAt <= driver.now())
      this.#supply.close(connection, connection.retireReason);
    else return false;
    return true;
  }

  /** See `Pool.adopt`. */
  adopt(host: HostPool<K>): Connection<K> | undefined {
    if (this.#books.isClosedFor(host) || !this.#books.capacity.mayOpen(host)) return undefined;
    const connection = this.#books.create(host);
    this.#books.endConnecting(connection);
    this.#books.activate(connection);
    return connection;
  }
}
