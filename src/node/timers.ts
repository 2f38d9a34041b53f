/**
 * The real timers and clocks, taken once, when this module is loaded; nothing else in src/ has timers or clocks of its own
 * (the lint rules see to that). Test tools replace the globals, the functions of `node:timers`, `performance.now` and `Date`,
 * some of them before we are loaded: a pool that waited for such a timer would leave requests over real sockets waiting
 * for ever, as nothing in Node's own client does.
 *
 * A function that turns out to be a fake is replaced with what Node keeps beyond the reach of fakes: the class of its
 * timers, which each socket's own timer shows; that of its immediates; the 'close' of a stream; the `Date` that it makes. Where even
 * that is missing, what there is has to do, and somebody is told.
 */
import { createHook } from 'node:async_hooks';
import { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import * as timers from 'node:timers';
import { Capability } from './capability.js';

/** The longest delay that Node's timers take: a longer one would be over at once. */
export const MAX_DELAY: number = 2 ** 31 - 1;

/**
 * Milliseconds after which a callback that has not come counts as lost, and is asked for again. A part that has noted that
 * it has asked for a callback asks for no second one before that has come. Without this limit, one lost callback would stop it for good.
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

/** Of Node's own making. Fakes have no `_onTimeout`. */
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
    // That of its class: fakes are put on the object.
    const { yield: yieldNow } = Object.getPrototypeOf(scheduler) as typeof scheduler;
    void yieldNow.call(scheduler);
  } catch {
    // Not as we know it.
  } finally {
    hook.disable();
  }
  return found as ImmediateClass | undefined;
}

/** It is asked only where there are fakes, when this module is loaded. */
export const behindFakes: Capability = new Capability(
  'real timers and clocks are found behind fakes',
  'under the fake timers of test tools the pool goes by the fakes',
);

/** The real thing that `find` finds behind `fake`, or else the fake. */
function behind<T>(fake: T, find: () => T | undefined): T {
  let found;
  try {
    found = find();
  } catch {
    // Not as we know it.
  }
  if (found === undefined) behindFakes.found(false);
  return found ?? fake;
}

function realSetTimeout(): SetTimeout {
  const given = timers.setTimeout as SetTimeout;
  const probe: unknown = given(doNothing, MAX_DELAY);
  if (isTimeout(probe)) {
    probe.close();
    return given;
  }
  timers.clearTimeout(probe as NodeJS.Timeout);
  return behind(given, () => {
    const Timeout = findTimeoutClass();
    // `refresh` is what starts it.
    return (
      Timeout && ((callback, delay, ...args) => new Timeout(callback, delay, args, false, true).refresh())
    );
  });
}

function realSetImmediate(): SetImmediate {
  const given = timers.setImmediate as SetImmediate;
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
  // It returns nothing that could tell, and to try it out takes until the next tick.
  if (/tickObject/.test(Function.prototype.toString.call(given))) return given;
  // A stream emits its 'close' in a tick of Node's own.
  return (callback: (...args: never[]) => void, ...args: unknown[]) => {
    const stream = new Readable();
    stream.once('close', () => Reflect.apply(callback, undefined, args));
    stream.destroy();
  };
}

function realNow(): () => number {
  // That of its class: fakes are put on the object.
  const { now } = Object.getPrototypeOf(performance) as Partial<typeof performance>;
  return (now ?? performance.now).bind(performance);
}

/** A `Date` as `v8.serialize` writes it: version 13, the tag `D`, a double. */
const SERIALIZED_DATE = Buffer.from([0xff, 13, 0x44, 0, 0, 0, 0, 0, 0, 0, 0]);

function realDate(): DateConstructor {
  const given = Date;
  if (Function.prototype.toString.call(given) === 'function Date() { [native code] }') return given;
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
  // `clearTimeout` may be a fake where `setTimeout` is none, and would not know it.
  timer?.close();
}

/** There is no `clearImmediate`: it may be a fake, too, and immediates are over soon. */
export const setImmediate: SetImmediate = realSetImmediate();

export const nextTick: typeof process.nextTick = realNextTick();

/**
 * Calls `callback` when every tick has come that Node's client has put off so far. It uses what stands at `process.nextTick` at the moment: where
 * that is a fake, its ticks may come late or never, and so does this.
 */
export function afterTicks(callback: () => void): void {
  process.nextTick(callback);
}

/** Hot path. Milliseconds on a clock that nobody sets. */
export const monotonicNow: () => number = realNow();

/** Node's own figures of the event loop. The numbers are missing where Node does not have them. */
interface LoopTiming {
  /** Milliseconds for which it has waited for events. */
  readonly idleTime: number;
  readonly uvMetricsInfo?: { readonly loopCount: number; readonly events: number } | undefined;
}

export const loopTiming: LoopTiming = performance.nodeTiming as LoopTiming;

/** Milliseconds since the epoch, by the wall clock. */
export function wallClockNow(): number {
  // Not `Date.now`, on which tests put their spies.
  return new RealDate().getTime();
}
