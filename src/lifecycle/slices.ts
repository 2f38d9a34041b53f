/** Long work in short pieces: the event loop is held for a few milliseconds at a time, however many connections there are. */
import { monotonicNow, setImmediate } from '../node/timers.js';

/**
 * Milliseconds of work before the event loop goes on. What a closed connection has to say comes after that, in the same turn, and takes about
 * as long again.
 */
const SLICE = 4;

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
