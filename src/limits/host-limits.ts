/** The limits that a rule may set for its hosts: types, and checks that name rule and key. */
import {
  positiveDuration,
  atLeastOne,
  atLeastZero,
  count,
  duration,
  durationOrNever,
  oneOf,
} from '../validate.js';
import type { Check } from '../validate.js';
import { invalidName, invalidType, invalidValue, outOfRange } from '../errors.js';
import type { HostLimits, Limits, Scheduling } from '../pool/limits.js';

/** Limits of single hosts. A limit that is left out, `undefined` or `null`, is as the agent has it for all hosts. */
export interface HostLimitOptions {
  /** Connections of one such host. At least 1; with `setHostLimits` also 0, which pauses it. */
  readonly maxSockets?: number | undefined;
  /** Idle connections kept of one such host. */
  readonly maxFreeSockets?: number | undefined;
  /**
   * Connections of one such host that are kept ready, idle, at any time: see `PoolingAgentOptions.minFreeSockets`. In a rule for one host (no
   * pattern with `*` or a network; port 443 if it names none) from the moment on in which the agent or the rule is made, with the agent's
   * own TLS options. At most `maxFreeSockets` and `maxSockets`.
   */
  readonly minFreeSockets?: number | undefined;
  /** Requests of one such host that may wait because no connection can be opened for them. */
  readonly maxQueueSize?: number | undefined;
  /** Milliseconds that a request may be in the queue. `0`: any time. */
  readonly acquireTimeout?: number | undefined;
  /** Which idle connection is used next. */
  readonly scheduling?: Scheduling | undefined;
  /** Milliseconds for which a connection may be idle where the server says nothing about it. */
  readonly idleTimeout?: number | undefined;
  /** Milliseconds for which a connection may be idle at most, whatever the server says. */
  readonly maxIdleTimeout?: number | undefined;
  /** Milliseconds after which a connection serves no further request. */
  readonly maxSocketAge?: number | undefined;
  /** Requests after which a connection serves no further one. */
  readonly maxRequestsPerSocket?: number | undefined;
  /** Milliseconds of idle time from which a connection is validated before it is used. */
  readonly validateAfterIdle?: number | undefined;
  /**
   * Connections of `maxTotalSockets` that no other host may take: for all hosts of the rule together. Only in a rule with a
   * pattern, because it holds before the first request. Default: `0`.
   */
  readonly reserve?: number | undefined;
  /** Places under `maxTotalSockets` that a host gets in its turn (`fairness: 'round-robin'`), an integer. Default: `1`. */
  readonly weight?: number | undefined;
}

export const scheduling: Check<Scheduling> = oneOf('lifo', 'fifo', 'least-used', 'random');

const CHECKS: { readonly [K in keyof HostLimitOptions]-?: Check<HostLimits[K]> } = {
  maxSockets: atLeastOne,
  maxFreeSockets: atLeastZero,
  minFreeSockets: count(0),
  maxQueueSize: atLeastZero,
  acquireTimeout: duration,
  scheduling,
  idleTimeout: durationOrNever,
  maxIdleTimeout: durationOrNever,
  maxSocketAge: positiveDuration,
  maxRequestsPerSocket: atLeastOne,
  validateAfterIdle: durationOrNever,
  reserve: count(0),
  weight: count(1),
};

const KEYS = Object.keys(CHECKS) as (keyof HostLimitOptions)[];

/** Limits that some rule gives: checked, without those that it leaves out. */
export type GivenLimits = Partial<HostLimits>;

/**
 * A checked copy of `value`.
 *
 * @param name what the rule is called in an error
 * @param agent whether it exists and is `running`, or is only being `made`: to a running one, 0 connections mean a pause
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`: naming rule and key
 */
export function parseHostLimits(name: string, value: unknown, agent: 'made' | 'running'): GivenLimits {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw invalidType(name, 'of type object', value);
  }
  const given: Record<string, unknown> = {};
  for (const [key, limit] of Object.entries(value)) {
    if (!Object.hasOwn(CHECKS, key)) {
      throw invalidName(`${name}.${key}`, `one of the limits of a host: ${KEYS.join(', ')}`);
    }
    if (limit === undefined || limit === null) continue;
    const check: Check<unknown> =
      agent === 'running' && key === 'maxSockets' ? atLeastZero : CHECKS[key as keyof HostLimitOptions];
    given[key] = check(`${name}.${key}`, limit);
  }
  return given as GivenLimits;
}

/**
 * A pool that cannot keep as many connections ready as it is to keep would dial in vain.
 *
 * @param prefix what comes before the limit's name in an error
 * @param limits those that hold together; `undefined`: there is none of this name
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
    // A host with a limit of 0 is paused, and goes on as it was.
    const isPaused = limit === 0 && (other === 'maxSockets' || other === 'maxTotalSockets');
    if (minFreeSockets > limit && !isPaused)
      throw outOfRange(name, `at most ${other} (${limit})`, minFreeSockets);
  }
}

/** All limits of a host: those that its rule gives, else the agent's own. The same keys in the same order, always. */
export function resolveLimits(given: GivenLimits, defaults: HostLimits): HostLimits {
  return {
    maxSockets: given.maxSockets ?? defaults.maxSockets,
    maxFreeSockets: given.maxFreeSockets ?? defaults.maxFreeSockets,
    minFreeSockets: given.minFreeSockets ?? defaults.minFreeSockets,
    maxQueueSize: given.maxQueueSize ?? defaults.maxQueueSize,
    acquireTimeout: given.acquireTimeout ?? defaults.acquireTimeout,
    scheduling: given.scheduling ?? defaults.scheduling,
    weight: given.weight ?? defaults.weight,
    reserve: given.reserve ?? defaults.reserve,
    idleTimeout: given.idleTimeout ?? defaults.idleTimeout,
    // As for the agent's own: users that ask for more by one name need not do so by the other.
    maxIdleTimeout: given.maxIdleTimeout ?? Math.max(defaults.maxIdleTimeout, given.idleTimeout ?? 0),
    maxSocketAge: given.maxSocketAge ?? defaults.maxSocketAge,
    maxRequestsPerSocket: given.maxRequestsPerSocket ?? defaults.maxRequestsPerSocket,
    validateAfterIdle: given.validateAfterIdle ?? defaults.validateAfterIdle,
  };
}
