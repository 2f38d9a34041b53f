/**
 * Opens connections: merges the options, calls the methods that users may have overridden (`createSocket`, `createConnection`), and makes sure
 * that each dial is answered exactly once.
 */
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Route } from '../../egress/routes.js';
import { connectionReset } from '../../errors.js';
import { copiedOptions, mergedOptions } from '../../node/merged-options.js';
import { awaitsTunnel } from '../../node/proxy-support.js';
import type { AgentRequest, SocketLike } from '../../node/types.js';
import { failIfUnusable } from '../../node/unix-path.js';
import type { Deliver } from '../../requests/pending-request.js';
import type { Options, Origin } from '../../identity/identity.js';
import { loadSecrets } from '../../identity/late.js';
import { nameServer } from '../../identity/server-name.js';
import { callIfAble, discard } from '../../node/foreign.js';
import type { ConnectPhase } from '../../pool/counters.js';
import type { Attempt, Transport } from './transport.js';
import type { Tunnels } from './tunnels.js';

/** The parts of an agent that a dial for it needs. */
export interface ConnectingAgent {
  /** A Node agent's own options; typed loosely, as users change them at will. */
  readonly options: object;
  readonly keepAlive: boolean;
  readonly keepAliveMsecs: number;
  readonly createConnection: unknown;
  createSocket(req: AgentRequest, options: Options, callback: Deliver): void;
}

type CreateConnection = (this: object, options: object, callback: Deliver) => SocketLike | undefined;

/** Hears how dials have ended: in one of two ways, once. */
interface Dialler<D extends Dial> {
  /** @param socket made by `createConnection`, which may have made anything */
  brought(dial: D, socket: SocketLike | undefined): void;
  /** @param socket came with the error, and is of no use */
  failed(dial: D, error: unknown, socket?: SocketLike): void;
}

/** The dials to names: see named-dials.ts. */
interface NameFinder {
  lookupFor(connection: object, options: object): ConnectionOptions['lookup'];
  brought(dial: { readonly connection: object; readonly socket: SocketLike }): void;
  proxyFailed(connection: object, error: unknown): void;
}

export interface Dial {
  /** The pool's connection for which the dial is made. Its `phase` says how far the dial is, before there is a socket. */
  readonly connection: { phase: ConnectPhase; readonly host: { readonly abandoned: boolean } };
  readonly req: AgentRequest;
  readonly origin: Origin<unknown>;
  /** The options that `createSocket` was called with. */
  readonly options: Options;
  /** The options that the request came with. */
  readonly requested: Options;
  /** Whether a session may be resumed, if there is one. */
  readonly offersSession: boolean;
  /** The way that it goes, directly or through a proxy. */
  readonly route: Route;
  /** Whether it keeps the process alive before there is a socket. */
  readonly holdsProcess: boolean;
  isAnswered: boolean;
  /** Whether the agent's `createSocket` was called for it. */
  isNoted: boolean;
  /** Whether nobody but Node and us has opened it: then its handles were made in the async context of its request. */
  isInContext: boolean;
  /** Hears when its handshake is over. */
  attempt: Attempt | undefined;
  /** Ends what was begun for the dial, if anything was; it is not answered then. */
  cancel: (() => void) | undefined;
}

/**
 * The options that decide the way of a connection have been read before. They may hold the credentials of proxies, and mean nothing to a connection.
 * `onread` would take the bytes that Node's HTTP parser needs, for all requests on the connection; `allowHalfOpen` would keep connections that
 * the server has ended.
 */
const NOT_FOR_SOCKETS: ReadonlySet<string> = new Set([
  'hosts',
  'proxy',
  'proxyEnv',
  'onread',
  'allowHalfOpen',
]);

/** Options of a connection, as `createConnection` gets them. */
type ConnectOptions = ConnectionOptions &
  Record<string, unknown> & {
    encoding: null;
    timeout?: number;
    keepAlive?: boolean;
    keepAliveInitialDelay?: number;
  };

export class Connector {
  readonly #agent: ConnectingAgent;
  readonly #own: Pick<ConnectingAgent, 'createSocket'>;
  readonly #transport: Transport;
  readonly #names: NameFinder | undefined;
  readonly #loadTunnels: () => Tunnels;
  #tunnels: Tunnels | undefined = undefined;
  /** The dials for which we have called `createSocket`, by their requests. */
  readonly #dialling = new WeakMap<AgentRequest, Dial>();

  /**
   * @param own the methods of the agent's class
   * @param names `undefined`: Node looks names up
   */
  constructor(
    agent: ConnectingAgent,
    own: Pick<ConnectingAgent, 'createSocket'>,
    transport: Transport,
    names: NameFinder | undefined,
    loadTunnels: () => Tunnels,
  ) {
    this.#agent = agent;
    this.#own = own;
    this.#transport = transport;
    this.#names = names;
    this.#loadTunnels = loadTunnels;
  }

  /** Whether the agent itself has called `createSocket` for `req`. */
  isDialling(req: AgentRequest): boolean {
    return this.#dialling.has(req);
  }

  /**
   * Our own dial for `req`; `undefined` where other code has called `createSocket`, or where a subclass has changed the options so that they mean
   * another origin.
   */
  dialOf(req: AgentRequest, options: Options): Dial | undefined {
    const dial = this.#dialling.get(req);
    return dial?.origin.isOf(options) ? dial : undefined;
  }

  /**
   * The options with which a connection to `origin` is opened: the request's, the agent's before them. An option that tells origins apart
   * is the origin's own: the agent's options may have changed since the request came.
   *
   * @param req the request whose dial it is. `undefined`: there is none, the options are to show the origin
   * @throws for a `Host` header that is not valid
   */
  optionsFor(options: Options, origin: Origin<unknown>, req?: AgentRequest): Options {
    const dial = mergedOptions(options, this.#agent.options as Options, NOT_FOR_SOCKETS);
    // An absent value is left out: `session: undefined` would hide a cached session from createConnection.
    origin.applyTo(dial);
    if (req && origin.servername === undefined) nameServer(dial, req);
    if (dial['socketPath']) dial['path'] = dial['socketPath'];
    return dial;
  }

  /** Opens a connection by the agent's `createSocket`. The answer may come before this returns. */
  dial<D extends Dial>(dial: D, dialler: Dialler<D>): void {
    const { req } = dial;
    const callback: Deliver = (error, socket) => {
      if (!this.#ends(dial)) return;
      if (error) dialler.failed(dial, error, socket);
      else dialler.brought(dial, socket);
    };
    const agent = this.#agent;
    try {
      if (agent.createSocket !== this.#own.createSocket || dial.connection.host.abandoned) {
        this.#dialling.set(req, dial);
        dial.isNoted = true;
        agent.createSocket(req, dial.options, callback);
      } else {
        // Nobody is between us and our own method, who could change the options.
        dial.isInContext = true;
        this.#open(req, dial.options, dial.origin, dial.route, callback, dial);
      }
    } catch (error) {
      if (this.#ends(dial)) dialler.failed(dial, error);
    }
  }

  /** `false`: it was answered before. */
  #ends(dial: Dial): boolean {
    if (dial.isAnswered) return false;
    dial.isAnswered = true;
    if (dial.isNoted) this.#dialling.delete(dial.req);
    return true;
  }

  /**
   * The work of `createSocket`: opens the tunnel, if a proxy leads there, and calls `createConnection`, which may return the socket, call back, or
   * do both.
   *
   * @param route the way where there is no dial of ours, which has its own
   */
  open(req: AgentRequest, options: Options, origin: Origin<unknown>, route: Route, callback: Deliver): void {
    const dial = this.#dialling.get(req);
    const isOurs = dial?.options === options && origin.isOf(options);
    const own = isOurs ? options : this.optionsFor(options, origin, req);
    this.#open(req, own, origin, route, callback, dial);
  }

  /** @param options those of the connection */
  #open(
    req: AgentRequest,
    options: Options,
    origin: Origin<unknown>,
    route: Route,
    callback: Deliver,
    dial: Dial | undefined,
  ): void {
    const agent = this.#agent;
    const connectOptions = copiedOptions(options) as ConnectOptions;
    // Node's agents set this, too.
    connectOptions.encoding = null;
    const timeout = req.timeout || ((agent.options as Options)['timeout'] as number | undefined);
    if (timeout) connectOptions.timeout = timeout;
    if (agent.keepAlive) {
      connectOptions.keepAlive = true;
      connectOptions.keepAliveInitialDelay = agent.keepAliveMsecs;
    }
    if (route && !origin.needsNoWay) this.#tunnel(req, route, connectOptions, origin, dial, callback);
    else this.#connect(connectOptions, origin, dial, callback);
  }

  /** Opens a tunnel, or connects to a proxy that forwards requests. */
  #tunnel(
    req: AgentRequest,
    route: NonNullable<Route>,
    options: ConnectOptions,
    origin: Origin<unknown>,
    dial: Dial | undefined,
    callback: Deliver,
  ): void {
    const forwards = this.#transport.forwards(route);
    const use = {
      defaultPort: origin.defaultPort,
      forwards,
      timeout: options.timeout ?? 0,
      holdsProcess: dial?.holdsProcess ?? true,
      onPhase: (phase: ConnectPhase) => {
        if (dial) dial.connection.phase = phase;
      },
      onSocket: (socket: Socket) => dial && this.#names?.brought({ connection: dial.connection, socket }),
    };
    // The proxy's name is looked up here; the server's is looked up by the proxy.
    const { host, port } = route;
    const lookup = this.#transport.isOpenedByNode()
      ? this.#lookupFor(dial, { ...options, host, port })
      : undefined;
    const local = lookup ? { ...options, lookup } : options;
    this.#tunnels ??= this.#loadTunnels();
    let isAnswered = false;
    const cancel = this.#tunnels.open(route, local, use, (error, tunnel) => {
      isAnswered = true;
      if (dial) dial.cancel = undefined;
      if (!tunnel) {
        if (dial?.connection.phase === 'proxyConnect') this.#names?.proxyFailed(dial.connection, error);
        callback(error as Error);
        return;
      }
      use.onPhase('createConnection');
      if (forwards) this.#transport.leadsTo(tunnel, route);
      if (this.#transport.isLayered) this.#overTunnel(req, tunnel, options, origin, dial, callback);
      else callback(null, withTimeout(tunnel, options.timeout));
    });
    if (dial) dial.cancel = cancel;
    else if (!isAnswered) {
      // Other code has called `createSocket`, and has no socket yet that it could destroy.
      callIfAble(req, 'once', 'close', () => {
        if (isAnswered) return;
        cancel();
        callback(connectionReset('The request closed before its tunnel was open'));
      });
    }
  }

  /**
   * Destroys `tunnel` if the connection fails, whatever `createConnection` has made. While that is still to answer, nobody else listens to the tunnel: its loss is
   * the answer then, and whoever gives up the dial ends it.
   */
  #overTunnel(
    req: AgentRequest,
    tunnel: Socket,
    options: ConnectOptions,
    origin: Origin<unknown>,
    dial: Dial | undefined,
    callback: Deliver,
  ): void {
    let isOver = false;
    const end = (): void => {
      isOver = true;
      if (dial) dial.cancel = undefined;
      tunnel.removeListener('error', onLost).removeListener('close', onLost);
    };
    const deliver: Deliver = (error, socket) => {
      if (isOver) {
        if (socket) discard(socket);
        return;
      }
      end();
      if (socket) callIfAble(socket, 'once', 'close', () => tunnel.destroy());
      else discard(tunnel);
      callback(error, socket && withTimeout(socket, options.timeout));
    };
    const onLost = (error: unknown): void =>
      deliver((error || connectionReset('The tunnel was closed before a connection went over it')) as Error);
    try {
      this.#connect({ ...options, socket: tunnel }, origin, dial, deliver, 'tunnel');
    } catch (error) {
      deliver(error as Error);
    }
    if (isOver) return;
    tunnel.on('error', onLost).on('close', onLost);
    if (dial) {
      dial.cancel = () => {
        end();
        discard(tunnel);
      };
    } else {
      callIfAble(req, 'once', 'close', () =>
        deliver(connectionReset('The request closed before its connection was open')),
      );
    }
  }

  /** @param over whether it goes over a tunnel of ours */
  #connect(
    connectOptions: ConnectOptions,
    origin: Origin<unknown>,
    dial: Dial | undefined,
    callback: Deliver,
    over?: 'tunnel',
  ): void {
    const agent = this.#agent;
    const createConnection = agent.createConnection as CreateConnection;
    const isNodes = this.#transport.isNodes(createConnection);
    const isOpenedByNode = isNodes && this.#transport.isOpenedByNode();
    if (isNodes) this.#transport.prepare(origin, connectOptions);
    if (dial && (over || connectOptions['socket'] || !isOpenedByNode)) dial.isInContext = false;
    if (isNodes && typeof connectOptions['path'] === 'string') failIfUnusable(connectOptions['path']);
    if (isOpenedByNode && !over) {
      const lookup = this.#lookupFor(dial, connectOptions);
      if (lookup) connectOptions.lookup = lookup;
    }
    const attempt = this.#transport.begin(origin, connectOptions, {
      isNodes,
      isOpenedByNode,
      isTunnelled: over === 'tunnel',
      offersSession: dial?.offersSession !== false,
    });
    let isDelivered = false;
    const deliver: Deliver = (error, socket) => {
      if (isDelivered) return;
      isDelivered = true;
      if (error) attempt.unsent();
      if (dial) dial.attempt = attempt;
      callback(error || watch(attempt, socket, dial), socket);
    };
    try {
      const socket = createConnection.call(agent, connectOptions, deliver);
      // Node's own function knows no proxy of this agent, and so opens no tunnel.
      if (socket && (isNodes || !awaitsTunnel(socket))) deliver(null, socket);
    } catch (error) {
      attempt.unsent();
      throw loadSecrets().scrub(error, { ...connectOptions });
    }
  }

  /** The `lookup` with which Node's functions open a socket for `dial`. `undefined`: none, or the one that `options` have. */
  #lookupFor(dial: Dial | undefined, options: object): ConnectionOptions['lookup'] {
    return dial && this.#names?.lookupFor(dial.connection, options);
  }
}

/** Node sets the timeout on sockets that it has connected itself only. */
function withTimeout<S extends SocketLike>(socket: S, timeout: number | undefined): S {
  if (timeout) callIfAble(socket, 'setTimeout', timeout);
  return socket;
}

/** Returns an error if the stream takes no listeners. */
function watch(attempt: Attempt, socket: SocketLike | undefined, dial: Dial | undefined): Error | null {
  try {
    // A subclass may wrap the socket that it gets.
    attempt.watch(socket, dial?.isNoted === false);
    return null;
  } catch (error) {
    return error as Error;
  }
}
