/** The shape of every contender, as the harness sees it. */
import type { IncomingHttpHeaders } from 'node:http';

export interface ClientSettings {
  readonly port: number;
  /** PEM certificates to trust. */
  readonly ca: readonly string[];
  /** Whether `ca` is given with every request instead of to the agent. */
  readonly caPerRequest: boolean;
  readonly maxSockets: number;
  /** Whether connections are kept for further requests; if not, each request has a new one. */
  readonly keepAlive: boolean;
  /** Whether TLS sessions may be resumed. */
  readonly sessions: boolean;
  /** Whether names are looked up, as in a program that says nothing of it; if not, each is the loopback at once. */
  readonly looksUp: boolean;
  /** Whether there is more than one host. Floors do not look at the host where they need not. */
  readonly manyHosts: boolean;
  /** The port of a proxy on the loopback that is to be used. */
  readonly proxyPort: number | undefined;
}

/** Any request. */
export interface Outgoing {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Incoming {
  readonly headers: IncomingHttpHeaders;
  /** Whether it came over a connection that had served another request. */
  readonly reused: boolean;
}

/** Calls `read` when the response may be read. */
export type Pass = (read: () => void) => void;

export interface Client {
  /** A GET of `/`, to the end of the response's body. */
  get(host: string): Promise<void>;
  /** A POST of `BODY` to `/`, to the end of the response's body. Raw TLS has none. */
  post?(host: string): Promise<void>;
  /** A GET of `/` whose response is not read before `pass` says so: its connection is in use until then. Only agents' clients have it. */
  getHeld?(host: string, pass: Pass): Promise<void>;
  /** Only agents' clients have it. To the end of the response's body. */
  send?(request: Outgoing): Promise<Incoming>;
  /** Closes all connections. */
  close(): void;
}

export interface Contender {
  /** A client with no connections. */
  create(settings: ClientSettings): Client;
}
