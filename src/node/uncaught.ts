/**
 * Tells of uncaught exceptions that the process survives: somebody has an 'uncaughtException' handler, such as a test runner or an
 * APM agent. The exceptions themselves stay what they are: this only listens, and to an event that changes nothing.
 */
import { LOST_AFTER, monotonicNow, setImmediate } from './timers.js';

export interface Survivor {
  /**
   * An exception was uncaught, and everything that was on its way then is done. Called in two turns of the event loop at least; while
   * exceptions come, in each, however many they are.
   *
   * @param isFirst it was not called in the turn before
   */
  afterException(isFirst: boolean): void;
}

/** Weak: an agent that nobody holds may go. */
const survivors = new Set<WeakRef<Survivor>>();
const gone = new FinalizationRegistry((survivor: WeakRef<Survivor>) => survivors.delete(survivor));

/** Turns in which they are still to be told. */
let turnsLeft = 0;
/** Stands for the call in the next turn that was asked for. */
let next: object | undefined;
let askedAt = 0;

/** `survivor` is told from now on. */
export function tellOfExceptions(survivor: Survivor): void {
  if (survivors.size === 0 && !process.listeners('uncaughtExceptionMonitor').includes(onException)) {
    process.on('uncaughtExceptionMonitor', onException);
  }
  const ref = new WeakRef(survivor);
  survivors.add(ref);
  gone.register(survivor, ref);
}

function onException(): void {
  turnsLeft = 2;
  if (!next || monotonicNow() > askedAt + LOST_AFTER) ask(true);
}

function ask(isFirst: boolean): void {
  next = {};
  askedAt = monotonicNow();
  setImmediate(tell, next, isFirst);
}

function tell(asked: object, isFirst: boolean): void {
  // It was late, and another one was asked for.
  if (asked !== next) return;
  next = undefined;
  turnsLeft--;
  for (const survivor of survivors) survivor.deref()?.afterException(isFirst);
  if (turnsLeft > 0) ask(false);
}
