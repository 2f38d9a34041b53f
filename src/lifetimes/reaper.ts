/**
 * One unref'd timer an agent: wakes when the first idle connection expires, and asks `reap` for the next time. Nothing
 * is armed or cleared per request: a timer whose connection was leased again wakes in vain, once, and is armed again
 * only if something else is idle.
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

  /** Hot path. Something expires at `at`: wake then, unless we wake earlier anyway. */
  expect(at: number, now: number): void {
    const isLost = this.#alarm.isLost(now);
    if (at >= this.#alarm.at && !isLost) return;
    // Expiries closer together share one sweep. A lease checks the expiry for itself.
    this.#alarm.set(isLost ? now : at, now, GRAIN);
  }

  /** Nothing is idle any more. */
  stop(): void {
    this.#alarm.clear();
  }

  #wake(): void {
    const now = this.#now();
    let next = now;
    try {
      next = this.#reap(now);
    } finally {
      // Where it has thrown, what is left is looked for soon.
      if (next !== Infinity) this.expect(next, now);
    }
  }
}
