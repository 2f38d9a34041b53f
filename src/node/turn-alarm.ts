/**
 * A call at the end of a turn of the event loop, asked for once at a time. Its callback can be lost, as that of an alarm (alarm.ts). Code that relies
 * on it calls `await`; if the callback has not come for long then, it is asked for again. So a lost callback stops nothing for good.
 */
import { LOST_AFTER, setImmediate } from './timers.js';

/** Calls `callback(alarm, asked)` once, later. */
type Ask = <A extends unknown[]>(callback: (...args: A) => void, ...args: A) => unknown;

export class TurnAlarm {
  readonly #ring: () => void;
  readonly #ask: Ask;
  #isSet = false;
  /** The number of times that it was asked for: a callback that counts as lost, and comes late, is ignored. */
  #asked = 0;
  #awaitedSince = Infinity;

  /** @param ask asks for the callback. Default: after the loop has polled */
  constructor(ring: () => void, ask: Ask = setImmediate) {
    this.#ring = ring;
    this.#ask = ask;
  }

  /** Whether it was asked for and has not come yet. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** Hot path. Asks for the callback. */
  set(): void {
    if (!this.#isSet) this.#askForIt();
  }

  /** Called by code that relies on the callback at `now`. The clock need not be read for each turn: most come at once. */
  await(now: number): void {
    if (!this.#isSet) return;
    if (this.#awaitedSince === Infinity) this.#awaitedSince = now;
    else if (now > this.#awaitedSince + LOST_AFTER) this.#askForIt();
  }

  came(asked: number): void {
    if (asked !== this.#asked || !this.#isSet) return;
    this.#isSet = false;
    this.#ring();
  }

  #askForIt(): void {
    this.#isSet = true;
    this.#awaitedSince = Infinity;
    this.#ask(come, this, ++this.#asked);
  }
}

function come(alarm: TurnAlarm, asked: number): void {
  alarm.came(asked);
}
