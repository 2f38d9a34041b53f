/**
 * Keeps keys, passphrases and tickets out of texts that others wrote: errors quote what could not be read, and may end in a log. Every
 * secret that is known at that moment is taken out, and everything that looks like a private key.
 */
import { codeOf, propertyOf } from '../node/foreign.js';

/** Options that nobody else may know the value of. In names they print as a digest, however short they are. */
export const SECRET_OPTIONS: ReadonlySet<string> = new Set([
  'key',
  'passphrase',
  'pfx',
  'session',
  'ticketKeys',
]);

/** Text that is shorter says nothing, and stands in many a word by chance. */
const MIN_LENGTH = 4;
/** Texts of others are cut off here. */
const MAX_TEXT = 1000;
const PRIVATE_KEY = /-----BEGIN [^-]*PRIVATE KEY-----[^]*?(?:-----END [^-]*-----|$)/g;
/** How far causes of causes are followed. */
const MAX_CAUSES = 5;
const REMOVED = '[removed]';

/** A function that takes the secrets of `options` out of a text. */
function cleanerFor(options: Readonly<Record<string, unknown>>): (text: string) => string {
  const secrets = secretsOf(options);
  return (text) => {
    let clean = text.replaceAll(PRIVATE_KEY, REMOVED);
    for (const secret of secrets) clean = clean.replaceAll(secret, REMOVED);
    return clean;
  };
}

/** `text` without the secrets of `options`. */
export function withoutSecrets(text: string, options: Readonly<Record<string, unknown>>): string {
  return cleanerFor(options)(text);
}

/** An error in one line, whatever was thrown. */
export function describeError(error: unknown, options: Readonly<Record<string, unknown>>): string {
  try {
    // A parser quotes what it could not parse, which may be all of a file of secrets.
    const name: unknown = Object(error).name;
    if (name === 'SyntaxError') return 'SyntaxError';
    return withoutSecrets(String(error), options).slice(0, MAX_TEXT);
  } catch {
    return 'An error that cannot be printed';
  }
}

/**
 * An error that was just made for `options`, without their secrets: the very one that was thrown, or, where it does not let itself be
 * changed, a plain one with its message and code. It may be of another realm, where Node's own errors are not ours.
 */
export function scrub(error: unknown, options: Readonly<Record<string, unknown>>): unknown {
  const clean = cleanerFor(options);
  if (typeof error === 'string') return clean(error);
  try {
    if (isCleaned(error, clean, 0)) return error;
    const plain = new Error(clean(String(propertyOf(error, 'message'))));
    return Object.assign(plain, { code: codeOf(error) });
  } catch {
    // It does not let itself be read; nobody will print it.
    return error;
  }
}

/** Cleans the texts of an error, and of those that it names as its causes. `false`: they do not let themselves be changed. */
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

/** Every text in the secret options: each line of a key counts, so that a part of it is found, too. The longest come first. */
function secretsOf(options: Readonly<Record<string, unknown>>): string[] {
  const found = new Set<string>();
  const add = (value: unknown, depth: number): void => {
    if (typeof value === 'string' || typeof value === 'number') {
      for (const line of String(value).split(/\r?\n/)) {
        if (line.length >= MIN_LENGTH && !line.startsWith('-----')) found.add(line);
      }
    } else if (ArrayBuffer.isView(value)) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      add(bytes.toString('latin1'), depth);
      for (const encoding of ['base64', 'hex'] as const) add(bytes.toString(encoding), depth);
    } else if (typeof value === 'object' && value !== null && depth < 3) {
      for (const member of Object.values(value)) add(member, depth + 1);
    }
  };
  for (const name of SECRET_OPTIONS) add(options[name], 0);
  return [...found].toSorted((a, b) => b.length - a.length);
}
