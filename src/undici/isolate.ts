/** Calls code of others: handlers, listeners, callbacks, streams. An exception of theirs is uncaught, in a tick of its own, and stops no other work. */
import { nextTick } from 'node:process';

export function isolate(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    nextTick(() => {
      throw error;
    });
  }
}
