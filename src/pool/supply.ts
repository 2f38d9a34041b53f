/**
 * Opens connections for the requests that wait, and closes connections. It promises
 *
 * - the limits hold at every moment, whatever the driver answers, and whenever: a connection counts from before its dial until
 *   the driver says that it is closed;
 * - no request waits while there is capacity for it, except until the end of this turn of the event loop: every path that
 *   frees capacity ends in `grant` or `pump`.
 *
 * The driver may call back into the pool before it returns, so that every method leaves the books in order before it calls
 * the driver. Loops end where a step of theirs changes nothing, whatever the counts say: a wrong count costs a request, not the process.
 */
import type { Books } from './books.js';
import type { CloseReason } from './close-reason.js';
import { Granter } from './granter.js';
import type { Kinds } from './kinds.js';
import type { Connection, HostPool, Waiter } from './records.js';

export class Supply<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #granter: Granter<K>;

  constructor(books: Books<K>) {
    this.#books = books;
    this.#granter = new Granter(books.capacity, books.endOfTurn, {
      dial: (host) => this.dial(host),
      evict: (connection) => this.close(connection, 'evicted'),
    });
  }

  /** Starts what can be started for `host`, and tells of it when a request has to wait for what cannot. */
  pump(host: HostPool<K>): void {
    this.start(host);
    if (!host.saturated && host.isStuck) this.#books.saturate(host);
  }

  /** Starts what can be started for `host`, and notes where it waits for what cannot. */
  start(host: HostPool<K>): void {
    const { capacity, endOfTurn } = this.#books;
    // The connection that a request waited for was dead: another idle one may not be, and is here sooner than a new one.
    while (host.idle.size > 0 && host.waiting.size - host.unreplayable > host.validating)
      if (!this.validateIdle(host.nextIdle)) break;
    while (host.unserved > 0) {
      if (host.connections.size >= host.limits.maxSockets) {
        this.#giveWay(host);
        return;
      }
      if (!capacity.hasPlace(host)) {
        if (!host.isBlocked) capacity.block(host);
        this.evictFor(host);
        return;
      }
      if (!endOfTurn.claimDial(host)) return;
      this.dial(host);
    }
  }

  /** Validates an idle connection for a request that is to get it. `false`: there is none. */
  validateIdle(connection: Connection<K> | undefined): boolean {
    if (!connection) return false;
    this.#books.takeIdle(connection);
    this.#books.validateAtEndOfTurn(connection);
    return true;
  }

  /** One place for each waiter of `host` that may have none of its idle connections, the longest idle one's first. */
  #giveWay(host: HostPool<K>): void {
    const link = host.idle.head;
    // Closing it comes back here for the next.
    if (link && host.unserved > host.closing) this.close(link.value, 'idle-timeout');
  }

  /** Idle connections make room for blocked hosts, those of the reservation of `host` first. */
  evictFor({ reservation }: HostPool<K>): void {
    this.#granter.evictFor(reservation);
  }

  /** Opens a connection for the next waiter of `host`. `false`: no request waits there. */
  dial(host: HostPool<K>): boolean {
    const { capacity, endOfTurn, limits, queues } = this.#books;
    const late = limits.binding === 'late';
    const waiter = (late && host.undialled.shift()) || host.waiting.next;
    if (!waiter) return false;
    if (!late) queues.take(waiter);
    if (waiter.connection) waiter.connection.waiter = undefined;
    const connection = this.#books.create(host);
    // The next host's turn must not be put off for a turn of the loop that was over long ago.
    if (capacity.blocked.size > 0) endOfTurn.schedule();
    if (late) {
      // Bound to no request; but if it fails, the error is this one's, unless it has been served meanwhile.
      host.unclaimed++;
    } else {
      waiter.state = 'dialling';
    }
    this.#books.waitsLess(host);
    this.#dialFor(waiter, connection);
    return true;
  }

  /** Opens a connection for `waiter` alone, for which there is a place. */
  dialAlone(waiter: Waiter<K>): void {
    waiter.state = 'dialling';
    this.#dialFor(waiter, this.#books.create(waiter.host));
  }

  #dialFor(waiter: Waiter<K>, connection: Connection<K>): void {
    waiter.connection = connection;
    connection.waiter = waiter;
    this.#books.driver.dial(connection, waiter);
  }

  /** Opens a connection for no request: `spare` stands in the place of one. */
  dialSpare(spare: Waiter<K>): void {
    this.#books.driver.dial(this.#books.createSpare(spare), spare);
  }

  /** See `Pool.failed`. */
  failed(connection: Connection<K>, error: unknown, reason: CloseReason): void {
    if (connection.state !== 'connecting') return;
    const spare = this.#books.takeSpare(connection);
    const { host, waiter } = connection;
    connection.waiter = undefined;
    if (waiter?.state === 'dialling') {
      waiter.state = 'done';
    } else {
      host.unclaimed--;
      this.#books.recount(host);
      if (waiter) {
        this.#books.dequeue(waiter);
        waiter.state = 'done';
      }
    }
    this.#books.drop(connection, reason);
    if (spare) this.#books.driver.reject(spare, error);
    if (waiter) this.#books.driver.reject(waiter, error);
    this.closeUnneeded(host);
    this.grant(host);
  }

  /** See `Pool.close`. */
  close(connection: Connection<K>, reason: CloseReason, error?: unknown): void {
    if (connection.state === 'closing' || connection.state === 'closed') return;
    const { host } = connection;
    const spare = this.#books.takeSpare(connection);
    this.#books.leaveState(connection);
    this.#books.changes++;
    connection.closeReason = reason;
    if (spare) this.#books.driver.reject(spare, error);
    if (connection.pooled === undefined) {
      // Nothing to close, and nothing will tell us: a dial that is answered later finds it `closed`.
      this.#books.drop(connection, reason);
      this.grant(host);
      return;
    }
    connection.state = 'closing';
    this.#books.capacity.beginClosing(host);
    this.#books.driver.close(connection, reason, error);
    this.pump(host);
  }

  /** Where nothing is kept any more, what is being opened and no request waits for is given up. */
  closeUnneeded(host: HostPool<K>): void {
    if (!this.#books.isClosed || host.unclaimed <= host.waiting.size) return;
    for (const connection of host.connections) {
      if (connection.state !== 'connecting' || connection.waiter?.state === 'dialling') continue;
      this.close(connection, 'shutdown');
      if (host.unclaimed <= host.waiting.size) return;
    }
  }

  /** Closes `connection`, which no request has, because it is too old, or has been idle for as long as it may. */
  expire(connection: Connection<K>, now: number): void {
    this.close(connection, connection.retireAt <= now ? 'max-age' : 'idle-timeout');
  }

  /** Capacity came free that `host` used: the hosts that wait for a place come first, then `host`. */
  grant(host: HostPool<K>): void {
    this.#granter.grant(host.reservation);
    this.pump(host);
    this.#books.forgetIfEmpty(host);
  }

  /** Any capacity may have come free. */
  grantAll(): void {
    this.#granter.grantAll();
    for (const host of this.#books.hosts) this.pump(host);
  }
}
