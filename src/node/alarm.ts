/**
 * A timer that is set for one moment at a time. It knows when its callback has been lost: a fake timer, say, whose test tool is gone. So what
 * is to be done is asked for again, and nothing counts as asked for until the end of time.
 *
 * Moments are by the clock of its owner, whichever that is.
 */
import { clearTimeout, LOST_AFTER, MAX_DELAY, setTimeout } from './timers.js';

export class Alarm {
  readonly #ring: () => void;
  readonly #hold: 'holds-process' | 'lets-exit';
  #timer: NodeJS.Timeout | undefined = undefined;
  #at = Infinity;

  /** @param hold whether the process stays alive for it while it is set */
  constructor(hold: 'holds-process' | 'lets-exit', ring: () => void) {
    this.#hold = hold;
    this.#ring = ring;
  }

  /** When it rings; `Infinity`: it is not set. */
  get at(): number {
    return this.#at;
  }

  /** Hot path. Whether nothing will come of it at `now`, or a moment that was not long ago: it is not set, or it was lost. */
  isIdle(now: number): boolean {
    return this.#at === Infinity || this.isLost(now);
  }

  /** Hot path. */
  isLost(now: number): boolean {
    return now > this.#at + LOST_AFTER;
  }

  /**
   * It rings at `at`, and not when it would have rung before.
   *
   * @param least milliseconds that it takes at least
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
