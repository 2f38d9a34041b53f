/**
 * Has recovery.ts loaded when an exchange may have been cut short: after an uncaught exception that the process survives, and when requests have waited for
 * long.
 */
import { tellOfExceptions } from '../../node/uncaught.js';
import type { Survivor } from '../../node/uncaught.js';
import type { Pool } from '../../pool/pool.js';
import { loadRecovery } from '../late.js';
import type { AgentKinds } from '../pooled-socket.js';
import type { Recovery } from './recovery.js';

export class LateRecovery implements Survivor {
  readonly #pool: Pool<AgentKinds>;
  #recovery: Recovery | undefined = undefined;

  constructor(pool: Pool<AgentKinds>) {
    this.#pool = pool;
    tellOfExceptions(this);
  }

  afterException(): void {
    this.look();
  }

  /** See `Recovery.look`. */
  look(): void {
    try {
      this.#recovery ??= new (loadRecovery().Recovery)(this.#pool);
    } catch {
      // The process may open no file at the moment.
      return;
    }
    this.#recovery.look();
  }
}
