/** `agent.maxSockets` and the like: properties that may be set at any time, checked and obeyed at once. */
import { atLeastZero, count, duration, durationOrNever } from '../validate.js';
import type { Check } from '../validate.js';
import { checkMinFreeSockets, scheduling } from '../limits/host-limits.js';
import { MAX_DELAY } from '../node/timers.js';
import type { Limits } from '../pool/limits.js';

/** Hot path. `agent.options.timeout`, `0` for none: also for nonsense, or a getter that throws. It may be written at any time. */
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

/** The values that they may be set to. At construction some of them may be less: a pool that opens nothing is no use there. */
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

/** Defines a property of an agent that is read from somewhere else, and written to it. */
export type Define = (
  name: string,
  get: () => unknown,
  set: (value: unknown) => void,
  enumerable?: boolean,
) => void;

/**
 * Own properties, as on Node's agent, but live: whoever waits for a limit goes when it is raised. `undefined` and `null` bring the
 * default back: an environment variable may not be set.
 */
export function defineLimits(define: Define, limits: Limits, changed: () => void): void {
  const defineLimit = <K extends LiveLimit>(name: K): void => {
    const set = (value: unknown): void => {
      const limit = given(value) ? CHECKS[name](name, value) : defaultLimit(name);
      // It follows when the others are changed.
      if (name === 'minFreeSockets') checkMinFreeSockets('', { ...limits, [name]: limit as number });
      limits[name] = limit;
      changed();
    };
    define(name, () => limits[name], set);
  };
  for (const name of LIVE_LIMITS) defineLimit(name);
}

/** Milliseconds that may be set on an agent at any time, and for which nobody waits. */
export interface Durations {
  keepAliveMsecs: number;
  agentKeepAliveTimeoutBuffer: number;
}

export const DEFAULT_DURATIONS: Readonly<Durations> = {
  keepAliveMsecs: 1000,
  agentKeepAliveTimeoutBuffer: 1000,
};

/** `Infinity`, which Node takes for the system's own delay, as it takes 0. */
export const keepAliveMsecs: Check<number> = durationOrNever;

/** The like for these: nonsense is refused where it is written, not met with by a connection later. */
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
