/**
 * One timer for the `timeout` of waiting requests and for the pool's deadlines. It runs only while a request with one of
 * them waits. It keeps the process alive: otherwise a request whose host is paused, or whose connections keep nothing
 * alive, would never end.
 */
import { isolate } from '../node/foreign.js';
import { Alarm } from '../node/alarm.js';
import { MAX_DELAY, monotonicNow } from '../node/timers.js';
import { Entry, Heap } from '../pool/heap.js';

/** The part of the pool that has deadlines. */
interface Deadlines {
  /** The next moment at which a request may have waited for too long, or `Infinity`. */
  readonly nextDeadline: number;
  /** Refuses requests that have waited for too long, and returns the next such moment. */
  expire(now: number): number;
}

/** A request that waits, and may have a timeout. */
export interface Timed {
  /** The moment at which its timeout is over, by the monotonic clock. */
  timesOutAt: number;
  timeoutEntry: Entry<Timed> | undefined;
  /** Called when the time of the request is over. */
  timeOut(): void;
}

export class QueueTimer {
  readonly #pool: Deadlines;
  readonly #timeouts = new Heap<Timed>((a, b) => a.timesOutAt < b.timesOutAt);
  readonly #alarm: Alarm = new Alarm('holds-process', () => this.#wake());

  constructor(pool: Deadlines) {
    this.#pool = pool;
  }

  /** Calls `pending.timeOut` when `timeout` milliseconds are over; `0` takes that back. */
  start(pending: Timed, timeout: number): void {
    if (pending.timeoutEntry) this.#timeouts.remove(pending.timeoutEntry);
    const now = monotonicNow();
    if (this.#alarm.isLost(now)) this.#alarm.clear();
    if (timeout > 0) {
      pending.timesOutAt = now + Math.min(timeout, MAX_DELAY);
      this.#timeouts.add((pending.timeoutEntry ??= new Entry<Timed>(pending)));
    }
    this.adjust();
  }

  /** `pending` does not wait any more. */
  stop(pending: Timed): void {
    if (pending.timeoutEntry) this.#timeouts.remove(pending.timeoutEntry);
    this.adjust();
  }

  /** One that may have had a deadline does not wait any more. */
  left(): void {
    if (this.#alarm.at !== Infinity) this.adjust();
  }

  /** The next moment may have changed. The timer may wake too early, but it must not run if no request needs it. */
  adjust(): void {
    const next = this.#next;
    if (next === Infinity) {
      if (this.#alarm.at !== Infinity) this.#alarm.clear();
    } else if (next < this.#alarm.at) this.#alarm.set(next, monotonicNow());
  }

  #wake(): void {
    isolate(() => this.#expire(monotonicNow()));
    this.adjust();
  }

  #expire(now: number): void {
    for (
      let pending = this.#timeouts.top;
      pending && pending.timesOutAt <= now;
      pending = this.#timeouts.top
    ) {
      // In the order of time, even if the loop was busy and both are over.
      this.#pool.expire(pending.timesOutAt);
      if (pending !== this.#timeouts.top) continue;
      if (pending.timeoutEntry) this.#timeouts.remove(pending.timeoutEntry);
      pending.timeOut();
    }
    this.#pool.expire(now);
  }

  get #next(): number {
    return Math.min(this.#pool.nextDeadline, this.#timeouts.top?.timesOutAt ?? Infinity);
  }
}
