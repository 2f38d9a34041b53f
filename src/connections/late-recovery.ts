/**
 * Has recovery.ts loaded when an exchange may have been cut short: after an uncaught exception that the process survives, and when requests have waited for
 * long.
 */
import { tellOfExceptions } from '../node/uncaught.js';
import type { Survivor } from '../node/uncaught.js';
import type { Recovery } from './recovery.js';

export class LateRecovery implements Survivor {
  readonly #load: () => Recovery;
  #recovery: Recovery | undefined = undefined;

  constructor(load: () => Recovery) {
    this.#load = load;
    tellOfExceptions(this);
  }

  afterException(): void {
    this.look();
  }

  /** See `Recovery.look`. */
  look(): void {
    try {
      this.#recovery ??= this.#load();
    } catch {
      // The process may open no file at the moment.
      return;
    }
    this.#recovery.look();
  }
}
