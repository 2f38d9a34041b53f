/** A TLS server that answers requests, or does not, and notes which it received. */
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { rawServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** Its place among the requests on its connection, from 0. */
  readonly place: number;
  readonly connection: Connection;
}

export interface Connection {
  readonly tls: TLSSocket;
  readonly id: number;
  /** Sends an end of file. */
  end(): void;
  /** Sends a reset. */
  reset(): void;
  /** Sends a response whose body is the path of the request. */
  answer(request: Received): void;
}

export interface FickleServer extends Omit<TestServer, 'server'> {
  readonly received: Received[];
  readonly all: Connection[];
}

/** Calls `onRequest` for each request when its last byte is there. */
export async function fickleServer(
  t: TestContext,
  onRequest: (request: Received) => void,
): Promise<FickleServer> {
  const received: Received[] = [];
  const all: Connection[] = [];
  const raw = new Map<number | undefined, Socket>();
  const server = await rawServer(t, (tls) => {
    const connection: Connection = {
      tls,
      id: all.length,
      end: () => void tls.end(),
      reset: () => raw.get(tls.remotePort)?.resetAndDestroy(),
      answer: ({ method, path }) => {
        const body = method === 'HEAD' ? '' : path;
        tls.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${body}`);
      },
    };
    all.push(connection);
    let place = 0;
    let text = '';
    tls.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = text.slice(0, end);
        const body = bodyOf(head, text.slice(end + 4));
        if (body === undefined) return;
        text = text.slice(end + 4 + body.length);
        const [, method = '', path = ''] = /^(\S+) (\S+)/.exec(head) ?? [];
        const request: Received = { method, path, body, place: place++, connection };
        received.push(request);
        onRequest(request);
      }
    });
  });
  server.server.on('connection', (socket: Socket) => raw.set(socket.remotePort, socket));
  return { ...server, received, all };
}

/** As it came, chunks and all. `undefined`: some of it is still to come. */
function bodyOf(head: string, rest: string): string | undefined {
  if (/^transfer-encoding: chunked/im.test(head)) {
    const end = rest.indexOf('0\r\n\r\n');
    return end < 0 ? undefined : rest.slice(0, end + 5);
  }
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  return rest.length < length ? undefined : rest.slice(0, length);
}
