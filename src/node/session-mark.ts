/** The mark that Node puts on TLS sessions: the name for which the peer was authenticated. */
import { TLSSocket } from 'node:tls';

let unwraps: boolean | undefined;

/**
 * Whether this Node accepts sessions with that mark, as 22.23, 24.21 and 26 do. Found by calling `setSession` without a
 * connection.
 */
export function unwrapsSessions(): boolean {
  if (unwraps !== undefined) return unwraps;
  unwraps = false;
  const handle = { setSession: (session: Buffer | undefined) => void (unwraps = session?.length === 1) };
  const socket = { _handle: handle, _tlsOptions: { servername: 'a' } };
  try {
    // Node's typings leave it out.
    const { setSession } = TLSSocket.prototype as unknown as { setSession(session: Buffer): void };
    setSession.call(socket, Buffer.from('\0nodejs:tls:session:1\0\0\x01as', 'latin1'));
  } catch {
    // This Node works differently: sessions are passed on as they are.
  }
  return unwraps;
}
