/**
 * Import this, and every event of every pool in the process is followed by `checkInvariants`. A violation is
 * thrown where it happens, and the process ends with a non-zero exit code even if somebody catches that.
 */
import { checkInvariants } from '../../src/pool/invariants.js';
import { Pool } from '../../src/pool/pool.js';
import type { Kinds } from '../../src/pool/kinds.js';

const EVENTS = [
  'lease',
  'leaseUnsafe',
  'enqueue',
  'readmit',
  'retry',
  'retryOnNew',
  'reprioritize',
  'abort',
  'connected',
  'ready',
  'redialled',
  'failed',
  'release',
  'releaseUnsafe',
  'discard',
  'turn',
  'validated',
  'close',
  'closed',
  'adopt',
  'abandon',
  'rulesChanged',
  'limitsChanged',
  'destroy',
  'beginClose',
  'closeIdleConnections',
  'closeAllConnections',
  'openSpare',
  'giveUpSpare',
  'makeWay',
  'reap',
  'expire',
  'trim',
] as const;

type Method = (this: Pool<Kinds>, ...args: unknown[]) => unknown;

/** Events of one pool nest: the driver calls back. What holds, holds between the outermost. */
const depth = new WeakMap<Pool<Kinds>, number>();
let events = 0;
/** What else has to hold between the events of a pool. */
const checks = new WeakMap<object, () => void>();

for (const name of EVENTS) {
  const prototype = Pool.prototype as unknown as Record<string, Method>;
  const original = prototype[name];
  if (!original) throw new Error(`Pool has no method ${name}`);
  prototype[name] = function audited(...args) {
    const level = depth.get(this) ?? 0;
    depth.set(this, level + 1);
    let result: unknown;
    try {
      result = original.apply(this, args);
    } finally {
      depth.set(this, level);
    }
    if (level === 0) {
      events++;
      try {
        checkInvariants(this);
        checks.get(this)?.();
      } catch (error) {
        process.exitCode = 1;
        throw error;
      }
    }
    return result;
  };
}

/** `check` is called after every event of `pool`, too. */
export function auditAlso(pool: object, check: () => void): void {
  checks.set(pool, check);
}

/** How many events were checked so far: a test may make sure that the audit was on. */
export function auditedEvents(): number {
  return events;
}
