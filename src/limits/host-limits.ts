/** The limits that a rule may set for its hosts: their types, and their checks, whose errors name rule and key. */
import {
  positiveDuration,
  atLeastOne,
  atLeastZero,
  count,
  duration,
  durationOrNever,
  objectValue,
} from '../validate.js';
import type { Check } from '../validate.js';
import { invalidName } from '../errors.js';
import type { HostLimits, Scheduling } from '../pool/limits.js';
import { proxyChoice } from './proxy-choice.js';
import type { ProxyChoice, ProxyOption } from './proxy-choice.js';
import { scheduling } from './shared-checks.js';

/** Limits of single hosts. A limit that is left out, `undefined` or `null`, is the agent's own. */
export interface HostLimitOptions {
  /** Connections of one such host. At least 1; with `setHostLimits` also 0, which pauses it. */
  readonly maxSockets?: number | undefined;
  /** Idle connections kept of one such host. */
  readonly maxFreeSockets?: number | undefined;
  /**
   * Idle connections of one such host that are kept ready at any time: see `PoolingAgentOptions.minFreeSockets`. In a rule for one host (a
   * pattern without `*` and no network; on port 443 if it names none) they are kept from the moment on in which the agent or the rule is
   * made, with the agent's own TLS options. At most `maxFreeSockets` and `maxSockets`.
   */
  readonly minFreeSockets?: number | undefined;
  /** Requests of one such host that may wait because no connection can be opened for them. */
  readonly maxQueueSize?: number | undefined;
  /** Milliseconds that a request may be in the queue. `0`: any time. */
  readonly acquireTimeout?: number | undefined;
  /** The order in which idle connections are used. */
  readonly scheduling?: Scheduling | undefined;
  /** Milliseconds for which a connection may be idle where the server names no time. */
  readonly idleTimeout?: number | undefined;
  /** Milliseconds for which a connection may be idle at most, whatever the server says. */
  readonly maxIdleTimeout?: number | undefined;
  /** Milliseconds after which a connection serves no further request. */
  readonly maxSocketAge?: number | undefined;
  /** The number of requests that a connection serves. */
  readonly maxRequestsPerSocket?: number | undefined;
  /** Milliseconds of idle time from which a connection is validated before it is used. */
  readonly validateAfterIdle?: number | undefined;
  /**
   * Connections of `maxTotalSockets` that no other host may take: for all hosts of the rule together. Only in a rule with a
   * pattern, because it holds before the first request. Default: `0`.
   */
  readonly reserve?: number | undefined;
  /** Connections under `maxTotalSockets` that a host gets in its turn (`fairness: 'round-robin'`), an integer. Default: `1`. */
  readonly weight?: number | undefined;
  /**
   * The proxy that leads to such a host: see `PoolingAgentOptions.proxy`. `false`: none. (The `maxSockets` of a rule for the host and port of a proxy itself bounds
   * the connections through it.)
   */
  readonly proxy?: ProxyOption | undefined;
}

const CHECKS: { readonly [K in keyof Given]-?: Check<Given[K]> } = {
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
  proxy: proxyChoice,
};

const KEYS = Object.keys(CHECKS) as (keyof HostLimitOptions)[];

interface Given extends HostLimits {
  proxy: ProxyChoice;
}

/** The limits and the proxy that a rule gives: checked, without those that it leaves out. */
export type GivenLimits = Partial<Given>;

/**
 * A checked copy of `value`.
 *
 * @param name the name of the rule in an error
 * @param agent whether the agent is `running`, or is being `made`: to a running one, 0 connections mean a pause
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`: naming rule and key
 */
export function parseHostLimits(name: string, value: unknown, agent: 'made' | 'running'): GivenLimits {
  const given: Record<string, unknown> = {};
  for (const [key, limit] of Object.entries(objectValue(name, value))) {
    if (!Object.hasOwn(CHECKS, key)) {
      throw invalidName(`${name}.${key}`, `left out: the names known here are ${KEYS.join(', ')}`);
    }
    if (limit === undefined || limit === null) continue;
    const check: Check<unknown> =
      agent === 'running' && key === 'maxSockets' ? atLeastZero : CHECKS[key as keyof HostLimitOptions];
    given[key] = check(`${name}.${key}`, limit);
  }
  return given as GivenLimits;
}

/** All limits of a host: those of its rule, else the agent's own. The keys always have the same order, so that all such objects have one shape. */
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
    // As for the agent's own limits: a longer `idleTimeout` raises `maxIdleTimeout`.
    maxIdleTimeout: given.maxIdleTimeout ?? Math.max(defaults.maxIdleTimeout, given.idleTimeout ?? 0),
    maxSocketAge: given.maxSocketAge ?? defaults.maxSocketAge,
    maxRequestsPerSocket: given.maxRequestsPerSocket ?? defaults.maxRequestsPerSocket,
    validateAfterIdle: given.validateAfterIdle ?? defaults.validateAfterIdle,
  };
}
