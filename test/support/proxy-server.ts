/** A small proxy on the loopback: opens tunnels, or does whatever a test wants it to do instead, and notes what it was asked. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { certificate } from './certificate.js';

/** One `CONNECT` request. */
export interface Asked {
  /** `host:port` */
  readonly target: string;
  /** By name, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly socket: Socket;
  /** Opens the tunnel, and answers with `head`. */
  open(head?: string): void;
}

interface TestProxy {
  readonly url: string;
  readonly port: number;
  readonly asked: Asked[];
  /** Connections to it that are open, and the most that were. */
  readonly open: () => number;
  readonly peak: () => number;
}

export interface ProxySettings {
  readonly protocol?: 'http' | 'https';
  /** Called instead of opening the tunnel. */
  readonly answer?: (asked: Asked) => void;
  /** Called instead of reading the request. */
  readonly accept?: (socket: Socket) => void;
}

const OPENED = 'HTTP/1.1 200 Connection established\r\n\r\n';

export async function proxyServer(t: TestContext, settings: ProxySettings = {}): Promise<TestProxy> {
  const { protocol = 'http', answer = (one: Asked) => one.open(), accept } = settings;
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  let peak = 0;
  const onSocket = (socket: Socket): void => {
    // Its end is to be seen, whatever is done with it.
    socket.resume();
    if (accept) accept(socket);
    else
      readHead(socket, (head) => {
        const one = askedBy(head, socket);
        asked.push(one);
        answer(one);
      });
  };
  const { key, cert } = await certificate();
  const server: Server =
    protocol === 'https' ? createTlsServer({ key, cert }, onSocket) : createServer(onSocket);
  server.on('tlsClientError', () => {});
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => sockets.delete(socket));
    peak = Math.max(peak, sockets.size);
  });
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => {}));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const host = protocol === 'https' ? 'localhost' : '127.0.0.1';
  return { url: `${protocol}://${host}:${port}`, port, asked, open: () => sockets.size, peak: () => peak };
}

function readHead(socket: Socket, done: (head: string) => void): void {
  let head = '';
  const onData = (chunk: Buffer): void => {
    head += chunk.toString('latin1');
    if (!head.endsWith('\r\n\r\n')) return;
    socket.removeListener('data', onData);
    done(head);
  };
  socket.on('data', onData);
}

function askedBy(head: string, socket: Socket): Asked {
  const [line = '', ...fields] = head.trimEnd().split('\r\n');
  const target = line.split(' ')[1] ?? '';
  const headers = Object.fromEntries(
    fields.map((field) => {
      const [name = '', ...value] = field.split(': ');
      return [name.toLowerCase(), value.join(': ')];
    }),
  );
  const open = (reply = OPENED): void => {
    const port = Number(target.slice(target.lastIndexOf(':') + 1));
    // All names resolve to the loopback address.
    const server = connect(port, '127.0.0.1');
    server.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => server.destroy());
    server.once('connect', () => {
      socket.write(reply);
      socket.pipe(server).pipe(socket);
    });
  };
  return { target, headers, socket, open };
}
