/**
 * Defines properties of an agent that are read from its pool, and written to it. They are own properties, as on Node's agent. A library that copies
 * an agent may copy the accessors as they are: then they use the copy's pool, and not the original's.
 */
import type { Define } from '../options/live-options.js';
import { kPool } from '../connections/pool-key.js';

interface Pooled {
  readonly [kPool]: unknown;
}

/** @param pool the pool of `agent` */
export function definerFor(agent: object, pool: object): Define {
  return (name, get, set, enumerable = true) => {
    Object.defineProperty(agent, name, {
      configurable: true,
      enumerable,
      get(this: Pooled) {
        // Hot path: Node's client reads `keepAlive` for each request.
        return this === agent || this[kPool] === pool ? get() : Reflect.get(this, name);
      },
      set(this: Pooled, value: unknown) {
        if (this[kPool] === pool) set(value);
        else Reflect.set(this, name, value);
      },
    });
  };
}
