/**
 * The pool's driver for real sockets: puts the parts of this room together, and passes on what the agent, the pool and sockets say to the part
 * whose business it is. It decides nothing: which request gets which connection is decided in pool/.
 */
import { debugClose } from '../debug-lines.js';
import { debug } from '../debug.js';
import { agentDestroyed, connectionReset, PoolQueueError } from '../errors.js';
import type { Options } from '../identity/identity.js';
import { contextValuesOf } from '../identity/profile.js';
import { Lifetimes } from '../lifetimes/lifetimes.js';
import { invalidPriority, isPriority } from '../limits/priority.js';
import { hostName } from '../limits/host-name.js';
import { destroy, later, runOnOwnStack, throwLater } from '../node/foreign.js';
import { ownOptionsOf, queuedByNode } from '../node/interception.js';
import { isSocketLike } from '../node/socket.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import { monotonicNow, setImmediate } from '../node/timers.js';
import { tellOfExceptions } from '../node/uncaught.js';
import type { Survivor } from '../node/uncaught.js';
import type { ResolvedOptions } from '../options/options.js';
import type { CloseReason } from '../pool/close-reason.js';
import type { Connection, Waiter } from '../pool/records.js';
import type { Driver } from '../pool/driver.js';
import { Pool } from '../pool/pool.js';
import type { Refusal } from '../pool/refusal.js';
import { PooledRequest, pooledSocketOf } from './pooled-socket.js';
import type { Deliver } from '../requests/pending-request.js';
import type { Resumption } from '../sessions/resumption.js';
import { Rotation } from '../tls/rotation.js';
import type { TlsOptions } from '../tls/rotation.js';
import { createContext, SecureContexts } from '../tls/secure-contexts.js';
import { Adoption } from './adoption.js';
import { Connector } from './connector.js';
import { CurrentTls } from './current-tls.js';
import type { DrivenAgent } from './driven-agent.js';
import { isFresh, isQuiet, isUsable, passPoll } from './hand-over.js';
import { Hosts } from './hosts.js';
import type { Host } from './hosts.js';
import { IdleEntry } from './idle-entry.js';
import { Leases } from './lease.js';
import { PendingDials } from './pending-dials.js';
import type { AgentKinds, Owner, PooledSocket } from './pooled-socket.js';
import { Recovery } from './recovery.js';
import { Releases } from './release.js';
import { Replays } from './replay.js';
import { SaturationEvents } from './saturation-events.js';
import { listenToKeylog, stopListening } from './socket-events.js';
import { StallWatch } from './stall-watch.js';
import { Waiting } from './waiting.js';

type Conn = Connection<AgentKinds>;
type PoolWaiter = Waiter<AgentKinds>;

export class SocketDriver implements Driver<AgentKinds>, Owner, Survivor {
  readonly agent: DrivenAgent;
  readonly pool: Pool<AgentKinds>;
  readonly hosts: Hosts;
  readonly contexts: SecureContexts;
  readonly resumption: Resumption;
  readonly connector: Connector;
  readonly replays: Replays;
  readonly #lifetimes: Lifetimes<AgentKinds>;
  readonly #waiting: Waiting;
  readonly #tls: CurrentTls;
  readonly #dials: PendingDials;
  readonly #adoption: Adoption;
  readonly #leases: Leases;
  readonly #idleEntry: IdleEntry;
  readonly #releases: Releases;
  readonly #saturation: SaturationEvents;
  readonly #interrupted: Recovery = new Recovery(this, () => this.pooledSockets());
  /** Only where somebody has asked for it. */
  readonly #stalls: StallWatch | undefined;

  /** @param keepSocketAlive the agent's own method, when nobody has overridden it */
  constructor(
    agent: DrivenAgent,
    resolved: ResolvedOptions,
    keepSocketAlive: DrivenAgent['keepSocketAlive'],
    resumption: Resumption,
  ) {
    this.agent = agent;
    const { eagerContext, limits, maxSecureContexts, tls } = resolved;
    this.contexts = new SecureContexts(maxSecureContexts);
    this.resumption = resumption;
    const rotation = new Rotation(agent, this.contexts, tls);
    const own = agent.options as Options;
    if (eagerContext && !own['secureContext']) this.contexts.set(contextValuesOf(own), createContext(own));
    this.connector = new Connector(agent, this.contexts, resumption);

    const pool = new Pool<AgentKinds>(this, limits);
    this.pool = pool;
    const lifetimes = new Lifetimes(agent, pool, resolved.durations);
    this.#lifetimes = lifetimes;
    const hosts = new Hosts(agent, pool, resolved.rules, (host) => lifetimes.recall(host));
    this.hosts = hosts;
    const stuck = new Recovery(this, () => this.pooledSockets());
    const waiting = new Waiting(
      agent,
      pool,
      hosts,
      resolved.replay,
      () => this.schedule(),
      (isFirst) => stuck.look(isFirst),
    );
    this.#waiting = waiting;
    this.replays = new Replays(resolved.replay, pool, lifetimes, hosts, waiting);
    this.#tls = new CurrentTls(rotation, hosts, pool, resumption, waiting);
    this.#dials = new PendingDials(
      this,
      this.connector,
      lifetimes,
      waiting,
      this.#tls,
      resolved.connectTimeout,
    );
    this.#adoption = new Adoption(agent, pool, hosts, this.#tls, this.#dials);
    this.#idleEntry = new IdleEntry(agent, keepSocketAlive, ({ connection }) =>
      pool.close(connection, 'surplus'),
    );
    this.#releases = new Releases(pool, lifetimes, this.#idleEntry);
    const watches = resolved.socketTimeout > 0 || resolved.leakDetectionThreshold > 0;
    this.#stalls = watches ? new StallWatch(this, resolved) : undefined;
    this.#leases = new Leases(agent, pool, this.replays, this.#stalls, waiting);
    this.#saturation = new SaturationEvents(agent);
    tellOfExceptions(this);
  }

  // For the agent

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
    const host = this.hosts.of(req, options);
    let connection = this.pool.lease(host);
    if (!connection && host.idle.size > 0 && this.replays.rule.mayRisk(req))
      connection = this.pool.leaseUnsafe(host);
    if (connection?.pooled && connection.state === 'active')
      this.#leases.lease(connection.pooled, req, options, deliver);
    else this.#waiting.begin(new PooledRequest(req, options, deliver), host, priority ?? undefined);
  }

  /** What the agent's `createSocket` does, whoever has called it: a connection with the TLS options of now. */
  open(req: AgentRequest, options: Options, callback: Deliver): void {
    const dial = this.connector.dialOf(req, options);
    if (dial && !(dial.origin as Host['origin']).entry.abandoned) {
      this.connector.open(req, options, dial.origin, callback);
      return;
    }
    if (!dial) this.#tls.refresh();
    // A subclass that takes its time may come here when TLS options have changed since.
    const requested = dial?.requested ?? options;
    this.connector.open(req, requested, this.hosts.of(req, requested).origin, callback);
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

  /** `socket` is free again, says Node's client or somebody else. */
  free(socket: SocketLike, options: Options): void {
    if (!isSocketLike(socket)) return;
    const pooled = pooledSocketOf(socket);
    if (pooled?.owner === this) this.release(pooled);
    else this.#adoption.adopt(socket, options);
  }

  /** 'keylog' has a listener: sockets report from now on, those that exist already, too. */
  enableKeylog(): void {
    if (this.#dials.keylog) return;
    this.#dials.keylog = true;
    for (const pooled of this.pooledSockets()) listenToKeylog(pooled);
  }

  updateTls(changes: TlsOptions): void {
    this.#tls.update(changes);
  }

  /** A limit of the agent itself was changed. */
  limitsChanged(): void {
    this.hosts.limitsChanged();
    this.#waiting.limitsChanged();
    this.#lifetimes.limitsChanged();
  }

  /** @throws if a rule is not valid, or a function that gives limits throws: then nothing has changed */
  setHostLimits(pattern: unknown, limits: unknown): void {
    this.hosts.setLimits(pattern, limits);
    this.#waiting.limitsChanged();
  }

  /** @returns whether `req` waits */
  setPriority(req: object, priority: number): boolean {
    return this.#waiting.setPriority(req, priority);
  }

  destroy(error: unknown): void {
    this.pool.destroy(error || agentDestroyed(), error);
    this.#lifetimes.stop();
  }

  afterException(isFirst: boolean): void {
    this.#interrupted.look(isFirst);
  }

  *pooledSockets(): Generator<PooledSocket, void, undefined> {
    for (const host of this.pool.hosts) {
      for (const { pooled } of host.connections) if (pooled) yield pooled;
    }
  }

  // For sockets

  connected(pooled: PooledSocket): void {
    this.pool.connected(pooled.connection);
  }

  /** Hot path. */
  release(pooled: PooledSocket): void {
    this.#releases.release(pooled);
  }

  remove(socket: SocketLike): void {
    const pooled = pooledSocketOf(socket);
    if (pooled?.owner !== this) return;
    const { connection } = pooled;
    if (connection.state !== 'connecting') {
      this.#releases.closed(pooled);
      this.pool.closed(connection, socket.destroyed ? 'closed' : 'detached');
    } else if (!this.#dials.again(pooled)) {
      const error = pooled.error ?? connectionReset('The socket closed before it was connected');
      this.pool.failed(connection, error);
    }
    stopListening(pooled);
    pooled.release();
  }

  /** @param reason may be anything */
  destroySocket(pooled: PooledSocket, reason: unknown): void {
    try {
      destroy(pooled.socket, reason);
    } catch (error) {
      // It is no stream of Node's, and will not tell when it is closed.
      this.remove(pooled.socket);
      throwLater(error);
    }
  }

  /** Idle connections to `address` are dead, too, and would only be found out one by one. */
  peerDied(address: string): void {
    const siblings = [...this.pool.idle].filter(({ pooled }) => pooled?.address === address);
    for (const connection of siblings) {
      if (connection.state === 'idle') this.pool.close(connection, 'peer-dead');
    }
  }

  // For the pool

  /** Hot path. */
  now(): number {
    return this.#lifetimes.now();
  }

  dial(connection: Conn, { request }: PoolWaiter): void {
    this.#dials.begin(connection, request);
  }

  assign(connection: Conn, waiter: PoolWaiter): void {
    this.#leases.assign(connection, waiter);
  }

  /** Hot path. */
  prepareIdle(connection: Conn): boolean {
    const { pooled } = connection;
    if (!pooled || !this.#lifetimes.prepareIdle(connection, pooled.hint, pooled.polledAt)) return false;
    return this.#idleEntry.begin(pooled);
  }

  /** Hot path. */
  usable({ pooled }: Conn): boolean {
    return isUsable(pooled);
  }

  /** Hot path. */
  isReadyForNext({ pooled }: Conn): boolean {
    return !pooled || (isQuiet(pooled) && isFresh(pooled, monotonicNow()));
  }

  /** Hot path. */
  isReadyToIdle(connection: Conn): boolean {
    const { host, pooled } = connection;
    // Its next lease asks for the time, unless the host's limits say that nothing is ever validated.
    if (host.limits.validateAfterIdle === Infinity) return this.isReadyForNext(connection);
    return !pooled || isQuiet(pooled);
  }

  /**
   * Hot path. In a microtask: they run after all ticks, in which the response that has just ended emits 'close'. Some
   * clients look at the socket then, and must not see the next request's listeners (node-fetch 2 takes these for a body that was cut short).
   */
  validateSoon(connection: Conn): void {
    later(() => this.pool.validated(connection));
  }

  /** Hot path. */
  polledLately({ pooled }: Conn, now: number): boolean {
    return !pooled || isFresh(pooled, this.#lifetimes.monotonicAt(now));
  }

  validate({ pooled }: Conn): boolean {
    return !pooled || passPoll(pooled, monotonicNow());
  }

  close({ pooled }: Conn, reason: CloseReason, why?: unknown): void {
    if (!pooled) return;
    this.#releases.closing(pooled, reason);
    this.destroySocket(pooled, why);
  }

  gone(connection: Conn): void {
    debug.enabled && debugClose(connection, connection.pooled?.error);
  }

  reject({ request }: PoolWaiter, error: unknown): void {
    request.leave();
    request.fail(error);
  }

  refuse(waiter: PoolWaiter, refusal: Refusal): void {
    this.reject(waiter, new PoolQueueError(hostName(waiter.host.origin), refusal));
  }

  saturated(host: Host): void {
    this.#saturation.saturated(host);
  }

  drained(host: Host): void {
    this.#saturation.drained(host);
  }

  schedule(): void {
    setImmediate(turn, this);
  }

  /** Hot path. The loop has polled. */
  turn(): void {
    this.#waiting.turnCame();
    runOnOwnStack(() => this.pool.turn());
    this.#waiting.turnEnded();
  }

  retire(host: Host): void {
    this.hosts.retire(host);
  }
}

function turn(driver: SocketDriver): void {
  driver.turn();
}
