/** The mark that Node puts on TLS sessions: whom they were authenticated for. */
import { TLSSocket } from 'node:tls';

let unwraps: boolean | undefined;

/**
 * Whether Node takes off a session the mark that it puts on in 22.23, 24.21 and 26: whom it was authenticated for.
 * Asked of `setSession` itself, with nothing behind it.
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
    // Not as we know it: sessions are passed on as they are.
  }
  return unwraps;
}
