/**
 * Places for connections: what `maxSockets` and `maxTotalSockets` allow. It counts the connections of all hosts, keeps free
 * what is reserved, and knows which hosts wait for a place, whose turn it is, and whose idle connection has to go for it.
 * It promises
 *
 * - a host that waits for a place under `maxTotalSockets` gets it after a bounded number of requests of others: see `MAX_OVERTAKES`;
 * - an answer takes constant time, or, with `fairness: 'fifo'`, time that grows with the logarithm of the number of hosts
 *   that wait; to find what can be evicted, it passes over at most as many connections as are reserved.
 *
 * It opens and closes nothing: supply.ts does, and books.ts tells of it.
 */
import type { Connection, HostPool, ReservationOf } from './records.js';
import type { Kinds } from './kinds.js';
import type { HostLimits, Limits } from './limits.js';
import { Link, List } from './list.js';
import { Reservation } from './reservation.js';
import { OldestFirst, RoundRobin } from './fairness.js';
import type { Turns } from './fairness.js';

/**
 * How many requests may be served on used connections of other hosts before the next host that waits for a place under
 * `maxTotalSockets` gets one of their places. Zero would be strict turns, and a new handshake for every request; no
 * bound would starve. So a host that waits has its place after at most `(MAX_OVERTAKES + 1) * W` such requests, where W
 * is the sum of the weights of the hosts that are before it, and its own; with `fairness: 'fifo'`, the number of older
 * requests that wait for a place, and its own one.
 */
export const MAX_OVERTAKES = 20;

export class Capacity<K extends Kinds> {
  /** Connections of all hosts that are not closed: `maxTotalSockets` limits their number. */
  size = 0;
  /** Connections in state `closing`. */
  closing = 0;
  /** Hosts with unserved requests that only `maxTotalSockets` holds back. */
  readonly blocked: Turns<K>;
  /** Connections that are being opened for no request, the oldest first. */
  readonly spares: List<Connection<K>> = new List();
  /** Reservations under `maxTotalSockets`, by the limits of the hosts that they are for. */
  readonly reservations: Map<HostLimits, ReservationOf<K>> = new Map();
  /** Reserved places without a connection. They are kept free. */
  held = 0;

  readonly #limits: Limits;
  readonly #idle: List<Connection<K>>;
  /** Requests served on used connections while other hosts waited for a place, since a place was last given. */
  #overtakes = 0;

  /** @param idle idle connections of all hosts, the least recently used first */
  constructor(limits: Limits, idle: List<Connection<K>>) {
    this.#limits = limits;
    this.#idle = idle;
    this.blocked = limits.fairness === 'fifo' ? new OldestFirst() : new RoundRobin();
  }

  // Opening and closing

  mayOpen(host: HostPool<K>): boolean {
    return host.connections.size < host.limits.maxSockets && this.hasPlace(host);
  }

  /** Whether there is a place for `host` under `maxTotalSockets` that is not reserved for others. */
  hasPlace({ reservation }: HostPool<K>): boolean {
    const left = this.#limits.maxTotalSockets - this.size - this.held;
    return left > 0 || (reservation !== undefined && reservation.unused > 0 && left + reservation.unused > 0);
  }

  /** Hot path. Whether there are more connections than a lowered limit allows, those on their way out not counted. */
  isSurplus(host: HostPool<K>): boolean {
    if (host.connections.size - host.closing > host.limits.maxSockets) return true;
    return (
      this.size - this.closing > this.#limits.maxTotalSockets || (this.#isShort && !this.#isReserved(host))
    );
  }

  /** The idle connection that is closed next for the hosts that wait, or for what is reserved. */
  get evictee(): Connection<K> | undefined {
    return this.blocked.size > this.closing || this.#isShort ? (this.evictable ?? this.#needless) : undefined;
  }

  /** A connection that is being opened for no request, and that none waits for. */
  get #needless(): Connection<K> | undefined {
    for (const connection of this.spares) {
      const { host } = connection;
      if (host.waiting.size === 0 && !this.#isReserved(host)) return connection;
    }
    return undefined;
  }

  /** How many connections may be opened for `host` under `maxTotalSockets`. */
  placesLeft({ reservation }: HostPool<K>): number {
    return this.#limits.maxTotalSockets - this.size - this.held + (reservation?.unused ?? 0);
  }

  /** The least recently used idle connection on a place that is not reserved. */
  get evictable(): Connection<K> | undefined {
    let link = this.#idle.head;
    while (link && this.#isReserved(link.value.host)) link = link.next;
    return link?.value;
  }

  /** Whether, after a change of limits, more is open or reserved than there are places. */
  get isOvercommitted(): boolean {
    return this.size + this.held > this.#limits.maxTotalSockets;
  }

  /** The same, when what closes is gone: there are connections on places that are reserved for others. */
  get #isShort(): boolean {
    return this.held > 0 && this.size - this.closing + this.held > this.#limits.maxTotalSockets;
  }

  /** Whether a connection of `host` that is closed would only free a place for its own reservation. */
  #isReserved({ reservation }: HostPool<K>): boolean {
    return reservation !== undefined && reservation.isWithinReserve;
  }

  // Connections

  enter(connection: Connection<K>): void {
    const { host } = connection;
    const { connections, limits, reservation } = host;
    connections.add(connection);
    this.size++;
    if (connections.size >= limits.maxSockets) this.unblock(host);
    if (reservation) {
      if (reservation.unused > 0) this.held--;
      reservation.size++;
    }
  }

  leave(connection: Connection<K>): void {
    const { connections, reservation } = connection.host;
    connections.delete(connection);
    this.size--;
    if (reservation) {
      reservation.size--;
      if (reservation.size < reservation.reserve) this.held++;
    }
  }

  /** A connection of `host` is on its way out. */
  beginClosing(host: HostPool<K>): void {
    host.closing++;
    this.closing++;
    if (host.reservation) host.reservation.closing++;
  }

  /** It has arrived there. */
  endClosing(host: HostPool<K>): void {
    host.closing--;
    this.closing--;
    if (host.reservation) host.reservation.closing--;
  }

  // Blocked hosts

  /** `host` waits for a place. */
  block(host: HostPool<K>): void {
    this.blocked.add(host);
    host.reservation?.blocked.push(host.reservationLink);
  }

  /** `host` does not, or not any more. */
  unblock(host: HostPool<K>): void {
    if (!host.isBlocked) return;
    this.blocked.remove(host);
    host.reservation?.blocked.remove(host.reservationLink);
  }

  /** The host that gets the next place: of all blocked hosts, or of those in `reservation`. `undefined`: there is no place. */
  next(reservation?: ReservationOf<K>): HostPool<K> | undefined {
    const host = this.#first(reservation);
    return host && reservation?.unused !== 0 && this.hasPlace(host) ? host : undefined;
  }

  /** `host`, which waits, has a place: the others come next. */
  takeTurn(host: HostPool<K>): void {
    this.#overtakes = 0;
    this.blocked.granted(host);
    if (host.reservation?.blocked.remove(host.reservationLink))
      host.reservation.blocked.push(host.reservationLink);
  }

  /** Whether `host`, instead of serving one more request of its own, gives up the place to those that wait for one. */
  decideYield(host: HostPool<K>): boolean {
    // On a reserved place, what it gives up serves only those of its reservation.
    const reservation = this.#isReserved(host) ? host.reservation : undefined;
    const { blocked, closing } = reservation ?? this;
    const others = blocked.size - (host.isBlocked ? 1 : 0);
    if (others <= closing || !this.blocked.isOvertaking(host)) return false;
    if (this.#overtakes++ < MAX_OVERTAKES) return false;
    this.#overtakes = 0;
    if (this.#first(reservation) !== host) return true;
    // It is its own turn: it keeps the place that it would get.
    this.takeTurn(host);
    return false;
  }

  /** Places that are about to come free, and go to `host` then. */
  placesFor(host: HostPool<K>): number {
    if (host.isBlocked) return this.blocked.size <= this.closing ? 1 : 0;
    return host.closing;
  }

  #first(reservation: ReservationOf<K> | undefined): HostPool<K> | undefined {
    return reservation ? reservation.blocked.head?.value : this.blocked.next;
  }

  // Reservations

  /** Gives out what `maxTotalSockets` allows to reserve. One place at least stays for everybody. */
  allot(): void {
    let left = Math.max(0, this.#limits.maxTotalSockets - 1);
    this.held = 0;
    for (const [limits, reservation] of this.reservations) {
      reservation.reserve = Math.min(limits.reserve, left);
      left -= reservation.reserve;
      this.held += reservation.unused;
    }
  }

  /**
   * There are other rules. `allot` gives out what they reserve.
   *
   * @param reserving the limits that reserve something
   * @param relimit gives a host its limits, and the reservation that goes with them
   */
  replaceReservations(
    reserving: readonly HostLimits[],
    hosts: Iterable<HostPool<K>>,
    relimit: (host: HostPool<K>) => void,
  ): void {
    this.reservations.clear();
    for (const limits of reserving) this.reservations.set(limits, new Reservation());
    for (const host of hosts) {
      this.unblock(host);
      for (const { reservationLink } of host.idle)
        if (reservationLink) host.reservation?.idle.remove(reservationLink);
      relimit(host);
      const { reservation } = host;
      if (!reservation) continue;
      reservation.size += host.connections.size;
      reservation.closing += host.closing;
    }
    for (const connection of this.#idle) {
      connection.host.reservation?.idle.push((connection.reservationLink ??= new Link(connection)));
    }
  }
}
