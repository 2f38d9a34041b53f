/** Tells errors of the operating system from those that somebody has made up: the system's have a number. */
import { codeOf, propertyOf } from './foreign.js';

/** Codes which say that a connection is gone. (Not ETIMEDOUT: then there may be nobody to send to.) */
export const LOSSES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** Whether the system says that the connection is gone. */
export function isLoss(error: unknown): boolean {
  return isNumbered(error) && LOSSES.has(codeOf(error));
}

export function isNumbered(error: unknown): boolean {
  return typeof propertyOf(error, 'errno') === 'number';
}

/** Whether the system would not take what was written. */
export function isFailedWrite(error: unknown): boolean {
  return propertyOf(error, 'syscall') === 'write';
}
