/**
 * Decides what becomes of a connection that no request has: the next waiter that may have it gets it, or it becomes idle, or it closes.
 * A connection that was just released, or that has been idle for long, is validated first.
 */
import { isAgeing } from './ageing.js';
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { Connection, ConnectionState, Waiter } from './records.js';
import type { Supply } from './supply.js';

export class Assignment<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;

  constructor(books: Books<K>, supply: Supply<K>) {
    this.#books = books;
    this.#supply = supply;
  }

  /** See `Pool.connected`. */
  connected(connection: Connection<K>): void {
    if (connection.state !== 'connecting') return;
    const spare = this.#books.takeSpare(connection);
    const { host, waiter } = connection;
    connection.waiter = undefined;
    this.#books.changes++;
    if (waiter?.state === 'dialling') {
      this.#assign(connection, waiter);
      return;
    }
    this.#books.endUnclaimed(host);
    if (waiter) waiter.connection = undefined;
    if (spare) this.#offerSpare(connection, spare);
    else this.#offer(connection);
  }

  /** `connection` was opened ahead of any request. It replaces an idle one that is about to expire, and no other. */
  #offerSpare(connection: Connection<K>, spare: Waiter<K>): void {
    const { host } = connection;
    const { driver, idle, limits } = this.#books;
    connection.state = 'active';
    if (host.waiting.size === 0) {
      const old = host.idle.head?.value;
      if (old && !idle.mayAdd(host) && isAgeing(old, driver.now())) this.#supply.close(old, 'idle-timeout');
      // The host's lists and limits may have changed since they were read above.
      if (idle.size >= limits.maxTotalFreeSockets && host.waiting.size === 0 && isOpen(connection))
        this.#supply.close(connection, 'surplus');
    }
    if (isOpen(connection)) this.#offer(connection);
    if (isOpen(connection)) driver.ready(spare, connection);
    else driver.reject(spare, undefined);
  }

  /** See `Pool.validated`. */
  validated(connection: Connection<K>): void {
    if (connection.state !== 'validating') return;
    const { driver } = this.#books;
    // A busy loop may have kept it here beyond its time; the sweep leaves it alone while it is validated.
    const until = endOf(connection);
    const now = until === Infinity && connection.safeUntil === Infinity ? 0 : driver.now();
    if (until <= now) {
      this.#supply.expire(connection, now);
    } else if (driver.usable(connection)) {
      this.#books.endValidating(connection);
      this.#offer(connection, now);
    } else {
      this.#supply.close(connection, 'server-closed');
    }
  }

  /** See `Pool.turn`. */
  turn(): void {
    const { driver, endOfTurn } = this.#books;
    const validating = endOfTurn.begin();
    let done = 0;
    try {
      while (done < validating.length) {
        const connection = validating[done++] as Connection<K>;
        if (connection.state === 'validating' && !driver.validate(connection)) endOfTurn.validate(connection);
        else this.validated(connection);
      }
    } finally {
      // Foreign code has thrown: the rest are validated at the end of the next turn.
      while (done < validating.length) endOfTurn.validate(validating[done++] as Connection<K>);
    }
    if (endOfTurn.paced.size > 0) endOfTurn.resume((host) => this.#supply.pump(host));
  }

  /** Hot path. The exchange on `connection` is over, and it may have another request. */
  free(connection: Connection<K>): void {
    const { host } = connection;
    const { driver, idle } = this.#books;
    if (!idle.mayStay(host)) {
      this.#supply.close(connection, 'surplus');
      return;
    }
    connection.idledFor = 0;
    if (host.waiting.size === 0) {
      if (driver.isReadyToIdle(connection)) this.#keep(connection);
      else this.#books.validateAtEndOfTurn(connection);
    } else if (driver.isReadyForNext(connection)) {
      this.#books.beginValidating(connection);
      driver.validateSoon(connection);
    } else {
      this.#books.validateAtEndOfTurn(connection);
    }
  }

  /** `connection` may be given to a request. `now` is asked for only where it was idle, or must not be. */
  #offer(connection: Connection<K>, now = 0): void {
    connection.state = 'active';
    this.#books.changes++;
    if (this.#books.capacity.isSurplus(connection.host)) {
      this.#supply.close(connection, 'surplus');
      return;
    }
    const waiter = this.#firstFor(connection, now);
    if (!waiter) this.#keep(connection);
    else this.#serve(connection, waiter, now);
  }

  /** Hot path. `connection`, which is active and has no request, becomes idle: no request waits that may have it. */
  #keep(connection: Connection<K>): void {
    const { host } = connection;
    const { capacity, changes, driver, idle, limits } = this.#books;
    // No age of this connection is safe, and no request that can be sent twice waits for it.
    if (connection.safeUntil === -Infinity) {
      this.#supply.close(connection, 'idle-timeout');
      return;
    }
    if (!idle.mayAdd(host) || !driver.prepareIdle(connection)) {
      this.#supply.close(connection, 'surplus');
      return;
    }
    // `prepareIdle` runs foreign code, which may have closed the connection, made a request, or changed a limit.
    if (this.#books.changes !== changes && !this.#reconsider(connection)) return;
    connection.state = 'idle';
    this.#books.changes++;
    // A connection whose request was aborted may not be ready yet.
    if (connection.isConnecting) this.#books.endConnecting(connection);
    idle.add(connection);
    if (idle.lru.size > limits.maxTotalFreeSockets && idle.lru.head) {
      this.#supply.close(idle.lru.head.value, 'surplus');
    }
    const isAwaited = host.gateway !== undefined && host.gateway.blocked.size > 0;
    if (isAwaited || capacity.blocked.size > 0 || capacity.held > 0) this.#supply.evictFor(host);
    // A request still waits: it has counted on `connection`, and may not have it.
    if (host.waiting.size > 0) this.#supply.pump(host);
  }

  /** The books have changed while `connection` was prepared. `true`: it becomes idle all the same. `false`: it was closed, or given to a waiter. */
  #reconsider(connection: Connection<K>): boolean {
    if (connection.state !== 'active') return false;
    const { host } = connection;
    const { capacity, driver, idle } = this.#books;
    const now = driver.now();
    const waiter = this.#firstFor(connection, now);
    if (capacity.isSurplus(host) || (!waiter && !idle.mayAdd(host))) {
      this.#supply.close(connection, 'surplus');
      return false;
    }
    if (!waiter) return true;
    if (driver.isReadyForNext(connection)) this.#serve(connection, waiter, now);
    else this.#books.validateAtEndOfTurn(connection);
    return false;
  }

  /** `connection`, which is active and has no request, goes to `waiter`, which is next, unless it is another host's turn. */
  #serve(connection: Connection<K>, waiter: Waiter<K>, now: number): void {
    const { host, safeUntil } = connection;
    const { capacity, queues } = this.#books;
    // A new connection has its slot from its host's own turn, and is not given up.
    if (connection.served > 0 && capacity.decideYield(host)) {
      this.#supply.close(connection, 'evicted');
      return;
    }
    queues.take(waiter);
    this.#books.waitsLess(host);
    if (waiter.connection) waiter.connection.waiter = undefined;
    connection.isUnsafe = safeUntil <= now;
    this.#assign(connection, waiter);
    // Another request has counted on `connection`. It may have an idle one, and need not wait for a new one.
    if (waiter.unreplayable && host.idle.size > 0 && host.waiting.size > 0) this.#supply.pump(host);
    this.#supply.closeUnneeded(host);
  }

  /** The next waiter of those that may have `connection`. */
  #firstFor({ host, safeUntil }: Connection<K>, now: number): Waiter<K> | undefined {
    const { next } = host.waiting;
    if (!next?.unreplayable || safeUntil > now) return next;
    return host.unreplayable < host.waiting.size ? host.waiting.firstThat(isReplayable) : undefined;
  }

  #assign(connection: Connection<K>, waiter: Waiter<K>): void {
    this.#books.activate(connection);
    waiter.state = 'done';
    this.#books.driver.assign(connection, waiter);
  }
}

/** Hot path. The moment from which `connection`, which is being validated, serves no request. Its idle time counts only if it was idle. */
function endOf<K extends Kinds>({ expiresAt, idleSince, retireAt }: Connection<K>): number {
  return idleSince < 0 ? retireAt : expiresAt;
}

function isOpen({ state }: { readonly state: ConnectionState }): boolean {
  return state !== 'closing' && state !== 'closed';
}

function isReplayable({ unreplayable }: { unreplayable: boolean }): boolean {
  return !unreplayable;
}
