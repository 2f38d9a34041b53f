/**
 * The seam to node:https. `PoolingAgent` looks to callers like Node's own agent and passes everything on; what is
 * decided, is decided in pool/, and done in socket-driver.ts.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { channelOf } from './channel.js';
import { unsupported } from './errors.js';
import { awaitsTunnel, hasProxyConfig } from './node-internals.js';
import type { AgentRequest, SocketLike } from './node-internals.js';
import { atLeastZero, resolveOptions, scheduling } from './options.js';
import type { PoolingAgentOptions } from './options.js';
import type { Limits } from './pool/limits.js';
import { SocketDriver } from './socket-driver.js';
import type { DrivenAgent } from './socket-driver.js';
import type { Deliver } from './queued-request.js';
import type { Options } from './tls/identity.js';
import { emptyViews, takeViews } from './views.js';
import type { Views } from './views.js';

type AddRequest = (this: object, req: AgentRequest, options: unknown, ...legacy: unknown[]) => void;

/** Node's typings leave out what an agent's own methods are. */
interface HttpAgentPrototype {
  addRequest: AddRequest;
}

const httpAgentPrototype = HttpAgent.prototype as unknown as HttpAgentPrototype;
const coreAddRequest = httpAgentPrototype.addRequest;

/** Internal: for this package's own tests. */
export const kDriver: unique symbol = Symbol('pooling-https-agent.driver');

/**
 * An `https.Agent` that keeps TLS connections open and shares them.
 *
 * Drops into any client that takes an agent. All limits (`maxSockets`, `maxTotalSockets`, `maxFreeSockets`), `keepAlive`,
 * `scheduling` and `options` may be changed at any time; requests that wait go as soon as they can.
 */
export class PoolingAgent extends Agent {
  /** @internal */
  declare readonly [kDriver]: SocketDriver;
  declare defaultPort: number;
  declare protocol: string;
  declare maxCachedSessions: number;
  declare keepAlive: boolean;
  declare keepAliveMsecs: number;
  declare scheduling: 'fifo' | 'lifo';
  /** See `PoolingAgentOptions.agentKeepAliveTimeoutBuffer`. */
  declare agentKeepAliveTimeoutBuffer: number;
  /** Connections that are open or being opened, or not yet fully closed. */
  declare readonly totalSocketCount: number;

  /**
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE` for an option that is not valid;
   * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for `proxyEnv` where Node has no proxy support
   */
  constructor(options: PoolingAgentOptions = {}) {
    const resolved = resolveOptions(options);
    super({ ...options, keepAlive: resolved.limits.keepAlive });
    // The same once more: Node's is in V8's dictionary mode, and is looked through at every request.
    this.options = Object.setPrototypeOf({ ...this.options }, null) as typeof this.options;

    // Node 20 takes neither from the options.
    const given = options as { defaultPort?: number; protocol?: string; proxyEnv?: unknown };
    this.defaultPort = given.defaultPort ?? 443;
    this.protocol = given.protocol ?? 'https:';
    if (given.proxyEnv && !hasProxyConfig(this)) throw unsupported('The option "proxyEnv"');

    this.keepAliveMsecs = resolved.keepAliveMsecs;
    this.maxCachedSessions = resolved.maxCachedSessions;
    this.agentKeepAliveTimeoutBuffer = resolved.agentKeepAliveTimeoutBuffer;

    const driver = new SocketDriver(
      this as unknown as DrivenAgent,
      resolved,
      PoolingAgent.prototype.keepSocketAlive,
    );
    Object.defineProperty(this, kDriver, { value: driver });
    defineLimits(this, driver, resolved.limits);
    defineViews(this, driver);

    // Node's own handlers of these two would run a second pool beside ours.
    this.removeAllListeners('free');
    this.removeAllListeners('newListener');
    this.on('free', (socket: SocketLike, socketOptions: Options) => driver.free(socket, socketOptions));
    this.on('newListener', (event) => {
      if (event === 'keylog') driver.enableKeylog();
    });
  }

  /**
   * Called by `http.ClientRequest`: gets `req` a socket, now or later. The old form
   * `addRequest(req, host, port, localAddress)` works too.
   */
  addRequest(req: AgentRequest, options: object | string, ...legacy: unknown[]): void {
    const driver = this[kDriver];
    if (httpAgentPrototype.addRequest !== coreAddRequest) {
      // Somebody (a mocking or tracing library) put itself before every agent's addRequest after we were loaded.
      // What it lets pass comes back through createSocket.
      httpAgentPrototype.addRequest.call(this, req, options, ...legacy);
    } else if (typeof options === 'string') {
      const [port, localAddress] = legacy;
      driver.acquire(req, { host: options, port, localAddress });
    } else {
      driver.acquire(req, options as Options);
    }
  }

  /** Opens a connection for `req`. The pool calls it for every connection; subclasses may override it. */
  createSocket(req: AgentRequest, options: object, callback: Deliver): void {
    const driver = this[kDriver];
    if (httpAgentPrototype.addRequest !== coreAddRequest && !driver.isDialling(req)) {
      driver.acquire(req, options as Options, callback);
      return;
    }
    const { origin } = driver.identities.resolve(
      options as Options,
      this.options as Options,
      hostOf(req),
    ).entry;
    const timeout = req.timeout || this.options.timeout;
    const connectOptions: ConnectionOptions & { encoding: null } = {
      ...driver.dialOptions(options as Options, origin),
      encoding: null,
      ...(timeout && { timeout }),
      ...(this.keepAlive && { keepAlive: true, keepAliveInitialDelay: this.keepAliveMsecs }),
    };
    let called = false;
    const once: Deliver = (error, socket) => {
      if (called) return;
      called = true;
      if (error) callback(error, socket);
      else callback(null, socket);
    };
    const createConnection = this.createConnection as unknown as CreateConnection;
    // Who brings a `createConnection` of their own may change the options, which a ready context would hide.
    if (this.createConnection === Agent.prototype.createConnection && !connectOptions.secureContext) {
      connectOptions.secureContext = driver.contexts.get(origin.profile.contextId, connectOptions);
    }
    const socket = createConnection.call(this, connectOptions, once);
    if (socket && !awaitsTunnel(socket)) once(null, socket);
  }

  /** Takes a socket out of the pool's books. Called for every socket that closes or leaves HTTP. */
  removeSocket(socket: SocketLike, _options?: object): void {
    this[kDriver].remove(socket);
  }

  /** Called before a socket becomes idle: arms TCP keep-alive and lets the process exit. `false`: do not keep it. */
  override keepSocketAlive(socket: SocketLike): boolean {
    socket.setKeepAlive?.(true, this.keepAliveMsecs);
    socket.unref?.();
    // Idle sockets are closed by the pool's own clock; a request's timeout ends with the request.
    if (socket.timeout) socket.setTimeout?.(0);
    return true;
  }

  /** Called when a request gets a socket that has served another one. */
  override reuseSocket(socket: SocketLike, req: AgentRequest): void {
    req.reusedSocket = true;
    if (channelOf(socket)?.unreferenced !== false) socket.ref?.();
  }

  /**
   * Closes all connections, in use or idle, and ends all waiting requests with `error` (default: an error with code
   * `ERR_AGENT_DESTROYED`). As with Node's agent, later requests open new connections.
   */
  override destroy(error?: Error): void {
    this[kDriver].destroy(error);
  }
}

type CreateConnection = (this: object, options: object, callback: Deliver) => SocketLike | undefined;

function hostOf(req: AgentRequest): unknown {
  return typeof req.getHeader === 'function' ? req.getHeader('host') : undefined;
}

/** Own properties, as on Node's agent, but live: whoever waits for a limit goes when it is raised. */
function defineLimits(agent: PoolingAgent, driver: SocketDriver, limits: Limits): void {
  const define = <K extends keyof Limits>(
    name: K,
    check: (name: string, value: unknown) => Limits[K],
  ): void => {
    Object.defineProperty(agent, name, {
      configurable: true,
      enumerable: true,
      get: () => limits[name],
      set: (value: unknown) => {
        limits[name] = check(name, value);
        driver.pool.limitsChanged();
      },
    });
  };
  define('maxSockets', atLeastZero);
  define('maxTotalSockets', atLeastZero);
  define('maxFreeSockets', atLeastZero);
  define('scheduling', scheduling);
  define('keepAlive', (_name, value) => Boolean(value));
}

/** For readers. What is written to them is ignored, as Node's own constructor writes, too. */
function defineViews(agent: PoolingAgent, driver: SocketDriver): void {
  let views: Views = emptyViews();
  let takenAt = -1;
  const names = new WeakMap<object, string>();

  const current = (): Views => {
    if (httpAgentPrototype.addRequest !== coreAddRequest) {
      // Node's addRequest may be working on them: nothing of ours for it to take, room for what it notes.
      if (takenAt !== -1) views = emptyViews();
      takenAt = -1;
      return views;
    }
    if (takenAt !== driver.pool.changes) {
      views = takeViews(driver.pool, (host) => {
        let name = names.get(host);
        if (name === undefined) {
          const [connection] = host.connections;
          const request = host.waiting.head?.value.request;
          const options =
            connection?.channel?.options ?? driver.dialOptions(request?.options ?? {}, host.origin);
          name = agent.getName(options as Parameters<Agent['getName']>[0]);
          names.set(host, name);
        }
        return name;
      });
      takenAt = driver.pool.changes;
    }
    return views;
  };

  const define = (name: string, get: () => unknown): void => {
    Object.defineProperty(agent, name, { configurable: true, enumerable: true, get, set: () => {} });
  };
  define('sockets', () => current().sockets);
  define('freeSockets', () => current().freeSockets);
  define('requests', () => current().requests);
  define('totalSocketCount', () => driver.pool.size);
}
