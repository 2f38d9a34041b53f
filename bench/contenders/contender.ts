/** What every contender looks like to the harness. */

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
  /** Whether there is more than one host. Floors do not look at the host where they need not. */
  readonly manyHosts: boolean;
}

export interface Client {
  /** A GET of `/`, to the end of the response's body. */
  get(host: string): Promise<void>;
  /** Closes all connections. */
  close(): void;
}

export interface Contender {
  /** A client with no connections. */
  create(settings: ClientSettings): Client;
}
