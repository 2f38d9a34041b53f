/**
 * Capacity for connections under `maxSockets` and `maxTotalSockets`. The capacity for one connection is called a _slot_. This class counts the
 * connections of all hosts, keeps reserved slots free, and knows which hosts wait for a slot, whose turn it is, and whose idle connection
 * is closed for it. It promises
 *
 * - a host that waits for a slot under `maxTotalSockets` gets it after a bounded number of requests of others: see `MAX_OVERTAKES`;
 * - an answer takes constant time, or, with `fairness: 'fifo'`, time that grows with the logarithm of the number of hosts
 *   that wait; to find an idle connection to evict, it passes over at most as many connections as are reserved.
 *
 * It opens and closes nothing: supply.ts does, and books.ts tells this class.
 */
import type { Connection, GatewayOf, HostPool, ReservationOf } from './records.js';
import { Gateway } from './gateway.js';
import type { Kinds } from './kinds.js';
import type { HostLimits, Limits } from './limits.js';
import { Link, List } from './list.js';
import { Reservation } from './reservation.js';
import { OldestFirst, RoundRobin } from './fairness.js';
import type { Turns } from './fairness.js';

/**
 * The number of requests that may be served on used connections of other hosts before the next host that waits for a slot under
 * `maxTotalSockets` gets one of their slots. Zero would mean a new handshake for every request; without a bound, hosts could starve.
 * So a host that waits has its slot after at most `(MAX_OVERTAKES + 1) * W` such requests. W is the sum of the weights of the hosts
 * before it, and its own; with `fairness: 'fifo'` it is the number of older requests that wait for a slot, and its own one.
 */
export const MAX_OVERTAKES = 20;

export class Capacity<K extends Kinds> {
  /** Connections of all hosts that are not closed: the sum of their `connections.size`, which `enter` and `leave` keep. `maxTotalSockets` limits it. */
  size = 0;
  /** Connections of all hosts in state `closing`: the sum of their `closing`, which `beginClosing` and `endClosing` keep. */
  closing = 0;
  /** Hosts with unserved requests that only `maxTotalSockets` holds back. */
  readonly blocked: Turns<K>;
  /** Connections that are being opened for no request, the oldest first: those whose waiter is `spare`. Each is unclaimed. */
  readonly spares: List<Connection<K>> = new List();
  /** Reservations under `maxTotalSockets`, by the limits of the hosts that they are for. */
  readonly reservations: Map<HostLimits, ReservationOf<K>> = new Map();
  /** Gateways, by the limits that bound their connections. */
  readonly gateways: Map<HostLimits, GatewayOf<K>> = new Map();
  /** Reserved slots without a connection, which are kept free: the sum of `unused` of all reservations, which `enter`, `leave` and `allot` keep. */
  held = 0;

  readonly #limits: Limits;
  readonly #idle: List<Connection<K>>;
  /** Requests that were served on used connections while other hosts waited for a slot, since a slot was last given. */
  #overtakes = 0;

  /** @param idle idle connections of all hosts, the least recently used first */
  constructor(limits: Limits, idle: List<Connection<K>>) {
    this.#limits = limits;
    this.#idle = idle;
    this.blocked = limits.fairness === 'fifo' ? new OldestFirst() : new RoundRobin();
  }

  // Opening and closing

  mayOpen(host: HostPool<K>): boolean {
    const { connections, gateway, limits } = host;
    return connections.size < limits.maxSockets && (!gateway || gateway.left > 0) && this.hasSlot(host);
  }

  /** Whether there is a slot for `host` under `maxTotalSockets` that is not reserved for others. */
  hasSlot({ reservation }: HostPool<K>): boolean {
    const left = this.#limits.maxTotalSockets - this.size - this.held;
    return left > 0 || (reservation !== undefined && reservation.unused > 0 && left + reservation.unused > 0);
  }

  /** Hot path. Whether there are more connections, without those that are closing, than a lowered limit allows. */
  isSurplus(host: HostPool<K>): boolean {
    if (host.connections.size - host.closing > host.limits.maxSockets) return true;
    if (host.gateway?.isSurplus) return true;
    return (
      this.size - this.closing > this.#limits.maxTotalSockets || (this.#isShort() && !this.#isReserved(host))
    );
  }

  /** The idle connection that is closed next, for the hosts that wait or for a reservation that lacks slots. */
  get evictee(): Connection<K> | undefined {
    return this.blocked.size > this.closing || this.#isShort()
      ? (this.evictable ?? this.#needless)
      : undefined;
  }

  /** The connection that is closed next for the hosts that wait at `gateway`. */
  evicteeAt(gateway: GatewayOf<K>): Connection<K> | undefined {
    if (!gateway.lacksSlots) return undefined;
    return gateway.idle.head?.value ?? this.#needlessOf((host) => host.gateway === gateway);
  }

  get #needless(): Connection<K> | undefined {
    return this.#needlessOf((host) => !this.#isReserved(host));
  }

  /** A spare connection that is being opened and that no request waits for, of a host that `may` give it up. */
  #needlessOf(may: (host: HostPool<K>) => boolean): Connection<K> | undefined {
    for (const connection of this.spares) {
      const { host } = connection;
      if (host.waiting.size === 0 && may(host)) return connection;
    }
    return undefined;
  }

  /** How many connections may be opened for `host` under `maxTotalSockets`. */
  slotsLeft({ reservation }: HostPool<K>): number {
    return this.#limits.maxTotalSockets - this.size - this.held + (reservation?.unused ?? 0);
  }

  /** The least recently used idle connection on a slot that is not reserved. */
  get evictable(): Connection<K> | undefined {
    let link = this.#idle.head;
    while (link && this.#isReserved(link.value.host)) link = link.next;
    return link?.value;
  }

  /** Whether, after a change of limits, more is open or reserved than there are slots. */
  get isOvercommitted(): boolean {
    return this.size + this.held > this.#limits.maxTotalSockets;
  }

  /** `isOvercommitted` without connections that are closing: some of the others are on slots that are reserved for other hosts. */
  #isShort(): boolean {
    return this.held > 0 && this.size - this.closing + this.held > this.#limits.maxTotalSockets;
  }

  /** Whether closing a connection of `host` would free a slot for its own reservation only. */
  #isReserved({ reservation }: HostPool<K>): boolean {
    return reservation !== undefined && reservation.isWithinReserve;
  }

  // Connections

  enter(connection: Connection<K>): void {
    const { host } = connection;
    const { connections, gateway, limits, reservation } = host;
    connections.add(connection);
    if (gateway) gateway.size++;
    this.size++;
    if (connections.size >= limits.maxSockets) this.unblock(host);
    if (reservation) {
      if (reservation.unused > 0) this.held--;
      reservation.size++;
    }
  }

  leave(connection: Connection<K>): void {
    const { connections, gateway, reservation } = connection.host;
    connections.delete(connection);
    if (gateway) gateway.size--;
    this.size--;
    if (reservation) {
      reservation.size--;
      if (reservation.size < reservation.reserve) this.held++;
    }
  }

  /** A connection of `host` begins to close. */
  beginClosing(host: HostPool<K>): void {
    host.closing++;
    this.closing++;
    if (host.reservation) host.reservation.closing++;
    if (host.gateway) host.gateway.closing++;
  }

  /** A connection of `host` that was closing is closed. */
  endClosing(host: HostPool<K>): void {
    host.closing--;
    this.closing--;
    if (host.reservation) host.reservation.closing--;
    if (host.gateway) host.gateway.closing--;
  }

  // Blocked hosts

  /** `host` waits for a slot under `maxTotalSockets`. */
  block(host: HostPool<K>): void {
    host.gateway?.leave(host);
    this.blocked.add(host);
    host.reservation?.blocked.push(host.reservationLink);
  }

  /** `host` does not wait for a slot, or not any more. */
  unblock(host: HostPool<K>): void {
    host.gateway?.leave(host);
    if (!host.isBlocked) return;
    this.blocked.remove(host);
    host.reservation?.blocked.remove(host.reservationLink);
  }

  /** `host` waits for a slot at its gateway, which is full. After that it may have to wait for one under `maxTotalSockets`. */
  blockAtGateway(host: HostPool<K>, gateway: GatewayOf<K>): void {
    if (host.isBlocked) this.unblock(host);
    gateway.wait(host);
  }

  /** The host that gets the next slot: of all blocked hosts, or of those in `reservation`. `undefined`: there is no slot. */
  next(reservation?: ReservationOf<K>): HostPool<K> | undefined {
    const host = this.#first(reservation);
    return host && reservation?.unused !== 0 && this.hasSlot(host) ? host : undefined;
  }

  /** `host`, which waits, has a slot: the others come next. */
  takeTurn(host: HostPool<K>): void {
    this.#overtakes = 0;
    this.blocked.granted(host);
    if (host.reservation?.blocked.remove(host.reservationLink))
      host.reservation.blocked.push(host.reservationLink);
  }

  /** Whether `host`, instead of serving one more request of its own, gives up the slot to those that wait for one. */
  decideYield(host: HostPool<K>): boolean {
    if (host.gateway?.decideYield(host, MAX_OVERTAKES)) return true;
    // A reserved slot that it gives up serves only hosts of its reservation.
    const reservation = this.#isReserved(host) ? host.reservation : undefined;
    const { blocked, closing } = reservation ?? this;
    const others = blocked.size - (host.isBlocked ? 1 : 0);
    if (others <= closing || !this.blocked.isOvertaking(host)) return false;
    if (this.#overtakes++ < MAX_OVERTAKES) return false;
    this.#overtakes = 0;
    if (this.#first(reservation) !== host) return true;
    // It is this host's own turn: it keeps the slot that it would get.
    this.takeTurn(host);
    return false;
  }

  /** The number of slots that are about to come free and that `host` gets then. */
  slotsFor(host: HostPool<K>): number {
    if (host.isBlocked) return this.blocked.size <= this.closing ? 1 : 0;
    if (host.gatewayLink.list) return host.gateway?.lacksSlots ? 0 : 1;
    return host.closing;
  }

  #first(reservation: ReservationOf<K> | undefined): HostPool<K> | undefined {
    return reservation ? reservation.blocked.head?.value : this.blocked.next;
  }

  // Reservations and gateways

  /** The gateway of hosts whose connections `limits` bound together. */
  gatewayOf(limits: HostLimits): GatewayOf<K> {
    let gateway = this.gateways.get(limits);
    if (!gateway) this.gateways.set(limits, (gateway = new Gateway(limits)));
    return gateway;
  }

  /** Divides the slots that `maxTotalSockets` allows to reserve. At least one slot is left for all hosts. */
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
   * The rules have changed. `allot` divides what they reserve.
   *
   * @param reserving the limits that reserve something
   * @param relimit gives a host its limits, and the reservation that goes with them
   */
  replaceGroups(
    reserving: readonly HostLimits[],
    hosts: Iterable<HostPool<K>>,
    relimit: (host: HostPool<K>) => void,
  ): void {
    this.reservations.clear();
    this.gateways.clear();
    for (const limits of reserving) this.reservations.set(limits, new Reservation());
    for (const host of hosts) {
      this.unblock(host);
      for (const { gatewayLink, reservationLink } of host.idle) {
        if (reservationLink) host.reservation?.idle.remove(reservationLink);
        if (gatewayLink) host.gateway?.idle.remove(gatewayLink);
      }
      relimit(host);
      for (const group of [host.reservation, host.gateway]) {
        if (!group) continue;
        group.size += host.connections.size;
        group.closing += host.closing;
      }
    }
    for (const connection of this.#idle) {
      connection.host.reservation?.idle.push((connection.reservationLink ??= new Link(connection)));
      connection.host.gateway?.idle.push((connection.gatewayLink ??= new Link(connection)));
    }
  }
}
