/**
 * Import this, and every event of every pool in the process is followed by `checkInvariants`. A violation is
 * thrown where it happens, and the process ends with a non-zero exit code even if somebody catches that.
 */
import { checkInvariants } from '../../src/pool/invariants.js';
import { Pool } from '../../src/pool/pool.js';
import { Shutdown } from '../../src/pool/shutdown.js';
import { Spares } from '../../src/pool/spares.js';
import { Upkeep } from '../../src/pool/upkeep.js';
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
  'rulesChanged',
  'limitsChanged',
  'expire',
] as const;
const SPARES_EVENTS = ['open', 'giveUp', 'makeWay'] as const;
const UPKEEP_EVENTS = ['reap', 'retireNow', 'trim', 'abandon'] as const;
const SHUTDOWN_EVENTS = ['begin', 'closeIdleConnections', 'closeAllConnections', 'destroy'] as const;

type AnyPool = Pool<Kinds>;
type Method = (this: object, ...args: unknown[]) => unknown;

/** Events of one pool nest: the driver calls back. The invariants hold between the outermost. */
const depth = new WeakMap<AnyPool, number>();
/** The pool of each of its parts that take events themselves: known since the first event of the pool, and before that it is empty. */
const poolOf = new WeakMap<object, AnyPool>();
let events = 0;
/** Adds a check that must hold between the events of a pool. */
const checks = new WeakMap<object, () => void>();

function knowParts(pool: AnyPool): AnyPool {
  if (!poolOf.has(pool))
    for (const one of [pool, pool.spares, pool.upkeep, pool.shutdown]) poolOf.set(one, pool);
  return pool;
}

function audit(
  { name: className, prototype: methods }: { name: string; prototype: object },
  names: readonly string[],
): void {
  const prototype = methods as Record<string, Method>;
  for (const name of names) {
    const original = prototype[name];
    if (!original) throw new Error(`${className} has no method ${name}`);
    prototype[name] = function audited(...args) {
      const pool = this instanceof Pool ? knowParts(this) : poolOf.get(this);
      return pool ? checked(pool, () => original.apply(this, args)) : original.apply(this, args);
    };
  }
}

function checked(pool: AnyPool, event: () => unknown): unknown {
  const level = depth.get(pool) ?? 0;
  depth.set(pool, level + 1);
  let result: unknown;
  try {
    result = event();
  } finally {
    depth.set(pool, level);
  }
  if (level === 0) {
    events++;
    try {
      checkInvariants(pool);
      checks.get(pool)?.();
    } catch (error) {
      process.exitCode = 1;
      throw error;
    }
  }
  return result;
}

audit(Pool, EVENTS);
audit(Spares, SPARES_EVENTS);
audit(Upkeep, UPKEEP_EVENTS);
audit(Shutdown, SHUTDOWN_EVENTS);

/** `check` is called after every event of `pool`, too. */
export function auditAlso(pool: object, check: () => void): void {
  checks.set(pool, check);
}

/** How many events were checked so far: a test may make sure that the audit was on. */
export function auditedEvents(): number {
  return events;
}
