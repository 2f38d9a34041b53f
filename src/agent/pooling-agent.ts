/**
 * The seam to node:https. `PoolingAgent` looks to callers like Node's own agent, and passes everything on: pool/ decides, and
 * connections/ does the work.
 */
import type { ClientRequest } from 'node:http';
import { Agent } from 'node:https';
import type { RequestOptions } from 'node:https';
import { inspect } from 'node:util';
import type { AgentProperties } from './agent-properties.js';
import { completeCopies, POOL_PROPERTIES } from './copy-properties.js';
import { kPool } from '../connections/pool-key.js';
import { loadCopies, loadEquipment, loadKind, loadSeam } from './first.js';
import type { Kind } from './kind.js';
import type { AnyListener, NodeEvent, OwnListener, PoolingAgentEvents } from './events.js';
import type { HostLimitOptions } from '../limits/host-limits.js';
import { destroy } from '../lifecycle/destroy.js';
import { loadClose, loadLend, loadPreconnect } from '../lifecycle/late.js';
import type { CloseOptions } from '../lifecycle/close.js';
import type { PreconnectOptions, PreconnectResult } from '../lifecycle/preconnect.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { Explanation } from '../observe/explain.js';
import type { AgentSummary } from '../observe/inspect.js';
import { loadExplain, loadInspect, loadObservation, loadStats } from '../observe/late.js';
import { kObservation } from '../observe/observation-key.js';
import type { Observation } from '../observe/observation.js';
import type { AgentStats, StatsOptions } from '../observe/stats.js';
import type { PoolingAgentOptions } from '../options/options.js';
import { isInstanceOfAny } from '../process-wide.js';
import type { AgentPool } from '../connections/agent-pool.js';
import type { Deliver } from '../requests/pending-request.js';
import type { Options } from '../identity/identity.js';
import { loadAgentName } from '../identity/late.js';
import type { TlsOptions } from '../tls/rotation.js';

export { kPool };

/** The mark by which copies of this package recognise each other's agents. */
const kPoolingAgent: unique symbol = Symbol.for('pooling-https-agent.PoolingAgent');

/**
 * Narrower than Node's typings: the name of an event that does not exist is an error. Each method is written out in two forms: with one generic
 * form, an agent would not be assignable to a caller's own emitter type, and subclasses could not override the methods.
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- more types of methods that exist
export interface PoolingAgent extends AgentProperties {
  /** Identities whose TLS sessions are remembered: a property of the session cache, also where other agents use it. `0` remembers none. Default: `100`. */
  maxCachedSessions: number;
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
 * Works with any client that takes an agent. Limits, `keepAlive`, `scheduling` and `options` may be changed at any time; waiting requests are
 * served as soon as the new values allow it.
 *
 * Emits `'saturated'` and `'drained'` with a `QueueState`; and `'leak'` with a `LeakReport`, if `leakDetectionThreshold` is set.
 */
export class PoolingAgent extends Agent {
  readonly #pool: AgentPool;

  /**
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE` for an option that is not valid;
   * `ERR_PROXY_INVALID_CONFIG` for a URL in `proxyEnv` that is none; `MODULE_NOT_FOUND` for a SOCKS proxy without the package `socks`
   */
  constructor(options: PoolingAgentOptions | null = {}) {
    const { dropNodesHandlers, equip, optionsForNode, prepare } = loadEquipment();
    const kind = kindOfAgent();
    const prepared = prepare(kind, options);
    super(optionsForNode(prepared));
    dropNodesHandlers(this);
    this.#pool = equip(this, kind, prepared, this.options);
    loadCopies().markOwner(this, this.#pool);
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
    return #pool in this ? this.#pool : (loadCopies().poolOfCopy(this, kindOfAgent) as AgentPool);
  }

  /**
   * Called by `http.ClientRequest`: gets `req` a socket, now or later. The old form
   * `addRequest(req, host, port, localAddress)` works too.
   */
  addRequest(req: AgentRequest, options: object | string, ...legacy: unknown[]): void {
    loadSeam().addRequest(this, this[kPool], req, options, legacy);
  }

  /** Opens a connection for `req`. Subclasses may override it: then the pool calls it for every connection. */
  createSocket(req: AgentRequest, options: object, callback: Deliver): void {
    loadSeam().createSocket(this, this[kPool], req, options, callback);
  }

  /**
   * The key of `sockets`, `freeSockets` and `requests`. For ordinary options it is the string that Node prints. A digest stands in place of `key`, `pfx`,
   * `passphrase` and every other value of more than 64 characters; it differs from process to process. Where that does not tell two
   * identities apart (functions, contexts, ALPN protocols, …), a token follows.
   */
  override getName(options: RequestOptions = {}): string {
    return loadAgentName().agentName(options as Options, (named) => super.getName(named as RequestOptions));
  }

  /** Takes a socket out of the pool. Called for every socket that closes or leaves HTTP. */
  removeSocket(socket: SocketLike, _options?: object): void {
    this[kPool].remove(socket);
  }

  /** Called before a socket becomes idle: arms TCP keep-alive and lets the process exit. `false`: do not keep it. */
  override keepSocketAlive(socket: SocketLike): boolean {
    return loadSeam().keepSocketAlive(this, socket);
  }

  /** Called when a request gets a socket that has served another one. */
  override reuseSocket(socket: SocketLike, req: AgentRequest): void {
    loadSeam().reuseSocket(socket, req);
  }

  /** The newest TLS session that is remembered under `key`. As in Node's agent, for code that calls or overrides it. */
  _getSession(key: string): Buffer | undefined {
    return this[kPool].sessions?.newest(key);
  }

  /** Remembers a TLS session. As in Node's agent, for code that calls or overrides it. */
  _cacheSession(key: string, session: Buffer): void {
    this[kPool].sessions?.store(key, session);
  }

  /** Forgets the TLS sessions that are remembered under `key`. As in Node's agent, for code that calls or overrides it. */
  _evictSession(key: string): void {
    this[kPool].sessions?.forget(key);
  }

  /**
   * Changes the agent's TLS options: certificates, keys, `ca`, ciphers and so on. `undefined` removes an option. From now on
   * new connections use the new options, also those for requests that wait already. Idle connections close, those in use close after their
   * request; former sessions are forgotten. No request fails. With no options (`{}`), it
   * does the same: after `tls.setDefaultCACertificates`, say.
   *
   * @throws what Node throws for bad material, `ERR_INVALID_ARG_VALUE` for an option that cannot be changed, and
   * `ERR_INVALID_ARG_TYPE`. Then everything stays as it was
   */
  updateTls(options: TlsOptions): void {
    this[kPool].updateTls(options);
  }

  /**
   * Sets the rule of a pattern (see `PoolingAgentOptions.hosts`) while the agent runs, in place of its former rule;
   * `undefined` or `null` removes that. It comes before a function that was given as `hosts`. Waiting requests are served at once if the new limits
   * allow it. Idle connections above a lowered limit are closed, those in use after their exchange. Requests that wait already stay in a
   * queue that has become too long.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`; then nothing has changed
   */
  setHostLimits(pattern: string, limits: HostLimitOptions | null | undefined): void {
    this[kPool].setHostLimits(pattern, limits);
  }

  /**
   * Gives a request that waits for a connection another priority than its `options.priority`: 0 (the most urgent) to 7,
   * as in RFC 9218; without one it has 3. Among requests of the same priority, it keeps its position by arrival.
   *
   * @returns whether it waits: `false` if it has a connection, or one is being opened for it, or it has ended
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  setPriority(req: ClientRequest, priority: number): boolean {
    return this[kPool].setPriority(req, priority);
  }

  /**
   * Counters of the agent and of its hosts, and its current state: a copy, plain JSON.
   *
   * @throws `ERR_INVALID_ARG_TYPE`
   */
  stats(options?: StatsOptions): AgentStats {
    return loadStats().statsOf(this[kPool], options);
  }

  /**
   * The state of `req`, and the reason why it waits. For single requests: the time of a call may grow with the number of connections and of
   * waiting requests.
   *
   * @throws `ERR_INVALID_ARG_TYPE`
   */
  explain(req: ClientRequest): Explanation {
    return loadExplain().explain(this[kPool], req);
  }

  /** @internal For the package's other entries. */
  get [kObservation](): Observation {
    return loadObservation().observationOf(this[kPool]);
  }

  /** Counts and limits, for `JSON.stringify`. No options: these hold keys. */
  toJSON(): Partial<AgentSummary> {
    const pool = loadCopies().knownPoolOf(this);
    return pool ? loadInspect().summaryOf(pool) : {};
  }

  /** A line with counts, and one with hosts. No options, whatever `util.inspect` is asked to show. */
  [inspect.custom](): string {
    return loadInspect().inspectAgent(this, loadCopies().knownPoolOf(this));
  }

  /**
   * Opens connections before the first request: to the server, and with the TLS options, of a request with these arguments. Free ones count
   * as opened, and so do those that are being opened already. No request waits because of it, and no connection of others is closed for it;
   * a connection that a limit does not allow has failed at once (`ERR_POOL_NO_CAPACITY`).
   *
   * @returns a promise that resolves when all of them are ready or have failed. It rejects only for arguments that are not valid
   * (`ERR_INVALID_URL`, `ERR_INVALID_PROTOCOL`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`)
   */
  preconnect(
    target: string | URL | RequestOptions,
    options?: PreconnectOptions | null,
  ): Promise<PreconnectResult> {
    return loadPreconnect().preconnect(this[kPool], target, options);
  }

  /** Whether `close()` was called. It stays so. */
  get closed(): boolean {
    return loadCopies().knownPoolOf(this)?.isClosed ?? false;
  }

  /**
   * Shuts the agent down without losing a request, for good. From now on new requests end with `ERR_AGENT_CLOSED`, redirects and retries that a client makes of old ones
   * included. Idle connections close at once, those in use after their response; requests that wait still get connections, and finish; those of
   * a paused host wait until a `timeout` or a `signal` ends them. Each call may give one; the earliest counts.
   *
   * @returns a promise, always the same, that resolves when nothing is left. It rejects only for options that are not valid
   * (`ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`); then nothing has happened
   */
  close(options?: CloseOptions | null): Promise<void> {
    return loadClose().close(this[kPool], options);
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
    return loadLend().lend(this, PoolingAgent.prototype);
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

/** The agent's own methods, which are called only if they are overridden. Read now: tracers may patch the prototype later. */
const own = PoolingAgent.prototype;
const { _getSession, _cacheSession, _evictSession } = own;
const { createSocket: create, keepSocketAlive: keep } = own;
const methods = { createSocket: create, keepSocketAlive: keep, _getSession, _cacheSession, _evictSession };

function kindOfAgent(): Kind {
  return loadKind().tlsKind(Agent, methods);
}

completeCopies(PoolingAgent.prototype, [...POOL_PROPERTIES, '_sessionCache'], kindOfAgent);
