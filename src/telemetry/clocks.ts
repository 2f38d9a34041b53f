/**
 * Timers and clocks for entries that only look on: Node's, as they are when the entry is loaded. The pool's own (node/timers.ts) see through fakes, but
 * belong to the main entry, of whose state no other entry has a second copy. Where a test tool has put fakes there before, the page stands still with them.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers';

const { now } = Date;

export { setTimeout };

/** Milliseconds of a clock that nobody sets. */
export const monotonicNow: () => number = performance.now.bind(performance);

/** Milliseconds since 1970. */
export function wallClockNow(): number {
  return now();
}
