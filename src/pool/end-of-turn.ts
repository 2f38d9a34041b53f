/**
 * Work that is put off to the end of this turn of the event loop, when it has polled for I/O: dials of hosts that have
 * dialled in this turn already, and the validation of connections. It asks the driver for that moment once, if there is work or a host has dialled.
 * It neither dials nor validates: supply.ts and assignment.ts do.
 */
import type { Connection, HostPool } from './records.js';
import type { Driver } from './driver.js';
import type { Kinds } from './kinds.js';
import type { Limits } from './limits.js';
import { List } from './list.js';

export class EndOfTurn<K extends Kinds> {
  /** Hosts with unserved requests that go on dialling at that moment. */
  readonly paced: List<HostPool<K>> = new List();
  /** Whether the moment was asked for and has not come yet. */
  scheduled = false;

  readonly #limits: Pick<Limits, 'keepAlive'>;
  readonly #driver: Pick<Driver<K>, 'schedule'>;
  /** Goes up at the end of a turn, if that was asked for: each turn in which a host dials. */
  #turns = 0;
  #validating: Connection<K>[] = [];
  #isResuming = false;

  constructor(driver: Pick<Driver<K>, 'schedule'>, limits: Pick<Limits, 'keepAlive'>) {
    this.#limits = limits;
    this.#driver = driver;
  }

  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.#driver.schedule();
  }

  /** Hot path. Has `connection` validated at that moment. */
  validate(connection: Connection<K>): void {
    this.#validating.push(connection);
    this.schedule();
  }

  /**
   * `true`: `host` dials now. `false`: it is noted for the end of the turn. A host dials once per turn, and a host that has
   * connections only at the turn's end: connections that are ready or come free by then serve the queue first, so that a burst
   * opens as many connections as it needs and not one for each request. Without `keepAlive` each connection serves one request, as a rule.
   */
  claimDial(host: HostPool<K>): boolean {
    const none = host.connections.size === host.closing;
    if (none || this.#isResuming || !this.#limits.keepAlive) return this.claimGrantedDial(host);
    this.#putOff(host);
    return false;
  }

  /** `claimDial` for a host that has just got a slot, and would lose it to the hosts behind it if it waited. */
  claimGrantedDial(host: HostPool<K>): boolean {
    if (host.dialTurn !== this.#turns) {
      host.dialTurn = this.#turns;
      this.schedule();
      return true;
    }
    this.#putOff(host);
    return false;
  }

  #putOff(host: HostPool<K>): void {
    if (!host.pacedLink.list) this.paced.push(host.pacedLink);
    this.schedule();
  }

  /** Hot path. That moment has come. Returns the connections to validate. */
  begin(): Connection<K>[] {
    this.#turns++;
    this.scheduled = false;
    const validating = this.#validating;
    this.#validating = [];
    return validating;
  }

  /** Hosts that were put off go on. Hosts that are put off meanwhile go on in the next turn. */
  resume(goOn: (host: HostPool<K>) => void): void {
    this.#isResuming = true;
    try {
      for (let count = this.paced.size; count > 0; count--) {
        const host = this.paced.shift();
        if (host) goOn(host);
      }
    } finally {
      this.#isResuming = false;
    }
  }
}
