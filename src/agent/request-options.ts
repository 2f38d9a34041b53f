/** The options that callers of `addRequest` hand over, as the pool takes them. */
import type { Options } from '../identity/identity.js';

/**
 * Hot path. Node's client hands over a copy without a prototype. Other callers may change their object later, or have accessors in it: as in
 * Node's agent, the present values of its own properties count.
 */
export function requestOptions(options: object): Options {
  return Object.getPrototypeOf(options) === null ? (options as Options) : { __proto__: null, ...options };
}
