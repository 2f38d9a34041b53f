/** Tells from an error that a peer does not answer any more. Then its idle connections are dead, too. */
import { codeOf, propertyOf } from '../../node/foreign.js';

/** The system's errors for a peer that has not answered for too long, or that cannot be reached. */
const UNREACHABLE: ReadonlySet<unknown> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH']);

/**
 * The address that `error` says is dead, as `addressOf` writes it, or `undefined`.
 *
 * @param own the address of the connection that failed, where the error names none
 */
export function deadAddress(error: unknown, own: string | undefined): string | undefined {
  // Several addresses were tried. All but the last had a fraction of a second (RFC 8305), which proves nothing.
  const attempts = propertyOf(error, 'errors');
  const count = propertyOf(attempts, 'length');
  const failed = typeof count === 'number' ? propertyOf(attempts, count - 1) : error;
  // An error without a system call is a client library's own timeout: the answer was late, and the peer may be alive.
  if (typeof propertyOf(failed, 'syscall') !== 'string' || !UNREACHABLE.has(codeOf(failed))) return undefined;
  const address = propertyOf(failed, 'address');
  return typeof address === 'string' ? addressOf(address, propertyOf(failed, 'port')) : own;
}

export function addressOf(address: string, port: unknown): string {
  return `${address} ${String(port)}`;
}
