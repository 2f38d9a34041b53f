/**
 * Opens connections for the requests that wait, and closes connections. It promises
 *
 * - the limits hold at every moment, whatever the driver answers, and whenever: a connection counts from before its dial until
 *   the driver says that it is closed;
 * - no request waits while there is capacity for it, except until the end of this turn of the event loop: every path that
 *   frees capacity ends in `grant` or `pump`.
 *
 * The driver may call back into the pool before it returns, so that every method leaves the books in order before it calls
 * the driver. A loop ends as soon as one of its steps changes nothing, whatever the counts say: a wrong count costs a request, not the process.
 */
import type { Books } from './books.js';
import type { CloseReason } from './close-reason.js';
import { Granter } from './granter.js';
import type { Kinds } from './kinds.js';
import type { Connection, GatewayOf, HostPool, Waiter } from './records.js';

export class Supply<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #granter: Granter<K>;
  /** Gateways whose slots are being given out. */
  readonly #isGrantingAt = new Set<GatewayOf<K>>();

  constructor(books: Books<K>) {
    this.#books = books;
    this.#granter = new Granter(books.capacity, books.endOfTurn, {
      dial: (host) => this.dial(host),
      evict: (connection) => this.close(connection, 'evicted'),
      evictAt: (gateway) => this.#evictAt(gateway),
    });
  }

  /** Validates and opens the connections that `host` needs, as far as the limits allow, and tells the driver if a request has to wait for a limit. */
  pump(host: HostPool<K>): void {
    this.start(host);
    if (!host.saturated && host.isStuck) this.#books.saturate(host);
  }

  /** Validates and opens the connections that `host` needs, as far as the limits allow, and puts it in line for the limit that holds it back. */
  start(host: HostPool<K>): void {
    const { capacity, endOfTurn } = this.#books;
    // A request waits because its connection was dead. Another idle one may be alive, and is validated sooner than a new one is opened.
    while (host.idle.size > 0 && host.waiting.size - host.unreplayable > host.validating)
      if (!this.validateIdle(host.nextIdle)) break;
    while (host.unserved > 0) {
      if (host.connections.size >= host.limits.maxSockets) {
        this.#giveWay(host);
        return;
      }
      const { gateway } = host;
      if (gateway && !gateway.mayEnter(host)) {
        capacity.blockAtGateway(host, gateway);
        this.#evictAt(gateway);
        return;
      }
      if (!capacity.hasSlot(host)) {
        if (!host.isBlocked) capacity.block(host);
        this.evictFor(host);
        return;
      }
      gateway?.leave(host);
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

  /** Closes an idle connection of `host`, the longest idle one first, for each waiter that may have none of them: that needs the slot. */
  #giveWay(host: HostPool<K>): void {
    const link = host.idle.head;
    // Closing it comes back here for the next.
    if (link && host.unserved > host.closing) this.close(link.value, 'idle-timeout');
  }

  /** Idle connections make room for blocked hosts, those of the gateway and the reservation of `host` first. */
  evictFor({ gateway, reservation }: HostPool<K>): void {
    if (gateway) this.#evictAt(gateway);
    this.#granter.evictFor(reservation);
  }

  /** One slot per host that waits at `gateway`. */
  #evictAt(gateway: GatewayOf<K>): void {
    const { capacity } = this.#books;
    let last: Connection<K> | undefined;
    for (let one = capacity.evicteeAt(gateway); one && one !== last; one = capacity.evicteeAt(gateway)) {
      last = one;
      this.close(one, 'evicted');
    }
  }

  /** Gives the hosts that wait at `gateway` a slot each, in turn, as long as there are slots. */
  #grantAt(gateway: GatewayOf<K>): void {
    // A dial may fail before it returns, and that calls this again: the outer loop goes on instead.
    if (this.#isGrantingAt.has(gateway)) return;
    this.#isGrantingAt.add(gateway);
    try {
      while (gateway.left > 0) {
        const host = gateway.blocked.head?.value;
        if (!host) break;
        this.#grantSlotAt(gateway, host);
      }
    } finally {
      this.#isGrantingAt.delete(gateway);
    }
    this.#evictAt(gateway);
  }

  #grantSlotAt(gateway: GatewayOf<K>, host: HostPool<K>): void {
    const { capacity, endOfTurn } = this.#books;
    if (host.connections.size >= host.limits.maxSockets) {
      gateway.leave(host);
    } else if (!capacity.hasSlot(host)) {
      capacity.block(host);
      this.#granter.evictFor(host.reservation);
    } else {
      gateway.takeTurn(host);
      if (!endOfTurn.claimGrantedDial(host) || !this.dial(host)) gateway.leave(host);
    }
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
    // A blocked host dials once a turn, and only turns whose end is asked for are counted.
    if (capacity.blocked.size > 0) endOfTurn.schedule();
    if (late) {
      // Late binding: the connection is bound to no request, but the error of its dial goes to this one, unless that has been served meanwhile.
      this.#books.beginUnclaimed(host);
    } else {
      waiter.state = 'dialling';
      this.#books.waitsLess(host);
    }
    this.#dialFor(waiter, connection);
    return true;
  }

  /** Opens a connection for `waiter` alone, for which there is a slot. */
  dialAlone(waiter: Waiter<K>): void {
    waiter.state = 'dialling';
    this.#dialFor(waiter, this.#books.create(waiter.host));
  }

  #dialFor(waiter: Waiter<K>, connection: Connection<K>): void {
    waiter.connection = connection;
    connection.waiter = waiter;
    this.#books.driver.dial(connection, waiter);
  }

  /** Opens a connection ahead of any request. `spare` stands for the request. */
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
      this.#books.endUnclaimed(host);
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
      // No socket exists that could be closed and tell of it. A dial that is answered later finds the connection `closed`.
      this.#books.drop(connection, reason);
      this.grant(host);
      return;
    }
    connection.state = 'closing';
    this.#books.capacity.beginClosing(host);
    this.#books.driver.close(connection, reason, error);
    this.pump(host);
  }

  /** Gives up connections that are being opened and that no request waits for, where none is kept idle any more. */
  closeUnneeded(host: HostPool<K>): void {
    if (!this.#books.isClosedFor(host) || host.unclaimed <= host.waiting.size) return;
    for (const connection of host.connections) {
      if (connection.state !== 'connecting' || connection.waiter?.state === 'dialling') continue;
      this.close(connection, 'shutdown');
      if (host.unclaimed <= host.waiting.size) return;
    }
  }

  /** Closes `connection`, which no request has, because it is too old, or has been idle for as long as it may. */
  expire(connection: Connection<K>, now: number): void {
    this.close(connection, connection.retireAt <= now ? connection.retireReason : 'idle-timeout');
  }

  /** Capacity came free that `host` used: the hosts that wait for a slot come first, then `host`. */
  grant(host: HostPool<K>): void {
    this.#granter.grant(host.reservation);
    if (host.gateway) this.#grantAt(host.gateway);
    this.pump(host);
    this.#books.forgetIfEmpty(host);
  }

  /** `grant`, where capacity of any host may have come free. */
  grantAll(): void {
    this.#granter.grantAll();
    for (const gateway of this.#books.capacity.gateways.values()) this.#grantAt(gateway);
    for (const host of this.#books.hosts) this.pump(host);
  }
}
