/**
 * The differences between connections over TLS and over plain TCP, apart from their identity: their options, their opening, and the checks of a socket from outside. Each agent has
 * one transport: tls-transport.ts or plain-transport.ts.
 */
import type { Route } from '../../egress/routes.js';
import type { Options, Origin } from '../../identity/identity.js';
import type { Protocol } from '../../identity/protocol.js';
import type { ProxyServer } from '../../limits/proxy-choice.js';
import type { AgentRequest, SocketLike } from '../../node/types.js';
import type { SecureContexts } from '../../tls/secure-contexts.js';

/** One dial, from the call of `createConnection` to a connection that is ready. */
export interface Attempt {
  /** No connection was opened. */
  unsent(): void;
  /**
   * The connection exists, and may be anything that `createConnection` made.
   *
   * @param isTold whether `secured` will be called
   */
  watch(socket: unknown, isTold: boolean): void;
  /** Hears by itself when the handshake of `socket` is over: nobody will call `secured`. */
  awaitHandshake(socket: SocketLike): void;
  /** The handshake of `socket` is over. */
  secured(socket: SocketLike, resumed: boolean): void;
}

/** The way in which a connection is opened. */
export interface Opening {
  /** Whether Node's own `createConnection` opens it. */
  readonly isNodes: boolean;
  /** Whether, in addition, its sockets are connected by Node's own functions. */
  readonly isOpenedByNode: boolean;
  /** Whether it goes over a tunnel of ours. */
  readonly isTunnelled: boolean;
  /** Whether it may offer a TLS session, if there is one. */
  readonly offersSession: boolean;
}

/** The forms of requests, which depend on their connections. */
export interface RequestForms {
  /**
   * Gives a request the form that its connection needs, which leads to `origin` or to a `forwarder`.
   *
   * @throws for a request that has no such form
   */
  giveForm(req: AgentRequest, origin: Origin<unknown>, forwarder: ProxyServer | undefined): void;
  /**
   * A request that has the form for a proxy is about to be sent. Its headers may have been set since.
   *
   * @throws where it names another host than its options
   */
  checkForm(req: AgentRequest): void;
}

export interface Transport {
  readonly protocol: Protocol;
  /** The secure contexts of connections, at least of those to proxies. */
  readonly contexts: SecureContexts;

  /** Whether `createConnection` is that of Node's agent, or what others have replaced that by. */
  isNodes(createConnection: unknown): boolean;
  /** Whether sockets are connected by Node's own functions: a replacement may look names up in its own way. */
  isOpenedByNode(): boolean;

  /** Whether a connection through a tunnel is a layer above the tunnel (TLS). If not, the tunnel itself is the connection. */
  readonly isLayered: boolean;
  /** Whether the proxy of `route` forwards requests, so that no tunnel is opened. */
  forwards(route: NonNullable<Route>): boolean;
  /** `socket` leads to `proxy`, which forwards requests. */
  leadsTo(socket: object, proxy: ProxyServer): void;
  /** The proxy to which `socket` is known to lead, and which forwards requests. `undefined`: none. */
  forwarderOf(socket: object): ProxyServer | undefined;
  /** `undefined`: requests have the same form on all connections. */
  readonly forms: RequestForms | undefined;

  /**
   * A connection to `origin` is about to be opened by Node's `createConnection`: adds to `options`.
   *
   * @throws for options that are not valid
   */
  prepare(origin: Origin<unknown>, options: Record<string, unknown>): void;
  /** A connection is about to be opened by any `createConnection`. Called at the last moment. */
  begin(origin: Origin<unknown>, options: Record<string, unknown>, opening: Opening): Attempt;

  /** Whether the handshake of `socket` offers a session of ours, and the dial may be made again. */
  isOffered(socket: object): boolean;
  /** Whether `error` looks like a refusal of the session that the handshake of `socket` offered. */
  refuses(socket: SocketLike, error: unknown): boolean;

  /**
   * Whether `socket`, which was opened outside with `options`, equals one that Node's functions open: connected, and secured if it has to be. Its present owner is not
   * checked here.
   */
  isSound(socket: SocketLike, options: Options): boolean;
}
