/**
 * One unref'd timer an agent: wakes when the first idle connection expires, and asks `reap` for the next time. Nothing
 * is armed or cleared per request: a timer whose connection was leased again wakes in vain, once, and is armed again
 * only if something else is idle.
 */
import { GRAIN } from '../pool/expiry-wheel.js';
import { clearTimeout, LOST_AFTER, MAX_DELAY, setTimeout } from '../node/timers.js';

export class Reaper {
  readonly #now: () => number;
  readonly #reap: (now: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;

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
    const isLost = now > this.#wakesAt + LOST_AFTER;
    if (at >= this.#wakesAt && !isLost) return;
    this.#wakesAt = isLost ? now : at;
    clearTimeout(this.#timer);
    // Expiries closer together share one sweep. A lease checks the expiry for itself.
    const delay = Math.min(Math.max(this.#wakesAt - now, GRAIN), MAX_DELAY);
    this.#timer = setTimeout(() => this.#wake(), delay).unref();
  }

  /** Nothing is idle any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakesAt = Infinity;
  }

  #wake(): void {
    const now = this.#now();
    this.#timer = undefined;
    this.#wakesAt = Infinity;
    let next = now;
    try {
      next = this.#reap(now);
    } finally {
      // Where it has thrown, what is left is looked for soon.
      if (next !== Infinity) this.expect(next, now);
    }
  }
}
