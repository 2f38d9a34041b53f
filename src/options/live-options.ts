/** `agent.maxSockets` and the like: properties that may be set at any time. They are checked, and take effect at once. */
import { atLeastZero, count, duration, durationOrNever } from '../validate.js';
import type { Check } from '../validate.js';
import { checkMinFreeSockets, scheduling } from '../limits/shared-checks.js';
import { MAX_DELAY } from '../node/timers.js';
import type { Limits } from '../pool/limits.js';

/** Hot path. `agent.options.timeout`, which may be written at any time. `0`: none, or a value that is not valid, or a getter that throws. */
export function timeoutOf(options: { readonly timeout?: unknown }): number {
  let timeout;
  try {
    ({ timeout } = options);
  } catch {
    return 0;
  }
  return typeof timeout === 'number' && timeout > 0 ? Math.min(timeout, MAX_DELAY) : 0;
}

/** Limits that can be changed at any time. */
export type LiveLimit =
  | 'keepAlive'
  | 'maxSockets'
  | 'maxTotalSockets'
  | 'maxFreeSockets'
  | 'maxTotalFreeSockets'
  | 'minFreeSockets'
  | 'maxQueueSize'
  | 'maxTotalQueueSize'
  | 'acquireTimeout'
  | 'trimInterval'
  | 'scheduling';

const DEFAULT_LIMITS: Pick<Limits, LiveLimit> = {
  keepAlive: true,
  maxSockets: Infinity,
  maxTotalSockets: Infinity,
  maxFreeSockets: 256,
  maxTotalFreeSockets: Infinity,
  minFreeSockets: 0,
  maxQueueSize: Infinity,
  maxTotalQueueSize: Infinity,
  acquireTimeout: 0,
  trimInterval: 60_000,
  scheduling: 'lifo',
};

export const LIVE_LIMITS: readonly LiveLimit[] = Object.keys(DEFAULT_LIMITS) as LiveLimit[];

export function defaultLimit<K extends LiveLimit>(name: K): Limits[K] {
  return (DEFAULT_LIMITS as Limits)[name];
}

/** The checks of their values. A running agent takes 0 where construction does not: it pauses. */
const CHECKS: { readonly [K in LiveLimit]: Check<Limits[K]> } = {
  keepAlive: (_name, value) => Boolean(value),
  maxSockets: atLeastZero,
  maxTotalSockets: atLeastZero,
  maxFreeSockets: atLeastZero,
  maxTotalFreeSockets: atLeastZero,
  minFreeSockets: count(0),
  maxQueueSize: atLeastZero,
  maxTotalQueueSize: atLeastZero,
  acquireTimeout: duration,
  trimInterval: duration,
  scheduling,
};

/** Defines a property of an agent whose value lies elsewhere. */
export type Define = (
  name: string,
  get: () => unknown,
  set: (value: unknown) => void,
  enumerable?: boolean,
) => void;

/**
 * Defines the limits as own properties, as on Node's agent, but live: requests that wait for a limit are served when it is raised. `undefined`
 * and `null` bring the default back, because an environment variable may be unset.
 */
export function defineLimits(define: Define, limits: Limits, changed: () => void): void {
  const defineLimit = <K extends LiveLimit>(name: K): void => {
    const set = (value: unknown): void => {
      const limit = given(value) ? CHECKS[name](name, value) : defaultLimit(name);
      // The other limits may be lowered later: then fewer connections are kept ready.
      if (name === 'minFreeSockets') checkMinFreeSockets('', { ...limits, [name]: limit as number });
      limits[name] = limit;
      changed();
    };
    define(name, () => limits[name], set);
  };
  for (const name of LIVE_LIMITS) defineLimit(name);
}

/** Durations that may be set on an agent at any time, and for which no request waits. Milliseconds. */
export interface Durations {
  keepAliveMsecs: number;
  agentKeepAliveTimeoutBuffer: number;
}

export const DEFAULT_DURATIONS: Readonly<Durations> = {
  keepAliveMsecs: 1000,
  agentKeepAliveTimeoutBuffer: 1000,
};

/** `Infinity` is allowed: Node takes it, like 0, for the system's own delay. */
export const keepAliveMsecs: Check<number> = durationOrNever;

/** The same for durations: a wrong value is refused where it is written, and not when a connection needs it. */
export function defineDurations(define: Define, durations: Durations): void {
  const checks = { keepAliveMsecs, agentKeepAliveTimeoutBuffer: duration };
  for (const name of Object.keys(durations) as (keyof Durations)[]) {
    const set = (value: unknown): void => {
      durations[name] = given(value) ? checks[name](name, value) : DEFAULT_DURATIONS[name];
    };
    define(name, () => durations[name], set);
  }
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}
