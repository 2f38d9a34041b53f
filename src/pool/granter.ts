/**
 * Gives the places that come free under `maxTotalSockets` to the hosts that wait for one, and takes idle connections'
 * places for them while there are more such hosts than places. It promises that nobody waits for a place that is free, nor
 * for one that an idle connection could give up.
 *
 * Whose turn it is and which connection has to go, room.ts tells. To open and close is the pool's: it hands in how.
 */
import type { Connection } from './connection.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import type { Postponed } from './end-of-turn.js';
import type { Room } from './capacity.js';
import type { Share } from './reservation.js';

/** Both may come back here before they return. */
interface Means<K extends Kinds> {
  /** Opens a connection for `host`. */
  dial(host: HostPool<K>): void;
  /** Closes `connection`, which is idle. */
  evict(connection: Connection<K>): void;
}

export class Feeder<K extends Kinds> {
  readonly #room: Room<K>;
  readonly #postponed: Postponed<K>;
  readonly #means: Means<K>;
  /** After a change of limits, there are still connections on places that are reserved for others. */
  #isOvercommitted = false;
  #isFeeding = false;

  constructor(room: Room<K>, postponed: Postponed<K>, means: Means<K>) {
    this.#room = room;
    this.#postponed = postponed;
    this.#means = means;
  }

  /** A place came free that a host of `share` had. */
  feed(share: Share<K> | undefined): void {
    if (this.#isOvercommitted) this.#feedShares();
    else if (share) this.#feed(share);
    this.#feed();
  }

  /** Any places may have come free. */
  feedAll(): void {
    this.#feedShares();
    this.#feed();
  }

  /** One place per hungry host, of `share` first, taken from the least recently used idle connections. */
  makeRoom(share: Share<K> | undefined): void {
    // What is reserved for them serves them only.
    if (share) this.#evict(share);
    this.#evict(this.#room);
  }

  #evict(from: { readonly evictee: Connection<K> | undefined }): void {
    let last: Connection<K> | undefined;
    for (let one = from.evictee; one && one !== last; one = from.evictee) {
      last = one;
      this.#means.evict(one);
    }
  }

  #feedShares(): void {
    for (const share of this.#room.shares.values()) this.#feed(share);
    this.#isOvercommitted = this.#room.isOvercommitted;
  }

  /** A place each, in turn, for as long as there are places: to all that wait, or to those of `share` on reserved ones. */
  #feed(share?: Share<K>): void {
    // A dial may fail, and so come back here, before it returns: the loop that runs already goes on instead.
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    // Whatever foreign code throws on the way: later ones are fed.
    try {
      for (let host = this.#room.next(share); host; host = this.#room.next(share)) this.#feedHost(host);
    } finally {
      this.#isFeeding = false;
    }
    this.makeRoom(share);
  }

  /** There is room for `host`, and it is its turn. */
  #feedHost(host: HostPool<K>): void {
    if (host.connections.size >= host.limits.maxSockets) {
      this.#room.sate(host);
      return;
    }
    this.#room.takeTurn(host);
    // It has waited for its place: put off once more, it would lose it to those behind it.
    if (this.#postponed.mayDial(host, true)) this.#means.dial(host);
    else this.#room.sate(host);
  }
}
