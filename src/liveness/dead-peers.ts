/** Tells from an error that a peer does not answer any more: then its idle connections are as dead as this one. */

/** What the system says when nothing has come back for too long, or no way leads there. */
const UNREACHABLE: ReadonlySet<unknown> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH']);

interface SystemError {
  code?: unknown;
  syscall?: unknown;
  address?: unknown;
  port?: unknown;
}

/**
 * The address that `error` says is dead, as `addressOf` writes it, or `undefined`.
 *
 * @param own the address of the connection that failed, where the error names none
 */
export function deadAddress(error: unknown, own: string | undefined): string | undefined {
  let failed = error;
  // Several addresses were tried. All but the last were given a moment only (RFC 8305), which proves nothing.
  if (error instanceof AggregateError) failed = error.errors.at(-1) as unknown;
  if (typeof failed !== 'object' || failed === null) return undefined;
  const { code, syscall, address, port }: SystemError = failed;
  // Without a system call it is the time limit of some client library: the answer was late, not the peer dead.
  if (typeof syscall !== 'string' || !UNREACHABLE.has(code)) return undefined;
  return typeof address === 'string' ? addressOf(address, port) : own;
}

export function addressOf(address: string, port: unknown): string {
  return `${address} ${String(port)}`;
}
