/**
 * All hosts, under one roof: who gets which connection, who opens one, who waits, and what is closed to make
 * room. Pure: no I/O, no timers, no clock of its own. It promises
 *
 * - the limits hold at every moment, whatever the driver answers, and whenever;
 * - every waiter ends once: assigned, rejected, refused or aborted;
 * - nobody waits while there is capacity for it, except until the end of this turn of the event loop;
 * - who waits for room under `maxTotalSockets` gets it after a bounded number of requests of others: see `MAX_OVERTAKES`;
 * - lease, enqueue, release, abort and close take constant time, or, with deadlines, `fairness: 'fifo'` or `scheduling:
 *   'least-used'`, time that grows with the logarithm of the number of hosts or idle connections.
 *
 * It does not know what a connection or a request is. invariants.ts says what must hold between two calls.
 */
import type { CloseReason } from './close-reason.js';
import { Connection } from './connection.js';
import type { Driver } from './driver.js';
import { ExpiryWheel } from './expiry-wheel.js';
import { Heap } from './heap.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import type { HostLimits, Limits } from './limits.js';
import { Link, List } from './list.js';
import type { Refusal } from './refusal.js';
import { Share } from './share.js';
import { OldestFirst, RoundRobin } from './turns.js';
import type { Turns } from './turns.js';
import type { Waiter } from './waiter.js';

/**
 * How many requests may be served on used connections of other hosts before the next host that waits for room under
 * `maxTotalSockets` gets one of their places. Zero would be strict turns, and a new handshake for every request; no
 * bound would starve. So a host that waits has its place after at most `(MAX_OVERTAKES + 1) * W` such requests, where W
 * is the sum of the weights of the hosts that are before it, and its own; with `fairness: 'fifo'`, the number of older
 * requests that wait for a place, and its own one.
 */
export const MAX_OVERTAKES = 20;

export class Pool<K extends Kinds> {
  readonly limits: Limits;
  /** Every host that holds a connection or a waiter. */
  readonly hosts: Set<HostPool<K>> = new Set();
  /** Connections of all hosts that are not closed. What `maxTotalSockets` limits. */
  size = 0;
  /** Connections in state `closing`. */
  closing = 0;
  /** Goes up with every change that a reader of the pool could see. */
  changes = 0;
  /** The turn of the event loop, as far as the pool has had reason to follow it. */
  turns = 0;

  /** Idle connections of all hosts, the least recently used first. */
  readonly idle: List<Connection<K>> = new List();
  /** By when they expire: those of them that do, and others that have been idle before. */
  readonly expiring: ExpiryWheel<Connection<K>> = new ExpiryWheel();
  /** Hosts in need that only `maxTotalSockets` holds back. */
  readonly hungry: Turns<K>;
  /** Hosts in need that go on dialling in the next turn. */
  readonly paced: List<HostPool<K>> = new List();
  /** A turn was asked for and has not come yet. */
  scheduled = false;

  /** What is reserved under `maxTotalSockets`, by the limits of those that it is reserved for. */
  readonly shares: Map<HostLimits, Share<K>> = new Map();
  /** Reserved places that nobody has. They are kept free. */
  held = 0;
  /** Waiters that can count on no connection that is already on its way to them. What `maxTotalQueueSize` limits. */
  unmet = 0;
  /** Hosts with waiters that may not wait for ever. */
  readonly deadlines: Heap<HostPool<K>> = new Heap((a, b) => a.deadline < b.deadline);

  readonly #driver: Driver<K>;
  /** Waiters so far. */
  #arrivals = 0;
  /** Arrival of the next one that comes before all others. */
  #firstArrival = -1;
  /** How many are hungry: on the hot path. */
  #hungryHosts = 0;
  #trimsAt = Infinity;
  /** After a change of limits, there are still connections on places that are reserved for others. */
  #isOvercommitted = false;
  #settling: Connection<K>[] = [];
  /** Requests served on used connections while other hosts waited for room, since a place was last given. */
  #overtakes = 0;
  #feeding = false;
  #pumpingPaced = false;

  constructor(driver: Driver<K>, limits: Limits) {
    this.#driver = driver;
    this.limits = limits;
    this.hungry = limits.fairness === 'fifo' ? new OldestFirst() : new RoundRobin();
  }

  /**
   * Hot path. An idle connection of `host`: `active`, and the caller's; or `settling`, because it has been idle for so
   * long that it is looked at first. `undefined`: there is none. In both of the latter cases `enqueue` a waiter.
   *
   * @param careful take none that has been idle for longer than is safe
   */
  lease(host: HostPool<K>, careful: boolean): Connection<K> | undefined {
    const { idle } = host;
    if (idle.size === 0) return undefined;
    const now = this.#driver.now();
    for (;;) {
      let connection = host.nextIdle;
      // Where the one whose turn it is has been idle for too long, the last used one may not have been.
      if (careful && connection && connection.safeUntil <= now) connection = idle.tail?.value;
      if (!connection || (careful && connection.safeUntil <= now)) return undefined;
      if (connection.expiresAt <= now) this.#expire(connection, now);
      else if (!this.#driver.usable(connection)) this.close(connection, 'server-closed');
      else {
        this.#unlinkIdle(connection);
        if (idle.size < host.idleLow) host.idleLow = idle.size;
        connection.idledFor = now - connection.idleSince;
        if (this.#isDoubtful(connection, now)) this.#settleLater(connection);
        else this.#activate(connection);
        return connection;
      }
    }
  }

  /**
   * Hot path. Whether an idle connection is looked at before it is leased: idle for long, or the loop was busy and has not
   * polled for a while, so that its end, or bytes that nobody asked for, may lie in the kernel.
   */
  #isDoubtful({ validateAt }: Connection<K>, now: number): boolean {
    return validateAt <= now || (validateAt !== Infinity && !this.#driver.polledLately(now));
  }

  /**
   * Puts `waiter` in its host's queue, and starts whatever can be started for it. Where the queue has no room for it, it
   * is refused; not, however, as long as a connection may be opened, now or at the end of this turn.
   *
   * @param isAdmitted it was let in before, and is not refused now
   */
  enqueue(waiter: Waiter<K>, isAdmitted = false): void {
    const { host } = waiter;
    this.hosts.add(host);
    waiter.arrival = this.#arrivals++;
    host.waiting.push(waiter);
    if (waiter.since !== Infinity) host.timed++;
    if (this.limits.binding === 'late') host.undialled.push((waiter.undialledLink = new Link(waiter)));
    // Whatever it gets, nothing was idle for it.
    host.idleLow = 0;
    this.changes++;
    if (waiter.careful) host.careful++;
    this.#recount(host);
    this.#watch(host);
    // What is idle is not safe enough for it: the oldest gives way to the connection that it needs.
    const old = waiter.careful && host.need > 0 ? host.idle.head : undefined;
    if (old) this.close(old.value, 'idle-timeout');
    else this.#start(host);
    if (!isAdmitted && this.#isOverfull(host)) this.#overflow(waiter);
    if (waiter.state === 'queued' && this.#isStuck(host)) this.#saturate(host);
  }

  /** Gives `waiter` another priority. `false`: it is not in the queue any more, or was never. */
  reprioritize(waiter: Waiter<K>, priority: number): boolean {
    if (waiter.state !== 'queued') return false;
    waiter.host.waiting.move(waiter, priority);
    return true;
  }

  /**
   * The driver: `connection` was lost, and its request wants another one. `waiter` comes first in its queue. An idle connection
   * is settled for it, which is to say looked at again: what has lost one may have lost them all.
   *
   * @param fresh it wants a new one, which is opened in the place of the lost one as soon as that is closed
   */
  retry(connection: Connection<K>, waiter: Waiter<K>, fresh: boolean): void {
    const { host } = connection;
    if (fresh) {
      connection.heir = waiter;
      waiter.state = 'inheriting';
      waiter.connection = connection;
      this.close(connection, 'server-closed');
      return;
    }
    this.#enqueueFirst(waiter);
    if (!waiter.careful && host.idle.tail) this.#lookAt(host.idle.tail.value);
    this.close(connection, 'server-closed');
    this.#pump(host);
  }

  /** Every waiter that no connection is being opened for. */
  *undialled(): Generator<Waiter<K>, void, undefined> {
    for (const host of this.hosts) {
      yield* host.waiting;
      for (const { heir } of host.connections) if (heir) yield heir;
    }
  }

  /** Takes `waiter` out of the queue. `false`: it was done already. Rejecting the request is the caller's. */
  abort(waiter: Waiter<K>): boolean {
    if (waiter.state === 'done') return false;
    const { host, connection } = waiter;
    if (waiter.state === 'queued') {
      this.#dequeue(waiter);
    } else if (waiter.state === 'inheriting') {
      if (connection) connection.heir = undefined;
    } else {
      // What is being opened for nobody serves whoever is first.
      host.unbound++;
      this.#recount(host);
    }
    if (connection?.waiter === waiter) connection.waiter = undefined;
    waiter.state = 'done';
    this.changes++;
    this.#cleanUp(host);
    return true;
  }

  /** The driver: `connection`'s channel exists (eager binding), or is ready for a request (late binding). */
  connected(connection: Connection<K>): void {
    if (connection.state !== 'connecting') return;
    const { host, waiter } = connection;
    connection.waiter = undefined;
    this.changes++;
    if (waiter?.state === 'dialling') {
      this.#assign(connection, waiter);
      return;
    }
    host.unbound--;
    this.#recount(host);
    if (waiter) waiter.connection = undefined;
    this.#offer(connection);
  }

  /** The driver: `connection` could not be opened. The error goes to the request that it was opened for. */
  failed(connection: Connection<K>, error: Error): void {
    if (connection.state !== 'connecting') return;
    const { host, waiter } = connection;
    connection.waiter = undefined;
    if (waiter?.state === 'dialling') {
      waiter.state = 'done';
    } else {
      host.unbound--;
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
   * Hot path. The exchange on `connection` is over; `reusable` tells whether another may follow. `false`: it
   * was not on lease, so nothing happened: releases may come twice.
   */
  release(connection: Connection<K>, reusable: boolean): boolean {
    if (connection.state !== 'active') return false;
    const { host } = connection;
    if (!reusable || this.#isSurplus(host)) {
      this.close(connection, 'surplus');
    } else if (connection.requestsLeft <= 0) {
      this.close(connection, 'max-requests');
    } else if (connection.retireAt !== Infinity && connection.retireAt <= this.#driver.now()) {
      this.close(connection, 'max-age');
    } else {
      this.#free(connection);
    }
    return true;
  }

  /** The event loop has polled: settle what was released, and go on with the dials that were put off. */
  turn(): void {
    this.turns++;
    this.scheduled = false;
    const settling = this.#settling;
    this.#settling = [];
    for (const connection of settling) {
      if (connection.state === 'settling' && !this.#driver.settled(connection)) {
        this.#settling.push(connection);
        this.#schedule();
      } else {
        this.settle(connection);
      }
    }
    this.#pumpingPaced = true;
    for (let count = this.paced.size; count > 0; count--) {
      const host = this.paced.shift();
      if (host) this.#pump(host);
    }
    this.#pumpingPaced = false;
  }

  /** The driver: what was deferred. `connection` has settled: whoever is first gets it. */
  settle(connection: Connection<K>): void {
    if (connection.state !== 'settling') return;
    if (this.#driver.usable(connection)) {
      connection.host.settling--;
      this.#recount(connection.host);
      this.#offer(connection);
    } else {
      this.close(connection, 'server-closed');
    }
  }

  /** Ask the driver to close `connection`. It counts until the driver says `closed`. */
  close(connection: Connection<K>, reason: CloseReason, error?: Error): void {
    if (connection.state === 'closing' || connection.state === 'closed') return;
    const { host } = connection;
    this.#leaveState(connection);
    this.changes++;
    connection.closeReason = reason;
    if (connection.channel === undefined) {
      // Nothing to close, and nothing will tell us: a dial that is answered later finds it `closed`.
      this.#drop(connection, reason);
      this.#grant(host);
      return;
    }
    connection.state = 'closing';
    host.closing++;
    this.closing++;
    if (host.share) host.share.closing++;
    this.#driver.close(connection, reason, error);
    this.#pump(host);
  }

  /** The driver: `connection` is gone, asked for or not. */
  closed(connection: Connection<K>, reason: CloseReason = 'closed'): void {
    if (connection.state === 'closed') return;
    const { host } = connection;
    this.#leaveState(connection);
    this.#drop(connection, reason);
    this.#bequeath(connection);
    this.#grant(host);
  }

  /** Takes in a connection that the driver got from elsewhere, as active. `undefined`: there is no room. */
  adopt(host: HostPool<K>): Connection<K> | undefined {
    if (!this.#mayOpen(host)) return undefined;
    const connection = this.#create(host);
    this.#activate(connection);
    return connection;
  }

  /** No further request will name `host`: what is idle is closed, what is active will not be kept. */
  abandon(host: HostPool<K>): void {
    host.abandoned = true;
    for (const connection of host.idle) this.close(connection, 'surplus');
  }

  /**
   * The limits of `host`, which holds nothing yet. A host that already is in the pool gets others by `rulesChanged`.
   */
  limit(host: HostPool<K>, limits: HostLimits): void {
    host.limits = limits;
    host.share = this.shares.get(limits);
    host.reorder(this.limits.random);
  }

  /**
   * Other rules hold from now on.
   *
   * @param limitsOf the limits of each host that is in the pool
   * @param reserving the limits that reserve something
   */
  rulesChanged(limitsOf: (host: HostPool<K>) => HostLimits, reserving: readonly HostLimits[]): void {
    this.shares.clear();
    for (const limits of reserving) this.shares.set(limits, new Share());
    for (const host of this.hosts) {
      this.#sate(host);
      for (const { shareLink } of host.idle) if (shareLink) host.share?.idle.remove(shareLink);
      this.limit(host, limitsOf(host));
      const { share } = host;
      if (!share) continue;
      share.size += host.connections.size;
      share.closing += host.closing;
    }
    for (const connection of this.idle) this.#shareIdle(connection);
    this.limitsChanged();
  }

  /**
   * A limit was changed: who can go now, goes; idle connections above it are closed. Those in use are closed after their
   * exchange, and who waits already, waits on.
   */
  limitsChanged(): void {
    const { maxTotalSockets, maxTotalFreeSockets } = this.limits;
    this.changes++;
    this.#allot();
    for (const host of this.hosts) {
      const { maxSockets, maxFreeSockets } = host.limits;
      host.reorder(this.limits.random);
      if (host.connections.size >= maxSockets) this.#sate(host);
      this.#unwatch(host);
      this.#watch(host);
      for (const connection of host.idle) {
        if (host.idle.size <= maxFreeSockets && host.connections.size - host.closing <= maxSockets) break;
        this.close(connection, 'surplus');
      }
    }
    while (this.size - this.closing > maxTotalSockets) {
      const connection = this.#evictable ?? this.idle.head?.value;
      if (!connection) break;
      this.close(connection, 'surplus');
    }
    while (this.idle.head && this.idle.size > maxTotalFreeSockets)
      this.close(this.idle.head.value, 'surplus');
    this.#feedShares();
    this.#feed();
    for (const host of this.hosts) this.#pump(host);
  }

  /** Closes every connection and rejects every waiter. The pool stays usable. */
  destroy(error: Error, closeError?: Error): void {
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
        const { heir, waiter } = connection;
        if (heir) {
          connection.heir = undefined;
          heir.state = 'done';
          rejected.push(heir);
        }
        if (waiter?.state === 'dialling') {
          connection.waiter = undefined;
          host.unbound++;
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
    this.expiring.sweep(now, (connection) => {
      if (connection.state === 'idle') this.#expire(connection, now);
    });
    return this.expiring.next;
  }

  /** Nothing that was known of idle connections is sure any more: each is looked at before it is leased. */
  suspect(): void {
    for (const connection of this.idle) connection.validateAt = -Infinity;
  }

  /** When somebody may have been in a queue for too long, `Infinity` for nobody ever. */
  get nextDeadline(): number {
    return this.deadlines.top?.deadline ?? Infinity;
  }

  /**
   * Who has been in a queue for too long is refused. Returns when to look again: no one's time is up before, `Infinity` if
   * nobody's ever is.
   */
  expire(now: number): number {
    for (;;) {
      const host = this.deadlines.top;
      if (!host) return Infinity;
      if (host.deadline > now) return host.deadline;
      const waiter = host.waiting.nextToExpire;
      const limit = host.limits.acquireTimeout;
      if (waiter && waiter.since + limit <= now) {
        this.#refuse(waiter, 'acquireTimeout', now - waiter.since);
      } else {
        // Who was to be refused then has gone meanwhile.
        this.#unwatch(host);
        this.#watch(host);
      }
    }
  }

  /** Something becomes idle: an interval begins, unless one is under way. Returns its end. */
  beginTrim(now: number): number {
    const { trimInterval } = this.limits;
    this.#trimsAt = trimInterval === 0 ? Infinity : Math.min(this.#trimsAt, now + trimInterval);
    return this.#trimsAt;
  }

  /**
   * Closes idle connections that were not needed once in a whole `trimInterval` in which others of their host were: those
   * that a peak has left behind. Idle time alone would not tell them where all are used in turn. Returns when to look again:
   * `Infinity` if nothing is idle.
   */
  trim(now: number): number {
    const { trimInterval } = this.limits;
    if (this.idle.size === 0 || trimInterval === 0) return (this.#trimsAt = Infinity);
    if (now < this.#trimsAt) return this.#trimsAt;
    this.#trimsAt = now + trimInterval;
    for (const host of this.hosts) {
      const { idleLow } = host;
      host.idleLow = Infinity;
      if (idleLow === Infinity) continue;
      for (let surplus = Math.min(idleLow, host.idle.size); surplus > 0 && host.idle.head; surplus--) {
        this.close(host.idle.head.value, 'surplus');
      }
    }
    return this.#trimsAt;
  }

  /** Starts what can be started for `host`, and tells of it when somebody has to wait for what cannot. */
  #pump(host: HostPool<K>): void {
    this.#start(host);
    if (!host.saturated && this.#isStuck(host)) this.#saturate(host);
  }

  /** Starts what can be started for `host`, and notes where it waits for what cannot. */
  #start(host: HostPool<K>): void {
    // The one that a request waited for was dead: another may not be, and is here sooner than what is being opened.
    while (host.idle.size > 0 && host.waiting.size - host.careful > host.settling) this.#lookAtNext(host);
    while (host.need > 0) {
      if (host.connections.size >= host.limits.maxSockets) {
        this.#giveWay(host);
        return;
      }
      if (!this.#hasRoom(host)) {
        if (!host.isHungry) this.#hunger(host);
        this.#makeRoom(host.share);
        return;
      }
      if (!this.#mayDial(host)) return;
      this.#dial(host);
    }
  }

  /** Whether somebody waits at `host` for a limit, and not only for the end of this turn. */
  #isStuck(host: HostPool<K>): boolean {
    return host.need > 0 && !host.pacedLink.list;
  }

  #saturate(host: HostPool<K>): void {
    host.saturated = true;
    this.#driver.saturated(host);
  }

  #mayOpen(host: HostPool<K>): boolean {
    return host.connections.size < host.limits.maxSockets && this.#hasRoom(host);
  }

  /** Whether there is a place for `host` under `maxTotalSockets` that is not reserved for others. */
  #hasRoom({ share }: HostPool<K>): boolean {
    const room = this.limits.maxTotalSockets - this.size - this.held;
    return room > 0 || (share !== undefined && share.unused > 0 && room + share.unused > 0);
  }

  #isOverfull(host: HostPool<K>): boolean {
    const { unmet } = host;
    return unmet > host.limits.maxQueueSize || (unmet > 0 && this.unmet > this.limits.maxTotalQueueSize);
  }

  /** There are more waiters than a queue may hold. What may be opened at the end of this turn is opened now. */
  #overflow(waiter: Waiter<K>): void {
    const { host } = waiter;
    while (this.#isOverfull(host) && host.need > 0 && this.#mayOpen(host)) this.#dial(host);
    for (const other of this.paced) {
      while (this.unmet > this.limits.maxTotalQueueSize && other.need > 0 && this.#mayOpen(other))
        this.#dial(other);
    }
    if (waiter.state !== 'queued') return;
    const unmet = host.unmet - this.#placesFor(host);
    if (unmet > host.limits.maxQueueSize) this.#refuse(waiter, 'maxQueueSize', 0);
    else if (unmet > 0 && this.unmet - this.closing > this.limits.maxTotalQueueSize) {
      this.#refuse(waiter, 'maxTotalQueueSize', 0);
    }
  }

  /** Places that are about to come free, and go to `host` then. */
  #placesFor(host: HostPool<K>): number {
    if (host.isHungry) return this.hungry.size <= this.closing ? 1 : 0;
    return host.closing;
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
      waiting: ofAll ? this.unmet : host.waiting.size,
      active: ofAll ? this.size - this.idle.size - this.closing : host.inUse,
      waited,
    });
    this.#cleanUp(host);
  }

  /** Notes when the first of `host`'s waiters has waited for too long, if it is not noted yet. */
  #watch(host: HostPool<K>): void {
    const { acquireTimeout } = host.limits;
    if (acquireTimeout === 0 || host.deadline !== Infinity) return;
    const { nextToExpire } = host.waiting;
    if (!nextToExpire) return;
    host.deadline = nextToExpire.since + acquireTimeout;
    this.deadlines.add(host.deadlineEntry);
  }

  #unwatch(host: HostPool<K>): void {
    if (host.deadline === Infinity) return;
    host.deadline = Infinity;
    this.deadlines.remove(host.deadlineEntry);
  }

  /**
   * Whether `host` may dial now; if not, it is noted for the turn. A host dials once per turn, and where it has
   * connections at the turn's end: what has connected or come free by then serves the queue first, so that a burst
   * opens as many connections as it needs and not one for each request.
   */
  #mayDial(host: HostPool<K>, hasWaited = this.#pumpingPaced): boolean {
    const isTime = hasWaited || host.connections.size === host.closing;
    if (isTime && host.dialTurn !== this.turns) {
      host.dialTurn = this.turns;
      return true;
    }
    if (!host.pacedLink.list) this.paced.push(host.pacedLink);
    this.#schedule();
    return false;
  }

  #lookAtNext(host: HostPool<K>): void {
    const connection = host.nextIdle;
    if (connection) this.#lookAt(connection);
  }

  /** An idle connection settles for a request before that gets it. */
  #lookAt(connection: Connection<K>): void {
    this.#unlinkIdle(connection);
    this.#settleLater(connection);
  }

  /** One place for each waiter of `host` that may have none of its idle connections, the longest idle one's first. */
  #giveWay(host: HostPool<K>): void {
    const link = host.idle.head;
    // Closing it comes back here for the next.
    if (link && host.need > host.closing) this.close(link.value, 'idle-timeout');
  }

  /** Opens a connection for who has waited for the place of this one, if that place is still there. */
  #bequeath({ heir, host }: Connection<K>): void {
    if (!heir) return;
    heir.connection = undefined;
    if (this.#mayOpen(host)) {
      this.#dialFor(heir);
    } else {
      heir.state = 'queued';
      this.#enqueueFirst(heir);
    }
  }

  /** Before all others, and never refused. With late binding, whatever is opened for those behind it serves it first. */
  #enqueueFirst(waiter: Waiter<K>): void {
    const { host, careful } = waiter;
    waiter.arrival = this.#firstArrival--;
    host.waiting.pushFirst(waiter);
    if (careful) host.careful++;
    this.changes++;
    this.#recount(host);
    this.#watch(host);
  }

  #dialFor(waiter: Waiter<K>): void {
    const connection = this.#create(waiter.host);
    waiter.state = 'dialling';
    waiter.connection = connection;
    connection.waiter = waiter;
    this.#driver.dial(connection, waiter);
  }

  #dial(host: HostPool<K>): void {
    const late = this.limits.binding === 'late';
    const waiter = (late && host.undialled.shift()) || host.waiting.next;
    if (!waiter) return;
    if (!late) this.#take(waiter);
    if (waiter.connection) waiter.connection.waiter = undefined;
    const connection = this.#create(host);
    // Whose turn it is next must not be put off for a turn of the loop that was over long ago.
    if (this.#hungryHosts > 0) this.#schedule();
    if (late) {
      // Bound to nobody; but if it fails, the error is this waiter's, unless it has been served meanwhile.
      host.unbound++;
    } else {
      waiter.state = 'dialling';
    }
    this.#waitsLess(host);
    waiter.connection = connection;
    connection.waiter = waiter;
    this.#driver.dial(connection, waiter);
  }

  /** `connection` is free, and nobody has it: to the head of the queue, or idle, or closed. */
  #offer(connection: Connection<K>): void {
    const { host } = connection;
    connection.state = 'active';
    this.changes++;
    if (this.#isSurplus(host)) {
      this.close(connection, 'surplus');
      return;
    }
    const waiter = this.#firstFor(connection);
    // A new one is here in its host's turn.
    if (!waiter) this.#keep(connection);
    else if (connection.served > 0 && this.#mustYield(host)) this.close(connection, 'evicted');
    else this.#serve(connection, waiter);
  }

  /** Hot path. `connection`, which is active and has no request, becomes idle: nobody waits that may have it. */
  #keep(connection: Connection<K>): void {
    const { host } = connection;
    const { changes } = this;
    if (!this.#mayIdle(host) || !this.#driver.park(connection)) {
      this.close(connection, 'surplus');
      return;
    }
    // Parking runs foreign code: it may have closed the connection, made a request, or changed a limit.
    if (this.changes !== changes) {
      if (connection.state !== 'active') return;
      const waiter = this.#firstFor(connection);
      if (this.#isSurplus(host) || (!waiter && !this.#mayIdle(host))) {
        this.close(connection, 'surplus');
        return;
      }
      if (waiter) {
        if (connection.served > 0 && this.#mustYield(host)) this.close(connection, 'evicted');
        else this.#serve(connection, waiter);
        return;
      }
    }
    connection.state = 'idle';
    this.changes++;
    host.addIdle(connection);
    this.idle.push(connection.lruLink);
    this.expiring.add(connection);
    if (host.share) this.#shareIdle(connection);
    if (this.idle.size > this.limits.maxTotalFreeSockets && this.idle.head) {
      this.close(this.idle.head.value, 'surplus');
    }
    if (this.#hungryHosts > 0 || this.held > 0) this.#makeRoom(host.share);
    // Who waits although it is there counted on it, and may not have it.
    if (host.waiting.size > 0) this.#pump(host);
  }

  /** `connection`, which is active and has no request, goes to `waiter`, whose turn it is. */
  #serve(connection: Connection<K>, waiter: Waiter<K>): void {
    const { host } = connection;
    this.#take(waiter);
    this.#waitsLess(host);
    if (waiter.connection) waiter.connection.waiter = undefined;
    this.#assign(connection, waiter);
    // Who counted on it, and may have what is idle, need not wait for another one.
    if (waiter.careful && host.idle.size > 0 && host.waiting.size > 0) this.#pump(host);
  }

  /** Who is next in the queue, of those that may have `connection`. */
  #firstFor({ host, safeUntil }: Connection<K>): Waiter<K> | undefined {
    const { next } = host.waiting;
    if (!next?.careful || safeUntil === Infinity || safeUntil > this.#driver.now()) return next;
    return host.careful < host.waiting.size ? host.waiting.firstThat(isCareless) : undefined;
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

  #keeps(host: HostPool<K>): boolean {
    return this.limits.keepAlive && !host.abandoned;
  }

  /** Whether one more connection of `host` may become idle. */
  #mayIdle(host: HostPool<K>): boolean {
    return (
      this.#keeps(host) && host.idle.size < host.limits.maxFreeSockets && this.limits.maxTotalFreeSockets > 0
    );
  }

  /** Hot path. It may have another request. */
  #free(connection: Connection<K>): void {
    const { host } = connection;
    const { idle, limits, settling, waiting } = host;
    const mayStay =
      waiting.size > settling ||
      // Those that settle and are not waited for become idle, too.
      (this.#keeps(host) && idle.size + settling - waiting.size < limits.maxFreeSockets);
    if (!mayStay) {
      this.close(connection, 'surplus');
      return;
    }
    connection.idledFor = 0;
    const isAwaited = waiting.size > 0;
    if (!this.#driver.quiet(connection, isAwaited)) {
      this.#settleLater(connection);
    } else if (isAwaited) {
      this.#settle(connection);
      this.#driver.defer(connection);
    } else {
      this.#keep(connection);
    }
  }

  #settle(connection: Connection<K>): void {
    connection.state = 'settling';
    connection.host.settling++;
    this.changes++;
    this.#recount(connection.host);
  }

  #settleLater(connection: Connection<K>): void {
    this.#settle(connection);
    this.#settling.push(connection);
    this.#schedule();
  }

  /** Whether there are more connections than a lowered limit allows, those on their way out not counted. */
  #isSurplus(host: HostPool<K>): boolean {
    if (host.connections.size - host.closing > host.limits.maxSockets) return true;
    return (
      this.size - this.closing > this.limits.maxTotalSockets || (this.#isShort && !this.#isReserved(host))
    );
  }

  /** Whether, after a change of limits, there are connections on places that are reserved for others. */
  get #isShort(): boolean {
    return this.held > 0 && this.size - this.closing + this.held > this.limits.maxTotalSockets;
  }

  /** Whether a connection of `host` that is closed would only make room for its own share. */
  #isReserved({ share }: HostPool<K>): boolean {
    return share !== undefined && share.isWithinReserve;
  }

  /** The number of `host`'s waiters that can count on nothing may have changed. */
  #recount(host: HostPool<K>): void {
    const { need } = host;
    const unmet = need > 0 ? need : 0;
    this.unmet += unmet - host.unmet;
    host.unmet = unmet;
    if (unmet === 0 && host.isHungry) this.#sate(host);
  }

  /** One that waited at `host` waits no more, or has something opened for it. */
  #waitsLess(host: HostPool<K>): void {
    this.#recount(host);
    if (host.timed === 0) this.#unwatch(host);
    if (host.waiting.size > 0) return;
    if (!host.saturated) return;
    host.saturated = false;
    this.#driver.drained(host);
  }

  /** `host` waits for room. */
  #hunger(host: HostPool<K>): void {
    host.isHungry = true;
    this.#hungryHosts++;
    this.hungry.add(host);
    host.share?.hungry.push(host.shareLink);
  }

  /** `host` does not wait for room. */
  #sate(host: HostPool<K>): void {
    if (!host.isHungry) return;
    host.isHungry = false;
    this.#hungryHosts--;
    this.hungry.remove(host);
    host.share?.hungry.remove(host.shareLink);
  }

  #schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.#driver.schedule();
  }

  /** Whether `host` has served enough of its own requests ahead of the hosts that wait for room. */
  #mustYield(host: HostPool<K>): boolean {
    // On a reserved place, what it gives up serves only those of its share.
    const share = this.#isReserved(host) ? host.share : undefined;
    const { hungry, closing } = share ?? this;
    const others = hungry.size - (host.isHungry ? 1 : 0);
    if (others <= closing || !this.hungry.isOvertaking(host)) return false;
    if (this.#overtakes++ < MAX_OVERTAKES) return false;
    this.#overtakes = 0;
    const next = share ? share.hungry.head?.value : this.hungry.next;
    if (next !== host) return true;
    // It is its own turn: it keeps the place that it would get.
    this.#takeTurn(host);
    return false;
  }

  /** One place per hungry host, taken from the least recently used idle connections of all. */
  #makeRoom(share: Share<K> | undefined): void {
    if (share) {
      // What is reserved for them serves them only.
      while (share.hungry.size > share.closing && share.idle.head)
        this.close(share.idle.head.value, 'evicted');
    }
    while (this.hungry.size > this.closing || this.#isShort) {
      const connection = this.#evictable;
      if (!connection) return;
      this.close(connection, 'evicted');
    }
  }

  /** The least recently used idle connection on a place that is not reserved. At most, what is reserved is passed over. */
  get #evictable(): Connection<K> | undefined {
    let link = this.idle.head;
    while (link && this.#isReserved(link.value.host)) link = link.next;
    return link?.value;
  }

  /** Capacity came free that `host` used: the hosts that wait for room come first, then `host`. */
  #grant(host: HostPool<K>): void {
    if (this.#isOvercommitted) this.#feedShares();
    else if (host.share) this.#feedShare(host.share);
    this.#feed();
    this.#pump(host);
    this.#cleanUp(host);
  }

  /** A place each to the hungry, in turn, for as long as there are places. */
  #feed(): void {
    // A dial may fail, and so come back here, before it returns: the loop that runs already goes on instead.
    if (this.#feeding) return;
    this.#feeding = true;
    for (;;) {
      const host = this.hungry.next;
      if (!host || !this.#hasRoom(host)) break;
      this.#feedHost(host);
    }
    this.#feeding = false;
    this.#makeRoom(undefined);
  }

  #feedShares(): void {
    for (const share of this.shares.values()) this.#feedShare(share);
    this.#isOvercommitted = this.size + this.held > this.limits.maxTotalSockets;
  }

  /** Places that are reserved for them to the hungry of `share`. */
  #feedShare(share: Share<K>): void {
    if (this.#feeding) return;
    this.#feeding = true;
    for (;;) {
      const host = share.hungry.head?.value;
      if (!host || share.unused === 0 || !this.#hasRoom(host)) break;
      this.#feedHost(host);
    }
    this.#feeding = false;
    this.#makeRoom(share);
  }

  /** There is room for `host`, and it is its turn. */
  #feedHost(host: HostPool<K>): void {
    if (host.connections.size >= host.limits.maxSockets) {
      this.#sate(host);
      return;
    }
    this.#overtakes = 0;
    this.#takeTurn(host);
    // It has waited for its place: put off once more, it would lose it to those behind it.
    if (this.#mayDial(host, true)) this.#dial(host);
    else this.#sate(host);
  }

  /** `host`, which is hungry, has a place: the others come next. */
  #takeTurn(host: HostPool<K>): void {
    this.hungry.granted(host);
    if (host.share?.hungry.remove(host.shareLink)) host.share.hungry.push(host.shareLink);
  }

  /** Gives out what `maxTotalSockets` allows to reserve. One place at least stays for everybody. */
  #allot(): void {
    let left = Math.max(0, this.limits.maxTotalSockets - 1);
    this.held = 0;
    for (const [limits, share] of this.shares) {
      share.reserve = Math.min(limits.reserve, left);
      left -= share.reserve;
      this.held += share.unused;
    }
  }

  #shareIdle(connection: Connection<K>): void {
    connection.host.share?.idle.push((connection.shareLink ??= new Link(connection)));
  }

  #create(host: HostPool<K>): Connection<K> {
    const connection = new Connection(host);
    this.hosts.add(host);
    host.connections.add(connection);
    this.size++;
    if (host.connections.size >= host.limits.maxSockets) this.#sate(host);
    if (host.share) {
      if (host.share.unused > 0) this.held--;
      host.share.size++;
    }
    this.changes++;
    return connection;
  }

  /** Takes `waiter` out of its queue, and everything that goes with it. */
  #dequeue(waiter: Waiter<K>): void {
    waiter.host.waiting.remove(waiter);
    this.#leaveQueue(waiter);
    this.#waitsLess(waiter.host);
  }

  /** The same, because it is its turn. */
  #take(waiter: Waiter<K>): void {
    waiter.host.waiting.take(waiter);
    this.#leaveQueue(waiter);
  }

  #leaveQueue({ careful, host, since, undialledLink }: Waiter<K>): void {
    if (since !== Infinity) host.timed--;
    if (undialledLink) host.undialled.remove(undialledLink);
    if (careful) host.careful--;
  }

  /** Takes `connection` out of everything that its state put it in, but not out of the limits' counts. */
  #leaveState(connection: Connection<K>): void {
    const { host, state, waiter } = connection;
    this.expiring.remove(connection);
    if (state === 'idle') {
      this.#unlinkIdle(connection);
    } else if (state === 'settling') {
      host.settling--;
      this.#recount(host);
    } else if (state === 'closing') {
      host.closing--;
      this.closing--;
      if (host.share) host.share.closing--;
    } else if (state === 'connecting' && waiter?.state !== 'dialling') {
      host.unbound--;
      this.#recount(host);
      connection.waiter = undefined;
      if (waiter) waiter.connection = undefined;
    }
  }

  #unlinkIdle(connection: Connection<K>): void {
    const { host, shareLink } = connection;
    host.removeIdle(connection);
    this.idle.remove(connection.lruLink);
    if (host.share && shareLink) host.share.idle.remove(shareLink);
  }

  #drop(connection: Connection<K>, reason: CloseReason): void {
    connection.state = 'closed';
    connection.closeReason ??= reason;
    const { connections, share } = connection.host;
    connections.delete(connection);
    this.size--;
    if (share) {
      share.size--;
      if (share.size < share.reserve) this.held++;
    }
    this.changes++;
  }

  #cleanUp(host: HostPool<K>): void {
    if (!host.isEmpty) return;
    this.paced.remove(host.pacedLink);
    if (this.hosts.delete(host)) this.#driver.retire(host);
  }
}

function isCareless({ careful }: { careful: boolean }): boolean {
  return !careful;
}
