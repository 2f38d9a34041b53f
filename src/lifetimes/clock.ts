/**
 * The clock by which idle connections age. It counts the time in which the machine slept, too: the monotonic clock
 * stands still then (CLOCK_MONOTONIC on Linux), while servers, balancers and NAT tables go on forgetting us. What shows
 * it is the wall clock, which has jumped against the monotonic one. Somebody setting the wall clock looks the same; the
 * worst that comes of it is that idle connections are validated, or given up, too early.
 */
import { monotonicNow, wallClockNow } from '../node/timers.js';

/** The most that the two clocks may differ by between two looks, in milliseconds: nobody slews a clock as fast. */
export const TOLERANCE = 1000;

/**
 * How often the wall clock is looked at, in milliseconds. A machine that falls asleep between two looks has slept under
 * requests that were on their way; a few more may meet the same fate.
 */
export const LOOK_EVERY = 1;

export interface Clocks {
  monotonic(): number;
  wall(): number;
}

const SYSTEM: Clocks = {
  monotonic: monotonicNow,
  wall: wallClockNow,
};

export class Clock {
  readonly #onJump: () => void;
  readonly #clocks: Clocks;
  /** Milliseconds that the monotonic clock has missed. */
  #missed = 0;
  /** How far the wall clock was ahead of the monotonic one at the last look. */
  #ahead: number;
  /** When that was, by the monotonic clock. */
  #lookedAt = -Infinity;

  /** @param onJump the wall clock has jumped: nothing that was known of idle connections is sure any more */
  constructor(onJump: () => void, clocks: Clocks = SYSTEM) {
    this.#onJump = onJump;
    this.#clocks = clocks;
    this.#ahead = clocks.wall() - clocks.monotonic();
  }

  /** Hot path. Milliseconds, never less than before. Looks for a jump, unless it has looked just now. */
  now(): number {
    const monotonic = this.#clocks.monotonic();
    if (monotonic - this.#lookedAt >= LOOK_EVERY) this.#look(monotonic);
    return monotonic + this.#missed;
  }

  #look(monotonic: number): void {
    this.#lookedAt = monotonic;
    const ahead = this.#clocks.wall() - monotonic;
    const jump = ahead - this.#ahead;
    this.#ahead = ahead;
    if (jump > TOLERANCE || jump < -TOLERANCE) {
      // Set back, it tells nothing about the time that has passed.
      if (jump > 0) this.#missed += jump;
      this.#onJump();
    }
  }

  /** Hot path. Its time, past or to come, when the monotonic clock showed `monotonic`. Without a look: for noting a moment. */
  at(monotonic = this.#clocks.monotonic()): number {
    return monotonic + this.#missed;
  }

  /** Hot path. The time of the monotonic clock when this one showed `now`, a moment ago. */
  monotonicAt(now: number): number {
    return now - this.#missed;
  }
}
