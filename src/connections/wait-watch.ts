/**
 * Finds exchanges that were cut short without an exception: a tick of Node's own client never came, because a test tool had faked
 * `process.nextTick`. While requests wait, such exchanges are searched for once a second (see recovery.ts), so that none waits for good.
 */
import { Alarm } from '../node/alarm.js';
import { monotonicNow } from '../node/timers.js';

/** Milliseconds between two searches. In a busy pool some request always waits, so searches must be rare. */
const PERIOD = 1000;

export class WaitWatch {
  readonly #isAwaited: () => boolean;
  readonly #look: () => void;
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#wake());

  /**
   * @param isAwaited whether any request waits
   * @param look searches for such exchanges
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
