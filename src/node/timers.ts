/**
 * The real timers and clocks, taken once, when this module is loaded. No other module in src/ has timers or clocks of its own (the
 * lint rules see to that). Test tools replace the globals, the functions of `node:timers`, `performance.now` and `Date`, some of them
 * before this is loaded. A pool that waited for a fake timer would leave requests over real sockets waiting for ever; Node's own
 * client does not.
 *
 * Where a function is a fake, parts of Node that fakes do not reach are used instead: the class of Node's timers, found on a socket; the
 * class of its immediates; the 'close' event of a stream; a `Date` that Node makes. If that fails, too, the fake is used, and that is
 * reported.
 */
import { createHook } from 'node:async_hooks';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import * as timers from 'node:timers';
import { Capability } from './capability.js';

/** The longest delay of Node's timers: a longer one would end at once. */
export const MAX_DELAY: number = 2 ** 31 - 1;

/**
 * Milliseconds after which a callback that has not come counts as lost, and is asked for again. Code that has asked for a callback asks
 * for no second one while it waits: without this limit, one lost callback would stop it for good.
 */
export const LOST_AFTER = 200;

type SetTimeout = <A extends unknown[]>(
  callback: (...args: A) => void,
  delay: number,
  ...args: A
) => NodeJS.Timeout;
type SetImmediate = <A extends unknown[]>(callback: (...args: A) => void, ...args: A) => NodeJS.Immediate;

type TimeoutClass = new (
  callback: unknown,
  delay: number,
  args: unknown[],
  repeats: boolean,
  isReferenced: boolean,
) => NodeJS.Timeout;
type ImmediateClass = new (callback: unknown, args: unknown[]) => NodeJS.Immediate;

/** Whether `value` is a timer of Node's. Fakes have no `_onTimeout`. */
function isTimeout(value: unknown): value is NodeJS.Timeout {
  return typeof value === 'object' && value !== null && '_onTimeout' in value && 'close' in value;
}

function isImmediate(value: unknown): value is NodeJS.Immediate {
  return typeof value === 'object' && value !== null && '_onImmediate' in value;
}

/** The class of Node's timers, found on a socket. */
function findTimeoutClass(): TimeoutClass | undefined {
  const socket = new Socket();
  socket.setTimeout(MAX_DELAY);
  const timer = Object.getOwnPropertySymbols(socket)
    .map((symbol): unknown => Reflect.get(socket, symbol))
    .find(isTimeout);
  socket.setTimeout(0);
  return timer?.constructor as TimeoutClass | undefined;
}

/** The class of Node's immediates. `async_hooks` shows the one that `scheduler.yield()` makes. */
function findImmediateClass(): ImmediateClass | undefined {
  let found: unknown;
  const hook = createHook({
    init(_id, _type, _trigger, resource) {
      if (isImmediate(resource)) found = resource.constructor;
    },
  });
  hook.enable();
  try {
    const { scheduler } = process.getBuiltinModule('node:timers/promises');
    // The method of the class: fakes are set on the object.
    const { yield: yieldNow } = Object.getPrototypeOf(scheduler) as typeof scheduler;
    void yieldNow.call(scheduler);
  } catch {
    // This Node works differently.
  } finally {
    hook.disable();
  }
  return found as ImmediateClass | undefined;
}

/** Tested only if there are fakes when this module is loaded. */
export const behindFakes: Capability = new Capability(
  'real timers and clocks are found behind fakes',
  'under the fake timers of test tools the pool uses the fakes',
);

/** The original that `find` finds behind `fake`, or else the fake. */
function behind<T>(fake: T, find: () => T | undefined): T {
  let found;
  try {
    found = find();
  } catch {
    // This Node works differently.
  }
  if (found === undefined) behindFakes.found(false);
  return found ?? fake;
}

function sourceOf(given: unknown): string {
  return Function.prototype.toString.call(given);
}

function realSetTimeout(): SetTimeout {
  const given = timers.setTimeout as SetTimeout;
  // Making a new one would cost more.
  if (sourceOf(given).includes('new Timeout(')) return given;
  const probe: unknown = given(doNothing, MAX_DELAY);
  if (isTimeout(probe)) {
    probe.close();
    return given;
  }
  timers.clearTimeout(probe as NodeJS.Timeout);
  return behind(given, () => {
    const Timeout = findTimeoutClass();
    // `refresh` starts the timer.
    return (
      Timeout && ((callback, delay, ...args) => new Timeout(callback, delay, args, false, true).refresh())
    );
  });
}

function realSetImmediate(): SetImmediate {
  const given = timers.setImmediate as SetImmediate;
  if (sourceOf(given).includes('new Immediate(')) return given;
  const probe: unknown = given(doNothing);
  if (isImmediate(probe)) {
    probe.unref();
    return given;
  }
  timers.clearImmediate(probe as NodeJS.Immediate);
  return behind(given, () => {
    const Immediate = findImmediateClass();
    return Immediate && ((callback, ...args) => new Immediate(callback, args));
  });
}

function realNextTick(): typeof process.nextTick {
  const given = process.nextTick;
  // `nextTick` returns nothing by which it could be recognised, and a trial would take until the next tick.
  if (sourceOf(given).includes('tickObject')) return given;
  // A stream emits 'close' in a tick of Node's own.
  return (callback: (...args: never[]) => void, ...args: unknown[]) => {
    const stream = new Readable();
    stream.once('close', () => Reflect.apply(callback, undefined, args));
    stream.destroy();
  };
}

/** Loaded when it is needed: Node itself loads it lazily, and loading takes a tenth of the time of this package. */
function loadPerformance(): typeof globalThis.performance {
  return process.getBuiltinModule('node:perf_hooks').performance;
}

function realNow(): () => number {
  const { hrtime } = process;
  // Node's own `hrtime` is recognised by the array from which it reads the clock.
  if (sourceOf(hrtime).includes('hrValues')) {
    return () => {
      const time = hrtime();
      // By their places: to take an array apart asks for its iterator, which takes longer than the clock until V8 has optimized it.
      return time[0] * 1e3 + time[1] / 1e6;
    };
  }
  const performance = loadPerformance();
  // The method of the class: fakes are set on the object.
  const { now } = Object.getPrototypeOf(performance) as Partial<typeof performance>;
  return (now ?? performance.now).bind(performance);
}

/** A `Date` as `v8.serialize` writes it: version 13, the tag `D`, a double. */
const SERIALIZED_DATE = Buffer.from([0xff, 13, 0x44, 0, 0, 0, 0, 0, 0, 0, 0]);

function realDate(): DateConstructor {
  const given = Date;
  if (sourceOf(given) === 'function Date() { [native code] }') return given;
  return behind(given, () => {
    const date: unknown = process.getBuiltinModule('node:v8').deserialize(SERIALIZED_DATE);
    const { constructor } = date as Date;
    return typeof (date as Date).getTime === 'function' ? (constructor as DateConstructor) : undefined;
  });
}

function doNothing(): void {}

const RealDate = realDate();

export const setTimeout: SetTimeout = realSetTimeout();

export function clearTimeout(timer: NodeJS.Timeout | undefined): void {
  // `clearTimeout` may be a fake that does not know this timer.
  timer?.close();
}

/** There is no `clearImmediate` here: it may be a fake, too, and immediates end soon. */
export const setImmediate: SetImmediate = realSetImmediate();

export const nextTick: typeof process.nextTick = realNextTick();

/**
 * Calls `callback` when every tick has come that Node's client has asked for so far. It uses the present `process.nextTick`: where that is a
 * fake, its ticks may come late or never, and so does this.
 */
export function afterTicks<A extends unknown[]>(callback: (...args: A) => void, ...args: A): void {
  process.nextTick(callback, ...args);
}

/** Hot path. Milliseconds on the monotonic clock, of which only differences mean something. */
export const monotonicNow: () => number = realNow();

/** Node's figures of the event loop. Versions of Node may lack some. */
interface LoopTiming {
  /** Milliseconds that the loop has spent waiting for events. */
  readonly idleTime: number;
  readonly uvMetricsInfo?: { readonly loopCount: number; readonly events: number } | undefined;
}

let timing: LoopTiming | undefined;

/** Hot path. */
export function loopTiming(): LoopTiming {
  return (timing ??= loadPerformance().nodeTiming as LoopTiming);
}

function realWallClock(): () => number {
  const { now } = RealDate;
  // As it is now: tests replace it by spies later. Where they have done so already, a new `Date` tells as much.
  if (sourceOf(now) === 'function now() { [native code] }') return now;
  return () => new RealDate().getTime();
}

/** Hot path. Milliseconds since the epoch, by the wall clock. */
export const wallClockNow: () => number = realWallClock();
