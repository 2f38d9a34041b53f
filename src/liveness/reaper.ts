/** One unref'd timer an agent: wakes when the first idle connection expires, and asks `reap` for the next time. */

/** Expiries closer together than this share one sweep, in milliseconds. A lease checks the expiry for itself. */
const GRAIN = 100;
const MAX_DELAY = 2 ** 31 - 1;

export class Reaper {
  readonly #reap: (now: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Infinity;

  /** @param reap closes what has expired at `now` and returns the next expiry, `Infinity` for none */
  constructor(reap: (now: number) => number) {
    this.#reap = reap;
  }

  /** Hot path. Something expires at `at`: wake then, unless we wake earlier anyway. */
  expect(at: number, now: number): void {
    if (at >= this.#wakesAt) return;
    this.#wakesAt = at;
    clearTimeout(this.#timer);
    const delay = Math.min(Math.max(at - now, GRAIN), MAX_DELAY);
    this.#timer = setTimeout(() => this.#wake(), delay).unref();
  }

  #wake(): void {
    const now = performance.now();
    this.#wakesAt = Infinity;
    const next = this.#reap(now);
    if (next !== Infinity) this.expect(next, now);
  }
}
