/**
 * The option `dns.follow`: the names of open connections are looked up again and again, and connections to addresses that a name no longer has are
 * given up. The pace is bounded: a tenth of a name's connections a second, the idle ones first; and `MAX_ASKED` look-ups a second, the
 * names first whose last look-up is longest ago.
 *
 * Where a limit is reached, a waiting request gets a new connection in the slot of one that is given up.
 */
import type { Destination, Leading } from '../../egress/dns/destination.js';
import type { Names } from '../../egress/dns/names.js';
import { Alarm } from '../../node/alarm.js';
import { monotonicNow } from '../../node/timers.js';
import type { Connection } from '../../pool/records.js';
import type { Pool } from '../../pool/pool.js';
import type { AgentKinds } from '../pooled-socket.js';

type Conn = Connection<AgentKinds>;

/** Milliseconds between two rounds. */
const INTERVAL = 1000;

/** Look-ups in each round. */
const MAX_ASKED = 20;

/** The part of a name's connections that is given up in each round; at least one. */
const PART = 0.1;

export class FollowedNames {
  readonly #names: Names;
  readonly #pool: Pool<AgentKinds>;
  readonly #interval: number;
  readonly #now: () => number;
  readonly #connections = new WeakMap<Leading, Conn>();
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#look());

  /** @param now the pool's clock */
  constructor(names: Names, pool: Pool<AgentKinds>, ttl: number, now: () => number) {
    this.#names = names;
    this.#pool = pool;
    this.#interval = Math.max(ttl, INTERVAL);
    this.#now = now;
  }

  /** `connection` is opened by `dial`. */
  begun(dial: Leading, connection: Conn): void {
    this.#connections.set(dial, connection);
    const now = monotonicNow();
    if (this.#alarm.isIdle(now)) this.#alarm.set(now + INTERVAL, now);
  }

  stop(): void {
    this.#alarm.clear();
  }

  #look(): void {
    const now = monotonicNow();
    const held: Destination[] = [];
    for (const destination of this.#names.destinations)
      if (destination.dials.size > 0) held.push(destination);
    if (held.length === 0) return;
    // The alarm is set first: the code below may throw.
    this.#alarm.set(now + INTERVAL, now);
    for (const destination of held) this.#giveUp(destination);
    const due = held.filter(({ askedAt }) => now - askedAt >= this.#interval - 1);
    due.sort((a, b) => a.askedAt - b.askedAt);
    for (const destination of due.slice(0, MAX_ASKED)) {
      destination.askedAt = now;
      this.#names.ask(destination);
    }
  }

  #giveUp(destination: Destination): void {
    const gone: Conn[] = [];
    for (const dial of destination.dials) {
      const connection = destination.isGone(dial) ? this.#connections.get(dial) : undefined;
      if (connection && connection.retireReason !== 'address-gone') gone.push(connection);
    }
    if (gone.length === 0) return;
    gone.sort((a, b) => Number(b.state === 'idle') - Number(a.state === 'idle'));
    let left = Math.max(1, Math.floor(destination.dials.size * PART));
    for (const connection of gone) {
      if (left === 0) return;
      if (this.#pool.upkeep.retireNow(connection, 'address-gone', this.#now())) left--;
    }
  }
}
