/**
 * All hosts, under one roof: which request gets which connection, which one opens a new one, which one waits, and what is closed to
 * make room. Pure: no I/O, no timers, no clock of its own. It promises
 *
 * - the limits hold at every moment, whatever the driver answers, and whenever;
 * - every waiter ends once: assigned, rejected, refused or aborted;
 * - no request waits while there is capacity for it, except until the end of this turn of the event loop;
 * - lease, enqueue, release, abort and close take constant time, or, with deadlines, `fairness: 'fifo'` or `scheduling:
 *   'least-used'`, time that grows with the logarithm of the number of hosts or idle connections.
 *
 * This class is what the driver and its owner see of the pool, which has these parts, each of which uses only those below it:
 *
 * - leasing.ts, admission.ts, retries.ts: a request comes, or an exchange ends
 * - upkeep.ts, limit-changes.ts, shutdown.ts, spares.ts: connections are closed, or may be opened, for other reasons
 * - assignment.ts: a free connection goes to a waiter, or becomes idle
 * - supply.ts: connections are opened and closed for the requests that wait, with granter.ts to judge between hosts
 * - books.ts: the records (records.ts) and all counts: capacity.ts of places, queues.ts of waiters, idle-connections.ts of free
 *   connections, end-of-turn.ts of work that is put off
 */
import { Admission } from './admission.js';
import { Assignment } from './assignment.js';
import { Books } from './books.js';
import type { Capacity } from './capacity.js';
import type { CloseReason } from './close-reason.js';
import type { Counters } from './counters.js';
import type { Driver } from './driver.js';
import type { EndOfTurn } from './end-of-turn.js';
import type { IdleConnections } from './idle-connections.js';
import type { Kinds } from './kinds.js';
import { Leasing } from './leasing.js';
import { LimitChanges } from './limit-changes.js';
import type { HostLimits, Limits } from './limits.js';
import type { Queues } from './queues.js';
import type { Connection, HostPool, Waiter } from './records.js';
import { Retries } from './retries.js';
import { Shutdown } from './shutdown.js';
import { Spares } from './spares.js';
import type { Obstacle } from './spares.js';
import { Supply } from './supply.js';
import { Upkeep } from './upkeep.js';

export class Pool<K extends Kinds> {
  readonly limits: Limits;
  /** Every host that holds a connection or a waiter. */
  readonly hosts: Set<HostPool<K>>;
  readonly idle: IdleConnections<K>;
  readonly capacity: Capacity<K>;
  readonly queues: Queues<K>;
  readonly endOfTurn: EndOfTurn<K>;
  /** Those of all hosts, forgotten ones included. */
  readonly counters: Counters;

  readonly #books: Books<K>;
  readonly #supply: Supply<K>;
  readonly #assignment: Assignment<K>;
  readonly #leasing: Leasing<K>;
  readonly #admission: Admission<K>;
  readonly #retries: Retries<K>;
  readonly #upkeep: Upkeep<K>;
  readonly #limitChanges: LimitChanges<K>;
  readonly #shutdown: Shutdown<K>;
  readonly #spares: Spares<K>;

  constructor(driver: Driver<K>, limits: Limits) {
    const books = new Books(driver, limits);
    const supply = new Supply(books);
    const assignment = new Assignment(books, supply);
    this.#books = books;
    this.#supply = supply;
    this.#assignment = assignment;
    this.#leasing = new Leasing(books, supply, assignment);
    this.#admission = new Admission(books, supply);
    this.#retries = new Retries(books, supply);
    this.#upkeep = new Upkeep(books, supply);
    this.#limitChanges = new LimitChanges(books, supply);
    this.#shutdown = new Shutdown(books, supply);
    this.#spares = new Spares(books, supply);
    ({
      limits: this.limits,
      hosts: this.hosts,
      idle: this.idle,
      capacity: this.capacity,
      queues: this.queues,
      endOfTurn: this.endOfTurn,
      counters: this.counters,
    } = books);
  }

  /** Connections of all hosts that are not closed: `maxTotalSockets` limits their number. */
  get size(): number {
    return this.capacity.size;
  }

  /** Goes up with every change that a reader of the pool could see. */
  get changes(): number {
    return this.#books.changes;
  }

  // Requests

  /**
   * Hot path. An idle connection of `host`: `active`, and the caller's; or `validating`, because it has been idle for so
   * long that it is validated first. `undefined`: there is none. In both of the latter cases `enqueue` a waiter. Only
   * connections that have been idle for no longer than is safe are leased.
   *
   * @param req the driver is asked whether it may have a connection at once that has rested. `undefined`: it may not
   */
  lease(host: HostPool<K>, req?: object): Connection<K> | undefined {
    return this.#leasing.lease(host, 'safe', req);
  }

  /** The same for a request that can be sent twice: the connection may have been idle for longer than is safe. */
  leaseUnsafe(host: HostPool<K>, req?: object): Connection<K> | undefined {
    return this.#leasing.lease(host, 'any', req);
  }

  /**
   * Puts `waiter` in its host's queue, and starts whatever can be started for it. Where the queue is too long for it, it
   * is refused; not, however, as long as a connection may be opened, now or at the end of this turn.
   */
  enqueue(waiter: Waiter<K>): void {
    this.#admission.enqueue(waiter);
  }

  /** `enqueue` for a request that has waited before, has its `arrival` of then, and is not refused now: it keeps its place. */
  readmit(waiter: Waiter<K>): void {
    this.#admission.readmit(waiter);
  }

  /** Gives `waiter` another priority. `false`: it is not in the queue any more, or was never. */
  reprioritize(waiter: Waiter<K>, priority: number): boolean {
    if (waiter.state !== 'queued') return false;
    waiter.host.waiting.move(waiter, priority);
    return true;
  }

  /** Takes `waiter` out of the queue. `false`: it was done already. Rejecting the request is the caller's. */
  abort(waiter: Waiter<K>): boolean {
    return this.#admission.abort(waiter);
  }

  /** Every waiter that no connection is being opened for. */
  *undialled(): Generator<Waiter<K>, void, undefined> {
    for (const host of this.hosts) {
      yield* host.waiting;
      for (const { replayWaiter } of host.connections) if (replayWaiter) yield replayWaiter;
    }
  }

  /** When a request may have been in a queue for too long, `Infinity` for never. */
  get nextDeadline(): number {
    return this.queues.nextDeadline;
  }

  /**
   * Refuses requests that have been in a queue for too long. Returns when to look again: no request's time is up before, `Infinity`
   * if none's ever is.
   */
  expire(now: number): number {
    return this.#admission.expire(now);
  }

  // Connections

  /** The driver: `connection`'s socket exists (eager binding), or is ready for a request (late binding). */
  connected(connection: Connection<K>): void {
    this.#assignment.connected(connection);
  }

  /** The driver: `connection` is ready to be used, which may be long after it is `connected`. For those who count. */
  ready(connection: Connection<K>): void {
    this.#books.endConnecting(connection);
  }

  /** The driver: the dial of `connection` has failed, and is made once more in its place. For those who count. */
  redialled(connection: Connection<K>): void {
    this.#books.countRedial(connection);
  }

  /**
   * The driver: `connection` could not be opened. The error goes to the request that it was opened for.
   *
   * @param reason `surplus`: it was given up before anything was tried
   */
  failed(
    connection: Connection<K>,
    error: unknown,
    reason: 'connect-failed' | 'surplus' = 'connect-failed',
  ): void {
    this.#supply.failed(connection, error, reason);
  }

  /**
   * Hot path. The exchange on `connection` is over, and another one may follow. `false`: it was not on lease, so nothing happened:
   * releases may come twice.
   */
  release(connection: Connection<K>): boolean {
    return this.#leasing.release(connection);
  }

  /**
   * `release` where no age of the connection is safe, not even none: it serves a request that can be sent twice and waits already,
   * and closes if there is none.
   */
  releaseUnsafe(connection: Connection<K>): boolean {
    return this.#leasing.releaseUnsafe(connection);
  }

  /** `release` where no other exchange may follow. */
  discard(connection: Connection<K>): boolean {
    return this.#leasing.discard(connection);
  }

  /** The driver, asked for by `validateSoon`: `connection` is validated, and the next waiter gets it. */
  validated(connection: Connection<K>): void {
    this.#assignment.validated(connection);
  }

  /** The event loop has polled: released connections are validated, and dials that were put off go on. */
  turn(): void {
    this.#assignment.turn();
  }

  /**
   * The driver: `connection` was lost, and its request wants another one. `waiter` comes first in its queue. An idle connection
   * is validated for it before it gets that: a host that has closed one connection may have closed them all.
   *
   * @param waiter of another host, if its identity has changed since
   */
  retry(connection: Connection<K>, waiter: Waiter<K>): void {
    this.#retries.retry(connection, waiter);
  }

  /**
   * `retry` for a request that wants a new connection: one is opened for it alone in the place of the lost one, as soon as that is
   * closed. A waiter of another host, which has no claim to that place, only comes first in its queue.
   */
  retryOnNew(connection: Connection<K>, waiter: Waiter<K>): void {
    this.#retries.retryOnNew(connection, waiter);
  }

  /** Asks the driver to close `connection`. It counts until the driver says `closed`. */
  close(connection: Connection<K>, reason: CloseReason, error?: unknown): void {
    this.#supply.close(connection, reason, error);
  }

  /** The driver: `connection` is gone, asked for or not. */
  closed(connection: Connection<K>, reason: CloseReason = 'closed'): void {
    if (connection.state === 'closed') return;
    const spare = this.#books.takeSpare(connection);
    this.#books.leaveState(connection);
    this.#books.drop(connection, reason);
    if (spare) this.#books.driver.reject(spare, undefined);
    this.#retries.dialReplacement(connection);
    this.#supply.grant(connection.host);
  }

  /** Takes in a connection that the driver got from elsewhere, as active. `undefined`: there is no place for it. */
  adopt(host: HostPool<K>): Connection<K> | undefined {
    return this.#leasing.adopt(host);
  }

  // Spare connections

  /** Opens a connection before a request asks for it. Returns what keeps it from that; then nothing has happened. */
  openSpare(spare: Waiter<K>): Obstacle | undefined {
    return this.#spares.open(spare);
  }

  /** There is no need for `spare` any more. Its connection is closed, unless a request waits for that. The driver is told nothing. */
  giveUpSpare(spare: Waiter<K>): void {
    this.#spares.giveUp(spare);
  }

  /**
   * How many spare connections `host` lacks, those that are being opened counted as there, so that it has its `least` free ones now,
   * and when those that will soon be too old are gone.
   */
  shortage(host: HostPool<K>, least: number): number {
    return this.#spares.shortage(host, least);
  }

  /** How many free connections of `host` are good for any request, and will be for a while. */
  readyCount(host: HostPool<K>): number {
    return this.#spares.readyCount(host);
  }

  /** No place is free for the successor of a connection that will soon be too old: the oldest such one of `host` goes first. */
  makeWay(host: HostPool<K>): void {
    this.#spares.makeWay(host);
  }

  // Idle connections

  /** Closes connections that have been idle for too long, in time that depends on their number alone. Returns when to look again, or Infinity. */
  reap(now: number): number {
    return this.#upkeep.reap(now);
  }

  /** Nothing that was known of idle connections is certain any more: each is validated before it is leased. */
  suspect(): void {
    for (const connection of this.idle) connection.validateAt = -Infinity;
  }

  /** A connection becomes idle: an interval begins, unless one is under way. Returns its end. */
  beginTrim(now: number): number {
    return this.idle.beginTrim(now);
  }

  /**
   * Closes idle connections that were not needed once in a whole `trimInterval` in which others of their host were: those
   * that a peak has left behind. Idle time alone would not tell them where all are used in turn. Returns when to look again:
   * `Infinity` if nothing is idle.
   */
  trim(now: number): number {
    return this.#upkeep.trim(now);
  }

  /** No further request will name `host`: its idle connections are closed, its active ones will not be kept. */
  abandon(host: HostPool<K>): void {
    this.#upkeep.abandon(host);
  }

  // The end

  /** Whether `beginClose` was called. It stays so. */
  get isClosed(): boolean {
    return this.#books.isClosed;
  }

  /** Nothing is open, and nobody waits. */
  get isEmpty(): boolean {
    return this.hosts.size === 0;
  }

  /**
   * From now on no new request is taken, and nothing becomes idle. Requests that are here already get their connections, and lost ones
   * are sent again. Connections that are idle already are closed by `closeIdle`.
   */
  beginClose(): void {
    this.#shutdown.begin();
  }

  /** Closes idle connections, one before each `yield`, until there are none. */
  closeIdle(): Generator<void, void, undefined> {
    return this.#shutdown.closeIdle();
  }

  /** Closes connections that are idle, or validated for nobody. */
  closeIdleConnections(): void {
    this.#shutdown.closeIdleConnections();
  }

  /**
   * Closes every connection that there is, whoever has it. Requests that wait get others; so do those for which one is being opened that
   * does not exist yet.
   */
  closeAllConnections(): void {
    this.#shutdown.closeAllConnections();
  }

  /** Closes every connection and rejects every waiter. The pool stays usable, unless it was closed. */
  destroy(error: unknown, closeError?: unknown): void {
    this.#shutdown.destroy(error, closeError);
  }

  /**
   * The same piece by piece: a waiter or a connection before each `yield`. For a pool that was closed: others would be filled again meanwhile.
   *
   * @param errorOf what waiters of a host are rejected with
   */
  end(errorOf: (host: HostPool<K>) => unknown): Generator<void, void, undefined> {
    return this.#shutdown.end(errorOf);
  }

  // Limits

  /** The limits of `host`, which holds nothing yet. A host that already is in the pool gets others by `rulesChanged`. */
  limit(host: HostPool<K>, limits: HostLimits): void {
    this.#limitChanges.limit(host, limits);
  }

  /**
   * Other rules hold from now on.
   *
   * @param limitsOf the limits of each host that is in the pool
   * @param reserving the limits that reserve something
   */
  rulesChanged(limitsOf: (host: HostPool<K>) => HostLimits, reserving: readonly HostLimits[]): void {
    this.#limitChanges.rulesChanged(limitsOf, reserving);
  }

  /**
   * A limit was changed: requests that can go now, go; idle connections above it are closed. Connections in use are closed after
   * their exchange, and requests that wait already, wait on.
   */
  limitsChanged(): void {
    this.#limitChanges.limitsChanged();
  }
}
