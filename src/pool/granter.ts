/**
 * Gives the slots that come free under `maxTotalSockets` to the hosts that wait for one, and evicts idle connections while there are more
 * such hosts than free slots. It promises that no host waits while a slot is free, or while an idle connection could be evicted for it.
 *
 * capacity.ts tells whose turn it is and which connection is evicted; supply.ts hands in the functions that open and close connections.
 */
import type { Connection, GatewayOf, HostPool, ReservationOf } from './records.js';
import type { Kinds } from './kinds.js';
import type { EndOfTurn } from './end-of-turn.js';
import type { Capacity } from './capacity.js';

/** All of them may call this class again before they return. */
interface Means<K extends Kinds> {
  /** Opens a connection for `host`. */
  dial(host: HostPool<K>): void;
  /** Closes `connection`, which is idle. */
  evict(connection: Connection<K>): void;
  /** Closes idle connections of `gateway` for the hosts that wait there. */
  evictAt(gateway: GatewayOf<K>): void;
}

export class Granter<K extends Kinds> {
  readonly #capacity: Capacity<K>;
  readonly #endOfTurn: EndOfTurn<K>;
  readonly #means: Means<K>;
  /** After a change of limits, some connections are still on slots that are reserved for other hosts. */
  #isOvercommitted = false;
  #isGranting = false;

  constructor(capacity: Capacity<K>, endOfTurn: EndOfTurn<K>, means: Means<K>) {
    this.#capacity = capacity;
    this.#endOfTurn = endOfTurn;
    this.#means = means;
  }

  /** A slot of a host of `reservation` came free. */
  grant(reservation: ReservationOf<K> | undefined): void {
    if (this.#isOvercommitted) this.#grantReserved();
    else if (reservation) this.#grant(reservation);
    this.#grant();
  }

  /** Any slots may have come free. */
  grantAll(): void {
    this.#grantReserved();
    this.#grant();
  }

  /** Evicts one idle connection for each blocked host, those of `reservation` first; of the connections, the least recently used ones first. */
  evictFor(reservation: ReservationOf<K> | undefined): void {
    // Slots that are reserved for these hosts are given to no others.
    if (reservation) this.#evict(reservation);
    this.#evict(this.#capacity);
  }

  #evict(from: { readonly evictee: Connection<K> | undefined }): void {
    let last: Connection<K> | undefined;
    for (let one = from.evictee; one && one !== last; one = from.evictee) {
      last = one;
      this.#means.evict(one);
    }
  }

  #grantReserved(): void {
    for (const reservation of this.#capacity.reservations.values()) this.#grant(reservation);
    this.#isOvercommitted = this.#capacity.isOvercommitted;
  }

  /** Gives blocked hosts a slot each, in turn, as long as there are slots: free ones to all hosts, or reserved ones to those of `reservation`. */
  #grant(reservation?: ReservationOf<K>): void {
    // A dial may fail before it returns, and that calls this again: the outer loop goes on instead.
    if (this.#isGranting) return;
    this.#isGranting = true;
    // If foreign code throws, the remaining slots are granted all the same.
    try {
      for (let host = this.#capacity.next(reservation); host; host = this.#capacity.next(reservation))
        this.#grantSlot(host);
    } finally {
      this.#isGranting = false;
    }
    this.evictFor(reservation);
  }

  /** Gives a free slot to `host`, whose turn it is. */
  #grantSlot(host: HostPool<K>): void {
    if (host.connections.size >= host.limits.maxSockets) {
      this.#capacity.unblock(host);
      return;
    }
    const { gateway } = host;
    if (gateway && !gateway.mayEnter(host)) {
      this.#capacity.blockAtGateway(host, gateway);
      // Idle connections on reserved slots were not evicted for a slot under `maxTotalSockets`. For one at the gateway they are.
      this.#means.evictAt(gateway);
      return;
    }
    this.#capacity.takeTurn(host);
    if (this.#endOfTurn.claimGrantedDial(host)) this.#means.dial(host);
    else this.#capacity.unblock(host);
  }
}
