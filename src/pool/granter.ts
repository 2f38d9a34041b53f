/**
 * Gives the places that come free under `maxTotalSockets` to the hosts that wait for one, and takes idle connections'
 * places for them while there are more such hosts than places. It promises that no host waits for a place that is free, nor
 * for one that an idle connection could give up.
 *
 * capacity.ts tells whose turn it is and which connection has to go; supply.ts opens and closes connections, and hands in how.
 */
import type { Connection, HostPool, ReservationOf } from './records.js';
import type { Kinds } from './kinds.js';
import type { EndOfTurn } from './end-of-turn.js';
import type { Capacity } from './capacity.js';

/** Both may come back here before they return. */
interface Means<K extends Kinds> {
  /** Opens a connection for `host`. */
  dial(host: HostPool<K>): void;
  /** Closes `connection`, which is idle. */
  evict(connection: Connection<K>): void;
}

export class Granter<K extends Kinds> {
  readonly #capacity: Capacity<K>;
  readonly #endOfTurn: EndOfTurn<K>;
  readonly #means: Means<K>;
  /** After a change of limits, there are still connections on places that are reserved for others. */
  #isOvercommitted = false;
  #isGranting = false;

  constructor(capacity: Capacity<K>, endOfTurn: EndOfTurn<K>, means: Means<K>) {
    this.#capacity = capacity;
    this.#endOfTurn = endOfTurn;
    this.#means = means;
  }

  /** A place came free that a host of `reservation` had. */
  grant(reservation: ReservationOf<K> | undefined): void {
    if (this.#isOvercommitted) this.#grantReserved();
    else if (reservation) this.#grant(reservation);
    this.#grant();
  }

  /** Any places may have come free. */
  grantAll(): void {
    this.#grantReserved();
    this.#grant();
  }

  /** One place per blocked host, of `reservation` first, taken from the least recently used idle connections. */
  evictFor(reservation: ReservationOf<K> | undefined): void {
    // Places that are reserved for these hosts serve no others.
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

  /** A place each, in turn, for as long as there are places: to all that wait, or to those of `reservation` on reserved ones. */
  #grant(reservation?: ReservationOf<K>): void {
    // A dial may fail, and so come back here, before it returns: the loop that runs already goes on instead.
    if (this.#isGranting) return;
    this.#isGranting = true;
    // Whatever foreign code throws on the way: the next places are granted.
    try {
      for (let host = this.#capacity.next(reservation); host; host = this.#capacity.next(reservation))
        this.#grantPlace(host);
    } finally {
      this.#isGranting = false;
    }
    this.evictFor(reservation);
  }

  /** There is a place for `host`, and it is its turn. */
  #grantPlace(host: HostPool<K>): void {
    if (host.connections.size >= host.limits.maxSockets) {
      this.#capacity.unblock(host);
      return;
    }
    this.#capacity.takeTurn(host);
    if (this.#endOfTurn.claimGrantedDial(host)) this.#means.dial(host);
    else this.#capacity.unblock(host);
  }
}
