/**
 * A timer that is set for one moment at a time. It notices when its callback was lost (a fake timer whose test tool is gone, say), so that it can be
 * set again, and a lost callback stops nothing for good.
 *
 * Moments are by the clock of its owner.
 */
import { clearTimeout, LOST_AFTER, MAX_DELAY, setTimeout } from './timers.js';

export class Alarm {
  readonly #ring: () => void;
  readonly #hold: 'holds-process' | 'lets-exit';
  #timer: NodeJS.Timeout | undefined = undefined;
  #at = Infinity;

  /** @param hold whether it keeps the process alive while it is set */
  constructor(hold: 'holds-process' | 'lets-exit', ring: () => void) {
    this.#hold = hold;
    this.#ring = ring;
  }

  /** The moment at which it rings; `Infinity`: it is not set. */
  get at(): number {
    return this.#at;
  }

  /** Hot path. Whether it will not ring: at `now`, or a moment shortly before, it is not set, or its callback was lost. */
  isIdle(now: number): boolean {
    return this.#at === Infinity || this.isLost(now);
  }

  /** Hot path. */
  isLost(now: number): boolean {
    return now > this.#at + LOST_AFTER;
  }

  /**
   * Sets it to `at`, in place of its former moment.
   *
   * @param least the least number of milliseconds until it rings
   */
  set(at: number, now: number, least = 1): void {
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(ringLater, Math.min(Math.max(Math.ceil(at - now), least), MAX_DELAY), this);
    if (this.#hold === 'lets-exit') this.#timer.unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = Infinity;
  }

  ring(): void {
    this.clear();
    this.#ring();
  }
}

function ringLater(alarm: Alarm): void {
  alarm.ring();
}
