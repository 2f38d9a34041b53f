/**
 * The slots of `maxTotalSockets` that one rule reserves for its hosts: it counts the connections of these hosts, and lists those of
 * the hosts that wait for a slot. There is one reservation for each rule with a `reserve`. capacity.ts decides what follows from the counts.
 */
import { List } from './list.js';

export class Reservation<C, H> {
  /** Slots that no other host may take: as many as the rule says, as far as `maxTotalSockets` allows. */
  reserve = 0;
  /** Connections of its hosts that are not closed. Changed by capacity.ts, as all counts here. */
  size = 0;
  /** Connections of its hosts in state `closing`, which are in `size`, too. */
  closing = 0;
  /** Idle connections, the least recently used first. */
  readonly idle: List<C> = new List();
  /** Blocked hosts. All of them are among the blocked hosts of the pool, too. */
  readonly blocked: List<H> = new List();

  /** Reserved slots that no connection has. */
  get unused(): number {
    return Math.max(0, this.reserve - this.size);
  }

  /** The idle connection that gives up its slot to one of the blocked hosts. */
  get evictee(): C | undefined {
    return this.blocked.size > this.closing ? this.idle.head?.value : undefined;
  }

  /** Whether all of its connections that are not closing are on reserved slots: when one closes, no other host gains a slot. */
  get isWithinReserve(): boolean {
    return this.size - this.closing <= this.reserve;
  }
}
