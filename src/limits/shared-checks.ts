/** Checks of limits that agents and the rules of single hosts have in common. */
import { invalidValue, outOfRange } from '../errors.js';
import type { HostLimits, Limits, Scheduling } from '../pool/limits.js';
import { oneOf } from '../validate.js';
import type { Check } from '../validate.js';

export const scheduling: Check<Scheduling> = oneOf('lifo', 'fifo', 'least-used', 'random');

/**
 * Checks that no limit is below the number of connections to keep ready: the pool would dial in vain.
 *
 * @param prefix what comes before the limit's name in an error
 * @param limits the limits that hold together; `undefined`: there is none of this name
 * @throws `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`
 */
export function checkMinFreeSockets(
  prefix: string,
  {
    minFreeSockets,
    ...limits
  }: Pick<HostLimits, 'minFreeSockets' | 'maxFreeSockets' | 'maxSockets'> & Partial<Limits>,
): void {
  if (minFreeSockets === 0) return;
  const name = `${prefix}minFreeSockets`;
  if (limits.keepAlive === false) throw invalidValue(name, '0 where "keepAlive" is false', minFreeSockets);
  for (const other of ['maxFreeSockets', 'maxTotalFreeSockets', 'maxSockets', 'maxTotalSockets'] as const) {
    const limit = limits[other] ?? Infinity;
    // A limit of 0 pauses a host, and is allowed.
    const isPaused = limit === 0 && (other === 'maxSockets' || other === 'maxTotalSockets');
    if (minFreeSockets > limit && !isPaused)
      throw outOfRange(name, `at most ${other} (${limit})`, minFreeSockets);
  }
}
