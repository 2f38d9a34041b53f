/** Tells from an error that a peer does not answer any more: then its idle connections are as dead as this one. */
import { codeOf, propertyOf } from '../node/foreign.js';

/** The errors of the system when nothing has come back for too long, or no way leads there. */
const UNREACHABLE: ReadonlySet<unknown> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH']);

/**
 * The address that `error` says is dead, as `addressOf` writes it, or `undefined`.
 *
 * @param own the address of the connection that failed, where the error names none
 */
export function deadAddress(error: unknown, own: string | undefined): string | undefined {
  // Several addresses were tried. All but the last were given a moment only (RFC 8305), which proves nothing.
  const attempts = propertyOf(error, 'errors');
  const count = propertyOf(attempts, 'length');
  const failed = typeof count === 'number' ? propertyOf(attempts, count - 1) : error;
  // Without a system call it is the time limit of some client library: the answer was late, not the peer dead.
  if (typeof propertyOf(failed, 'syscall') !== 'string' || !UNREACHABLE.has(codeOf(failed))) return undefined;
  const address = propertyOf(failed, 'address');
  return typeof address === 'string' ? addressOf(address, propertyOf(failed, 'port')) : own;
}

export function addressOf(address: string, port: unknown): string {
  return `${address} ${String(port)}`;
}
