/** `agent.maxSockets` and the like: properties that may be set at any time, checked and obeyed at once. */
import type { Agent } from 'node:https';
import { atLeastZero, duration } from './checks.js';
import { scheduling } from './limits/host-limits.js';
import { MAX_TIMEOUT } from './node-internals.js';
import type { Limits } from './pool/limits.js';

/** Hot path. `agent.options.timeout`, `0` for none: also for nonsense, which may be written there at any time. */
export function timeoutOf({ timeout }: { readonly timeout?: unknown }): number {
  return typeof timeout === 'number' && timeout > 0 ? Math.min(timeout, MAX_TIMEOUT) : 0;
}

/** Own properties, as on Node's agent, but live: whoever waits for a limit goes when it is raised. */
export function defineLimits(agent: Agent, limits: Limits, changed: () => void): void {
  const define = <K extends keyof Limits>(
    name: K,
    check: (name: string, value: unknown) => Limits[K],
  ): void => {
    Object.defineProperty(agent, name, {
      configurable: true,
      enumerable: true,
      get: () => limits[name],
      set: (value: unknown) => {
        limits[name] = check(name, value);
        changed();
      },
    });
  };
  define('maxSockets', atLeastZero);
  define('maxTotalSockets', atLeastZero);
  define('maxFreeSockets', atLeastZero);
  define('maxTotalFreeSockets', atLeastZero);
  define('maxQueueSize', atLeastZero);
  define('maxTotalQueueSize', atLeastZero);
  define('acquireTimeout', duration);
  define('trimInterval', duration);
  define('scheduling', scheduling);
  define('keepAlive', (_name, value) => Boolean(value));
}

/** Milliseconds that may be set on an agent at any time, and for which nobody waits. */
export interface Durations {
  keepAliveMsecs: number;
  agentKeepAliveTimeoutBuffer: number;
}

/** The like for these: nonsense is refused where it is written, not met with by a connection later. */
export function defineDurations(agent: Agent, durations: Durations): void {
  for (const name of Object.keys(durations) as (keyof Durations)[]) {
    Object.defineProperty(agent, name, {
      configurable: true,
      enumerable: true,
      get: () => durations[name],
      set: (value: unknown) => void (durations[name] = duration(name, value)),
    });
  }
}
