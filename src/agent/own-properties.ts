/**
 * Properties of an agent that are read from its pool, and written to it. Own ones, as on Node's agent; but whoever copies an agent may copy
 * the accessors as they are, and then they are about the copy's pool, and not the original's.
 */
import type { Define } from '../options/live-options.js';
import { kPool } from '../connections/pool-key.js';

interface Pooled {
  readonly [kPool]: unknown;
}

/** @param pool that of `agent` */
export function definerFor(agent: object, pool: object): Define {
  return (name, get, set, enumerable = true) => {
    Object.defineProperty(agent, name, {
      configurable: true,
      enumerable,
      get(this: Pooled) {
        return this[kPool] === pool ? get() : Reflect.get(this, name);
      },
      set(this: Pooled, value: unknown) {
        if (this[kPool] === pool) set(value);
        else Reflect.set(this, name, value);
      },
    });
  };
}
