/**
 * The seam to node:https. `PoolingAgent` looks to callers like Node's own agent and passes everything on; what is
 * decided, is decided in pool/, and done in connections/.
 */
import type { ClientRequest } from 'node:http';
import { Agent } from 'node:https';
import type { RequestOptions } from 'node:https';
import { inspect } from 'node:util';
import { pooledSocketOf } from '../connections/pooled-socket.js';
import { requestOptions } from './request-options.js';
import { completeCopies, knownPoolOf, markOwner, poolOfCopy } from './copies.js';
import { kPool } from '../connections/pool-key.js';
import { equip, optionsForNode } from './equipment.js';
import type { AnyListener, NodeEvent, OwnListener, PoolingAgentEvents } from './events.js';
import { comesBack, intercept, interceptor, isNodesCallback, ownOptionsOf } from '../node/interception.js';
import type { HostLimitOptions } from '../limits/host-limits.js';
import { close, destroy } from '../lifecycle/close.js';
import type { CloseOptions } from '../lifecycle/close.js';
import { lend } from '../lifecycle/lend.js';
import { preconnect } from '../lifecycle/preconnect.js';
import type { PreconnectOptions, PreconnectResult } from '../lifecycle/preconnect.js';
import { callIfAble } from '../node/foreign.js';
import { isReferenced } from '../node/handle.js';
import { timerOf } from '../node/socket.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import { explain } from '../observe/explain.js';
import type { Explanation } from '../observe/explain.js';
import { inspectAgent, summaryOf } from '../observe/inspect.js';
import type { AgentSummary } from '../observe/inspect.js';
import { statsOf } from '../observe/recorder.js';
import { kObservation } from '../observe/observation-key.js';
import { observationOf } from '../observe/observation.js';
import type { Observation } from '../observe/observation.js';
import type { AgentStats, StatsOptions } from '../observe/stats.js';
import { ownOptions, resolveOptions } from '../options/options.js';
import type { PoolingAgentOptions } from '../options/options.js';
import { isInstanceOfAny } from '../process-wide.js';
import type { Scheduling } from '../pool/limits.js';
import type { AgentPool } from '../connections/agent-pool.js';
import type { Deliver } from '../requests/pending-request.js';
import type { Options } from '../identity/identity.js';
import { agentName } from '../identity/agent-name.js';
import type { TlsOptions } from '../tls/rotation.js';

export { kPool };

/** Copies of this package know each other's agents by it. */
const kPoolingAgent: unique symbol = Symbol.for('pooling-https-agent.PoolingAgent');

/**
 * Narrower than in Node's typings: the name of an event that does not exist is a mistake. Written out as methods with two forms each: with
 * one generic form for all, an agent would not go where the type of an emitter is a caller's own, nor could subclasses override a property.
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- more types of methods that exist
export interface PoolingAgent {
  on<E extends keyof PoolingAgentEvents>(event: E, listener: OwnListener<E>): this;
  on(event: NodeEvent, listener: AnyListener): this;
  once<E extends keyof PoolingAgentEvents>(event: E, listener: OwnListener<E>): this;
  once(event: NodeEvent, listener: AnyListener): this;
  off<E extends keyof PoolingAgentEvents>(event: E, listener: OwnListener<E>): this;
  off(event: NodeEvent, listener: AnyListener): this;
  addListener<E extends keyof PoolingAgentEvents>(event: E, listener: OwnListener<E>): this;
  addListener(event: NodeEvent, listener: AnyListener): this;
  removeListener<E extends keyof PoolingAgentEvents>(event: E, listener: OwnListener<E>): this;
  removeListener(event: NodeEvent, listener: AnyListener): this;
  prependListener<E extends keyof PoolingAgentEvents>(event: E, listener: OwnListener<E>): this;
  prependListener(event: NodeEvent, listener: AnyListener): this;
  prependOnceListener<E extends keyof PoolingAgentEvents>(event: E, listener: OwnListener<E>): this;
  prependOnceListener(event: NodeEvent, listener: AnyListener): this;
}

/**
 * An `https.Agent` that keeps TLS connections open and shares them.
 *
 * Drops into any client that takes an agent. All limits (`maxSockets`, `maxTotalSockets`, `maxFreeSockets`), `keepAlive`,
 * `scheduling` and `options` may be changed at any time; requests that wait go as soon as they can.
 *
 * Emits `'saturated'` and `'drained'` with a `QueueState`; and `'leak'` with a `LeakReport`, if `leakDetectionThreshold` is set.
 */
export class PoolingAgent extends Agent {
  readonly #pool: AgentPool;
  /** The port of requests that name none. Default: `443`. */
  declare defaultPort: number;
  /** The protocol of requests that name none, and the only one that they may name. Default: `'https:'`. */
  declare protocol: string;
  /**
   * Identities (host and TLS options) whose TLS sessions are remembered for resumption. `0` remembers none. That of the session cache, also if others use this, too.
   * Default: `100`.
   */
  declare maxCachedSessions: number;
  /**
   * Keep connections open that no request waits for. Default: `true` (Node's `Agent` class: `false`, its
   * global agent: `true`).
   */
  declare keepAlive: boolean;
  /** Idle connections kept per host. `0` keeps none. Default: `256`. */
  declare maxFreeSockets: number;
  /** Connections of all hosts: connecting, active and idle together. `0` opens none. Default: `Infinity`. */
  declare maxTotalSockets: number;
  /** Connections per host: connecting, active and idle together. `0` opens none. Default: `Infinity`. */
  declare maxSockets: number;
  /** Delay before the first TCP keep-alive probe on an idle connection, in milliseconds. `0` and `Infinity`: the system's. Default: `1000`. */
  declare keepAliveMsecs: number;
  /**
   * Which idle connection is used next.
   *
   * - `'lifo'`: the one used last. As few as possible stay warm, and the others go when they have been idle for too long.
   * - `'fifo'`: the one idle for longest. All are used in turn, which spreads requests over what stands behind a
   *   balancer and keeps all of them from being idle for too long.
   * - `'least-used'`: the one that has served the fewest requests. New connections, and so new servers behind a balancer,
   *   catch up with the old ones.
   * - `'random'`: any. Spreads requests without a pattern that many clients could fall into together.
   *
   * Default: `'lifo'`.
   */
  declare scheduling: Scheduling;
  /** Idle connections kept of all hosts together; beyond that the least recently used goes. `0` keeps none. Default: `Infinity`. */
  declare maxTotalFreeSockets: number;
  /**
   * Connections that are kept ready, idle, for each identity that was used within `trimInterval` (within a minute, where that is `0`), in
   * addition to those in use; in a rule of `hosts` for one host, from the construction on. They are replaced before they are
   * too old or have been idle for too long: with a server that closes idle connections soon, the pool dials again and again. They are
   * opened only where a place is free that nobody waits for. At most `maxFreeSockets`, `maxSockets`, and the totals. Default: `0`.
   */
  declare minFreeSockets: number;
  /**
   * Requests per host that may wait because no connection can be opened for them. One more is refused with
   * `ERR_POOL_QUEUE_FULL`. `0`: none may wait. Default: `Infinity`.
   */
  declare maxQueueSize: number;
  /** Requests of all hosts that may wait, counted likewise. Default: `Infinity`. */
  declare maxTotalQueueSize: number;
  /**
   * Milliseconds that a request may be in the queue; after that it ends with `ERR_POOL_ACQUIRE_TIMEOUT`. A request that
   * opens a connection leaves the queue with that (with `binding: 'late'`, when it gets one). `0`: any time. Default: `0`.
   */
  declare acquireTimeout: number;
  /**
   * Milliseconds over which it is watched how many idle connections of a host are needed. Those that were not needed once
   * in a whole interval in which the host was in use are closed: what a peak has left. `0` never closes any for that
   * reason. Default: `60000`.
   */
  declare trimInterval: number;
  /**
   * Milliseconds by which the idle time stays below what the server says (`Keep-Alive: timeout=N`): the option `keepAliveTimeoutBuffer` by Node's name.
   * Default: `1000`.
   */
  declare agentKeepAliveTimeoutBuffer: number;
  /** Connections that are open or being opened, or not yet fully closed. */
  declare readonly totalSocketCount: number;
  /** The option `name`. */
  declare readonly name: string | undefined;

  /**
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE` for an option that is not valid;
   * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` for `proxyEnv` where Node has no proxy support
   */
  constructor(options: PoolingAgentOptions | null = {}) {
    const own = ownOptions(options);
    const resolved = resolveOptions(own);
    super(optionsForNode(own, resolved));
    // Node's own handlers of these two would run a second pool beside ours.
    this.removeAllListeners('free');
    this.removeAllListeners('newListener');
    this.#pool = equip(this, own, resolved, this.options, OWN);
    markOwner(this, this.#pool);
  }

  /** @internal */
  get [kPoolingAgent](): number {
    return 1;
  }

  /** @internal Also an agent of another copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceOfAny(this, value, PoolingAgent, kPoolingAgent, 1);
  }

  /** @internal Also of an agent that was copied, which has no private fields. */
  get [kPool](): AgentPool {
    return #pool in this ? this.#pool : (poolOfCopy(this, OWN) as AgentPool);
  }

  /**
   * Called by `http.ClientRequest`: gets `req` a socket, now or later. The old form
   * `addRequest(req, host, port, localAddress)` works too.
   */
  addRequest(req: AgentRequest, options: object | string, ...legacy: unknown[]): void {
    const pool = this[kPool];
    if (interceptor() !== undefined) {
      intercept(this, req, options, legacy);
    } else if (typeof options === 'string') {
      const [port, localAddress] = legacy;
      pool.acquire(req, { host: options, port, localAddress });
    } else {
      pool.acquire(req, requestOptions(options));
    }
  }

  /** Opens a connection for `req`. The pool calls it for every connection; subclasses may override it. */
  createSocket(req: AgentRequest, options: object, callback: Deliver): void {
    const pool = this[kPool];
    if (!pool.isDialling(req) && (comesBack(req) || interceptor() !== undefined)) {
      // A request that comes from Node's addRequest is served as any other. Others get what they ask for.
      const deliver = isNodesCallback(callback) ? undefined : callback;
      pool.acquire(req, ownOptionsOf(options, this.options), deliver);
      return;
    }
    pool.open(req, options as Options, callback);
  }

  /**
   * The key of `sockets`, `freeSockets` and `requests`. For ordinary options it is the string that Node prints. A digest stands in place of `key`, `pfx`,
   * `passphrase` and every other value of more than 64 characters; it is another one in each process. Where all that does not tell two
   * identities apart (functions, contexts, ALPN protocols, …), a token follows.
   */
  override getName(options: RequestOptions = {}): string {
    return agentName(options as Options, (named) => super.getName(named as RequestOptions));
  }

  /** Takes a socket out of the pool's books. Called for every socket that closes or leaves HTTP. */
  removeSocket(socket: SocketLike, _options?: object): void {
    this[kPool].remove(socket);
  }

  /** Called before a socket becomes idle: arms TCP keep-alive and lets the process exit. `false`: do not keep it. */
  override keepSocketAlive(socket: SocketLike): boolean {
    callIfAble(socket, 'setKeepAlive', true, this.keepAliveMsecs);
    callIfAble(socket, 'unref');
    // Idle sockets are closed by the pool's own clock; a request's timeout ends with the request. Somebody else's stays.
    const pooled = pooledSocketOf(socket);
    const isOwn = !pooled || pooled.requestTimer === timerOf(socket);
    if (socket.timeout && isOwn) callIfAble(socket, 'setTimeout', 0);
    return true;
  }

  /** Called when a request gets a socket that has served another one. */
  override reuseSocket(socket: SocketLike, req: AgentRequest): void {
    req.reusedSocket = true;
    if (!isReferenced(socket)) callIfAble(socket, 'ref');
  }

  /** The newest TLS session that is remembered under `key`. As in Node's agent: for those who call or override it. */
  _getSession(key: string): Buffer | undefined {
    return this[kPool].sessions.newest(key);
  }

  /** Remembers a TLS session. As in Node's agent: for those who call or override it. */
  _cacheSession(key: string, session: Buffer): void {
    this[kPool].sessions.store(key, session);
  }

  /** Forgets the TLS sessions that are remembered under `key`. As in Node's agent: for those who call or override it. */
  _evictSession(key: string): void {
    this[kPool].sessions.forget(key);
  }

  /**
   * Changes the agent's TLS options: certificates, keys, `ca`, ciphers and so on. `undefined` takes an option out. From now on
   * new connections use what is new, also those for requests that wait already. Idle connections close, active ones finish their
   * request and close; sessions of before are forgotten. No request fails. Given nothing that is new (`{}`), it
   * does the same: after `tls.setDefaultCACertificates`, say.
   *
   * @throws what Node throws for bad material, `ERR_INVALID_ARG_VALUE` for an option that cannot be changed, and
   * `ERR_INVALID_ARG_TYPE`. Then everything stays as it was
   */
  updateTls(options: TlsOptions): void {
    this[kPool].updateTls(options);
  }

  /**
   * Sets the rule of a pattern (see `PoolingAgentOptions.hosts`) while the agent runs, in place of one that it has had;
   * `undefined` or `null` takes that away. It comes before a function that was given as `hosts`. Requests that wait go at once if they
   * may; idle connections above a lowered limit are closed, those in use after their exchange; requests that wait already in a
   * queue that has become too long, wait on.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`; then nothing has changed
   */
  setHostLimits(pattern: string, limits: HostLimitOptions | null | undefined): void {
    this[kPool].setHostLimits(pattern, limits);
  }

  /**
   * Gives a request that waits for a connection another priority than its `options.priority`: 0 (the most urgent) to 7,
   * as in RFC 9218; without one it has 3. It counts as having come when it came.
   *
   * @returns whether it waits: `false` if it has a connection, or one is being opened for it, or it has ended
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  setPriority(req: ClientRequest, priority: number): boolean {
    return this[kPool].setPriority(req, priority);
  }

  /**
   * Counters of the agent and of its hosts, and how things stand now: a copy, plain JSON.
   *
   * @throws `ERR_INVALID_ARG_TYPE`
   */
  stats(options?: StatsOptions): AgentStats {
    return statsOf(this[kPool], options);
  }

  /**
   * Where `req` stands, and what it waits for. For looking at single requests: it may take time that grows with the number of connections
   * and of requests that wait.
   *
   * @throws `ERR_INVALID_ARG_TYPE`
   */
  explain(req: ClientRequest): Explanation {
    return explain(this[kPool], req);
  }

  /** @internal For the package's other entries. */
  get [kObservation](): Observation {
    return observationOf(this[kPool]);
  }

  /** Counts and limits, for `JSON.stringify`. No options: these hold keys. */
  toJSON(): Partial<AgentSummary> {
    const pool = knownPoolOf(this);
    return pool ? summaryOf(pool) : {};
  }

  /** One line, with counts, and one of hosts. No options, whatever is asked for. */
  [inspect.custom](): string {
    return inspectAgent(this, knownPoolOf(this));
  }

  /**
   * Opens connections before the first request: to the server, and with the TLS options, of a request with these arguments. Free ones count
   * as opened, so do those that are being opened already. No request waits because of it, and no connection of others is closed for it;
   * what a limit does not allow has failed at once.
   *
   * @returns a promise that resolves when so many connections are ready or have failed. It rejects only for arguments that are not valid
   * (`ERR_INVALID_URL`, `ERR_INVALID_PROTOCOL`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`)
   */
  preconnect(
    target: string | URL | RequestOptions,
    options?: PreconnectOptions | null,
  ): Promise<PreconnectResult> {
    return preconnect(this[kPool], target, options);
  }

  /** Whether `close()` was called. It stays so. */
  get closed(): boolean {
    return knownPoolOf(this)?.view.isClosed ?? false;
  }

  /**
   * Ends in peace, and for good. From now on new requests end with `ERR_AGENT_CLOSED`, redirects and retries that a client makes of old ones
   * included. Idle connections close at once, those in use after their response; requests that wait still get connections, and finish; those of
   * a paused host wait until a `timeout` or a `signal` ends them. Each call may give one; the earliest counts.
   *
   * @returns a promise, always the same, that resolves when nothing is left. It rejects only for options that are not valid
   * (`ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`); then nothing has happened
   */
  close(options?: CloseOptions | null): Promise<void> {
    return close(this[kPool], options);
  }

  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The agent, for a client library that ends the agent that it was given: its `close()`, `destroy()` and so on do nothing, and everything
   * else is the agent's.
   */
  lend(): this {
    return lend(this, PoolingAgent.prototype);
  }

  /** Closes connections that are idle now, as the method of that name of `http.Server`. The agent stays usable. */
  closeIdleConnections(): void {
    this[kPool].closeIdleConnections();
  }

  /**
   * Closes all connections that are open now, as on `http.Server`: requests on them end with `ECONNRESET`, those that wait get new ones.
   */
  closeAllConnections(): void {
    this[kPool].closeAllConnections();
  }

  /**
   * Closes all connections, in use or idle, and ends all waiting requests with `error` (default: an error with code
   * `ERR_AGENT_DESTROYED`). As with Node's agent, later requests open new connections, unless the agent was closed.
   */
  override destroy(error?: Error): void {
    destroy(this[kPool], error);
  }
}

/** The methods that are not called where nobody has overridden them. As they are now: tracers patch the prototype later. */
const { keepSocketAlive, _getSession, _cacheSession, _evictSession } = PoolingAgent.prototype;
const OWN = { keepSocketAlive, _getSession, _cacheSession, _evictSession };

completeCopies(PoolingAgent.prototype, OWN);
