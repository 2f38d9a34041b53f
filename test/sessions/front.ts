/** A box before a server that lets no handshake pass in which a session is offered. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

export const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** As a server ends it. */
export const WAYS: Record<string, (socket: Socket) => void> = {
  'end of file': (socket) => void socket.end(),
  reset: (socket) => void socket.resetAndDestroy(),
  // handshake_failure
  alert: (socket) => void socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 40])),
};

/** Whether a ClientHello offers a session: RFC 8446, section 4.2.11 (pre_shared_key), or RFC 5077, section 3.2 (a ticket). */
function offersSession(hello: Buffer): boolean {
  let at = 43;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  for (at += 2; at + 4 <= hello.length;) {
    const [type, length] = [hello.readUInt16BE(at), hello.readUInt16BE(at + 2)];
    if (type === 0x29 || (type === 0x23 && length > 0)) return true;
    at += 4 + length;
  }
  return false;
}

export interface Front {
  readonly port: number;
  readonly ca: string;
  readonly server: TestServer;
  /** Handshakes that were ended. */
  readonly killed: () => number;
  readonly accepted: () => number;
  /** TCP connections that were open at once, at most. */
  readonly peak: () => number;
  /** Called instead of ending one. */
  kill: (socket: Socket) => void;
  /** Whether those without a session are ended, too. */
  isMad: boolean;
  readonly bodies: string[];
}

interface FrontOptions {
  readonly way?: string;
  readonly maxVersion?: (typeof VERSIONS)[number];
}

/** Stands before a server that closes after each response, and lets no session pass. */
export async function front(
  t: TestContext,
  { way = 'end of file', maxVersion = 'TLSv1.3' }: FrontOptions = {},
): Promise<Front> {
  const bodies: string[] = [];
  const server = await httpsServer(
    t,
    (req, res) => {
      let body = '';
      req.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
      req.on('end', () => {
        bodies.push(body);
        res.setHeader('connection', 'close').end(req.url);
      });
    },
    { maxVersion },
  );
  let [killed, accepted, open, peak] = [0, 0, 0, 0];
  const tcp = createServer((socket) => {
    accepted++;
    open++;
    // Not before the ends of others are seen that the system has known of for as long.
    setImmediate(() => setImmediate(() => (peak = Math.max(peak, open))));
    socket.on('error', () => {}).on('close', () => open--);
    socket.on('end', () => socket.destroy());
    socket.once('data', (hello: Buffer) => {
      if (one.isMad || offersSession(hello)) {
        killed++;
        one.kill(socket);
        return;
      }
      const up = connect(server.port, '127.0.0.1').on('error', () => socket.destroy());
      socket.on('close', () => up.destroy());
      // Nobody reads any more what `pipe` has let go of: its end would go unseen.
      up.on('close', () => socket.resume());
      up.write(hello);
      socket.pipe(up).pipe(socket);
    });
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  t.after(() => void tcp.close());
  const one: Front = {
    port: (tcp.address() as AddressInfo).port,
    ca: server.ca,
    server,
    killed: () => killed,
    accepted: () => accepted,
    peak: () => peak,
    kill: WAYS[way] as Front['kill'],
    isMad: false,
    bodies,
  };
  return one;
}
