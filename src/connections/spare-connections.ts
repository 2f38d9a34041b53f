/**
 * Connections that are opened before a request asks for them, as lifecycle/ orders them: for whom, and what keeps the process alive
 * meanwhile. Whether one may be opened is decided in pool/spares.ts.
 */
import type { Options } from '../identity/identity.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import { callIfAble } from '../node/foreign.js';
import { nextSuccessor } from '../pool/ageing.js';
import type { Obstacle } from '../pool/spares.js';
import type { Pool } from '../pool/pool.js';
import { Waiter } from '../pool/records.js';
import type { Connection } from '../pool/records.js';
import type { CurrentTls } from './current-tls.js';
import type { Host, Hosts } from './hosts.js';
import type { AgentKinds, PooledRequest } from './pooled-socket.js';
import { SpareRequest } from './spare-request.js';

/** The part that sees to it that connections are ready. The pool is in the middle of something: nothing of this may call back into it at once. */
export interface HostWatch {
  /** A connection to `host`, which has a `minFreeSockets`, is opened for a request with `options`. */
  used(host: Host, options: Options): void;
  /** `host` may have fewer free connections than that. */
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
  readonly #tls: CurrentTls;
  readonly #lifetimes: Lifetimes<AgentKinds>;

  constructor(
    pool: Pool<AgentKinds>,
    hosts: Hosts,
    currentTls: CurrentTls,
    lifetimes: Lifetimes<AgentKinds>,
  ) {
    this.#pool = pool;
    this.#hosts = hosts;
    this.#tls = currentTls;
    this.#lifetimes = lifetimes;
  }

  /**
   * The host that `request` stands for, by the TLS options of now, with its limits. It is forgotten again by `forget`, if nothing is opened.
   *
   * @throws for options that are not valid, and what a `hosts` function throws
   */
  hostFor(request: SpareRequest): Host {
    this.#tls.refresh();
    return this.#hosts.limitedOf(request);
  }

  forget(host: Host): void {
    if (host.isEmpty) this.#hosts.retire(host);
  }

  /** Opens a connection to `host`. Returns what keeps it from that; then `request` hears nothing. */
  open(host: Host, request: SpareRequest): Obstacle | undefined {
    const waiter = new Waiter<AgentKinds>(host, request as PooledRequest);
    request.waiter = waiter;
    return this.#pool.openSpare(waiter);
  }

  /** How many connections of `host` are free, and will be for a while. */
  readyCount(host: Host): number {
    return this.#pool.readyCount(host);
  }

  /** How many connections `host` lacks, so that `least` are free, and will be for a while. */
  shortage(host: Host, least: number): number {
    return this.#pool.shortage(host, least);
  }

  /** Milliseconds until `shortage` may become another one by time alone. */
  nextSuccessorIn(host: Host): number {
    return nextSuccessor(host.idle) - this.#lifetimes.now();
  }

  /** No place is free for the successor of a connection that will soon be too old: it goes first. */
  makeWay(host: Host): void {
    this.#pool.makeWay(host);
  }

  /** The clock by which `idleSince` is told. */
  now(): number {
    return this.#lifetimes.now();
  }

  /** Nobody needs what `request` stands for. */
  giveUp({ waiter }: SpareRequest): void {
    if (waiter) this.#pool.giveUpSpare(waiter);
  }

  /** Those of `host` that are being opened. */
  *pending({ connections }: Host): Generator<SpareRequest, void, undefined> {
    for (const { waiter } of connections) if (waiter?.request instanceof SpareRequest) yield waiter.request;
  }

  // For the driver

  dialled(host: Host, { options }: PooledRequest): void {
    if (host.limits.minFreeSockets > 0) this.watch?.used(host, options);
  }

  ready(request: PooledRequest, connection: Connection<AgentKinds>): void {
    const { pooled, state } = connection;
    // It becomes idle as all others do; whoever has it already wants an answer.
    if (pooled && state !== 'closed') callIfAble(pooled.socket, 'ref');
    if (request instanceof SpareRequest) request.ready(connection);
  }
}
