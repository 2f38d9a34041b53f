/**
 * The pool of one agent, as the agent and those who look at it see it: all that agent/ asks of connections/, and nothing of how it is done.
 * Requests, released sockets and changes of limits and options come in here; what becomes of them is the business of the parts that
 * driver.ts puts together.
 */
import { agentClosed, agentDestroyed } from '../errors.js';
import type { Options } from '../identity/identity.js';
import { hostName } from '../limits/host-name.js';
import { invalidPriority, isPriority } from '../limits/priority.js';
import { ownOptionsOf, queuedByNode } from '../node/interception.js';
import { isSocketLike } from '../node/socket.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { ResolvedOptions } from '../options/options.js';
import type { HostLimits } from '../pool/limits.js';
import type { Pool } from '../pool/pool.js';
import type { Connection } from '../pool/records.js';
import type { Deliver } from '../requests/pending-request.js';
import type { Resumption } from '../sessions/resumption.js';
import type { TlsOptions } from '../tls/rotation.js';
import { Adoption } from './adoption.js';
import type { DrivenAgent } from './driven-agent.js';
import { CreateSocket } from './create-socket.js';
import { SocketDriver } from './driver.js';
import type { Host, Hosts } from './hosts.js';
import type { Leases } from './lease.js';
import type { Observer } from './observer.js';
import { PooledRequest, pooledSocketOf } from './pooled-socket.js';
import type { AgentKinds } from './pooled-socket.js';
import { priorityInHeader } from '../requests/priority-header.js';
import type { ReplayRule } from '../requests/replayable.js';
import type { StallWatch } from './stall-watch.js';
import type { SpareConnections } from './spare-connections.js';
import type { Waiting } from './waiting.js';

export type { Host };

/** The state of the pool, for readers. */
export type PoolView = Pick<
  Pool<AgentKinds>,
  'capacity' | 'changes' | 'counters' | 'hosts' | 'idle' | 'isClosed' | 'isEmpty' | 'limits' | 'size'
>;

export class AgentPool {
  readonly agent: DrivenAgent;
  /** The TLS sessions of its connections. */
  readonly sessions: Resumption;
  /** Counts and publishes what happens here. */
  readonly observer: Observer;
  readonly #driver: SocketDriver;
  readonly #adoption: Adoption;
  readonly #createSocket: CreateSocket;
  // Hot path: these are the driver's.
  readonly #pool: Pool<AgentKinds>;
  readonly #leases: Leases;
  readonly #rule: ReplayRule;
  readonly #stalls: StallWatch | undefined;
  readonly #waiting: Waiting;
  /** The option `priorityHeader`. */
  readonly #readsHeader: boolean;

  /** @param keepSocketAlive the agent's own method, when nobody has overridden it */
  constructor(
    agent: DrivenAgent,
    resolved: ResolvedOptions,
    keepSocketAlive: DrivenAgent['keepSocketAlive'],
    resumption: Resumption,
    observer: Observer,
  ) {
    this.agent = agent;
    const driver = new SocketDriver(agent, resolved, keepSocketAlive, resumption, observer);
    this.#driver = driver;
    this.#adoption = new Adoption(agent, driver.pool, driver.hosts, driver.tls, driver.dials, observer);
    this.#createSocket = new CreateSocket(driver.connector, driver.hosts, driver.tls, driver.pool);
    this.#pool = driver.pool;
    this.sessions = resumption;
    this.observer = observer;
    this.#leases = driver.leases;
    this.#rule = driver.replays.rule;
    this.#stalls = driver.stalls;
    this.#waiting = driver.waiting;
    this.#readsHeader = resolved.priorityHeader;
  }

  /** The parts of `pool`. For the project's own tests. */
  static driverOf(pool: AgentPool): SocketDriver {
    return pool.#driver;
  }

  // Requests

  /** Hot path. Gets `req` a socket: at once, or as soon as there is one. */
  acquire(req: AgentRequest, options: Options, deliver?: Deliver): void {
    if (req.destroyed) {
      // Destroyed before it began (a signal that had been aborted): Node emits its error and 'close'.
      new PooledRequest(req, options, deliver).end();
      return;
    }
    this.#stalls?.trace(req, this.acquire);
    const { priority } = options;
    if (!isPriority(priority)) {
      new PooledRequest(req, options, deliver).fail(invalidPriority('options.priority', priority));
      return;
    }
    const host = this.#driver.hosts.of(req, options);
    this.observer.came(host);
    // Requests of somebody else cannot be sent again by us.
    const asking = deliver ? undefined : req;
    let connection = this.#pool.lease(host, asking);
    if (!connection && host.idle.size > 0 && this.#rule.mayRisk(req))
      connection = this.#pool.leaseUnsafe(host, asking);
    if (connection?.pooled && connection.state === 'active')
      this.#leases.lease(connection.pooled, req, options, deliver);
    else
      this.#waiting.begin(new PooledRequest(req, options, deliver), host, priority ?? this.#priorityOf(req));
  }

  /** Of a request that says nothing in its options. */
  #priorityOf(req: AgentRequest): number | undefined {
    return this.#readsHeader ? priorityInHeader(req) : undefined;
  }

  /** Node's own `addRequest`, called by a wrapper, would leave `req` waiting. */
  acquireNoted(req: AgentRequest): void {
    const { options, run } = queuedByNode(req);
    run(() => {
      try {
        this.acquire(req, ownOptionsOf(options, this.agent.options));
      } catch (error) {
        new PooledRequest(req, options as Options, undefined).fail(error);
      }
    });
  }

  /** @returns whether `req` waits */
  setPriority(req: object, priority: number): boolean {
    if (typeof priority !== 'number' || !isPriority(priority)) throw invalidPriority('priority', priority);
    return this.#waiting.setPriority(req, priority);
  }

  // Connections

  /** See `CreateSocket.isDialling`. */
  isDialling(req: AgentRequest): boolean {
    return this.#createSocket.isDialling(req);
  }

  /** See `CreateSocket.open`. */
  open(req: AgentRequest, options: Options, callback: Deliver): void {
    this.#createSocket.open(req, options, callback);
  }

  /** `socket` is free again, says Node's client or somebody else. */
  free(socket: SocketLike, options: Options): void {
    if (!isSocketLike(socket)) return;
    const pooled = pooledSocketOf(socket);
    if (pooled?.owner === this.#driver) this.#driver.release(pooled);
    else this.#adoption.adopt(socket, options);
  }

  /** `socket` is to be in no pool any more. */
  remove(socket: SocketLike): void {
    this.#driver.remove(socket);
  }

  /** The part that sees to connections that are opened before a request asks for them. */
  get spares(): SpareConnections {
    return this.#driver.spares;
  }

  /** Hosts that are kept ready whether they were ever used or not. */
  get hostsKeptReady(): Hosts['keptReady'] {
    return this.#driver.hosts.keptReady;
  }

  // The end

  /** Ends everything at once. The agent stays usable, unless it was closed. */
  destroy(error: unknown): void {
    this.#pool.destroy(error || agentDestroyed(), error);
    this.#driver.lifetimes.stop();
    this.spares.watch?.stop();
  }

  /**
   * From now on no new request is taken, and nothing is kept idle.
   *
   * @param onEmpty told each time when nothing is left
   * @returns steps, each of which closes an idle connection
   */
  close(onEmpty: () => void): Generator<void, void, undefined> {
    this.#driver.onEmpty = () => {
      this.#driver.lifetimes.stop();
      onEmpty();
    };
    this.#pool.beginClose();
    return this.#pool.closeIdle();
  }

  /** Steps, each of which ends a waiting request or a connection of a pool that was closed. */
  end(): Generator<void, void, undefined> {
    return this.#pool.end(({ origin }) => agentClosed('ended', hostName(origin)));
  }

  /** See `PoolingAgent.closeIdleConnections`. */
  closeIdleConnections(): void {
    this.#pool.closeIdleConnections();
  }

  /** See `PoolingAgent.closeAllConnections`. */
  closeAllConnections(): void {
    this.#pool.closeAllConnections();
  }

  // Changes

  /** 'keylog' has a listener: sockets report from now on, those that exist already, too. */
  enableKeylog(): void {
    this.#driver.dials.enableKeylog();
  }

  /** See `PoolingAgent.updateTls`. */
  updateTls(changes: TlsOptions): void {
    this.#driver.tls.update(changes);
  }

  /** A limit of the agent itself was changed. */
  limitsChanged(): void {
    this.#driver.hosts.limitsChanged();
    this.#waiting.limitsChanged();
    this.#driver.lifetimes.limitsChanged();
    this.spares.watch?.changed();
  }

  /** @throws if a rule is not valid, or a function that gives limits throws: then nothing has changed */
  setHostLimits(pattern: unknown, limits: unknown): void {
    this.#driver.hosts.setLimits(pattern, limits);
    this.#waiting.limitsChanged();
    this.spares.watch?.changed();
  }

  // For readers

  get view(): PoolView {
    return this.#pool;
  }

  /** The pattern of the rule that has set `limit` of `host`, if one has. */
  ruleOf(host: Host, limit: keyof HostLimits): string | undefined {
    return this.#driver.hosts.ruleOf(host, limit);
  }

  /** Milliseconds since `connection`, which is idle, became so. */
  idleTimeOf({ idleSince }: Connection<AgentKinds>): number {
    return Math.max(0, this.#driver.now() - idleSince);
  }

  /** The options with which connections of `host`, which holds something, are opened. */
  optionsOf(host: Host): Options {
    const [connection] = host.connections;
    const requested = host.waiting.oldest?.request.options ?? {};
    return connection?.pooled?.options ?? this.#driver.connector.optionsFor(requested, host.origin);
  }
}
