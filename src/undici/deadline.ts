/**
 * A time limit that each sign of life starts anew, with one timer.
 *
 * When it is over, the event loop polls once more: a blocked loop finds its timers due before it has read the bytes that came meanwhile.
 */
import { clearTimeout, setImmediate, setTimeout } from './timers.js';

export class Deadline {
  /** Called each time that it is over. The next sign of life starts it again. */
  readonly #onOver: () => void;
  #timer: NodeJS.Timeout | undefined = undefined;
  #delay = Infinity;
  /** The number of signs of life. */
  #signs = 0;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** Hot path. Starts again with `delay` milliseconds; `Infinity`: no limit. */
  start(delay: number): void {
    this.#signs++;
    if (this.#timer && this.#delay === delay) {
      this.#timer.refresh();
      return;
    }
    this.stop();
    this.#delay = delay;
    if (delay !== Infinity) this.#timer = setTimeout(end, delay, this);
  }

  /** Hot path. A sign of life. */
  touch(): void {
    this.#signs++;
    this.#timer?.refresh();
  }

  stop(): void {
    this.#signs++;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** @internal */
  check(): void {
    const signs = this.#signs;
    setImmediate(() => {
      if (this.#signs === signs) this.#onOver();
    });
  }
}

function end(deadline: Deadline): void {
  deadline.check();
}
