/**
 * The pool's driver for real sockets. It passes the pool's orders and questions on to the parts of this room (parts.ts), and decides nothing:
 * pool/ decides which request gets which connection.
 */
import { debugClose } from '../debug-lines.js';
import { debug } from '../debug.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import { later } from '../node/foreign.js';
import { monotonicNow } from '../node/timers.js';
import type { TurnAlarm } from '../node/turn-alarm.js';
import type { AgentRequest } from '../node/types.js';
import type { CloseReason } from '../pool/close-reason.js';
import type { Driver } from '../pool/driver.js';
import type { Pool } from '../pool/pool.js';
import type { Connection, Waiter } from '../pool/records.js';
import type { Refusal } from '../pool/refusal.js';
import type { Endings } from './endings.js';
import { isQuiet, isReadyForNext, isReadyToLease, isUsable, passPoll } from './hand-over.js';
import type { Host, Hosts } from './hosts.js';
import type { IdleEntry } from './idle-entry.js';
import type { Leases } from './lease.js';
import type { Observer } from './observer.js';
import type { PendingDials } from './dials/pending-dials.js';
import type { AgentKinds } from './pooled-socket.js';
import type { SaturationEvents } from './saturation-events.js';
import type { SpareConnections } from './dials/spare-connections.js';
import type { Waiting } from './waiting.js';

/** The parts that carry out the pool's orders. */
interface DrivenParts {
  readonly common: { readonly endOfTurn: TurnAlarm };
  readonly pool: Pool<AgentKinds>;
  /** Whether it holds no connection and no waiting request. */
  readonly isEmpty: boolean;
  readonly dials: PendingDials;
  readonly endings: Endings;
  readonly hosts: Hosts;
  readonly idleEntry: IdleEntry;
  readonly leases: Leases;
  readonly lifetimes: Lifetimes<AgentKinds>;
  readonly names: { gone(connection: Conn): void } | undefined;
  readonly observer: Observer;
  readonly saturation: SaturationEvents;
  readonly spares: SpareConnections;
  readonly waiting: Waiting;
  /** Called when the last connection or waiting request is gone. */
  readonly onEmpty: (() => void) | undefined;
}

type Conn = Connection<AgentKinds>;
type PoolWaiter = Waiter<AgentKinds>;

export class SocketDriver implements Driver<AgentKinds> {
  readonly #parts: DrivenParts;

  constructor(parts: DrivenParts) {
    this.#parts = parts;
  }

  /** Hot path. */
  now(): number {
    return this.#parts.lifetimes.now();
  }

  dial(connection: Conn, { request, state }: PoolWaiter): void {
    if (state !== 'spare') this.#parts.spares.dialled(connection.host, request);
    this.#parts.dials.begin(connection, request);
  }

  assign(connection: Conn, waiter: PoolWaiter): void {
    this.#parts.leases.assign(connection, waiter);
  }

  /** Hot path. */
  prepareIdle(connection: Conn): boolean {
    const { pooled } = connection;
    if (!pooled) return false;
    pooled.idleFrom = monotonicNow();
    if (!this.#parts.lifetimes.prepareIdle(connection, pooled.hint, pooled.polledAt, pooled.idleFrom))
      return false;
    return this.#parts.idleEntry.begin(pooled);
  }

  /** Hot path. */
  usable({ pooled }: Conn): boolean {
    return isUsable(pooled);
  }

  /** Hot path. */
  isReadyForNext({ pooled }: Conn): boolean {
    return !pooled || isReadyForNext(pooled, monotonicNow);
  }

  /** Hot path. */
  isReadyToIdle(connection: Conn): boolean {
    const { host, pooled } = connection;
    // Its next lease asks for the time, unless the host's limits say that nothing is ever validated.
    if (host.limits.validateAfterIdle === Infinity) return this.isReadyForNext(connection);
    return !pooled || isQuiet(pooled);
  }

  /**
   * Hot path. The pool hears of it in a microtask. Microtasks run after all ticks, in one of which the response that has just ended emits 'close'. Some
   * clients look at the socket then, and must not see the next request's listeners (node-fetch 2 takes these for a body that was cut short).
   */
  validateSoon(connection: Conn): void {
    later(() => this.#parts.pool.validated(connection));
  }

  /** Hot path. */
  isReadyToLease({ pooled }: Conn, now: number, req: AgentRequest | undefined): boolean {
    return !pooled || isReadyToLease(pooled, this.#parts.lifetimes.monotonicAt(now), req);
  }

  validate({ pooled }: Conn): boolean {
    return !pooled || passPoll(pooled, monotonicNow());
  }

  close({ pooled }: Conn, reason: CloseReason, why?: unknown): void {
    if (pooled) this.#parts.endings.close(pooled, reason, why);
  }

  gone(connection: Conn): void {
    debug.enabled && debugClose(connection, connection.pooled?.error);
    this.#parts.names?.gone(connection);
    this.#parts.observer.gone(connection);
    this.#parts.spares.watch?.gone(connection);
    this.#parts.dials.gone(connection);
  }

  ready({ request }: PoolWaiter, connection: Conn): void {
    this.#parts.spares.ready(request, connection);
  }

  /** Hot path where the host has a `minFreeSockets`. */
  short(host: Host): void {
    this.#parts.spares.watch?.short(host);
  }

  reject(waiter: PoolWaiter, error: unknown): void {
    this.#parts.waiting.reject(waiter, error);
  }

  refuse(waiter: PoolWaiter, refusal: Refusal): void {
    this.#parts.waiting.refuse(waiter, refusal);
  }

  saturated(host: Host): void {
    this.#parts.saturation.saturated(host);
  }

  drained(host: Host): void {
    this.#parts.saturation.drained(host);
  }

  schedule(): void {
    this.#parts.common.endOfTurn.set();
  }

  retire(host: Host): void {
    this.#parts.observer.retired(host);
    this.#parts.hosts.retire(host);
    if (this.#parts.isEmpty) this.#parts.onEmpty?.();
  }
}
