/** The messages between the demo and its servers, a child process. */

/** Servers to demo, once: they listen. */
export interface Ready {
  readonly type: 'ready';
  /** The port of the server that behaves well. */
  readonly port: number;
  /** The port of the server that misbehaves when a request asks for it. */
  readonly faultPort: number;
  /** The certificate of both, for clients to trust. */
  readonly ca: string;
}

/** Demo to servers: tell me your counts. */
export interface Ask {
  readonly type: 'ask';
}

/** Servers to demo: totals of the server that behaves well, since it was started. */
export interface Counts {
  readonly type: 'counts';
  /** TCP connections accepted. */
  readonly connections: number;
  /** TLS handshakes that were completed by resuming a session. */
  readonly resumed: number;
}
