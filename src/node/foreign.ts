/**
 * Values and code of others. Anything can be thrown, emitted or called back: text, `undefined`, an object whose getters throw.
 * Anything can throw where it is called. Reads of such values do not throw here, and calls of such code take nobody else down; what
 * was thrown is an uncaught exception as ever, once, but in a tick of its own.
 */
import { nextTick } from './timers.js';

/** A property of `value`, whatever that is. `undefined`: it has none of that name, or does not let it be read. */
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
 * Calls a method of a stream that may only look like a socket. Where the method is missing or throws, nothing happens: all of them
 * are asked for what a connection can do without (TCP keep-alive, the name of the cipher).
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
 * Destroys `stream` with `reason`, which may be anything: Node reads the stack of an error then. One that does not let itself be read is
 * left out.
 *
 * @throws what a stream throws that does not let itself be destroyed
 */
export function destroy(stream: { destroy(reason?: Error): unknown }, reason: unknown): void {
  try {
    stream.destroy(reason as Error | undefined);
  } catch {
    stream.destroy();
  }
}

/** Runs `fn`. What it throws does not stop the caller. */
export function isolate(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    throwLater(error);
  }
}

/** `error` becomes an uncaught exception as soon as the stack of now is done. */
export function throwLater(error: unknown): void {
  nextTick(rethrow, error);
}

function rethrow(error: unknown): never {
  throw error;
}

const RESOLVED = Promise.resolve();

let ownStack = false;

/** Runs `fn` as the first thing on a stack: nothing of anybody else is below it. */
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
 * Runs `fn` on a stack of our own: at once if this is one, else in a microtask. On a stack of somebody else, `fn` could take away
 * exceptions: what a 'response' listener throws is lost in Node 22 to 26 if `AsyncResource#runInAsyncScope` ran on its stack before.
 */
export function onOwnStack(fn: () => void): void {
  if (ownStack) isolate(fn);
  else later(fn);
}

/** The same, and never at once. */
export function later(fn: () => void): void {
  void RESOLVED.then(() => runOnOwnStack(fn));
}
