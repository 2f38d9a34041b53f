/**
 * Closes expired idle connections: one unref'd timer per pool wakes when the first connection expires, and asks `reap` for the next time. No
 * request sets or clears a timer: if the connection was leased again, the timer wakes once in vain, and is set again only if another
 * connection is idle.
 */
import { GRAIN } from '../pool/expiry-wheel.js';
import { Alarm } from '../node/alarm.js';

export class Reaper {
  readonly #now: () => number;
  readonly #reap: (now: number) => number;
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#wake());

  /**
   * @param now the clock by which connections expire
   * @param reap closes what has expired at `now` and returns the next expiry, `Infinity` for none
   */
  constructor(now: () => number, reap: (now: number) => number) {
    this.#now = now;
    this.#reap = reap;
  }

  /** Hot path. A connection expires at `at`: the timer is set for that, unless it wakes earlier anyway. */
  expect(at: number, now: number): void {
    const isLost = this.#alarm.isLost(now);
    if (at >= this.#alarm.at && !isLost) return;
    // Expiries closer together share one sweep. A lease checks the expiry for itself.
    this.#alarm.set(isLost ? now : at, now, GRAIN);
  }

  /** No connection is idle any more. */
  stop(): void {
    this.#alarm.clear();
  }

  #wake(): void {
    const now = this.#now();
    let next = now;
    try {
      next = this.#reap(now);
    } finally {
      // Set soon if `reap` has thrown: the rest is still to be closed.
      if (next !== Infinity) this.expect(next, now);
    }
  }
}
