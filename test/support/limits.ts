/** The limits of an agent, for tests of the pool alone. */
import { resolveOptions } from '../../src/options/options.js';
import type { HostLimits, Limits } from '../../src/pool/limits.js';
import { resolveLimits } from '../../src/limits/host-limits.js';

/** The defaults, with some changed. */
export function limitsWith(some: Partial<Limits> = {}): Limits {
  return { ...resolveOptions({}).limits, ...some };
}

/** The limits of a rule on top of `defaults`. */
export function hostLimitsWith(some: Partial<HostLimits>, defaults: HostLimits = limitsWith()): HostLimits {
  return resolveLimits(some, defaults);
}
