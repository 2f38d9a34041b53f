/**
 * Loads in advance the code that connections need when something goes wrong, and that of the graceful end. Later it might fail: a process may have no file
 * descriptor left, or another version of this package may have been installed over this one. Short processes do without.
 */
import { loadAhead } from '../late.js';
import { monotonicNow } from '../node/timers.js';

/** Milliseconds after its first dial at which a process counts as long-lived. */
const LONG = 1000;
/** Requests on one connection, at which a process counts as long-lived. */
export const MANY = 2000;

let firstDialAt: number | undefined;
let isDone = false;

/** Called when a connection is dialled. No timer waits for that moment: test runners complain about files that are loaded after a test. */
export function readAheadAtDial(): void {
  if (isDone) return;
  const now = monotonicNow();
  firstDialAt ??= now;
  if (now - firstDialAt > LONG) readAhead();
}

/** Called when a connection has served `MANY` requests. */
export function readAhead(): void {
  if (isDone) return;
  isDone = true;
  loadAhead();
}
