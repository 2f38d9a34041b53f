/** Tells errors of the operating system from others with the same codes: the system's have an `errno`. */
import { codeOf, propertyOf } from './foreign.js';

/** Codes which say that a connection is lost. (Not ETIMEDOUT: then the peer may be gone, too.) */
export const LOSSES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** Whether the system says that the connection is lost. */
export function isLoss(error: unknown): boolean {
  return isNumbered(error) && LOSSES.has(codeOf(error));
}

export function isNumbered(error: unknown): boolean {
  return typeof propertyOf(error, 'errno') === 'number';
}

/** Whether `error` is that of a write that the system has refused. */
export function isFailedWrite(error: unknown): boolean {
  return propertyOf(error, 'syscall') === 'write';
}
