/** Time limits in milliseconds, as this entry works with them: `Infinity` is none. */
import { durationOrNever, optional } from '../validate.js';
import { MAX_DELAY } from './timers.js';

/** The limit that a user means by `ms`: with undici, `0` is none. */
export function timeLimit(ms: number): number {
  return ms === 0 || ms === Infinity ? Infinity : Math.min(ms, MAX_DELAY);
}

/** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for an option that is no limit */
export function timeoutOption(options: object, name: string, fallback: number): number {
  return timeLimit(optional(options, name, durationOrNever, fallback));
}
