/** The option `dns`: the look-up of names, and the use of their addresses. */
import { invalidName, invalidType } from '../errors.js';
import { atLeastOne, booleanValue, duration, durationOrNever, optional } from '../validate.js';

/** The option `dns`. */
export interface DnsOptions {
  /**
   * Milliseconds for which an answer is used. For as long again it is still used while a new one is fetched, so that a name which is dialled all
   * the time never waits. `0`: no answer is kept, but simultaneous look-ups of a name are still one. Default: `1000`.
   */
  readonly ttl?: number | undefined;
  /** Milliseconds beyond `ttl` for which an answer is used if the resolver fails. `Infinity`: any time. Default: `0`. */
  readonly maxStale?: number | undefined;
  /** Names that are remembered; beyond that, the one that was asked for longest ago is dropped. At least 1. Default: `1000`. */
  readonly maxEntries?: number | undefined;
  /** Spread new connections over all addresses of a name: those with the fewest connections first, the others in turn. Default: `false`. */
  readonly rotate?: boolean | undefined;
  /**
   * Give up connections to addresses that a name no longer has: idle ones at once, others after their exchange, a tenth of them a second. Names with open
   * connections are looked up anew for that, every `ttl` and at most once a second. Default: `false`.
   */
  readonly follow?: boolean | undefined;
}

export interface NamePolicy {
  readonly ttl: number;
  readonly maxStale: number;
  readonly maxEntries: number;
  readonly rotate: boolean;
  readonly follow: boolean;
}

const KEYS = ['ttl', 'maxStale', 'maxEntries', 'rotate', 'follow'] as const;

/**
 * A checked copy. `undefined`: Node looks names up.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`
 */
export function namePolicy(name: string, value: unknown): NamePolicy | undefined {
  if (value === false) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidType(name, 'false or of type object', value);
  const options: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(value)) {
    if (!KEYS.some((known) => known === key))
      throw invalidName(`${name}.${key}`, `left out: the names known here are ${KEYS.join(', ')}`);
    options[`${name}.${key}`] = given;
  }
  return {
    ttl: optional(options, `${name}.ttl`, duration, 1000),
    maxStale: optional(options, `${name}.maxStale`, durationOrNever, 0),
    maxEntries: optional(options, `${name}.maxEntries`, atLeastOne, 1000),
    rotate: optional(options, `${name}.rotate`, booleanValue, false),
    follow: optional(options, `${name}.follow`, booleanValue, false),
  };
}
