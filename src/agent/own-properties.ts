/**
 * Properties of an agent that are read from its pool, and written to it. Own ones, as on Node's agent; but whoever copies an agent may copy
 * the accessors as they are, and then they are about the copy's pool, and not the original's.
 */
import type { Define } from '../options/live-options.js';
import { kDriver } from '../connections/driver-key.js';

interface Driven {
  readonly [kDriver]: unknown;
}

/** @param driver that of `agent` */
export function definerFor(agent: object, driver: object): Define {
  return (name, get, set, enumerable = true) => {
    Object.defineProperty(agent, name, {
      configurable: true,
      enumerable,
      get(this: Driven) {
        return this[kDriver] === driver ? get() : Reflect.get(this, name);
      },
      set(this: Driven, value: unknown) {
        if (this[kDriver] === driver) set(value);
        else Reflect.set(this, name, value);
      },
    });
  };
}
