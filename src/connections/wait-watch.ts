/**
 * Nobody waits for good behind an exchange that was cut short where nothing has thrown: a tick of Node's own client never came, because a
 * test tool had put a fake in the place of `process.nextTick`. While requests wait, such exchanges are looked for now and then (see
 * recovery.ts).
 */
import { Alarm } from '../node/alarm.js';
import { monotonicNow } from '../node/timers.js';

/** Milliseconds. Seldom: in a busy pool somebody waits at any time, and all is well. */
const PERIOD = 1000;

export class WaitWatch {
  readonly #isAwaited: () => boolean;
  readonly #look: () => void;
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#wake());

  /**
   * @param isAwaited whether any request waits
   * @param look looks for such exchanges
   */
  constructor(isAwaited: () => boolean, look: () => void) {
    this.#isAwaited = isAwaited;
    this.#look = look;
  }

  /** Hot path. A request begins to wait. */
  begin(now: number): void {
    if (this.#alarm.isIdle(now)) this.#alarm.set(now + PERIOD, now);
  }

  #wake(): void {
    if (!this.#isAwaited()) return;
    this.#look();
    this.begin(monotonicNow());
  }
}
