/**
 * Checks of option values. Each returns the value, or throws with Node's code and the option's name. `null` means "not given", as in
 * configuration files, and counts may be strings of digits, as in environment variables.
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

/** Digits only: other forms (`' 5'`, `'5px'`, `'1e3'`) are more likely a mistake than a number. */
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

/** A duration above 0. */
export function positiveDuration(name: string, value: unknown): number {
  const ms = durationOrNever(name, value);
  if (ms === 0) throw outOfRange(name, 'a number of milliseconds > 0, or Infinity', value);
  return ms;
}

export function functionValue<F>(name: string, value: unknown): F {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
  return value as F;
}

/** A signal of any realm, or of a polyfill. Node's own check accepts objects without `addEventListener`. */
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

export function objectValue(name: string, value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidType(name, 'of type object', value);
  return value;
}

/** The options object of a method, which may be left out. */
export function optionsObject(value: unknown): object {
  return value === undefined || value === null ? {} : objectValue('options', value);
}

/** An integer; `Infinity` is refused. */
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

/** A port, which may be a string of digits, as in Node. */
export function port(name: string, given: unknown): number {
  const value = countOf(given);
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!(value >= 1 && value <= 65_535 && Number.isInteger(value))) {
    throw outOfRange(name, 'an integer >= 1 and <= 65535', value);
  }
  return value;
}

/** A protocol as `URL` writes it: Node compares the two. */
export function protocol(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  if (!/^[a-z][a-z\d+.-]*:$/.test(value))
    throw invalidValue(name, "a scheme with its colon, like 'https:'", value);
  return value;
}

/** A name, which is printed as it is. */
export function label(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  // oxlint-disable-next-line no-control-regex -- these are what must not be printed
  if (value === '' || /[\0-\x1f\x7f]/.test(value))
    throw invalidValue(name, 'a string that is not empty and has no control characters', value);
  return value;
}

/** An object of environment variables. `false`: none. */
export function environment(
  name: string,
  value: unknown,
): { readonly [name: string]: string | undefined } | false {
  if (value === false) return value;
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'of type object', value);
  return value as Readonly<Record<string, string>>;
}
