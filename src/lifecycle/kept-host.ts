/**
 * One host that is kept ready: the options for connections to it, the time of its last use, and the time of its next check. Where connections to it
 * fail, checks come ever more seldom, at random times, so that many processes do not dial at once.
 */
import type { Options } from '../identity/identity.js';

/** Milliseconds until the next try: after the first failure, and at most. Each is drawn at random between half of the value and all of it. */
const FIRST_RETRY = 200;
const MAX_RETRY = 30_000;
/**
 * Milliseconds. An unused connection that the server closes sooner counts as failed. This is well below the second for which some servers keep idle
 * connections, because a busy event loop notices them late.
 */
export const SHORT_LIFE = 500;
/** Milliseconds after which a failure counts no more. */
const FORGET_AFTER = 2000;

export class KeptHost {
  readonly options: Options;
  /** It has a rule of its own: its last use does not matter. */
  readonly hasRule: boolean;
  usedAt = 0;
  /** The time of its next check. */
  due = 0;
  /** Turns of the event loop for which it was put off. */
  putOff = 0;
  #failures = 0;
  #failedAt = 0;
  /** The time before which nothing is opened, because of a failure. `due` moves for other reasons, too. */
  #retryAt = 0;

  constructor(options: Options, hasRule: boolean) {
    this.options = options;
    this.hasRule = hasRule;
  }

  /** Hot path. Has it checked soon, unless it has failed a short while ago. */
  hasten(now: () => number): void {
    this.due = this.#failures > 0 && now() < this.#retryAt ? this.#retryAt : 0;
  }

  /** A connection to it has failed. */
  failed(now: number): void {
    const before = retryAfter(this.#failures);
    if (now - this.#failedAt > Math.max(2 * before, FORGET_AFTER)) this.#failures = 0;
    // Connections that are opened together fail together.
    if (now < this.#retryAt) return;
    this.#failures++;
    this.#failedAt = now;
    this.#retryAt = now + retryAfter(this.#failures) * (0.5 + Math.random() / 2);
    this.due = this.#retryAt;
  }
}

/** Milliseconds, before the random part is taken off. */
function retryAfter(failures: number): number {
  return failures === 0 ? 0 : Math.min(FIRST_RETRY * 2 ** (failures - 1), MAX_RETRY);
}
