/**
 * Keeps keys, passphrases and tickets out of messages of others: errors quote values that could not be read, and may end in a log. Every secret
 * of the options at hand is taken out, and everything that looks like a private key.
 */
import { codeOf, propertyOf } from '../node/foreign.js';
import { bytesOf } from './option-value.js';
import { cleanerOf, withoutPrivateKeys } from './removal.js';

/** Options whose values are secret. In names they print as a digest, however short they are. */
export const SECRET_OPTIONS: ReadonlySet<string> = new Set([
  'key',
  'passphrase',
  'pfx',
  'session',
  'ticketKeys',
]);

/** Shorter text is no secret, and occurs in other words by chance. */
const MIN_LENGTH = 4;
/** Messages of others are cut off after this many characters. */
const MAX_TEXT = 1000;
/** The number of causes, one of the other, that are cleaned. */
const MAX_CAUSES = 5;

/** Returns a function that takes the secrets of `options` out of a text. */
function cleanerFor(options: Readonly<Record<string, unknown>>): (text: string) => string {
  const clean = cleanerOf(secretsOf(options));
  return (text) => clean(withoutPrivateKeys(text));
}

/** `text` without the secrets of `options`. */
export function withoutSecrets(text: string, options: Readonly<Record<string, unknown>>): string {
  return cleanerFor(options)(text);
}

/** One line for an error of any type. */
export function describeError(error: unknown, options: Readonly<Record<string, unknown>>): string {
  try {
    // A parser quotes text that it could not parse, which may be a whole file of secrets.
    const name: unknown = Object(error).name;
    if (name === 'SyntaxError') return 'SyntaxError';
    return withoutSecrets(String(error), options).slice(0, MAX_TEXT);
  } catch {
    return 'An error that cannot be printed';
  }
}

/**
 * An error that was just made for `options`, without their secrets: the same object, or a plain error with its message and code where that
 * cannot be changed. It may be an error of another realm.
 */
export function scrub(error: unknown, options: Readonly<Record<string, unknown>>): unknown {
  const clean = cleanerFor(options);
  if (typeof error === 'string') return clean(error);
  try {
    if (isCleaned(error, clean, 0)) return error;
    const plain = new Error(clean(String(propertyOf(error, 'message'))));
    return Object.assign(plain, { code: codeOf(error) });
  } catch {
    // It throws when it is read, so it will not be printed.
    return error;
  }
}

/** Cleans the texts of an error and of its causes. `false`: they cannot be changed. */
function isCleaned(error: unknown, clean: (text: string) => string, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth > MAX_CAUSES) return true;
  for (const name of Object.getOwnPropertyNames(error)) {
    const value: unknown = Reflect.get(error, name);
    if (typeof value === 'string') {
      const text = clean(value);
      if (text !== value && !Reflect.set(error, name, text)) return false;
    } else if (name === 'cause' || name === 'errors' || (Array.isArray(error) && depth > 0)) {
      if (!isCleaned(value, clean, depth + 1)) return false;
    }
  }
  return true;
}

/** Every text in the secret options. Each line of a key counts for itself, so that a part of a key is found, too. */
function secretsOf(options: Readonly<Record<string, unknown>>): Set<string> {
  const found = new Set<string>();
  const add = (value: unknown, depth: number): void => {
    if (typeof value === 'string' || typeof value === 'number') {
      for (const line of String(value).split(/\r?\n/)) {
        if (line.length >= MIN_LENGTH && !line.startsWith('-----')) found.add(line);
      }
    } else if (ArrayBuffer.isView(value)) {
      const bytes = bytesOf(value);
      add(bytes.toString('latin1'), depth);
      for (const encoding of ['base64', 'hex'] as const) add(bytes.toString(encoding), depth);
    } else if (typeof value === 'object' && value !== null && depth < 3) {
      for (const member of Object.values(value)) add(member, depth + 1);
    }
  };
  for (const name of SECRET_OPTIONS) add(options[name], 0);
  return found;
}
