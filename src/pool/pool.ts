/**
 * All hosts, under one roof: who gets which connection, who opens one, who waits, and what is closed to make
 * room. Pure: no I/O, no timers, no clock of its own. It promises
 *
 * - the limits hold at every moment, whatever the driver answers, and whenever;
 * - every waiter ends once: assigned, rejected, refused or aborted;
 * - nobody waits while there is capacity for it, except until the end of this turn of the event loop;
 * - lease, enqueue, release, abort and close take constant time, or, with deadlines, `fairness: 'fifo'` or `scheduling:
 *   'least-used'`, time that grows with the logarithm of the number of hosts or idle connections.
 *
 * Every connection is opened and closed here. What there is, others keep count of: capacity.ts of places under the limits,
 * queues.ts of who waits, idle-connections.ts of what is free, end-of-turn.ts of what waits for the turn's end, host-pool.ts
 * of one host; granter.ts gives out places that come free. None of them knows what a connection or a request is.
 * invariants.ts says what must hold between two calls.
 * Loops end where a step of theirs changes nothing, whatever the counts say: a count that is wrong costs a request, not the process.
 */
import type { CloseReason } from './close-reason.js';
import { Connection } from './records.js';
import type { HostPool, Waiter } from './records.js';
import type { Driver } from './driver.js';
import { Granter } from './granter.js';
import { IdleConnections } from './idle-connections.js';
import type { Kinds } from './kinds.js';
import type { HostLimits, Limits } from './limits.js';
import { EndOfTurn } from './end-of-turn.js';
import { Queues } from './queues.js';
import type { Refusal } from './refusal.js';
import { Capacity } from './capacity.js';

export class Pool<K extends Kinds> {
  readonly limits: Limits;
  /** Every host that holds a connection or a waiter. */
  readonly hosts: Set<HostPool<K>> = new Set();
  readonly idle: IdleConnections<K>;
  readonly capacity: Capacity<K>;
  readonly queues: Queues<K>;
  readonly endOfTurn: EndOfTurn<K>;
  /** Goes up with every change that a reader of the pool could see. */
  changes = 0;

  readonly #driver: Driver<K>;
  readonly #granter: Granter<K>;

  constructor(driver: Driver<K>, limits: Limits) {
    this.#driver = driver;
    this.limits = limits;
    this.idle = new IdleConnections(limits);
    this.capacity = new Capacity(limits, this.idle.lru);
    this.queues = new Queues(limits);
    this.endOfTurn = new EndOfTurn(driver);
    this.#granter = new Granter(this.capacity, this.endOfTurn, {
      dial: (host) => this.#dial(host),
      evict: (connection) => this.close(connection, 'evicted'),
    });
  }

  /** Connections of all hosts that are not closed. What `maxTotalSockets` limits. */
  get size(): number {
    return this.capacity.size;
  }

  /**
   * Hot path. An idle connection of `host`: `active`, and the caller's; or `validating`, because it has been idle for so
   * long that it is validated first. `undefined`: there is none. In both of the latter cases `enqueue` a waiter. Only
   * connections that have been idle for no longer than is safe are leased.
   */
  lease(host: HostPool<K>): Connection<K> | undefined {
    return host.idle.size === 0 ? undefined : this.#lease(host, 'safe');
  }

  /** The same for a request that can be sent twice: the connection may have been idle for longer than is safe. */
  leaseUnsafe(host: HostPool<K>): Connection<K> | undefined {
    return this.#lease(host, 'any');
  }

  #lease(host: HostPool<K>, age: 'safe' | 'any'): Connection<K> | undefined {
    const { idle } = host;
    const now = this.#driver.now();
    for (;;) {
      let connection = host.nextIdle;
      // Where the one whose turn it is has been idle for too long, the last used one may not have been.
      if (age === 'safe' && connection && connection.safeUntil <= now) connection = idle.tail?.value;
      if (!connection || (age === 'safe' && connection.safeUntil <= now)) return undefined;
      if (connection.expiresAt <= now || !this.#driver.usable(connection)) {
        if (connection.expiresAt <= now) this.#expire(connection, now);
        else this.close(connection, 'server-closed');
        if (connection.idleLink.list) return undefined;
      } else {
        this.#takeIdle(connection);
        connection.idledFor = now - connection.idleSince;
        connection.isUnsafe = connection.safeUntil <= now;
        if (this.#isDoubtful(connection, now)) this.#validateLater(connection);
        else this.#activate(connection);
        return connection;
      }
    }
  }

  /**
   * Hot path. Whether an idle connection is looked at before it is leased: idle for long, or the loop was busy and has not
   * polled for a while, so that its end, or bytes that nobody asked for, may lie in the kernel.
   */
  #isDoubtful(connection: Connection<K>, now: number): boolean {
    const { validateAt } = connection;
    return validateAt <= now || (validateAt !== Infinity && !this.#driver.polledLately(connection, now));
  }

  /**
   * Puts `waiter` in its host's queue, and starts whatever can be started for it. Where the queue has no room for it, it
   * is refused; not, however, as long as a connection may be opened, now or at the end of this turn.
   */
  enqueue(waiter: Waiter<K>): void {
    const { host } = waiter;
    this.#enqueue(waiter);
    if (this.queues.exceeded(host)) this.#overflow(waiter);
    this.#tellWhereStuck(waiter);
  }

  /** `enqueue` for a request that has waited before, and is not refused now. */
  readmit(waiter: Waiter<K>): void {
    this.#enqueue(waiter);
    this.#tellWhereStuck(waiter);
  }

  #enqueue(waiter: Waiter<K>): void {
    const { host } = waiter;
    this.hosts.add(host);
    this.queues.add(waiter);
    this.changes++;
    this.#recount(host);
    // Whatever it gets, nothing was idle for it.
    if (host.unserved > 0) host.idleLow = 0;
    // What is idle is not safe enough for it: the oldest gives way to the connection that it needs.
    const old = waiter.unreplayable && host.unserved > 0 ? host.idle.head : undefined;
    if (old) this.close(old.value, 'idle-timeout');
    else this.#start(host);
  }

  #tellWhereStuck({ host, state }: Waiter<K>): void {
    if (state === 'queued' && host.isStuck) this.#saturate(host);
  }

  /** Gives `waiter` another priority. `false`: it is not in the queue any more, or was never. */
  reprioritize(waiter: Waiter<K>, priority: number): boolean {
    if (waiter.state !== 'queued') return false;
    waiter.host.waiting.move(waiter, priority);
    return true;
  }

  /**
   * The driver: `connection` was lost, and its request wants another one. `waiter` comes first in its queue. An idle connection
   * is validated for it before it gets that: a host that has closed one connection may have closed them all.
   *
   * @param waiter of another host, if its identity has changed since
   */
  retry(connection: Connection<K>, waiter: Waiter<K>): void {
    const { host } = waiter;
    this.#enqueueFirst(waiter);
    if (!waiter.unreplayable) this.#validate(host.idle.tail?.value);
    this.close(connection, 'server-closed');
    this.#pump(host);
  }

  /**
   * `retry` for a request that wants a new connection: one is opened for it alone in the place of the lost one, as soon as that is
   * closed. A waiter of another host, which has no claim to that place, only comes first in its queue.
   */
  retryOnNew(connection: Connection<K>, waiter: Waiter<K>): void {
    if (waiter.host !== connection.host) {
      this.retry(connection, waiter);
      return;
    }
    connection.replayWaiter = waiter;
    waiter.state = 'awaiting-place';
    waiter.connection = connection;
    this.close(connection, 'server-closed');
  }

  /** Every waiter that no connection is being opened for. */
  *undialled(): Generator<Waiter<K>, void, undefined> {
    for (const host of this.hosts) {
      yield* host.waiting;
      for (const { replayWaiter } of host.connections) if (replayWaiter) yield replayWaiter;
    }
  }

  /** Takes `waiter` out of the queue. `false`: it was done already. Rejecting the request is the caller's. */
  abort(waiter: Waiter<K>): boolean {
    if (waiter.state === 'done') return false;
    const { host, connection } = waiter;
    if (waiter.state === 'queued') {
      this.#dequeue(waiter);
    } else if (waiter.state === 'awaiting-place') {
      if (connection) connection.replayWaiter = undefined;
    } else {
      // What is being opened for nobody serves whoever is first.
      host.unclaimed++;
      this.#recount(host);
    }
    if (connection?.waiter === waiter) connection.waiter = undefined;
    waiter.state = 'done';
    this.changes++;
    this.#cleanUp(host);
    return true;
  }

  /** The driver: `connection`'s socket exists (eager binding), or is ready for a request (late binding). */
  connected(connection: Connection<K>): void {
    if (connection.state !== 'connecting') return;
    const { host, waiter } = connection;
    connection.waiter = undefined;
    this.changes++;
    if (waiter?.state === 'dialling') {
      this.#assign(connection, waiter);
      return;
    }
    host.unclaimed--;
    this.#recount(host);
    if (waiter) waiter.connection = undefined;
    this.#offer(connection);
  }

  /** The driver: `connection` could not be opened. The error goes to the request that it was opened for. */
  failed(connection: Connection<K>, error: unknown): void {
    if (connection.state !== 'connecting') return;
    const { host, waiter } = connection;
    connection.waiter = undefined;
    if (waiter?.state === 'dialling') {
      waiter.state = 'done';
    } else {
      host.unclaimed--;
      this.#recount(host);
      if (waiter) {
        this.#dequeue(waiter);
        waiter.state = 'done';
      }
    }
    this.#drop(connection, 'connect-failed');
    if (waiter) this.#driver.reject(waiter, error);
    this.#grant(host);
  }

  /**
   * Hot path. The exchange on `connection` is over, and another one may follow. `false`: it was not on lease, so nothing happened:
   * releases may come twice.
   */
  release(connection: Connection<K>): boolean {
    if (connection.state !== 'active') return false;
    if (!this.#endIfServedOut(connection)) this.#free(connection);
    return true;
  }

  /**
   * `release` where no age of the connection is safe, not even none: it serves a request that can be sent twice and waits already,
   * and closes if there is none.
   */
  releaseUnsafe(connection: Connection<K>): boolean {
    if (connection.state !== 'active') return false;
    if (this.#endIfServedOut(connection)) return true;
    const { host } = connection;
    if (host.unreplayable === host.waiting.size) {
      this.close(connection, 'idle-timeout');
    } else {
      connection.safeUntil = -Infinity;
      this.#free(connection);
    }
    return true;
  }

  /** `release` where no other exchange may follow. */
  discard(connection: Connection<K>): boolean {
    if (connection.state !== 'active') return false;
    this.close(connection, 'surplus');
    return true;
  }

  /** Hot path. Closes `connection` if a limit ends its life. `true`: one did. */
  #endIfServedOut(connection: Connection<K>): boolean {
    if (this.capacity.isSurplus(connection.host)) this.close(connection, 'surplus');
    else if (connection.requestsLeft <= 0) this.close(connection, 'max-requests');
    else if (connection.retireAt !== Infinity && connection.retireAt <= this.#driver.now())
      this.close(connection, 'max-age');
    else return false;
    return true;
  }

  /** The event loop has polled: settle what was released, and go on with the dials that were put off. */
  turn(): void {
    const { endOfTurn } = this;
    const validating = endOfTurn.begin();
    let done = 0;
    try {
      while (done < validating.length) {
        const connection = validating[done++] as Connection<K>;
        if (connection.state === 'validating' && !this.#driver.validate(connection))
          endOfTurn.validate(connection);
        else this.validated(connection);
      }
    } finally {
      // Foreign code has thrown: the others have their turn in the next one.
      while (done < validating.length) endOfTurn.validate(validating[done++] as Connection<K>);
    }
    if (endOfTurn.paced.size > 0) endOfTurn.resume((host) => this.#pump(host));
  }

  /** The driver: what was deferred. `connection` is validated: whoever is first gets it. */
  validated(connection: Connection<K>): void {
    if (connection.state !== 'validating') return;
    if (this.#driver.usable(connection)) {
      connection.host.validating--;
      this.#recount(connection.host);
      this.#offer(connection);
    } else {
      this.close(connection, 'server-closed');
    }
  }

  /** Ask the driver to close `connection`. It counts until the driver says `closed`. */
  close(connection: Connection<K>, reason: CloseReason, error?: unknown): void {
    if (connection.state === 'closing' || connection.state === 'closed') return;
    const { host } = connection;
    this.#leaveState(connection);
    this.changes++;
    connection.closeReason = reason;
    if (connection.pooled === undefined) {
      // Nothing to close, and nothing will tell us: a dial that is answered later finds it `closed`.
      this.#drop(connection, reason);
      this.#grant(host);
      return;
    }
    connection.state = 'closing';
    this.capacity.beginClosing(host);
    this.#driver.close(connection, reason, error);
    this.#pump(host);
  }

  /** The driver: `connection` is gone, asked for or not. */
  closed(connection: Connection<K>, reason: CloseReason = 'closed'): void {
    if (connection.state === 'closed') return;
    const { host } = connection;
    this.#leaveState(connection);
    this.#drop(connection, reason);
    this.#dialReplacement(connection);
    this.#grant(host);
  }

  /** Takes in a connection that the driver got from elsewhere, as active. `undefined`: there is no place for it. */
  adopt(host: HostPool<K>): Connection<K> | undefined {
    if (!this.capacity.mayOpen(host)) return undefined;
    const connection = this.#create(host);
    this.#activate(connection);
    return connection;
  }

  /** No further request will name `host`: what is idle is closed, what is active will not be kept. */
  abandon(host: HostPool<K>): void {
    host.abandoned = true;
    this.changes++;
    for (const connection of host.idle) this.close(connection, 'surplus');
  }

  /**
   * The limits of `host`, which holds nothing yet. A host that already is in the pool gets others by `rulesChanged`.
   */
  limit(host: HostPool<K>, limits: HostLimits): void {
    host.limits = limits;
    host.reservation = this.capacity.reservations.get(limits);
    host.reorder(this.limits.random);
  }

  /**
   * Other rules hold from now on.
   *
   * @param limitsOf the limits of each host that is in the pool
   * @param reserving the limits that reserve something
   */
  rulesChanged(limitsOf: (host: HostPool<K>) => HostLimits, reserving: readonly HostLimits[]): void {
    this.capacity.replaceReservations(reserving, this.hosts, (host) => this.limit(host, limitsOf(host)));
    this.limitsChanged();
  }

  /**
   * A limit was changed: who can go now, goes; idle connections above it are closed. Those in use are closed after their
   * exchange, and who waits already, waits on.
   */
  limitsChanged(): void {
    const { capacity } = this;
    const { lru } = this.idle;
    const { maxTotalSockets, maxTotalFreeSockets } = this.limits;
    this.changes++;
    capacity.allot();
    for (const host of this.hosts) {
      const { maxSockets, maxFreeSockets } = host.limits;
      host.reorder(this.limits.random);
      if (host.connections.size >= maxSockets) capacity.unblock(host);
      this.queues.rewatch(host);
      for (const connection of host.idle) {
        if (host.idle.size <= maxFreeSockets && host.connections.size - host.closing <= maxSockets) break;
        this.close(connection, 'surplus');
      }
    }
    while (capacity.size - capacity.closing > maxTotalSockets) {
      if (!this.#closeSurplus(capacity.evictable ?? lru.head?.value)) break;
    }
    while (lru.size > maxTotalFreeSockets) if (!this.#closeSurplus(lru.head?.value)) break;
    this.#granter.grantAll();
    for (const host of this.hosts) this.#pump(host);
  }

  /** `false`: there is none, or it stays. */
  #closeSurplus(connection: Connection<K> | undefined): boolean {
    if (!connection) return false;
    this.close(connection, 'surplus');
    return !connection.lruLink.list;
  }

  /** Closes every connection and rejects every waiter. The pool stays usable. */
  destroy(error: unknown, closeError?: unknown): void {
    const rejected: Waiter<K>[] = [];
    for (const host of this.hosts) {
      for (const waiter of host.waiting) {
        this.#dequeue(waiter);
        waiter.state = 'done';
        rejected.push(waiter);
      }
    }
    for (const host of this.hosts) {
      for (const connection of host.connections) {
        const { replayWaiter, waiter } = connection;
        if (replayWaiter) {
          connection.replayWaiter = undefined;
          replayWaiter.state = 'done';
          rejected.push(replayWaiter);
        }
        if (waiter?.state === 'dialling') {
          connection.waiter = undefined;
          host.unclaimed++;
          waiter.state = 'done';
          rejected.push(waiter);
        }
        this.close(connection, 'destroyed', closeError);
      }
      this.#cleanUp(host);
    }
    for (const waiter of rejected) this.#driver.reject(waiter, error);
  }

  /** Closes what has been idle for too long, in time that depends on nothing else. Returns when to look again, or Infinity. */
  reap(now: number): number {
    const { expiring } = this.idle;
    expiring.sweep(now, (connection) => {
      if (connection.state === 'idle') this.#expire(connection, now);
    });
    return expiring.next;
  }

  /** Nothing that was known of idle connections is sure any more: each is looked at before it is leased. */
  suspect(): void {
    for (const connection of this.idle) connection.validateAt = -Infinity;
  }

  /** When somebody may have been in a queue for too long, `Infinity` for nobody ever. */
  get nextDeadline(): number {
    return this.queues.nextDeadline;
  }

  /**
   * Who has been in a queue for too long is refused. Returns when to look again: no one's time is up before, `Infinity` if
   * nobody's ever is.
   */
  expire(now: number): number {
    for (;;) {
      const waiter = this.queues.overdue(now);
      if (!waiter) return this.nextDeadline;
      this.#refuse(waiter, 'acquireTimeout', now - waiter.since);
    }
  }

  /** Something becomes idle: an interval begins, unless one is under way. Returns its end. */
  beginTrim(now: number): number {
    return this.idle.beginTrim(now);
  }

  /**
   * Closes idle connections that were not needed once in a whole `trimInterval` in which others of their host were: those
   * that a peak has left behind. Idle time alone would not tell them where all are used in turn. Returns when to look again:
   * `Infinity` if nothing is idle.
   */
  trim(now: number): number {
    if (this.idle.endTrim(now)) {
      for (const host of this.hosts) {
        for (let surplus = host.takeUnneeded(); surplus > 0 && host.idle.head; surplus--) {
          this.close(host.idle.head.value, 'surplus');
        }
      }
    }
    return this.idle.trimsAt;
  }

  /** Starts what can be started for `host`, and tells of it when somebody has to wait for what cannot. */
  #pump(host: HostPool<K>): void {
    this.#start(host);
    if (!host.saturated && host.isStuck) this.#saturate(host);
  }

  /** Starts what can be started for `host`, and notes where it waits for what cannot. */
  #start(host: HostPool<K>): void {
    const { capacity } = this;
    // The one that a request waited for was dead: another may not be, and is here sooner than what is being opened.
    while (host.idle.size > 0 && host.waiting.size - host.unreplayable > host.validating)
      if (!this.#validate(host.nextIdle)) break;
    while (host.unserved > 0) {
      if (host.connections.size >= host.limits.maxSockets) {
        this.#giveWay(host);
        return;
      }
      if (!capacity.hasPlace(host)) {
        if (!host.isBlocked) capacity.block(host);
        this.#granter.evictFor(host.reservation);
        return;
      }
      if (!this.endOfTurn.claimDial(host)) return;
      this.#dial(host);
    }
  }

  #saturate(host: HostPool<K>): void {
    host.saturated = true;
    this.#driver.saturated(host);
  }

  /** There are more waiters than a queue may hold. What may be opened at the end of this turn is opened now. */
  #overflow(waiter: Waiter<K>): void {
    const { host } = waiter;
    const { queues, capacity } = this;
    while (queues.exceeded(host) && host.unserved > 0 && capacity.mayOpen(host)) if (!this.#dial(host)) break;
    for (const other of this.endOfTurn.paced) {
      while (queues.unserved > this.limits.maxTotalQueueSize && other.unserved > 0 && capacity.mayOpen(other))
        if (!this.#dial(other)) break;
    }
    if (waiter.state !== 'queued') return;
    const exceeded = queues.exceeded(host, capacity.placesFor(host), capacity.closing);
    if (exceeded) this.#refuse(waiter, exceeded, 0);
  }

  #refuse(waiter: Waiter<K>, limitedBy: Refusal['limitedBy'], waited: number): void {
    const { host, connection } = waiter;
    this.#dequeue(waiter);
    if (connection) connection.waiter = undefined;
    waiter.state = 'done';
    this.changes++;
    const ofAll = limitedBy === 'maxTotalQueueSize';
    this.#driver.refuse(waiter, {
      limitedBy,
      limit: ofAll ? this.limits.maxTotalQueueSize : host.limits[limitedBy],
      waiting: ofAll ? this.queues.unserved : host.waiting.size,
      active: ofAll ? this.size - this.idle.size - this.capacity.closing : host.inUse,
      waited,
    });
    this.#cleanUp(host);
  }

  /** An idle connection settles for a request before that gets it. `false`: there is none. */
  #validate(connection: Connection<K> | undefined): boolean {
    if (!connection) return false;
    this.#takeIdle(connection);
    this.#validateLater(connection);
    return true;
  }

  /** Hot path. `connection`, which is idle, is needed. */
  #takeIdle(connection: Connection<K>): void {
    const { host } = connection;
    this.idle.remove(connection);
    if (host.idle.size < host.idleLow) host.idleLow = host.idle.size;
  }

  /** One place for each waiter of `host` that may have none of its idle connections, the longest idle one's first. */
  #giveWay(host: HostPool<K>): void {
    const link = host.idle.head;
    // Closing it comes back here for the next.
    if (link && host.unserved > host.closing) this.close(link.value, 'idle-timeout');
  }

  /** Opens a connection for who has waited for the place of this one, if that place is still there. */
  #dialReplacement({ replayWaiter, host }: Connection<K>): void {
    if (!replayWaiter) return;
    replayWaiter.connection = undefined;
    if (this.capacity.mayOpen(host)) {
      replayWaiter.state = 'dialling';
      this.#dialFor(replayWaiter, this.#create(host));
    } else {
      replayWaiter.state = 'queued';
      this.#enqueueFirst(replayWaiter);
    }
  }

  /** Before all others, and never refused. */
  #enqueueFirst(waiter: Waiter<K>): void {
    this.hosts.add(waiter.host);
    this.queues.addFirst(waiter);
    this.changes++;
    this.#recount(waiter.host);
  }

  /** `false`: nobody waits at `host`. */
  #dial(host: HostPool<K>): boolean {
    const late = this.limits.binding === 'late';
    const waiter = (late && host.undialled.shift()) || host.waiting.next;
    if (!waiter) return false;
    if (!late) this.queues.take(waiter);
    if (waiter.connection) waiter.connection.waiter = undefined;
    const connection = this.#create(host);
    // Whose turn it is next must not be put off for a turn of the loop that was over long ago.
    if (this.capacity.blocked.size > 0) this.endOfTurn.schedule();
    if (late) {
      // Bound to nobody; but if it fails, the error is this waiter's, unless it has been served meanwhile.
      host.unclaimed++;
    } else {
      waiter.state = 'dialling';
    }
    this.#waitsLess(host);
    this.#dialFor(waiter, connection);
    return true;
  }

  #dialFor(waiter: Waiter<K>, connection: Connection<K>): void {
    waiter.connection = connection;
    connection.waiter = waiter;
    this.#driver.dial(connection, waiter);
  }

  /** `connection` is free, and nobody has it: to the head of the queue, or idle, or closed. */
  #offer(connection: Connection<K>): void {
    const { host } = connection;
    connection.state = 'active';
    this.changes++;
    if (this.capacity.isSurplus(host)) {
      this.close(connection, 'surplus');
      return;
    }
    const waiter = this.#firstFor(connection);
    if (!waiter) this.#keep(connection);
    else this.#serve(connection, waiter);
  }

  /** Hot path. `connection`, which is active and has no request, becomes idle: nobody waits that may have it. */
  #keep(connection: Connection<K>): void {
    const { host } = connection;
    const { changes } = this;
    // Who might have risked it has gone.
    if (connection.safeUntil === -Infinity) {
      this.close(connection, 'idle-timeout');
      return;
    }
    if (!this.idle.mayAdd(host) || !this.#driver.prepareIdle(connection)) {
      this.close(connection, 'surplus');
      return;
    }
    // Parking runs foreign code: it may have closed the connection, made a request, or changed a limit.
    if (this.changes !== changes) {
      if (connection.state !== 'active') return;
      const waiter = this.#firstFor(connection);
      if (this.capacity.isSurplus(host) || (!waiter && !this.idle.mayAdd(host))) {
        this.close(connection, 'surplus');
        return;
      }
      if (waiter) {
        if (this.#driver.isReadyForNext(connection)) this.#serve(connection, waiter);
        else this.#validateLater(connection);
        return;
      }
    }
    connection.state = 'idle';
    this.changes++;
    const { idle, capacity } = this;
    idle.add(connection);
    if (idle.lru.size > this.limits.maxTotalFreeSockets && idle.lru.head) {
      this.close(idle.lru.head.value, 'surplus');
    }
    if (capacity.blocked.size > 0 || capacity.held > 0) this.#granter.evictFor(host.reservation);
    // Who waits although it is there counted on it, and may not have it.
    if (host.waiting.size > 0) this.#pump(host);
  }

  /** `connection`, which is active and has no request, goes to `waiter`, who is next, unless it is another host's turn. */
  #serve(connection: Connection<K>, waiter: Waiter<K>): void {
    const { host } = connection;
    // A new one is here in its host's turn.
    if (connection.served > 0 && this.capacity.decideYield(host)) {
      this.close(connection, 'evicted');
      return;
    }
    this.queues.take(waiter);
    this.#waitsLess(host);
    if (waiter.connection) waiter.connection.waiter = undefined;
    const { safeUntil } = connection;
    connection.isUnsafe = safeUntil !== Infinity && safeUntil <= this.#driver.now();
    this.#assign(connection, waiter);
    // Who counted on it, and may have what is idle, need not wait for another one.
    if (waiter.unreplayable && host.idle.size > 0 && host.waiting.size > 0) this.#pump(host);
  }

  /** Who is next in the queue, of those that may have `connection`. */
  #firstFor({ host, safeUntil }: Connection<K>): Waiter<K> | undefined {
    const { next } = host.waiting;
    if (!next?.unreplayable || safeUntil === Infinity || safeUntil > this.#driver.now()) return next;
    return host.unreplayable < host.waiting.size ? host.waiting.firstThat(isReplayable) : undefined;
  }

  #assign(connection: Connection<K>, waiter: Waiter<K>): void {
    this.#activate(connection);
    waiter.state = 'done';
    this.#driver.assign(connection, waiter);
  }

  /** Hot path. A request gets it. */
  #activate(connection: Connection<K>): void {
    connection.state = 'active';
    connection.idleSince = -1;
    connection.safeUntil = Infinity;
    connection.requestsLeft--;
    connection.served++;
    this.changes++;
  }

  #expire(connection: Connection<K>, now: number): void {
    this.close(connection, connection.retireAt <= now ? 'max-age' : 'idle-timeout');
  }

  /** Hot path. It may have another request. */
  #free(connection: Connection<K>): void {
    const { host } = connection;
    if (!this.idle.mayStay(host)) {
      this.close(connection, 'surplus');
      return;
    }
    connection.idledFor = 0;
    if (host.waiting.size === 0) {
      if (this.#driver.isReadyToIdle(connection)) this.#keep(connection);
      else this.#validateLater(connection);
    } else if (this.#driver.isReadyForNext(connection)) {
      this.#beginValidating(connection);
      this.#driver.validateSoon(connection);
    } else {
      this.#validateLater(connection);
    }
  }

  #beginValidating(connection: Connection<K>): void {
    connection.state = 'validating';
    connection.host.validating++;
    this.changes++;
    this.#recount(connection.host);
  }

  #validateLater(connection: Connection<K>): void {
    this.#beginValidating(connection);
    this.endOfTurn.validate(connection);
  }

  /** The number of `host`'s waiters that can count on nothing may have changed. */
  #recount(host: HostPool<K>): void {
    this.queues.recount(host);
    if (host.unserved === 0 && host.isBlocked) this.capacity.unblock(host);
  }

  /** One that waited at `host` waits no more, or has something opened for it. */
  #waitsLess(host: HostPool<K>): void {
    this.#recount(host);
    if (host.waiting.size > 0 || !host.saturated) return;
    host.saturated = false;
    this.#driver.drained(host);
  }

  /** Capacity came free that `host` used: the hosts that wait for a place come first, then `host`. */
  #grant(host: HostPool<K>): void {
    this.#granter.grant(host.reservation);
    this.#pump(host);
    this.#cleanUp(host);
  }

  #create(host: HostPool<K>): Connection<K> {
    const connection = new Connection(host);
    this.hosts.add(host);
    this.capacity.enter(connection);
    this.changes++;
    return connection;
  }

  /** Takes `waiter` out of its queue, and everything that goes with it. */
  #dequeue(waiter: Waiter<K>): void {
    this.queues.remove(waiter);
    this.#waitsLess(waiter.host);
  }

  /** Takes `connection` out of everything that its state put it in, but not out of the limits' counts. */
  #leaveState(connection: Connection<K>): void {
    const { host, state, waiter } = connection;
    this.idle.expiring.remove(connection);
    if (state === 'idle') {
      this.idle.remove(connection);
    } else if (state === 'validating') {
      host.validating--;
      this.#recount(host);
    } else if (state === 'closing') {
      this.capacity.endClosing(host);
    } else if (state === 'connecting' && waiter?.state !== 'dialling') {
      host.unclaimed--;
      this.#recount(host);
      connection.waiter = undefined;
      if (waiter) waiter.connection = undefined;
    }
  }

  #drop(connection: Connection<K>, reason: CloseReason): void {
    connection.state = 'closed';
    connection.closeReason ??= reason;
    this.capacity.leave(connection);
    this.changes++;
    this.#driver.gone(connection);
  }

  #cleanUp(host: HostPool<K>): void {
    if (!host.isEmpty) return;
    this.endOfTurn.paced.remove(host.pacedLink);
    if (this.hosts.delete(host)) this.#driver.retire(host);
  }
}

function isReplayable({ unreplayable }: { unreplayable: boolean }): boolean {
  return !unreplayable;
}
