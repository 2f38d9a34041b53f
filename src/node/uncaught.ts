/**
 * Tells of uncaught exceptions that the process survives: somebody has an 'uncaughtException' handler, such as a test runner or an
 * APM agent. The exceptions themselves stay what they are: this only listens, and to an event that changes nothing. One copy of this package listens
 * for the agents of all.
 */
import { processWide } from '../process-wide.js';

export interface Survivor {
  /** An exception is uncaught. Called on its stack, with other things still on their way: the time to take note, and no more. */
  afterException(): void;
}

interface Shared {
  /** Weak: an agent that nobody holds may go. */
  readonly survivors: Set<WeakRef<Survivor>>;
  readonly listener: () => void;
}

const { survivors, listener }: Shared = processWide('exceptions', 1, () => ({
  survivors: new Set(),
  listener: onException,
}));
const gone = new FinalizationRegistry((survivor: WeakRef<Survivor>) => survivors.delete(survivor));

/** `survivor` is told from now on. */
export function tellOfExceptions(survivor: Survivor): void {
  if (survivors.size === 0 && !process.listeners('uncaughtExceptionMonitor').includes(listener)) {
    process.on('uncaughtExceptionMonitor', listener);
  }
  const ref = new WeakRef(survivor);
  survivors.add(ref);
  gone.register(survivor, ref);
}

function onException(): void {
  for (const survivor of survivors) survivor.deref()?.afterException();
}
