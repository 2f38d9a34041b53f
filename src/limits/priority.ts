/** `options.priority` of a request. */
import { outOfRange, invalidType } from '../errors.js';
import { LEAST_URGENT } from '../pool/wait-queue.js';

/** Hot path. Whether `value` is a valid priority, or none. */
export function isPriority(value: unknown): value is number | null | undefined {
  if (value === undefined || value === null) return true;
  return typeof value === 'number' && value >= 0 && value <= LEAST_URGENT && Number.isInteger(value);
}

export function invalidPriority(name: string, value: unknown): Error {
  if (typeof value !== 'number') return invalidType(name, 'of type number', value);
  return outOfRange(name, `an integer from 0 to ${LEAST_URGENT}`, value);
}
