/** A small SOCKS 5 proxy on the loopback (RFC 1928), with user and password if a test gives them (RFC 1929). It records what it was asked. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';

interface SocksProxy {
  readonly port: number;
  /** Names and addresses that it was asked for. */
  readonly asked: string[];
  /** Users and passwords that it was given, each pair in one string. */
  readonly told: string[];
  /** Connections to it that are open. */
  readonly open: () => number;
}

export interface SocksSettings {
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Functions that replace its answers at the steps of the same names. */
  readonly on?: { readonly [step in 'greeting' | 'credentials' | 'request']?: (socket: Socket) => void };
  /** Bytes sent right after its last answer. */
  readonly behind?: string;
}

const NONE = 0;
const PASSWORD = 2;
const BOUND = Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]);

export async function socksServer(t: TestContext, settings: SocksSettings = {}): Promise<SocksProxy> {
  const asked: string[] = [];
  const told: string[] = [];
  const sockets = new Set<Socket>();
  const { behind = '', credentials, on = {} } = settings;

  const serve = async (socket: Socket): Promise<void> => {
    const read = reader(socket);
    const [, count = 0] = await read(2);
    const methods = await read(count);
    if (on.greeting) return on.greeting(socket);
    const method = credentials ? PASSWORD : NONE;
    socket.write(Buffer.from([5, methods.includes(method) ? method : 0xff]));
    if (credentials) {
      const [, length = 0] = await read(2);
      const user = String(await read(length));
      const password = String(await read((await read(1))[0] ?? 0));
      told.push(`${user}:${password}`);
      if (on.credentials) return on.credentials(socket);
      const isKnown = user === credentials.user && password === credentials.password;
      socket.write(Buffer.from([1, isKnown ? 0 : 1]));
      if (!isKnown) return void socket.end();
    }
    const [, , , type = 0] = await read(4);
    const host = type === 3 ? String(await read((await read(1))[0] ?? 0)) : [...(await read(4))].join('.');
    const port = (await read(2)).readUInt16BE();
    asked.push(host);
    if (on.request) return on.request(socket);
    socket.removeAllListeners('readable');
    // All names resolve to the loopback address.
    const server = connect(port, '127.0.0.1');
    server.on('error', () => socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
    socket.on('close', () => server.destroy());
    server.once('connect', () => {
      socket.write(Buffer.concat([BOUND, Buffer.from(behind)]));
      socket.pipe(server).pipe(socket);
    });
  };

  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => sockets.delete(socket));
    // It reads until the client has left, perhaps with a reset.
    serve(socket).catch(() => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, asked, told, open: () => sockets.size };
}

/** @returns a function that reads exactly `length` bytes */
function reader(socket: Socket): (length: number) => Promise<Buffer> {
  return async (length) => {
    for (;;) {
      const chunk = length === 0 ? Buffer.alloc(0) : (socket.read(length) as Buffer | null);
      if (chunk?.length === length) return chunk;
      // Where a part is there, a listener would be called at once, again and again.
      if (socket.readableLength > 0) await setImmediate();
      else await once(socket, 'readable');
    }
  };
}
