/**
 * What some hosts together have of `maxTotalSockets` for themselves: their connections, and their hosts that wait for
 * one. There is one for each rule with a `reserve`. Counts; what follows from it is decided in capacity.ts.
 */
import type { Connection } from './connection.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import { Link, List } from './list.js';

export class Reservation<K extends Kinds> {
  /** Places that nobody else may take: what the rule says, as far as `maxTotalSockets` allows. */
  reserve = 0;
  /** Connections that are not closed. */
  size = 0;
  /** Connections in state `closing`. */
  closing = 0;
  /** Idle connections, the least recently used first. */
  readonly idle: List<Connection<K>> = new List();
  /** Hosts with unserved requests that only `maxTotalSockets` holds back. All of them are among the pool's, too. */
  readonly blocked: List<HostPool<K>> = new List();

  /** Reserved places that nobody has. */
  get unused(): number {
    return Math.max(0, this.reserve - this.size);
  }

  /** The idle connection that gives up its place to one of the hosts that wait. */
  get evictee(): Connection<K> | undefined {
    return this.blocked.size > this.closing ? this.idle.head?.value : undefined;
  }

  /** Whether all of its connections that stay are on reserved places: what closes frees nothing for others. */
  get isWithinReserve(): boolean {
    return this.size - this.closing <= this.reserve;
  }

  addIdle(connection: Connection<K>): void {
    this.idle.push((connection.reservationLink ??= new Link(connection)));
  }
}
