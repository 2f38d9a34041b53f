/** Faults of a connection before TLS is established, or at that moment. */
import type { Socket } from 'node:net';

/** Plain TLS: fatal, handshake_failure. */
const ALERT = Buffer.from([0x15, 3, 3, 0, 2, 2, 40]);

/** @param proceed goes on with TLS as usual */
type Fault = (tcp: Socket, proceed: () => void) => void;

const FAULTS = {
  /** It accepts and says nothing. */
  hang: () => {},
  close: (tcp) => void tcp.destroy(),
  reset: (tcp) => void tcp.resetAndDestroy(),
  /** When the ClientHello has come. */
  'reset-in-handshake': (tcp) => void tcp.once('data', () => tcp.resetAndDestroy()),
  'close-in-handshake': (tcp) => void tcp.once('data', () => tcp.destroy()),
  alert: (tcp) => void tcp.once('data', () => tcp.end(ALERT)),
  /** Somebody speaks plain HTTP here. */
  'plain-http': (tcp) => void tcp.once('data', () => tcp.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  slow: (tcp, proceed) => {
    tcp.pause();
    const timer = setTimeout(proceed, 50);
    tcp.once('close', () => clearTimeout(timer));
  },
  /** TLS is established, and a response comes before any request. */
  unasked: (_tcp, proceed) => proceed(),
  /** TLS is established, and closed at once. */
  'close-when-ready': (_tcp, proceed) => proceed(),
} satisfies Record<string, Fault>;

export type HandshakeFault = keyof typeof FAULTS;

export const HANDSHAKE_FAULTS: Readonly<Record<HandshakeFault, Fault>> = FAULTS;
