/**
 * The records of the pool, and all counts. A change of a record on which several counts depend is made here, as a whole, so that all counts
 * agree between two calls of the pool: invariants.ts says how. Nothing is decided here. The driver is told of changes that others count.
 */
import type { CloseReason } from './close-reason.js';
import { Capacity } from './capacity.js';
import { Counters } from './counters.js';
import type { ConnectPhase, CountedReason } from './counters.js';
import type { Driver } from './driver.js';
import { EndOfTurn } from './end-of-turn.js';
import { IdleConnections } from './idle-connections.js';
import type { Kinds } from './kinds.js';
import type { Limits } from './limits.js';
import { Link } from './list.js';
import { Queues } from './queues.js';
import { Connection } from './records.js';
import type { HostPool, Section, Waiter } from './records.js';

export class Books<K extends Kinds> {
  readonly driver: Driver<K>;
  readonly limits: Limits;
  /** Every host that holds a connection or a waiter. */
  readonly hosts: Set<HostPool<K>> = new Set();
  readonly idle: IdleConnections<K>;
  readonly capacity: Capacity<K>;
  readonly queues: Queues<K>;
  readonly endOfTurn: EndOfTurn<K>;
  /** The counters of all hosts together, forgotten ones included. */
  readonly counters: Counters = new Counters();
  /** Goes up with every change that a reader of the pool could see. */
  changes = 0;

  constructor(driver: Driver<K>, limits: Limits) {
    this.driver = driver;
    this.limits = limits;
    this.idle = new IdleConnections(limits);
    this.capacity = new Capacity(limits, this.idle.lru);
    this.queues = new Queues(limits, this.counters);
    this.endOfTurn = new EndOfTurn(driver, limits);
  }

  /** No new request is taken, and nothing becomes idle any more. Requests that are here already are served. */
  get isClosed(): boolean {
    return this.idle.isClosed;
  }

  /** Hot path. Whether no new request for `host` is taken, and none of its connections becomes idle any more. */
  isClosedFor({ section }: HostPool<K>): boolean {
    return this.idle.isClosed || section?.isClosed === true;
  }

  /** See `isClosed`. `section`: for its hosts only. */
  close(section: Section | undefined): void {
    if (section) section.isClosed = true;
    else this.idle.isClosed = true;
    this.changes++;
  }

  /** `host` is to hold something. */
  #admit(host: HostPool<K>): void {
    if (host.section && !this.hosts.has(host)) host.section.size++;
    this.hosts.add(host);
  }

  // Connections

  /** A new connection of `host`, which is connecting. */
  create(host: HostPool<K>): Connection<K> {
    const connection = new Connection(host);
    this.#admit(host);
    this.capacity.enter(connection);
    this.#countBegin(this.counters);
    this.#countBegin(host.counters);
    this.changes++;
    return connection;
  }

  /** `connection` is ready to be used, or closes. */
  endConnecting(connection: Connection<K>): void {
    if (!connection.isConnecting) return;
    connection.isConnecting = false;
    this.counters.connecting--;
    connection.host.counters.connecting--;
  }

  /** A new connection of the host of `spare`, which is connecting for no request. */
  createSpare(spare: Waiter<K>): Connection<K> {
    const { host } = spare;
    const connection = this.create(host);
    spare.state = 'spare';
    spare.connection = connection;
    connection.waiter = spare;
    this.capacity.spares.push((connection.spareLink ??= new Link(connection)));
    this.beginUnclaimed(host);
    return connection;
  }

  /** `connection` is a spare one that is being opened no more. Returns its spare waiter, if it was one. */
  takeSpare(connection: Connection<K>): Waiter<K> | undefined {
    const { spareLink, waiter } = connection;
    if (waiter?.state !== 'spare' || !spareLink) return undefined;
    this.capacity.spares.remove(spareLink);
    waiter.state = 'done';
    waiter.connection = undefined;
    connection.waiter = undefined;
    return waiter;
  }

  /** Hot path. A request gets `connection`. */
  activate(connection: Connection<K>): void {
    connection.state = 'active';
    connection.idleSince = -1;
    connection.safeUntil = Infinity;
    connection.requestsLeft--;
    connection.served++;
    this.changes++;
  }

  /** Hot path. `connection`, which is idle, is leased or validated. */
  takeIdle(connection: Connection<K>): void {
    const { host } = connection;
    this.#removeIdle(connection);
    if (host.idle.size < host.idleLow) host.idleLow = host.idle.size;
  }

  /** Hot path. */
  #removeIdle(connection: Connection<K>): void {
    const { host } = connection;
    this.idle.remove(connection);
    if (host.idle.size < host.limits.minFreeSockets) this.driver.short(host);
  }

  /** `connection` serves no request until the driver says that it is validated. */
  beginValidating(connection: Connection<K>): void {
    connection.state = 'validating';
    connection.host.validating++;
    this.changes++;
    this.recount(connection.host);
  }

  /** `beginValidating` where only the next poll of the event loop can tell whether `connection` may serve a request. */
  validateAtEndOfTurn(connection: Connection<K>): void {
    this.beginValidating(connection);
    this.endOfTurn.validate(connection);
  }

  endValidating({ host }: Connection<K>): void {
    host.validating--;
    this.recount(host);
  }

  /** A connection of `host` is being opened, and from now on is bound to no request. */
  beginUnclaimed(host: HostPool<K>): void {
    host.unclaimed++;
    this.recount(host);
  }

  /** A connection of `host` that was being opened, bound to no request, is so no more. */
  endUnclaimed(host: HostPool<K>): void {
    host.unclaimed--;
    this.recount(host);
  }

  /** Takes `connection` out of the lists and counts of its state. It still counts for the limits. */
  leaveState(connection: Connection<K>): void {
    const { host, state, waiter } = connection;
    this.endConnecting(connection);
    this.idle.expiring.remove(connection);
    if (state === 'idle') {
      this.#removeIdle(connection);
    } else if (state === 'validating') {
      this.endValidating(connection);
    } else if (state === 'closing') {
      this.capacity.endClosing(host);
    } else if (state === 'connecting' && waiter?.state !== 'dialling') {
      this.endUnclaimed(host);
      connection.waiter = undefined;
      if (waiter) waiter.connection = undefined;
    }
  }

  /** `connection`, which has left its state, is gone. */
  drop(connection: Connection<K>, reason: CloseReason): void {
    connection.state = 'closed';
    connection.closeReason ??= reason;
    this.endConnecting(connection);
    this.capacity.leave(connection);
    this.#countEnd(connection);
    this.changes++;
    this.driver.gone(connection);
  }

  /** The dial of `connection` has failed, and is made once more for the same connection. */
  countRedial({ host, phase }: Connection<K>): void {
    for (const counters of [this.counters, host.counters]) {
      counters.opened++;
      counters.failed[phase]++;
    }
  }

  #countBegin(counters: Counters): void {
    counters.opened++;
    counters.open++;
    counters.connecting++;
  }

  #countEnd({ closeReason = 'closed', hasFailed, host, phase }: Connection<K>): void {
    const failedIn = hasFailed || closeReason === 'connect-failed' ? phase : undefined;
    countClosed(this.counters, closeReason, failedIn);
    countClosed(host.counters, closeReason, failedIn);
  }

  // Waiters

  enqueue(waiter: Waiter<K>): void {
    this.#admit(waiter.host);
    this.queues.add(waiter);
    this.changes++;
    this.recount(waiter.host);
  }

  /** A waiter that has been in a queue before, and is not refused now: see `Queues.addAgain`. */
  enqueueAgain(waiter: Waiter<K>): void {
    this.#admit(waiter.host);
    this.queues.addAgain(waiter);
    this.changes++;
    this.recount(waiter.host);
  }

  /** Takes `waiter` out of its queue, and out of the counts that depend on it. */
  dequeue(waiter: Waiter<K>): void {
    this.queues.remove(waiter);
    this.waitsLess(waiter.host);
  }

  /** The number of `host`'s unserved waiters may have changed: called after each change of `waiting`, `validating` or `unclaimed`. */
  recount(host: HostPool<K>): void {
    const before = host.countedUnserved;
    this.queues.recount(host);
    // A host without unserved waiters stands in no line.
    if (before > 0 && host.countedUnserved === 0) this.capacity.unblock(host);
  }

  /** Fewer requests wait at `host`. */
  waitsLess(host: HostPool<K>): void {
    this.recount(host);
    if (host.waiting.size > 0 || !host.saturated) return;
    host.saturated = false;
    this.driver.drained(host);
  }

  /** A request has to wait at `host`, because a limit is reached. */
  saturate(host: HostPool<K>): void {
    host.saturated = true;
    this.driver.saturated(host);
  }

  forgetIfEmpty(host: HostPool<K>): void {
    if (!host.isEmpty) return;
    this.endOfTurn.paced.remove(host.pacedLink);
    if (!this.hosts.delete(host)) return;
    if (host.section) host.section.size--;
    this.driver.retire(host);
  }
}

/** @param failedIn the step in which its dial has failed */
function countClosed(counters: Counters, reason: CloseReason, failedIn: ConnectPhase | undefined): void {
  counters.open--;
  if (failedIn) counters.failed[failedIn]++;
  else counters.closed[reason as CountedReason]++;
}
