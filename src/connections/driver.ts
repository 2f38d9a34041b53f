/**
 * The pool's driver for real sockets: puts the parts of this room together, and passes on what the pool and sockets say to the part
 * whose business it is. It decides nothing: which request gets which connection is decided in pool/. Requests of the agent come in by
 * agent-pool.ts.
 */
import { debugClose } from '../debug-lines.js';
import { debug } from '../debug.js';
import { Lifetimes } from '../lifetimes/lifetimes.js';
import { later, runOnOwnStack } from '../node/foreign.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import { monotonicNow, setImmediate } from '../node/timers.js';
import type { ResolvedOptions } from '../options/options.js';
import type { CloseReason } from '../pool/close-reason.js';
import type { Connection, Waiter } from '../pool/records.js';
import type { Driver } from '../pool/driver.js';
import { Pool } from '../pool/pool.js';
import type { Refusal } from '../pool/refusal.js';
import { pooledSocketOf } from './pooled-socket.js';
import type { Resumption } from '../sessions/resumption.js';
import { Connector } from './connector.js';
import { CurrentTls } from './current-tls.js';
import { isReady } from './dial-progress.js';
import type { DrivenAgent } from './driven-agent.js';
import { Endings } from './endings.js';
import { isFresh, isQuiet, isReadyToLease, isUsable, passPoll } from './hand-over.js';
import { Hosts } from './hosts.js';
import type { Host } from './hosts.js';
import { IdleEntry } from './idle-entry.js';
import { Leases } from './lease.js';
import type { Observer } from './observer.js';
import { PendingDials } from './pending-dials.js';
import type { AgentKinds, Owner, PooledSocket } from './pooled-socket.js';
import { Recovery } from './recovery.js';
import { Releases } from './release.js';
import { Replays } from './replay.js';
import { SaturationEvents } from './saturation-events.js';
import { SpareConnections } from './spare-connections.js';
import { stallWatch } from './stall-watch.js';
import type { StallWatch } from './stall-watch.js';
import { Waiting } from './waiting.js';

type Conn = Connection<AgentKinds>;
type PoolWaiter = Waiter<AgentKinds>;

export class SocketDriver implements Driver<AgentKinds>, Owner {
  readonly agent: DrivenAgent;
  readonly pool: Pool<AgentKinds>;
  readonly hosts: Hosts;
  readonly resumption: Resumption;
  readonly observer: Observer;
  readonly connector: Connector;
  readonly replays: Replays;
  readonly lifetimes: Lifetimes<AgentKinds>;
  readonly waiting: Waiting;
  readonly tls: CurrentTls;
  readonly dials: PendingDials;
  readonly leases: Leases;
  readonly #endings: Endings;
  readonly spares: SpareConnections;
  readonly #idleEntry: IdleEntry;
  readonly #releases: Releases;
  readonly #saturation: SaturationEvents;
  /** Only where somebody has asked for it. */
  readonly stalls: StallWatch | undefined;
  /** Told when the last of the connections and waiting requests is gone. */
  onEmpty: (() => void) | undefined = undefined;

  /** @param keepSocketAlive the agent's own method, when nobody has overridden it */
  constructor(
    agent: DrivenAgent,
    resolved: ResolvedOptions,
    keepSocketAlive: DrivenAgent['keepSocketAlive'],
    resumption: Resumption,
    observer: Observer,
  ) {
    this.agent = agent;
    this.resumption = resumption;
    this.observer = observer;
    const pool = new Pool<AgentKinds>(this, resolved.limits);
    this.pool = pool;
    observer.attach(pool);
    const lifetimes = new Lifetimes(agent, pool, resolved.durations);
    this.lifetimes = lifetimes;
    const hosts = new Hosts(agent, pool, resolved.rules, observer, (host) => lifetimes.recall(host));
    this.hosts = hosts;
    const waiting = new Waiting(agent, pool, hosts, resolved.replay, this, new Recovery(this), observer);
    this.waiting = waiting;
    this.replays = new Replays(resolved.replay, pool, lifetimes, hosts, waiting, observer);
    this.tls = new CurrentTls(agent, resolved, hosts, pool, resumption, waiting, observer);
    this.spares = new SpareConnections(pool, hosts, this.tls, lifetimes);
    this.connector = new Connector(agent, this.tls.contexts, resumption);
    this.dials = new PendingDials(
      this,
      this.connector,
      lifetimes,
      waiting,
      this.tls,
      resolved.connectTimeout,
      observer,
    );
    this.#idleEntry = new IdleEntry(agent, keepSocketAlive, pool);
    this.#releases = new Releases(pool, lifetimes, this.#idleEntry);
    this.#endings = new Endings(pool, this.dials, this.#releases);
    this.stalls = stallWatch(this, resolved);
    this.leases = new Leases(agent, pool, this.replays, this.stalls, waiting, observer);
    this.#saturation = new SaturationEvents(agent, observer);
  }

  // For sockets

  connected(pooled: PooledSocket): void {
    this.pool.connected(pooled.connection);
  }

  /** Hot path. */
  release(pooled: PooledSocket): void {
    // A stream that tells nothing of itself.
    if (pooled.connection.readyAt < 0 && pooled.answered) isReady(pooled);
    this.#releases.release(pooled);
  }

  remove(socket: SocketLike): void {
    const pooled = pooledSocketOf(socket);
    if (pooled?.owner === this) this.#endings.ended(pooled);
  }

  destroySocket(pooled: PooledSocket, reason: unknown): void {
    this.#endings.destroy(pooled, reason);
  }

  peerDied(address: string): void {
    this.#endings.peerDied(address);
  }

  // For the pool

  /** Hot path. */
  now(): number {
    return this.lifetimes.now();
  }

  dial(connection: Conn, { request, state }: PoolWaiter): void {
    if (state !== 'spare') this.spares.dialled(connection.host, request);
    this.dials.begin(connection, request);
  }

  assign(connection: Conn, waiter: PoolWaiter): void {
    this.leases.assign(connection, waiter);
  }

  /** Hot path. */
  prepareIdle(connection: Conn): boolean {
    const { pooled } = connection;
    if (!pooled) return false;
    pooled.idleFrom = monotonicNow();
    if (!this.lifetimes.prepareIdle(connection, pooled.hint, pooled.polledAt, pooled.idleFrom)) return false;
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
  isReadyToLease({ pooled }: Conn, now: number, req: AgentRequest | undefined): boolean {
    return !pooled || isReadyToLease(pooled, this.lifetimes.monotonicAt(now), req);
  }

  validate({ pooled }: Conn): boolean {
    return !pooled || passPoll(pooled, monotonicNow());
  }

  close({ pooled }: Conn, reason: CloseReason, why?: unknown): void {
    if (pooled) this.#endings.close(pooled, reason, why);
  }

  gone(connection: Conn): void {
    debug.enabled && debugClose(connection, connection.pooled?.error);
    this.observer.gone(connection);
    this.spares.watch?.gone(connection);
  }

  ready({ request }: PoolWaiter, connection: Conn): void {
    this.spares.ready(request, connection);
  }

  /** Hot path where the host has a `minFreeSockets`. */
  short(host: Host): void {
    this.spares.watch?.short(host);
  }

  reject(waiter: PoolWaiter, error: unknown): void {
    this.waiting.reject(waiter, error);
  }

  refuse(waiter: PoolWaiter, refusal: Refusal): void {
    this.waiting.refuse(waiter, refusal);
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
    this.waiting.turnCame();
    runOnOwnStack(() => this.pool.turn());
    this.waiting.turnEnded();
  }

  retire(host: Host): void {
    this.observer.retired(host);
    this.hosts.retire(host);
    if (this.pool.isEmpty) this.onEmpty?.();
  }
}

function turn(driver: SocketDriver): void {
  driver.turn();
}
