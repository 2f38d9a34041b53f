/**
 * One timer for all that can come over requests while they wait: their own `timeout`, and the pool's deadlines. It runs
 * only while somebody waits who has one of them. It keeps the process alive: else a request whose host is paused, or
 * whose connections keep nothing alive, would get no answer at all.
 */
import { isolate } from './node/foreign.js';
import { MAX_TIMEOUT } from './node-internals.js';
import { clearTimeout, LOST_AFTER, monotonicNow, setTimeout } from './node/timers.js';
import { Entry, Heap } from './pool/heap.js';
import type { QueuedRequest } from './queued-request.js';

/** The pool, as far as its deadlines go. */
interface Deadlines {
  /** When somebody may have waited for too long, or `Infinity`. */
  readonly nextDeadline: number;
  /** Sees to those who have, and returns the next. */
  expire(now: number): number;
}

export class QueueTimer {
  readonly #pool: Deadlines;
  readonly #timeouts = new Heap<QueuedRequest>((a, b) => a.timesOutAt < b.timesOutAt);
  #timer: NodeJS.Timeout | undefined = undefined;
  #wakesAt = Infinity;

  constructor(pool: Deadlines) {
    this.#pool = pool;
  }

  /** `queued` is told when `timeout` milliseconds are over; `0` takes that back. */
  start(queued: QueuedRequest, timeout: number): void {
    const entry = (queued.timeoutEntry ??= new Entry<QueuedRequest>(queued));
    this.#timeouts.remove(entry);
    const now = monotonicNow();
    if (now > this.#wakesAt + LOST_AFTER) this.#clear();
    if (timeout > 0) {
      queued.timesOutAt = now + Math.min(timeout, MAX_TIMEOUT);
      this.#timeouts.add(entry);
    }
    this.adjust();
  }

  /** `queued` does not wait any more. */
  stop(queued: QueuedRequest): void {
    if (queued.timeoutEntry) this.#timeouts.remove(queued.timeoutEntry);
    this.adjust();
  }

  /** The next moment may be another one. Waking too early is harmless; only for nobody it must not wake. */
  adjust(): void {
    const next = this.#next;
    if (next === Infinity) {
      if (this.#wakesAt !== Infinity) this.#clear();
    } else if (next < this.#wakesAt) {
      this.#clear();
      this.#wakesAt = next;
      const delay = Math.min(Math.max(1, Math.ceil(next - monotonicNow())), MAX_TIMEOUT);
      this.#timer = setTimeout(wake, delay, this);
    }
  }

  wake(): void {
    this.#clear();
    isolate(() => this.#expire(monotonicNow()));
    this.adjust();
  }

  #expire(now: number): void {
    for (let queued = this.#timeouts.top; queued && queued.timesOutAt <= now; queued = this.#timeouts.top) {
      // In the order of time, also when the loop was busy and both are over.
      this.#pool.expire(queued.timesOutAt);
      if (queued !== this.#timeouts.top) continue;
      if (queued.timeoutEntry) this.#timeouts.remove(queued.timeoutEntry);
      queued.timeOut();
    }
    this.#pool.expire(now);
  }

  get #next(): number {
    return Math.min(this.#pool.nextDeadline, this.#timeouts.top?.timesOutAt ?? Infinity);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wakesAt = Infinity;
  }
}

function wake(timer: QueueTimer): void {
  timer.wake();
}
