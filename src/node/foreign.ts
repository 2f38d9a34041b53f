/**
 * Handles values and code of others. They may throw, emit or call back anything: text, `undefined`, an object whose getters throw. Reads of
 * such values do not throw here, and exceptions of such code stop nothing else: each becomes an uncaught exception as ever, once, but in a
 * tick of its own.
 */
import { nextTick } from './timers.js';

/** A property of `value`, which may be anything. `undefined`: it has no such property, or throws when that is read. */
export function propertyOf(value: unknown, name: PropertyKey): unknown {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return undefined;
  try {
    return Reflect.get(value, name);
  } catch {
    return undefined;
  }
}

/** `error.code`, for an error that may be anything: of another realm, text, an object with getters. */
export function codeOf(error: unknown): unknown {
  return propertyOf(error, 'code');
}

/**
 * Calls a method of a stream that may be no real socket. If the method is missing or throws, nothing happens: it is used only for methods that
 * a connection can do without (TCP keep-alive, the name of the cipher).
 */
export function callIfAble(stream: object, method: string, ...args: unknown[]): unknown {
  try {
    const candidate: unknown = Reflect.get(stream, method);
    return typeof candidate === 'function' ? Reflect.apply(candidate, stream, args) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Destroys `stream` with `reason`, which may be anything. Node reads the stack of an error then, so a reason that throws when it is read is left
 * out.
 *
 * @throws what the stream's `destroy` throws
 */
export function destroy(stream: { destroy(reason?: Error): unknown }, reason: unknown): void {
  try {
    stream.destroy(reason as Error | undefined);
  } catch {
    stream.destroy();
  }
}

/** Destroys a stream that no request gets, and silences its errors. */
export function discard(stream: object): void {
  callIfAble(stream, 'on', 'error', ignore);
  callIfAble(stream, 'destroy');
}

function ignore(): void {}

/** Runs `fn`. An exception of it does not stop the caller. */
export function isolate(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    throwLater(error);
  }
}

/** Makes `error` an uncaught exception as soon as the present stack is done. */
export function throwLater(error: unknown): void {
  nextTick(rethrow, error);
}

function rethrow(error: unknown): never {
  throw error;
}

const RESOLVED = Promise.resolve();

let ownStack = false;

/** Runs `fn` as the first function on a stack: no code of others is below it. */
export function runOnOwnStack(fn: () => void): void {
  const before = ownStack;
  ownStack = true;
  try {
    fn();
  } catch (error) {
    throwLater(error);
  } finally {
    ownStack = before;
  }
}

/**
 * Runs `fn` on a stack of our own: at once if this is one, else in a microtask. On a stack of other code, `fn` could make exceptions vanish:
 * what a 'response' listener throws is lost in Node 22 to 26 if `AsyncResource#runInAsyncScope` ran on its stack before.
 */
export function onOwnStack(fn: () => void): void {
  if (ownStack) isolate(fn);
  else later(fn);
}

/** `onOwnStack`, but never at once. */
export function later(fn: () => void): void {
  void RESOLVED.then(() => runOnOwnStack(fn));
}
