/**
 * Reports uncaught exceptions that the process survives, because a test runner or an APM agent has an 'uncaughtException' handler. It does
 * not change their effect: it listens to an event that changes nothing. One copy of this package listens for the agents of all copies.
 */
import { processWide } from '../process-wide.js';

export interface Survivor {
  /** An exception is uncaught. Called on its stack: only a note may be taken here. */
  afterException(): void;
}

interface Shared {
  /** Weak references, so that unused agents can be collected. */
  readonly survivors: Set<WeakRef<Survivor>>;
  readonly listener: () => void;
}

const { survivors, listener }: Shared = processWide('exceptions', 1, () => ({
  survivors: new Set(),
  listener: onException,
}));
const gone = new FinalizationRegistry((survivor: WeakRef<Survivor>) => survivors.delete(survivor));

/** Calls `survivor` at each such exception. */
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
