/** Takes secret texts out of other texts. A file of its own, without any state: parts that are loaded late have a copy. */

const REMOVED = '[removed]';
const PRIVATE_KEY = /-----BEGIN [^-]*PRIVATE KEY-----[^]*?(?:-----END [^-]*-----|$)/g;

/** Returns a function that takes all of `secrets` out of a text: the longest first, since they may contain each other. */
export function cleanerOf(secrets: Iterable<string>): (text: string) => string {
  const sorted = [...secrets].toSorted((a, b) => b.length - a.length);
  return (text) => sorted.reduce((rest, secret) => rest.replaceAll(secret, REMOVED), text);
}

/** Takes whatever looks like a private key out of a text. */
export function withoutPrivateKeys(text: string): string {
  return text.replaceAll(PRIVATE_KEY, REMOVED);
}
