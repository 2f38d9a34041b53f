/** The properties that a copied agent lacks before its first use: copies.ts says more. */
import { loadCopies } from './first.js';
import type { Kind, NodesAgent } from './kind.js';

/** The properties that an agent of either class has once it has a pool. */
export const POOL_PROPERTIES: readonly string[] = ['sockets', 'freeSockets', 'requests', 'totalSocketCount'];

/**
 * Defines them on the prototype: reading one of them completes the copy.
 *
 * @param kindOf returns the kind of the class, which is not made before the first agent
 */
export function completeCopies(prototype: object, properties: readonly string[], kindOf: () => Kind): void {
  for (const name of properties) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: NodesAgent) {
        return loadCopies().poolOfCopy(this, kindOf) && Reflect.get(this, name);
      },
      set(this: object, value: unknown) {
        Object.defineProperty(this, name, { configurable: true, enumerable: true, value, writable: true });
      },
    });
  }
}
