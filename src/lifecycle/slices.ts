/** Does long work in short pieces: the event loop is held for a few milliseconds at a time, however many connections there are. */
import { monotonicNow, setImmediate } from '../node/timers.js';

/**
 * Milliseconds of work before the event loop goes on. Closed connections emit their events in the same turn, after that, which takes many times
 * as long.
 */
const SLICE = 0.5;

/** Does the first piece of `steps` at once, and the others in the turns that follow; then calls `done`. */
export function inSlices(steps: Iterator<unknown>, done: () => void): void {
  const end = monotonicNow() + SLICE;
  do {
    if (steps.next().done) {
      done();
      return;
    }
  } while (monotonicNow() < end);
  setImmediate(inSlices, steps, done);
}
