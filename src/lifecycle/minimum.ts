/**
 * Sees whether anything is to be kept ready (`minFreeSockets`), and has warm.ts loaded when something is: most agents have no such option.
 */
import type { AgentPool, Host } from '../connections/agent-pool.js';
import type { HostWatch } from '../connections/dials/spare-connections.js';
import type { Options } from '../identity/identity.js';
import { loadWarm } from './late.js';

/** Keeps connections ready where an option says so, and follows changes of the options. */
export function keepWarm(pool: AgentPool): void {
  const minimum = new Minimum(pool);
  pool.spares.watch = minimum;
  minimum.changed();
}

class Minimum implements HostWatch {
  readonly #pool: AgentPool;
  /** After `destroy()` all goes on with the first request. */
  #isStopped = false;

  constructor(pool: AgentPool) {
    this.#pool = pool;
  }

  used(host: Host, options: Options): void {
    this.#begin().used(host, options);
  }

  short(host: Host): void {
    this.#begin().short(host);
  }

  /** No connections were kept ready, so there is nothing to do. */
  gone(): void {}

  changed(): void {
    if (this.#pool.spares.keptReady.length > 0 && !this.#isStopped) this.#begin().changed();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #begin(): HostWatch {
    const { Warm } = loadWarm();
    const warm = new Warm(this.#pool);
    this.#pool.spares.watch = warm;
    return warm;
  }
}
