/** Real servers on the loopback, with TLS unless protocol.ts says otherwise, that count what tests ask about, and vanish with the test. */
import type { RequestOptions, Server, ServerOptions } from 'node:https';
import type { ClientRequest, IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket, TlsOptions } from 'node:tls';
import type { TestContext } from 'node:test';
import { certificate } from './certificate.js';
import { CONNECTED, createRawServer, createServer, isPlain, request } from './node-protocol.js';

export interface TestServer<S extends Server | TlsServer = Server> {
  readonly server: S;
  readonly port: number;
  readonly url: string;
  /** The certificate to trust: `ca` for clients. */
  readonly ca: string;
  /** TLS connections that were established so far. */
  readonly connections: () => number;
  /** TLS connections that resumed a session. */
  readonly resumed: () => number;
  /** TLS connections that are open now. */
  readonly open: () => number;
  /** The most that were open at once. */
  readonly peak: () => number;
  /** Requests answered so far: only for HTTPS servers. */
  readonly requests: () => number;
  /** Ends all connections and stops listening. Called by itself after the test. */
  readonly close: () => Promise<void>;
}

/** Ends `server` and its connections, which are in `sockets`; once, however often it is called. */
export function closer(server: Server | TlsServer, sockets: ReadonlySet<Socket>): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () =>
    (closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    }));
}

async function listen<S extends Server | TlsServer>(
  t: TestContext,
  server: S,
  ca: string,
  requests: () => number,
): Promise<TestServer<S>> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let resumed = 0;
  let open = 0;
  let peak = 0;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on(CONNECTED, (socket: TLSSocket) => {
    connections++;
    if (!isPlain && socket.isSessionReused()) resumed++;
    peak = Math.max(peak, ++open);
    socket.on('error', () => {});
    socket.on('close', () => open--);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = closer(server, sockets);
  t.after(close);
  return {
    server,
    port,
    url: `${isPlain ? 'http' : 'https'}://localhost:${port}`,
    ca,
    connections: () => connections,
    resumed: () => resumed,
    open: () => open,
    peak: () => peak,
    requests,
    close,
  };
}

/** An HTTPS server. The default answer is the request's path. */
export async function httpsServer(
  t: TestContext,
  listener: RequestListener = (req, res) => res.end(req.url),
  options: ServerOptions = {},
): Promise<TestServer> {
  const { key, cert } = await certificate();
  let requests = 0;
  const server = createServer({ key, cert, ...options }, (req, res) => {
    requests++;
    listener(req, res);
  });
  // The client decides how long connections live, if the test does not.
  server.keepAliveTimeout = 0;
  return listen(t, server, cert, () => requests);
}

/** A TLS server that speaks whatever the test makes it speak. */
export async function rawServer(
  t: TestContext,
  onSocket: (socket: TLSSocket) => void,
  options: TlsOptions = {},
): Promise<TestServer<TlsServer>> {
  const { key, cert } = await certificate();
  const server = createRawServer({ key, cert, noDelay: true, ...options }, onSocket);
  return listen(t, server, cert, () => 0);
}

export interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly req: ClientRequest;
  readonly res: IncomingMessage;
}

/** A GET over `agent` (by default), to the end of the body. */
export function get(
  server: { port: number; ca: string },
  options: RequestOptions = {},
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: 'localhost', port: server.port, ca: server.ca, ...options }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => (text += chunk));
      res.on('error', reject);
      res.on('end', () => resolve({ status: res.statusCode, body: text, req, res }));
    });
    req.on('error', reject);
    req.end(body);
  });
}
