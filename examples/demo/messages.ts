/** What the demo and its server, a child process, say to each other. */

/** Server to demo, once: it listens. */
export interface Ready {
  readonly type: 'ready';
  readonly port: number;
  /** The server's certificate, for clients to trust. */
  readonly ca: string;
}

/** Demo to server: tell me your counts. */
export interface Ask {
  readonly type: 'ask';
}

/** Server to demo: totals since it was started. */
export interface Counts {
  readonly type: 'counts';
  /** TCP connections accepted. */
  readonly connections: number;
  /** TLS handshakes that were completed by resuming a session. */
  readonly resumed: number;
}
