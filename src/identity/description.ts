/** A text for an option's value, by which it can be compared with others. option-value.ts tells what counts by its content. */
import { bytesOf, isPlain, isReference, MAX_DEPTH, textOf } from './option-value.js';
import { numberOf } from './reference-number.js';

/** A string that is the same for two values exactly if these are the `same`. */
export function describe(value: unknown, depth = 0): string {
  if (typeof value === 'string') return `"${value.length}:${value}`;
  if (ArrayBuffer.isView(value)) {
    const text = textOf(value);
    return text === undefined ? `%${bytesOf(value).toString('hex')}` : describe(text);
  }
  if (isReference(value) || (depth === MAX_DEPTH && value !== null && typeof value === 'object')) {
    return `@${numberOf(value)}`;
  }
  if (Array.isArray(value)) {
    return `[${value.length}:${value.map((member) => describe(member, depth + 1)).join()}`;
  }
  if (isPlain(value)) {
    const entries = Object.keys(value).toSorted();
    return `{${entries.length}:${entries.map((name) => describe(name) + describe(value[name], depth + 1)).join()}`;
  }
  return `${typeof value} ${String(value)}`;
}
