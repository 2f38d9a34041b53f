/**
 * The seam to node:http: the agent for `http:`. It is `PoolingAgent` without TLS, and has the same pool behind it.
 */
import { Agent } from 'node:http';
import type { ClientRequest, RequestOptions } from 'node:http';
import { inspect } from 'node:util';
import type { AgentPool } from '../connections/agent-pool.js';
import { kPool } from '../connections/pool-key.js';
import { loadAgentName } from '../identity/late.js';
import type { Options } from '../identity/identity.js';
import type { CloseOptions } from '../lifecycle/close.js';
import { destroy } from '../lifecycle/destroy.js';
import { loadClose, loadLend, loadPreconnect } from '../lifecycle/late.js';
import type { PreconnectOptions, PreconnectResult } from '../lifecycle/preconnect.js';
import type { HostLimitOptions } from '../limits/host-limits.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { Explanation } from '../observe/explain.js';
import type { AgentSummary } from '../observe/inspect.js';
import { kObservation } from '../observe/observation-key.js';
import type { Observation } from '../observe/observation.js';
import { loadExplain, loadInspect, loadObservation, loadStats } from '../observe/late.js';
import type { AgentStats, StatsOptions } from '../observe/stats.js';
import type { PoolingHttpAgentOptions } from '../options/http-options.js';
import { isInstanceOfAny } from '../process-wide.js';
import type { Deliver } from '../requests/pending-request.js';
import type { AgentProperties } from './agent-properties.js';
import { completeCopies, POOL_PROPERTIES } from './copy-properties.js';
import type { AnyListener, NodeEvent, OwnListener, PoolingAgentEvents } from './events.js';
import { loadCopies, loadEquipment, loadKind, loadSeam } from './first.js';
import type { Kind } from './kind.js';

/** The mark by which copies of this package recognise each other's agents. */
const kPoolingHttpAgent: unique symbol = Symbol.for('pooling-https-agent.PoolingHttpAgent');

/** Narrower than Node's typings, as for `PoolingAgent`. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- more types of methods that exist
export interface PoolingHttpAgent extends AgentProperties {
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
  /** The agent's options, as Node's agents show them. They may be changed at any time. */
  options: RequestOptions;
}

/**
 * An `http.Agent` that keeps connections open and shares them: for `http:` what `PoolingAgent` is for `https:`, with the same limits, queue, replays, proxies,
 * statistics and events. See `createAgents` for two agents over one pool.
 */
export class PoolingHttpAgent extends Agent {
  readonly #pool: AgentPool;

  /**
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE` for an option that is not valid;
   * `ERR_PROXY_INVALID_CONFIG` for a URL in `proxyEnv` that is none; `MODULE_NOT_FOUND` for a SOCKS proxy without the package `socks`
   */
  constructor(options: PoolingHttpAgentOptions | null = {}) {
    const { dropNodesHandlers, equip, optionsForNode, prepare } = loadEquipment();
    const kind = kindOfAgent();
    const prepared = prepare(kind, options);
    super(optionsForNode(prepared));
    dropNodesHandlers(this);
    this.#pool = equip(this, kind, prepared, this.options);
    loadCopies().markOwner(this, this.#pool);
  }

  /** @internal */
  get [kPoolingHttpAgent](): number {
    return 1;
  }

  /** @internal Also an agent of another copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceOfAny(this, value, PoolingHttpAgent, kPoolingHttpAgent, 1);
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
   * The key of `sockets`, `freeSockets` and `requests`: the string that Node prints. Where that does not tell two identities apart (functions such as `lookup`), a
   * token follows.
   */
  override getName(options: RequestOptions = {}): string {
    return loadAgentName().agentName(
      options as Options,
      (named) => super.getName(named as RequestOptions),
      'http:',
    );
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

  /**
   * Sets the rule of a pattern while the agent runs: see `PoolingAgent.setHostLimits`.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`; then nothing has changed
   */
  setHostLimits(pattern: string, limits: HostLimitOptions | null | undefined): void {
    this[kPool].setHostLimits(pattern, limits);
  }

  /**
   * Gives a request that waits another priority, 0 (the most urgent) to 7: see `PoolingAgent.setPriority`.
   *
   * @returns whether it waits
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
   * The state of `req`, and the reason why it waits: see `PoolingAgent.explain`.
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

  /** Counts and limits, for `JSON.stringify`. No options. */
  toJSON(): Partial<AgentSummary> {
    const pool = loadCopies().knownPoolOf(this);
    return pool ? loadInspect().summaryOf(pool) : {};
  }

  /** A line with counts, and one with hosts. No options, whatever `util.inspect` is asked to show. */
  [inspect.custom](): string {
    return loadInspect().inspectAgent(this, loadCopies().knownPoolOf(this));
  }

  /**
   * Opens connections before the first request: see `PoolingAgent.preconnect`.
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
   * Shuts the agent down without losing a request, for good: see `PoolingAgent.close`.
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
    return loadLend().lend(this, PoolingHttpAgent.prototype);
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

/** The agent's own method, which is called only if it is overridden. Read now: tracers may patch the prototype later. */
const { createSocket: create, keepSocketAlive: keep } = PoolingHttpAgent.prototype;
const methods = { createSocket: create, keepSocketAlive: keep };

function kindOfAgent(): Kind {
  return loadKind().plainKind(Agent as unknown as Kind['nodes'], methods);
}

completeCopies(PoolingHttpAgent.prototype, POOL_PROPERTIES, kindOfAgent);
