/** Numbers for objects that count by identity. */
import { randomBytes } from 'node:crypto';
import { processWide } from '../process-wide.js';

/** Shared by all copies of this package: agents of two copies may share a session cache, in which a number stands for a function. */
const references = processWide('references', 1, () => ({
  last: 0,
  numbers: new WeakMap<object, number>(),
  realm: '',
}));

/** A number for an object that counts by identity, unique in this realm. */
export function numberOf(reference: object): number {
  let number = references.numbers.get(reference);
  if (number === undefined) references.numbers.set(reference, (number = ++references.last));
  return number;
}

/** A text for such an object, unique among all realms and processes. */
export function referenceId(reference: object): string {
  references.realm ||= randomBytes(16).toString('base64url');
  return `${references.realm} ${numberOf(reference)}`;
}
