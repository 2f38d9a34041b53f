/** The options that bound the life of a connection: their checks and defaults. */
import { invalidValue } from '../errors.js';
import type { Lifetimes } from '../pool/limits.js';
import { atLeastOne, duration, durationOrNever, optional, positiveDuration } from '../validate.js';
import { DEFAULT_DURATIONS } from './live-options.js';

export function resolveLifetimes(options: object): Lifetimes {
  const idleTimeout = optional(options, 'idleTimeout', durationOrNever, 4000);
  return {
    idleTimeout,
    // A longer `idleTimeout` raises the default, so that it need not be given twice.
    maxIdleTimeout: optional(options, 'maxIdleTimeout', durationOrNever, Math.max(60_000, idleTimeout)),
    maxSocketAge: optional(options, 'maxSocketAge', positiveDuration, Infinity),
    maxRequestsPerSocket: optional(options, 'maxRequestsPerSocket', atLeastOne, Infinity),
    validateAfterIdle: optional(options, 'validateAfterIdle', durationOrNever, 1000),
  };
}

/** `keepAliveTimeoutBuffer`, which Node calls `agentKeepAliveTimeoutBuffer`. */
export function resolveBuffer(options: object): number {
  const nodes = optional(options, 'agentKeepAliveTimeoutBuffer', duration, undefined);
  const ours = optional(
    options,
    'keepAliveTimeoutBuffer',
    duration,
    nodes ?? DEFAULT_DURATIONS.agentKeepAliveTimeoutBuffer,
  );
  if (nodes !== undefined && nodes !== ours) {
    throw invalidValue('agentKeepAliveTimeoutBuffer', `the same as keepAliveTimeoutBuffer (${ours})`, nodes);
  }
  return ours;
}
