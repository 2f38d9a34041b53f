/**
 * Connections that are opened before a request asks for them, for lifecycle/: finds their hosts, and decides whether they keep the process
 * alive meanwhile. pool/spares.ts decides whether one may be opened.
 */
import type { Options } from '../../identity/identity.js';
import type { Lifetimes } from '../../lifetimes/lifetimes.js';
import { callIfAble } from '../../node/foreign.js';
import { nextSuccessor, successorAfter } from '../../pool/ageing.js';
import type { Obstacle } from '../../pool/spares.js';
import type { Pool } from '../../pool/pool.js';
import { Waiter } from '../../pool/records.js';
import type { Connection } from '../../pool/records.js';
import type { CurrentOptions } from '../current-options.js';
import type { Host, Hosts } from '../hosts.js';
import type { AgentKinds, PooledRequest } from '../pooled-socket.js';
import { SpareRequest } from './spare-request.js';

/** Hears what is needed to keep connections ready (lifecycle/warm.ts). The pool is in the middle of a change: these must not call back into it at once. */
export interface HostWatch {
  /** A connection to `host`, which has a `minFreeSockets`, is opened for a request with `options`. */
  used(host: Host, options: Options): void;
  /** `host` may have fewer free connections than its `minFreeSockets`. */
  short(host: Host): void;
  /** A connection is gone. */
  gone(connection: Connection<AgentKinds>): void;
  /** Limits or rules have changed. */
  changed(): void;
  /** Everything was destroyed. */
  stop(): void;
}

export class SpareConnections {
  watch: HostWatch | undefined = undefined;
  readonly #pool: Pool<AgentKinds>;
  readonly #hosts: Hosts;
  readonly #current: CurrentOptions;
  readonly #lifetimes: Lifetimes<AgentKinds>;

  constructor(
    pool: Pool<AgentKinds>,
    hosts: Hosts,
    current: CurrentOptions,
    lifetimes: Lifetimes<AgentKinds>,
  ) {
    this.#pool = pool;
    this.#hosts = hosts;
    this.#current = current;
    this.#lifetimes = lifetimes;
  }

  /**
   * The host that `request` stands for, by the current TLS options, with its limits. `forget` drops it again if nothing is opened.
   *
   * @throws for options that are not valid, and what a `hosts` function throws
   */
  hostFor(request: SpareRequest): Host {
    this.#current.refresh();
    return this.#hosts.limitedOf(request);
  }

  /** Hosts that are kept ready whether they were ever used or not. */
  get keptReady(): Hosts['keptReady'] {
    return this.#hosts.keptReady;
  }

  forget(host: Host): void {
    if (host.isEmpty) this.#hosts.retire(host);
  }

  /** Opens a connection to `host`. Returns the obstacle, if there is one; then `request` hears nothing. */
  open(host: Host, request: SpareRequest): Obstacle | undefined {
    const waiter = new Waiter<AgentKinds>(host, request as PooledRequest);
    request.waiter = waiter;
    return this.#pool.spares.open(waiter);
  }

  /** The obstacle that would keep a connection to `host` from being opened now. */
  obstacle(host: Host): Obstacle | undefined {
    return this.#pool.spares.obstacle(host);
  }

  /** The number of connections of `host` that are free, and will be for a while. */
  readyCount(host: Host): number {
    return this.#pool.spares.readyCount(host);
  }

  /** The number of connections that `host` lacks, so that `least` are free, and will be for a while. */
  shortage(host: Host, least: number): number {
    return this.#pool.spares.shortage(host, least);
  }

  /** Milliseconds until `shortage` may change by time alone. */
  nextSuccessorIn(host: Host): number {
    const next = nextSuccessor(host.idle) - this.#lifetimes.now();
    // Connections in use may become idle in the next moment.
    return host.inUse === 0 ? next : Math.min(next, successorAfter(this.#lifetimes.safeAgeOf(host)));
  }

  /** Closes a connection that will soon be too old, where no slot is free for its successor. */
  makeWay(host: Host): void {
    this.#pool.spares.makeWay(host);
  }

  /** The clock by which `idleSince` is told. */
  now(): number {
    return this.#lifetimes.now();
  }

  /** The connection of `request` is not needed any more. */
  giveUp({ waiter }: SpareRequest): void {
    if (waiter) this.#pool.spares.giveUp(waiter);
  }

  /** The spare connections of `host` that are being opened. */
  *pending({ connections }: Host): Generator<SpareRequest, void, undefined> {
    for (const { waiter } of connections) if (waiter?.request instanceof SpareRequest) yield waiter.request;
  }

  // For the driver

  dialled(host: Host, { options }: PooledRequest): void {
    if (host.limits.minFreeSockets > 0) this.watch?.used(host, options);
  }

  ready(request: PooledRequest, connection: Connection<AgentKinds>): void {
    const { pooled, state } = connection;
    // It was unref'd while it was opened. From now on it is treated as all others: a request that has it already keeps the process alive.
    // One without TLS is not read from when it is connected, and so is prepared to stay idle at once.
    if (pooled && state !== 'closed' && !pooled.rested) callIfAble(pooled.socket, 'ref');
    if (request instanceof SpareRequest) request.ready(connection);
  }
}
