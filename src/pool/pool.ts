/**
 * The pool of all hosts. It decides which request gets which connection, for which one a connection is opened, which one waits, and which
 * connections are closed to make room. Pure: no I/O, no timers, no clock of its own. It promises
 *
 * - the limits hold at every moment, whatever the driver answers, and whenever;
 * - every waiter ends once: assigned, rejected, refused or aborted;
 * - no request waits while there is capacity for it, except until the end of this turn of the event loop;
 * - lease, enqueue, release, abort and close take constant time, or, with deadlines, `fairness: 'fifo'` or `scheduling:
 *   'least-used'`, time that grows with the logarithm of the number of hosts or idle connections.
 *
 * The driver and its owner see this class only. The parts of the pool, of which each uses only those below it:
 *
 * - leasing.ts, admission.ts, retries.ts: a request comes, or an exchange ends
 * - upkeep.ts, limit-changes.ts, shutdown.ts, spares.ts: connections are closed, or may be opened, for other reasons
 * - assignment.ts: a free connection goes to a waiter, or becomes idle
 * - supply.ts: connections are opened and closed for the requests that wait; granter.ts decides between hosts
 * - books.ts: the records (records.ts) and all counts: of slots (capacity.ts), waiters (queues.ts), idle connections
 *   (idle-connections.ts), and work that is put off (end-of-turn.ts)
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
import { loadSpares } from './late.js';
import type { Spares } from './spares.js';
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
  /** The counters of all hosts together, forgotten ones included. */
  readonly counters: Counters;
  /** The closing of connections that no request needs. */
  readonly upkeep: Upkeep<K>;
  /** The end of idle connections, of all connections, or of everything. */
  readonly shutdown: Shutdown<K>;

  readonly #books: Books<K>;
  readonly #supply: Supply<K>;
  readonly #assignment: Assignment<K>;
  readonly #leasing: Leasing<K>;
  readonly #admission: Admission<K>;
  readonly #retries: Retries<K>;
  readonly #limitChanges: LimitChanges<K>;
  #spares: Spares<K> | undefined = undefined;

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
    this.upkeep = new Upkeep(books, supply);
    this.#limitChanges = new LimitChanges(books, supply);
    this.shutdown = new Shutdown(books, supply);
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

  /** Connections that are opened before a request asks for them. */
  get spares(): Spares<K> {
    if (!this.#spares) {
      const { Spares: Loaded } = loadSpares();
      this.#spares = new Loaded(this.#books, this.#supply);
    }
    return this.#spares;
  }

  /** Connections of all hosts that are not closed: `maxTotalSockets` limits their number. */
  get size(): number {
    return this.capacity.size;
  }

  /** Whether `shutdown.begin` was called. It stays so. */
  get isClosed(): boolean {
    return this.#books.isClosed;
  }

  /** Whether no connection is open and no request waits. */
  get isEmpty(): boolean {
    return this.hosts.size === 0;
  }

  /** Goes up with every change that a reader of the pool could see. */
  get changes(): number {
    return this.#books.changes;
  }

  // Requests

  /**
   * Hot path. Takes an idle connection of `host`. The result is `active`, and the caller's; or `validating`, because it has been idle for
   * long; or `undefined`, if there is none. In the last two cases the caller is to `enqueue` a waiter. Only connections that have been idle
   * for no longer than is safe are leased.
   *
   * @param req the driver is asked whether it may have a connection at once that has rested. `undefined`: it may not
   */
  lease(host: HostPool<K>, req?: object): Connection<K> | undefined {
    return this.#leasing.lease(host, 'safe', req);
  }

  /** `lease` for a request that can be sent twice: the connection may have been idle for longer than is safe. */
  leaseUnsafe(host: HostPool<K>, req?: object): Connection<K> | undefined {
    return this.#leasing.lease(host, 'any', req);
  }

  /**
   * Puts `waiter` in its host's queue, and opens a connection for it if the limits allow that. It is refused if the queue is too long,
   * and no connection may be opened for it now or at the end of this turn.
   */
  enqueue(waiter: Waiter<K>): void {
    this.#admission.enqueue(waiter);
  }

  /** `enqueue` for a request that has waited before. It keeps its `arrival`, and with that its position, and is not refused. */
  readmit(waiter: Waiter<K>): void {
    this.#admission.readmit(waiter);
  }

  /** Gives `waiter` another priority. `false`: it is not in the queue any more, or was never. */
  reprioritize(waiter: Waiter<K>, priority: number): boolean {
    if (waiter.state !== 'queued') return false;
    waiter.host.waiting.move(waiter, priority);
    return true;
  }

  /** Takes `waiter` out of the queue. `false`: it was done already. The caller rejects the request. */
  abort(waiter: Waiter<K>): boolean {
    return this.#admission.abort(waiter);
  }

  /** Every waiter of `hosts` for which no connection is being opened. */
  *undialled(hosts: Iterable<HostPool<K>> = this.hosts): Generator<Waiter<K>, void, undefined> {
    for (const host of hosts) {
      yield* host.waiting;
      for (const { replayWaiter } of host.connections) if (replayWaiter) yield replayWaiter;
    }
  }

  /** Whether `undialled` would find any. The count of waiting requests is asked first: a walk through a queue begins with sorting it. */
  get hasUndialled(): boolean {
    return this.counters.waiting > 0 || !this.undialled().next().done;
  }

  /** The next moment at which a request may have been in a queue for too long; `Infinity`: there is none. */
  get nextDeadline(): number {
    return this.queues.nextDeadline;
  }

  /**
   * Refuses requests that have been in a queue for too long. Returns the earliest moment at which it can find more; `Infinity`: there is none.
   */
  expire(now: number): number {
    return this.#admission.expire(now);
  }

  // Connections

  /** The driver: `connection`'s socket exists (eager binding), or is ready for a request (late binding). */
  connected(connection: Connection<K>): void {
    this.#assignment.connected(connection);
  }

  /** The driver: `connection` is ready to be used, which may be long after it is `connected`. This only counts. */
  ready(connection: Connection<K>): void {
    this.#books.endConnecting(connection);
  }

  /** The driver: the dial of `connection` has failed, and is made once more for the same connection. This only counts. */
  redialled(connection: Connection<K>): void {
    this.#books.countRedial(connection);
  }

  /** The driver: `connection` could not be opened (`surplus`: it was given up before that). The error goes to the request that it was opened for. */
  failed(
    connection: Connection<K>,
    error: unknown,
    reason: 'connect-failed' | 'surplus' = 'connect-failed',
  ): void {
    this.#supply.failed(connection, error, reason);
  }

  /**
   * Hot path. The exchange on `connection` is over, and another one may follow. `false`: it was not leased, and nothing has happened:
   * releases may come twice.
   */
  release(connection: Connection<K>): boolean {
    return this.#leasing.release(connection);
  }

  /**
   * `release` where no idle time of the connection is safe: it serves a request that waits already and can be sent twice, or closes if there is
   * none.
   */
  releaseUnsafe(connection: Connection<K>): boolean {
    return this.#leasing.releaseUnsafe(connection);
  }

  /** `release` where no other exchange may follow. */
  discard(connection: Connection<K>): boolean {
    return this.#leasing.discard(connection);
  }

  /** The driver, after `validateSoon`: `connection` is validated, and the next waiter gets it. */
  validated(connection: Connection<K>): void {
    this.#assignment.validated(connection);
  }

  /** The event loop has polled: released connections are validated, and dials that were put off go on. */
  turn(): void {
    this.#assignment.turn();
  }

  /**
   * The driver: `connection` was lost, and its request wants another one. `waiter` comes first in its queue. It gets an idle connection
   * only after that is validated: a host that has closed one connection may have closed them all.
   *
   * @param waiter of another host, if its identity has changed since
   */
  retry(connection: Connection<K>, waiter: Waiter<K>): void {
    this.#retries.retry(connection, waiter);
  }

  /**
   * `retry` for a request that wants a new connection: it is opened for this request alone, in the slot of the lost one, as soon as that is
   * closed. A waiter of another host has no claim to that slot, and only comes first in its queue.
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

  /** Adds a connection that the driver got from elsewhere, as active. `undefined`: there is no slot for it. */
  adopt(host: HostPool<K>): Connection<K> | undefined {
    return this.#leasing.adopt(host);
  }

  // Limits

  /**
   * Sets the limits of `host`, which holds nothing yet. Hosts that are in the pool already get others by `rulesChanged`.
   *
   * @param via the limits of the proxy that it shares with other hosts, if their `maxSockets` bounds the tunnels of all of these
   */
  limit(host: HostPool<K>, limits: HostLimits, via?: HostLimits): void {
    this.#limitChanges.limit(host, limits, via);
  }

  /**
   * The rules of hosts have changed.
   *
   * @param limitsOf the limits of each host that is in the pool
   * @param reserving the limits that reserve something
   * @param viaOf as `via` of `limit`
   */
  rulesChanged(
    limitsOf: (host: HostPool<K>) => HostLimits,
    reserving: readonly HostLimits[],
    viaOf: (host: HostPool<K>) => HostLimits | undefined = () => undefined,
  ): void {
    this.#limitChanges.rulesChanged(limitsOf, reserving, viaOf);
  }

  /**
   * A limit was changed. Waiting requests are served at once where it allows that, and idle connections above it are closed; connections
   * in use are closed after their exchange. Requests that wait already are not refused.
   */
  limitsChanged(): void {
    this.#limitChanges.limitsChanged();
  }
}
