/**
 * Checks of option values. Each returns the value, or throws with Node's code and the option's name. `null` is not given, as
 * configuration files have it, and counts may be strings of digits, as environment variables have them.
 */
import { invalidType, invalidValue, outOfRange } from './errors.js';

export type Check<T> = (name: string, value: unknown) => T;

export function optional<T, F extends T | undefined = T>(
  options: object,
  name: string,
  check: Check<T>,
  fallback: F,
): T | F {
  const value: unknown = Reflect.get(options, name);
  return value === undefined || value === null ? fallback : check(name, value);
}

export function booleanValue(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
  return value;
}

/** Digits and nothing else: what is sloppy (`' 5'`, `'5px'`, `'1e3'`) is more likely a mistake than a number. */
const DIGITS = /^\d{1,15}$/;

function countOf(value: unknown): unknown {
  return typeof value === 'string' && DIGITS.test(value) ? Number(value) : value;
}

function atLeast(minimum: number): Check<number> {
  return (name, given) => {
    const value = countOf(given);
    if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
    if (!(value >= minimum && (Number.isInteger(value) || value === Infinity))) {
      throw outOfRange(name, `an integer >= ${minimum}, or Infinity`, value);
    }
    return value;
  };
}

export function oneOf<T extends string>(...words: readonly T[]): Check<T> {
  return (name, value) => {
    for (const word of words) if (value === word) return word;
    throw invalidValue(name, `one of: ${words.map((word) => `'${word}'`).join(', ')}`, value);
  };
}

export const atLeastZero: Check<number> = atLeast(0);
export const atLeastOne: Check<number> = atLeast(1);

export function duration(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!(value >= 0 && value !== Infinity)) throw outOfRange(name, 'a number of milliseconds >= 0', value);
  return value;
}

export function durationOrNever(name: string, value: unknown): number {
  return value === Infinity ? value : duration(name, value);
}

/** More than none. */
export function positiveDuration(name: string, value: unknown): number {
  const ms = durationOrNever(name, value);
  if (ms === 0) throw outOfRange(name, 'a number of milliseconds > 0, or Infinity', value);
  return ms;
}

export function functionValue<F>(name: string, value: unknown): F {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
  return value as F;
}

/** Of any realm, and also one of a polyfill. Node's own check lets objects pass that cannot be listened to. */
export function abortSignal(name: string, value: unknown): AbortSignal {
  const isSignal =
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    typeof Reflect.get(value, 'addEventListener') === 'function' &&
    typeof Reflect.get(value, 'removeEventListener') === 'function';
  if (!isSignal) throw invalidType(name, 'an instance of AbortSignal', value);
  return value as AbortSignal;
}

/** The argument of a method that may be left out. */
export function optionsObject(value: unknown): object {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalidType('options', 'of type object', value);
  return value;
}

/** An integer, and not without end. */
export function count(minimum: number): Check<number> {
  return (name, given) => {
    const value = countOf(given);
    if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
    if (!(value >= minimum && Number.isInteger(value))) {
      throw outOfRange(name, `an integer >= ${minimum}`, value);
    }
    return value;
  };
}

/** A port, which Node takes as digits, too. */
export function port(name: string, given: unknown): number {
  const value = countOf(given);
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!(value >= 1 && value <= 65_535 && Number.isInteger(value))) {
    throw outOfRange(name, 'an integer >= 1 and <= 65535', value);
  }
  return value;
}

/** As `URL` writes it: Node compares the two. */
export function protocol(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  if (!/^[a-z][a-z\d+.-]*:$/.test(value))
    throw invalidValue(name, "a scheme with its colon, like 'https:'", value);
  return value;
}

/** Values that are printed as they are. */
export function label(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  // oxlint-disable-next-line no-control-regex -- these are what must not be printed
  if (value === '' || /[\0-\x1f\x7f]/.test(value))
    throw invalidValue(name, 'a string that is not empty and has no control characters', value);
  return value;
}

/** Environment variables. `false`: none. */
export function environment(name: string, value: unknown): object | false {
  if (value === false) return value;
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'of type object', value);
  return value;
}
