/**
 * Keeps keys, passphrases and tickets out of texts that others wrote: errors quote what could not be read, and may end in a log. Every
 * secret that is known at that moment is taken out, and everything that looks like a private key.
 */

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
const REMOVED = '[removed]';

/** `text` without the secrets of `options`. */
export function withoutSecrets(text: string, options: Readonly<Record<string, unknown>>): string {
  let clean = text.replaceAll(PRIVATE_KEY, REMOVED);
  for (const secret of secretsOf(options)) clean = clean.replaceAll(secret, REMOVED);
  return clean;
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

/** Takes the secrets of `options` out of an error that was just made for them. */
export function scrub(error: unknown, options: Readonly<Record<string, unknown>>): void {
  if (!(error instanceof Error)) return;
  const { message, stack } = error;
  const clean = withoutSecrets(message, options);
  if (clean === message) return;
  error.message = clean;
  if (stack !== undefined) error.stack = withoutSecrets(stack, options);
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
