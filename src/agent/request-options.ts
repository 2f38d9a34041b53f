/** The options that callers of `addRequest` hand over, as the pool takes them. */
import type { Options } from '../identity/identity.js';

/**
 * Hot path. Node's client hands over a copy without a prototype. Other callers may change theirs later, or have
 * accessors in it: as in Node's agent, what counts is what its own properties hold now.
 */
export function requestOptions(options: object): Options {
  return Object.getPrototypeOf(options) === null ? (options as Options) : { __proto__: null, ...options };
}
