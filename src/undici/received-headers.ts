/** The headers of a response, in the two forms of undici's handlers. */
import type { ReceivedHeaders } from './types.js';

/** Names and values in turn, as bytes. Node's client reads headers as Latin-1, so that none is lost. */
export function toBuffers(raw: readonly string[]): Buffer[] {
  const buffers: Buffer[] = [];
  for (const text of raw) buffers.push(Buffer.from(text, 'latin1'));
  return buffers;
}

/** The same for the values that interceptors may pass on: texts, or an object. */
export function toRaw(given: Buffer[] | string[] | ReceivedHeaders | null | undefined): Buffer[] {
  if (!given) return [];
  if (Array.isArray(given)) {
    return given.map((one: Buffer | string) => (typeof one === 'string' ? Buffer.from(one, 'latin1') : one));
  }
  const texts: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    for (const one of [value ?? []].flat()) texts.push(name, one);
  }
  return toBuffers(texts);
}

/** The text of names and values in turn, as bytes or text; a value may be a list of values. */
export function fromRaw(given: readonly unknown[]): string[] {
  const texts: string[] = [];
  for (let i = 0; i + 1 < given.length; i += 2) {
    const name = textOf(given[i]);
    for (const value of [given[i + 1]].flat() as unknown[]) texts.push(name, textOf(value));
  }
  return texts;
}

function textOf(given: unknown): string {
  return Buffer.isBuffer(given) ? given.toString('latin1') : String(given);
}

/** Values by lower-case name; a header that came several times has a list. */
export function toObject(raw: readonly string[]): ReceivedHeaders {
  const headers: ReceivedHeaders = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    const known = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (typeof known === 'object') known.push(value);
    else if (name === '__proto__') define(headers, known === undefined ? value : [known, value]);
    else headers[name] = known === undefined ? value : [known, value];
  }
  return headers;
}

/** Assigning to this name would change the prototype. */
function define(headers: ReceivedHeaders, value: string | string[]): void {
  Object.defineProperty(headers, '__proto__', {
    configurable: true,
    enumerable: true,
    writable: true,
    value,
  });
}
