/**
 * `agent.close()`: the graceful end. From the call on no new request is taken; idle connections close, and those in use after their
 * exchange; waiting requests are served as ever. The promise resolves when nothing is left, and is never rejected.
 *
 * A time, a signal or `destroy()` cuts this short: then all that is left is ended, and the promise resolves all the same. Each call may give a
 * time or a signal; the earliest counts. No step holds the event loop for long: see slices.ts.
 */
import type { AgentPool } from '../connections/agent-pool.js';
import { clearTimeout, LOST_AFTER, MAX_DELAY, monotonicNow, nextTick, setTimeout } from '../node/timers.js';
import { abortSignal, durationOrNever, optional, optionsObject } from '../validate.js';
import { closings } from './destroy.js';
import type { Ending } from './destroy.js';
import { inSlices } from './slices.js';

/** Options of `agent.close()`. */
export interface CloseOptions {
  /**
   * Milliseconds after which what is left is destroyed: connections in use, and requests that wait (`ERR_AGENT_CLOSED`). `0`: at once.
   * Default: `Infinity`, as long as it takes.
   */
  readonly timeout?: number | undefined;
  /** A signal that, when it is aborted, has what is left destroyed. */
  readonly signal?: AbortSignal | undefined;
}

/** See `PoolingAgent.close`. */
export function close(pool: AgentPool, given: unknown): Promise<void> {
  let timeout: number;
  let signal: AbortSignal | undefined;
  try {
    const options = optionsObject(given);
    timeout = optional(options, 'timeout', durationOrNever, Infinity);
    signal = optional(options, 'signal', abortSignal, undefined);
  } catch (error) {
    return Promise.reject(error as Error);
  }
  let closing = closings.get(pool) as Closing | undefined;
  if (!closing) closings.set(pool, (closing = new Closing(pool)));
  closing.limit(timeout, signal);
  return closing.promise;
}

class Closing implements Ending {
  readonly promise: Promise<void>;
  readonly #pool: AgentPool;
  readonly #signals = new Set<AbortSignal>();
  #resolve: () => void = () => {};
  #isDone = false;
  #isEnding = false;
  #timer: NodeJS.Timeout | undefined;
  #endsAt = Infinity;

  constructor(pool: AgentPool) {
    this.#pool = pool;
    this.promise = new Promise((resolve) => (this.#resolve = resolve));
    inSlices(
      pool.close(() => this.#finishIfEmpty()),
      () => this.#finishIfEmpty(),
    );
  }

  limit(timeout: number, signal: AbortSignal | undefined): void {
    // The end has begun already.
    if (this.#isDone || this.#isEnding) return;
    if (timeout === 0 || signal?.aborted) {
      this.#end();
      return;
    }
    if (signal && !this.#signals.has(signal)) {
      this.#signals.add(signal);
      signal.addEventListener('abort', this.#end);
    }
    if (timeout === Infinity || monotonicNow() + timeout >= this.#endsAt) return;
    this.#endsAt = monotonicNow() + timeout;
    clearTimeout(this.#timer);
    // Referenced: waiting requests do not keep the process alive themselves, and the caller awaits their end.
    this.#timer = setTimeout(this.#end, Math.min(timeout, MAX_DELAY));
  }

  /** All that was left has been told to end. A custom stream may never say that it has ended. */
  ended(): void {
    if (this.#isDone) return;
    this.#isEnding = true;
    this.#stopWaiting();
    this.#timer = setTimeout(() => this.#finish(), LOST_AFTER);
  }

  readonly #end = (): void => {
    if (this.#isDone || this.#isEnding) return;
    this.#isEnding = true;
    this.#stopWaiting();
    inSlices(this.#pool.end(), () => this.ended());
  };

  /** Later, when the present stack is done: a waiting request may be moving from one host to another. */
  #finishIfEmpty(): void {
    nextTick(() => {
      if (this.#pool.isEmpty) this.#finish();
    });
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#stopWaiting();
    this.#resolve();
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#end);
    this.#signals.clear();
  }
}
