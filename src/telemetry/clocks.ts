/**
 * Timers and clocks for entries that only observe: Node's, as they are when the entry is loaded. The pool's own (node/timers.ts) belong to the main entry, and
 * no other entry may have a second copy of its state. If a test tool has installed fakes before, the live page stands still with them.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers';

const { now } = Date;

export { setTimeout };

/** Milliseconds of the monotonic clock. */
export const monotonicNow: () => number = performance.now.bind(performance);

/** Milliseconds since 1970. */
export function wallClockNow(): number {
  return now();
}
