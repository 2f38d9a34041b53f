/**
 * The clock by which idle connections age. It includes time in which the machine slept: the monotonic clock stands still
 * then (CLOCK_MONOTONIC on Linux), while servers, balancers and NAT tables drop our connections. Sleep shows as a jump of the wall
 * clock against the monotonic one. Setting the wall clock looks the same; at worst, idle connections are then validated, or
 * given up, too early.
 */
import { monotonicNow, wallClockNow } from '../node/timers.js';

/** Milliseconds by which the two clocks may differ between two readings: no clock is adjusted as fast. */
export const TOLERANCE = 1000;

/**
 * Milliseconds between two readings of the wall clock. Requests that are sent after a sleep and before the next reading may
 * meet a dead connection.
 */
export const LOOK_EVERY = 1;

interface Clocks {
  monotonic(): number;
  wall(): number;
}

/** Tests put other ones here. */
export const SYSTEM: Clocks = {
  monotonic: monotonicNow,
  wall: wallClockNow,
};

export class Clock {
  readonly #onJump: () => void;
  readonly #clocks: Clocks;
  /** Milliseconds that the monotonic clock has missed. */
  #missed = 0;
  /** The lead of the wall clock over the monotonic one at the last reading. (A number from the first: else V8 makes an object of each new one.) */
  #ahead = NaN;
  /** The time of that reading, by the monotonic clock. */
  #lookedAt = -Infinity;

  /** @param onJump called when the wall clock has jumped: idle connections may be dead */
  constructor(onJump: () => void, clocks: Clocks = SYSTEM) {
    this.#onJump = onJump;
    this.#clocks = clocks;
    this.#ahead = clocks.wall() - clocks.monotonic();
  }

  /** Hot path. Milliseconds, never less than before. Checks for a jump, unless it has done so just now. */
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
      // A clock that was set back tells nothing about the time that has passed.
      if (jump > 0) this.#missed += jump;
      this.#onJump();
    }
  }

  /** Hot path. The time of this clock when the monotonic clock shows `monotonic`. Does not check for a jump. */
  at(monotonic = this.#clocks.monotonic()): number {
    return monotonic + this.#missed;
  }

  /** Hot path. The time of the monotonic clock when this one showed `now`, a moment ago. */
  monotonicAt(now: number): number {
    return now - this.#missed;
  }
}
