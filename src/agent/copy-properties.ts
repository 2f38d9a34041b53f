/** The properties that a copied agent lacks before its first use: copies.ts says more. */
import type { NodesAgent } from './kind.js';

/** The properties that an agent of either class has once it has a pool. */
export const POOL_PROPERTIES: readonly string[] = ['sockets', 'freeSockets', 'requests', 'totalSocketCount'];

/**
 * Defines them on the prototype: reading one of them completes the copy.
 *
 * @param complete returns whether there is a pool now
 */
export function completeCopies(
  prototype: object,
  properties: readonly string[],
  complete: (copy: NodesAgent) => boolean,
): void {
  for (const name of properties) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: NodesAgent) {
        return complete(this) && Reflect.get(this, name);
      },
      set(this: object, value: unknown) {
        Object.defineProperty(this, name, { configurable: true, enumerable: true, value, writable: true });
      },
    });
  }
}
