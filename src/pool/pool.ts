/**
 * All hosts, under one roof: who gets which connection, who opens one, who waits, and what is closed to make
 * room. Pure: no I/O, no timers, no clock of its own. It promises
 *
 * - the limits hold at every moment, whatever the driver answers, and whenever;
 * - every waiter ends once: assigned, rejected or aborted;
 * - nobody waits while there is capacity for it, except until the end of this turn of the event loop;
 * - lease, enqueue, release, abort and close take constant time.
 *
 * It does not know what a connection or a request is. invariants.ts says what must hold between two calls.
 */
import type { CloseReason } from './close-reason.js';
import { Connection } from './connection.js';
import type { Driver } from './driver.js';
import { ExpiryWheel } from './expiry-wheel.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import type { Limits } from './limits.js';
import type { Link } from './list.js';
import { List } from './list.js';
import type { Waiter } from './waiter.js';

/**
 * How many requests may be served on a host's own connections while another host waits for room under
 * `maxTotalSockets`. Zero would be strict turns, and a new handshake for every request; no bound would starve.
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
  /** The same, as far as they expire, by when they do. */
  readonly expiring: ExpiryWheel<Connection<K>> = new ExpiryWheel();
  /** Hosts in need that only `maxTotalSockets` holds back; they take turns. */
  readonly hungry: List<HostPool<K>> = new List();
  /** Hosts in need that go on dialling in the next turn. */
  readonly paced: List<HostPool<K>> = new List();
  /** A turn was asked for and has not come yet. */
  scheduled = false;

  readonly #driver: Driver<K>;
  #settling: Connection<K>[] = [];
  /** Requests served on connections of a host that had others waiting behind it, since a place was last given. */
  #overtakes = 0;
  #feeding = false;
  #pumpingPaced = false;

  constructor(driver: Driver<K>, limits: Limits) {
    this.#driver = driver;
    this.limits = limits;
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
      let link = this.#nextIdle(host);
      // Where the one whose turn it is has been idle for too long, the last used one may not have been.
      if (careful && link && link.value.safeUntil <= now) link = idle.tail;
      if (!link || (careful && link.value.safeUntil <= now)) return undefined;
      const connection = link.value;
      if (connection.expiresAt <= now) this.#expire(connection, now);
      else if (!this.#driver.usable(connection)) this.close(connection, 'server-closed');
      else {
        this.#unlinkIdle(connection);
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
    return validateAt <= now || (validateAt !== Infinity && !this.#driver.polledLately());
  }

  /** Puts `waiter` in its host's queue, and starts whatever can be started for it. */
  enqueue(waiter: Waiter<K>): void {
    const { host } = waiter;
    this.hosts.add(host);
    host.waiting.push(waiter.link);
    host.undialled ??= waiter.link;
    this.changes++;
    if (waiter.careful) host.careful++;
    // What is idle is not safe enough for it: the oldest gives way to the connection that it needs.
    const old = waiter.careful && host.need > 0 ? host.idle.head : undefined;
    if (old) this.close(old.value, 'idle-timeout');
    else this.#pump(host);
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
      this.#sate(host);
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
    const { limits } = this;
    if (!reusable || this.#isSurplus(host)) {
      this.close(connection, 'surplus');
    } else if (connection.requestsLeft <= 0) {
      this.close(connection, 'max-requests');
    } else if (connection.retireAt !== Infinity && connection.retireAt <= this.#driver.now()) {
      this.close(connection, 'max-age');
    } else if (host.waiting.size > host.settling) {
      if (this.#mustYield(host)) this.close(connection, 'evicted');
      else this.#free(connection);
    } else if (
      this.#keeps(host) &&
      // Those that settle and are not waited for become idle, too.
      host.idle.size + host.settling - host.waiting.size < limits.maxFreeSockets
    ) {
      this.#free(connection);
    } else {
      this.close(connection, 'surplus');
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
    if (host.connections.size >= this.limits.maxSockets || this.size >= this.limits.maxTotalSockets) {
      return undefined;
    }
    const connection = this.#create(host);
    this.#activate(connection);
    return connection;
  }

  /** No further request will name `host`: what is idle is closed, what is active will not be kept. */
  abandon(host: HostPool<K>): void {
    host.abandoned = true;
    for (const connection of host.idle) this.close(connection, 'surplus');
  }

  /** A limit was changed: who can go now, goes; idle connections above it are closed. */
  limitsChanged(): void {
    const { maxSockets, maxTotalSockets, maxFreeSockets } = this.limits;
    this.changes++;
    for (const host of this.hosts) {
      for (const connection of host.idle) {
        if (host.idle.size <= maxFreeSockets && host.connections.size - host.closing <= maxSockets) break;
        this.close(connection, 'surplus');
      }
    }
    for (const connection of this.idle) {
      if (this.size - this.closing <= maxTotalSockets) break;
      this.close(connection, 'surplus');
    }
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
    this.expiring.sweep(now, (connection) => this.#expire(connection, now));
    return this.expiring.next;
  }

  /** Nothing that was known of idle connections is sure any more: each is looked at before it is leased. */
  suspect(): void {
    for (const connection of this.idle) connection.validateAt = -Infinity;
  }

  /** Starts what can be started for `host`, and notes where it waits for what cannot. */
  #pump(host: HostPool<K>): void {
    while (host.need > 0) {
      if (host.idle.size > 0 && host.waiting.size - host.careful > host.settling) {
        // The one that a request waited for was dead: another may not be.
        this.#lookAtNext(host);
        continue;
      }
      if (host.connections.size >= this.limits.maxSockets) {
        this.#giveWay(host);
        return;
      }
      if (this.size >= this.limits.maxTotalSockets) {
        if (!host.hungryLink.list) this.hungry.push(host.hungryLink);
        this.#makeRoom();
        return;
      }
      if (!this.#mayDial(host)) return;
      this.#dial(host);
    }
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

  /** Whose turn it is among the idle connections of `host`. */
  #nextIdle({ idle }: HostPool<K>): Link<Connection<K>> | undefined {
    return this.limits.scheduling === 'lifo' ? idle.tail : idle.head;
  }

  #lookAtNext(host: HostPool<K>): void {
    const link = this.#nextIdle(host);
    if (link) this.#lookAt(link.value);
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
    const { maxSockets, maxTotalSockets } = this.limits;
    heir.connection = undefined;
    if (host.connections.size < maxSockets && this.size < maxTotalSockets) {
      this.#dialFor(heir);
    } else {
      heir.state = 'queued';
      this.#enqueueFirst(heir);
    }
  }

  /** With late binding, whatever is opened for those behind it serves it first. */
  #enqueueFirst(waiter: Waiter<K>): void {
    const { host, careful, link } = waiter;
    host.waiting.unshift(link);
    if (careful) host.careful++;
    this.changes++;
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
    const link = (late && host.undialled) || host.waiting.head;
    if (!link) return;
    const waiter = link.value;
    if (waiter.connection) waiter.connection.waiter = undefined;
    const connection = this.#create(host);
    if (late) {
      // Bound to nobody; but if it fails, the error is this waiter's, unless it has been served meanwhile.
      host.unbound++;
      if (host.undialled) host.undialled = link.next;
    } else {
      this.#dequeue(waiter);
      waiter.state = 'dialling';
    }
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
    let waiter = this.#firstFor(connection);
    if (!waiter) {
      if (!this.#mayIdle(host) || !this.#driver.park(connection)) {
        this.close(connection, 'surplus');
        return;
      }
      // Parking runs foreign code: it may have closed the connection, made a request, or changed a limit.
      if (connection.state !== 'active') return;
      waiter = this.#firstFor(connection);
      if (this.#isSurplus(host) || (!waiter && !this.#mayIdle(host))) {
        this.close(connection, 'surplus');
        return;
      }
    }
    if (waiter) {
      this.#dequeue(waiter);
      if (waiter.connection) waiter.connection.waiter = undefined;
      this.#assign(connection, waiter);
    } else {
      connection.state = 'idle';
      host.idle.push(connection.idleLink);
      this.idle.push(connection.lruLink);
      this.expiring.add(connection);
      this.#makeRoom();
      // Who waits although it is there counted on it, and may not have it.
      if (host.waiting.size > 0) this.#pump(host);
    }
  }

  /** Who has waited longest, of those that may have `connection`. */
  #firstFor({ host, safeUntil }: Connection<K>): Waiter<K> | undefined {
    const first = host.waiting.head?.value;
    if (!first?.careful || safeUntil === Infinity || safeUntil > this.#driver.now()) return first;
    for (const waiter of host.waiting) if (!waiter.careful) return waiter;
    return undefined;
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
    return this.#keeps(host) && host.idle.size < this.limits.maxFreeSockets;
  }

  #free(connection: Connection<K>): void {
    const { host } = connection;
    connection.idledFor = 0;
    if (!this.#driver.quiet(connection)) {
      this.#settleLater(connection);
    } else if (host.waiting.size > 0) {
      this.#settle(connection);
      this.#driver.defer(connection);
    } else {
      this.#offer(connection);
    }
  }

  #settle(connection: Connection<K>): void {
    connection.state = 'settling';
    connection.host.settling++;
    this.changes++;
    this.#sate(connection.host);
  }

  #settleLater(connection: Connection<K>): void {
    this.#settle(connection);
    this.#settling.push(connection);
    this.#schedule();
  }

  /** Whether there are more connections than a lowered limit allows, those on their way out not counted. */
  #isSurplus(host: HostPool<K>): boolean {
    const { maxSockets, maxTotalSockets } = this.limits;
    return host.connections.size - host.closing > maxSockets || this.size - this.closing > maxTotalSockets;
  }

  /** `host` may need no more room than it has. */
  #sate(host: HostPool<K>): void {
    if (host.hungryLink.list && host.need <= 0) this.hungry.remove(host.hungryLink);
  }

  #schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.#driver.schedule();
  }

  /** Whether `host` has served enough of its own requests ahead of the hosts that wait for room. */
  #mustYield(host: HostPool<K>): boolean {
    const others = this.hungry.size - (host.hungryLink.list ? 1 : 0);
    if (others <= this.closing) return false;
    if (this.#overtakes++ < MAX_OVERTAKES) return false;
    this.#overtakes = 0;
    // Its own turn comes after theirs.
    if (this.hungry.remove(host.hungryLink)) this.hungry.push(host.hungryLink);
    return true;
  }

  /** One place per hungry host, taken from the least recently used idle connections of all. */
  #makeRoom(): void {
    while (this.hungry.size > this.closing) {
      const link = this.idle.head;
      if (!link) return;
      this.close(link.value, 'evicted');
    }
  }

  /** Capacity came free that `host` used: the hosts that wait for room come first, then `host`. */
  #grant(host: HostPool<K>): void {
    this.#feed();
    this.#pump(host);
    this.#cleanUp(host);
  }

  /** A place each to the hungry, in turn, for as long as there are places. */
  #feed(): void {
    // A dial may fail, and so come back here, before it returns: the loop that runs already goes on instead.
    if (this.#feeding) return;
    this.#feeding = true;
    while (this.size < this.limits.maxTotalSockets) {
      const host = this.hungry.shift();
      if (!host) break;
      if (host.need <= 0 || host.connections.size >= this.limits.maxSockets) continue;
      this.#overtakes = 0;
      // It has waited for its place: put off once more, it would lose it to those behind it.
      if (this.#mayDial(host, true)) {
        this.#dial(host);
        if (host.need > 0 && !host.hungryLink.list) this.hungry.push(host.hungryLink);
      }
    }
    this.#feeding = false;
    this.#makeRoom();
  }

  #create(host: HostPool<K>): Connection<K> {
    const connection = new Connection(host);
    this.hosts.add(host);
    host.connections.add(connection);
    this.size++;
    this.changes++;
    return connection;
  }

  #dequeue(waiter: Waiter<K>): void {
    const { host, link } = waiter;
    if (host.undialled === link) host.undialled = link.next;
    host.waiting.remove(link);
    if (waiter.careful) host.careful--;
    this.#sate(host);
  }

  /** Takes `connection` out of everything that its state put it in, but not out of the limits' counts. */
  #leaveState(connection: Connection<K>): void {
    const { host, state, waiter } = connection;
    if (state === 'idle') {
      this.#unlinkIdle(connection);
    } else if (state === 'settling') {
      host.settling--;
    } else if (state === 'closing') {
      host.closing--;
      this.closing--;
    } else if (state === 'connecting' && waiter?.state !== 'dialling') {
      host.unbound--;
      connection.waiter = undefined;
      if (waiter) waiter.connection = undefined;
    }
  }

  #unlinkIdle(connection: Connection<K>): void {
    connection.host.idle.remove(connection.idleLink);
    this.idle.remove(connection.lruLink);
    this.expiring.remove(connection);
  }

  #drop(connection: Connection<K>, reason: CloseReason): void {
    connection.state = 'closed';
    connection.closeReason ??= reason;
    connection.host.connections.delete(connection);
    this.size--;
    this.changes++;
  }

  #cleanUp(host: HostPool<K>): void {
    if (!host.isEmpty) return;
    this.paced.remove(host.pacedLink);
    if (this.hosts.delete(host)) this.#driver.retire(host);
  }
}
