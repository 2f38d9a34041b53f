/**
 * The pool's driver without sockets, and the model beside it: it counts for itself the connections that are open and the requests that wait,
 * from nothing but what passes through the driver interface, and objects to the first thing that is not right.
 */
import assert from 'node:assert/strict';
import { isAgeing } from '../../src/pool/ageing.js';
import type { CloseReason } from '../../src/pool/close-reason.js';
import { Counters } from '../../src/pool/counters.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';
import type { Driver } from '../../src/pool/driver.js';
import { GRAIN } from '../../src/pool/expiry-wheel.js';
import { checkInvariants } from '../../src/pool/invariants.js';
import type { HostLimits, Limits } from '../../src/pool/limits.js';
import { Pool } from '../../src/pool/pool.js';
import type { Refusal } from '../../src/pool/refusal.js';
import { DEFAULT_PRIORITY, MAX_PASSED_OVER } from '../../src/pool/wait-queue.js';
import { hostLimitsWith, limitsWith } from '../support/limits.js';

interface ModelSocket {
  alive: boolean;
  /** Turns for which it says that it is not validated. */
  unvalidated: number;
}

export interface ModelRequest {
  readonly id: number;
  /** When it was made. */
  at: number;
  readonly unreplayable: boolean;
  priority: number;
  waiter?: Waiter<ModelKinds>;
  end: 'assigned' | 'rejected' | 'refused' | 'aborted' | undefined;
  refusal?: Refusal;
}

export interface ModelKinds {
  origin: number;
  pooled: ModelSocket;
  request: ModelRequest;
  learned: undefined;
  route: undefined;
}

interface Spare {
  readonly waiter: Waiter<ModelKinds>;
  fate: 'opening' | 'ready' | 'rejected' | 'given up';
}

type Conn = Connection<ModelKinds>;
type Host = HostPool<ModelKinds>;

/** The way in which a dial ends: the world answers later, or before `dial` returns. */
export type DialMode = 'later' | 'connects' | 'fails';

const PHASES = ['createConnection', 'lookup', 'connect', 'secureConnect'] as const;

export class Model implements Driver<ModelKinds> {
  readonly pool: Pool<ModelKinds>;
  readonly limits: Limits;
  time = 0;
  dialMode: DialMode = 'later';
  closeAtOnce = false;
  keeps = true;
  /** The loop was busy, and has not polled for a while. */
  busy = false;
  /** Released connections are known to be quiet. */
  quick = false;
  idleTime = 1000;
  /** The host closes right after an answer: no age is safe. */
  distrusts = false;
  /** Parts of `idleTime` after which a connection is not safe any more, and is validated first. */
  safePart = 0.7;
  validatePart = 0.5;
  /** `maxRequestsPerSocket` and `maxSocketAge`. */
  maxRequests = Infinity;
  maxAge = Infinity;

  readonly requests: ModelRequest[] = [];
  /** Open by our own count: from the call of `dial` to `failed` or `closed`. */
  readonly open = new Map<Host, Set<Conn>>();
  /** Dials without an answer. */
  readonly dialling = new Set<Conn>();
  readonly leased = new Map<Conn, ModelRequest>();
  readonly closing = new Set<Conn>();
  readonly idle = new Set<Conn>();
  readonly deferred = new Set<Conn>();
  /** Requests of each host that have neither a connection nor an end, oldest first. */
  readonly queues = new Map<Host, ModelRequest[]>();
  turnsAsked = 0;
  /** Requests that have lost a connection and are to get a new one in its slot. */
  readonly awaitingSlot = new Set<ModelRequest>();
  /** Dials of each host since the last turn. */
  readonly dialsThisTurn = new Map<Host, number>();
  /** Hosts that dialled in this turn while the queue had a bound. */
  readonly #boundedThisTurn = new Set<Host>();
  /** Hosts that requests have to wait at, by what we were told. */
  readonly saturatedHosts = new Set<Host>();
  /** Limits of some hosts, by origin. */
  readonly #rules = new Map<number, HostLimits>();
  /** The limits of ways that some hosts share, by origin. */
  readonly #vias = new Map<number, HostLimits>();
  /** How often in a row another request was served than the one that had waited longest. */
  readonly #passedOver = new Map<Host, number>();
  /** When connections that became idle were to be safe no more, and to be validated first. */
  readonly #idleMoments = new Map<Conn, { safeUntil: number; validateAt: number }>();
  readonly #served = new Map<Conn, number>();
  /** Connections that were begun, and those that have ended, by how. */
  #begun = 0;
  readonly #ended = new Map<string, number>();
  readonly #told = new WeakSet<Conn>();
  /** Requests that a connection was ever opened for. */
  readonly #initiators = new Set<ModelRequest>();
  /** Connections that were to be opened for no request, by what stood in the place of one. */
  readonly spares = new Map<ModelRequest, Spare>();
  /** Hosts that we were told may have fewer free connections than are to be ready. */
  readonly shortHosts = new Set<Host>();
  readonly #readyBefore = new Map<Host, { least: number; ready: number }>();
  readonly #hosts: (Host | undefined)[] = [];
  #ending: Generator<void, void, undefined> | undefined;
  readonly #counters: Counters[] = [];

  constructor(limits: Partial<Limits> = {}) {
    this.limits = limitsWith(limits);
    this.pool = new Pool<ModelKinds>(this, this.limits);
  }

  host(origin: number): Host {
    // Some are identities of one host, and what is counted outlives them.
    const counters = (this.#counters[origin % 3] ??= new Counters());
    return (this.#hosts[origin] ??= new HostPool<ModelKinds>(origin, this.limits, counters));
  }

  /** One rule for some hosts; `undefined`: none. */
  rule(origins: readonly number[], some: Partial<HostLimits> | undefined): void {
    const limits = some && hostLimitsWith(some, this.limits);
    for (const origin of origins) {
      if (limits) this.#rules.set(origin, limits);
      else this.#rules.delete(origin);
    }
    this.#rulesChanged();
  }

  /** A gateway of some hosts, with this limit. */
  share(origins: readonly number[], maxSockets: number | undefined): void {
    const limits = maxSockets === undefined ? undefined : hostLimitsWith({ maxSockets }, this.limits);
    for (const origin of origins) {
      if (limits) this.#vias.set(origin, limits);
      else this.#vias.delete(origin);
    }
    this.#rulesChanged();
  }

  #rulesChanged(): void {
    const all = new Set(this.#rules.values());
    this.pool.rulesChanged(
      ({ origin }) => this.#limitsOf(origin),
      [...all].filter(({ reserve }) => reserve > 0),
      ({ origin }) => this.#vias.get(origin),
    );
  }

  #limitsOf(origin: number): HostLimits {
    return this.#rules.get(origin) ?? this.limits;
  }

  // Actions of users and of the network

  request(origin: number, unreplayable = false, priority: number = DEFAULT_PRIORITY): ModelRequest {
    const host = this.host(origin);
    const { isClosed } = this.pool;
    const request: ModelRequest = {
      id: this.requests.length,
      at: this.time,
      unreplayable,
      priority,
      end: undefined,
    };
    this.requests.push(request);
    let leased = this.pool.lease(host);
    if (!leased && !unreplayable) leased = this.pool.leaseUnsafe(host);
    if (leased) this.idle.delete(leased);
    assert.ok(!isClosed || !leased, 'a closed pool takes no new request');
    if (leased?.state === 'active') {
      assert.ok(
        this.#validateAt(leased) > this.time,
        'a connection that was idle for long is validated first',
      );
      assert.ok(leased.pooled?.alive, 'a dead connection is not handed out');
      assert.ok(leased.expiresAt > this.time, 'an expired connection is not handed out');
      this.#give(leased, request);
      return request;
    }
    if (host.isEmpty) this.pool.limit(host, this.#limitsOf(origin), this.#vias.get(origin));
    const waiter = new Waiter<ModelKinds>(host, request, replayOf(request), this.time, priority);
    request.waiter = waiter;
    this.#queue(host).push(request);
    this.pool.enqueue(waiter);
    if (isClosed) assert.equal(request.refusal?.limitedBy, 'closed', 'a closed pool takes no new request');
    if (waiter.state === 'queued') {
      // Requests that count on a slot that is about to come free do not count.
      const { closing } = this.pool.capacity;
      assert.ok(this.#unserved(host) - closing <= host.limits.maxQueueSize, 'maxQueueSize holds');
      const isFull =
        this.#unserved(host) > closing && this.unserved - closing > this.limits.maxTotalQueueSize;
      assert.ok(!isFull, 'maxTotalQueueSize holds');
    }
    return request;
  }

  prioritize(request: ModelRequest, priority: number): void {
    const { waiter } = request;
    if (!waiter) return;
    const waits = this.#queue(waiter.host).includes(request);
    assert.equal(
      this.pool.reprioritize(waiter, priority),
      waits,
      'a request that waits can be given another priority',
    );
    if (waits) request.priority = priority;
  }

  /** Opens a connection for no request. `false`: a limit, or a request that waits, does not allow it. */
  openSpare(origin: number): boolean {
    const host = this.host(origin);
    if (host.isEmpty) this.pool.limit(host, this.#limitsOf(origin), this.#vias.get(origin));
    const request: ModelRequest = { id: -1, at: this.time, unreplayable: false, priority: 3, end: undefined };
    const waiter = new Waiter<ModelKinds>(host, request);
    const idleBefore = [...this.idle].filter((connection) => !isAgeing(connection, this.time));
    const mustOpen = this.#isRoomForSpare(host);
    this.spares.set(request, { waiter, fate: 'opening' });
    const obstacle = this.pool.spares.open(waiter);
    for (const one of idleBefore)
      assert.ok(this.idle.has(one), 'no idle connection has to go for a spare one');
    if (!obstacle) return true;
    assert.ok(!mustOpen, `a spare connection is opened where there is room: ${obstacle}`);
    this.spares.delete(request);
    return false;
  }

  /** Whether nobody could object to one more. */
  #isRoomForSpare(host: Host): boolean {
    if (this.pool.isClosed || host.abandoned || !this.limits.keepAlive) return false;
    if (!this.#mayOpen(host) || this.waitingQueues > 0 || this.awaitingSlot.size > 0) return false;
    let here = 0;
    let all = 0;
    for (const [one, connections] of this.open) {
      for (const { state } of connections) {
        if (state === 'active' || state === 'closing') continue;
        all++;
        if (one === host) here++;
      }
    }
    return here < host.limits.maxFreeSockets && all < this.limits.maxTotalFreeSockets;
  }

  /** As many as `minFreeSockets` wants. */
  keepReady(origin: number): void {
    const { minFreeSockets } = this.#limitsOf(origin);
    for (let lack = this.pool.spares.shortage(this.host(origin), minFreeSockets); lack > 0; lack--)
      if (!this.openSpare(origin)) return;
  }

  giveUpSpare(spare: Spare): void {
    const { fate, waiter } = spare;
    if (fate === 'opening') spare.fate = 'given up';
    this.pool.spares.giveUp(waiter);
    assert.equal(waiter.state, 'done');
  }

  expire(): void {
    const next = this.pool.expire(this.time);
    assert.ok(next > this.time, 'the next deadline is in the future');
    for (const [host, queue] of this.queues) {
      for (const { at } of queue) {
        const { acquireTimeout } = host.limits;
        if (acquireTimeout === 0) continue;
        assert.ok(at + acquireTimeout > this.time, 'nobody waits beyond the deadline');
        assert.ok(next <= at + acquireTimeout, 'nobody is forgotten');
      }
    }
    if (this.waitingQueues === 0) assert.equal(next, Infinity, 'no timer outlives its request');
  }

  abort(request: ModelRequest): void {
    if (!request.waiter) return;
    const waits = request.end === undefined;
    assert.equal(this.pool.abort(request.waiter), waits, 'only a request that waits can be aborted');
    if (!waits) return;
    this.awaitingSlot.delete(request);
    request.end = 'aborted';
    this.#unqueue(request);
  }

  connect(connection: Conn): void {
    if (!this.dialling.delete(connection)) return;
    // The agent was destroyed meanwhile: the driver closes such a socket by itself.
    if (connection.state !== 'connecting') return;
    connection.pooled = { alive: true, unvalidated: 0 };
    if (this.limits.binding === 'late') this.pool.ready(connection);
    this.pool.connected(connection);
  }

  /** With eager binding the handshake is over some time after the connection was handed over. */
  secure(connection: Conn): void {
    if (!connection.pooled) return;
    this.pool.ready(connection);
    assert.ok(!connection.isConnecting, 'a connection that is ready is not connecting');
  }

  failConnect(connection: Conn): void {
    if (!this.dialling.delete(connection)) return;
    if (connection.state !== 'connecting') return;
    this.#gone(connection);
    connection.phase = PHASES[this.#begun % PHASES.length] ?? 'connect';
    this.pool.failed(connection, new Error('refused'));
  }

  release(connection: Conn, reusable: boolean): void {
    const leased = this.leased.delete(connection);
    const isUnsafe = this.distrusts && leased;
    if (leased) this.#idleMoments.delete(connection);
    if (isUnsafe) this.#idleMoments.set(connection, { safeUntil: -Infinity, validateAt: Infinity });
    const awaited = this.#queue(connection.host).some(({ unreplayable }) => !unreplayable);
    const released = this.#release(connection, reusable && connection.pooled?.alive === true);
    assert.equal(released, leased, 'only what is leased can be released');
    if (isUnsafe) {
      assert.notEqual(connection.state, 'idle', 'a connection that is not safe at any age is not kept');
      if (!awaited) {
        const goes = connection.state === 'closing' || connection.state === 'closed';
        assert.ok(goes, 'it serves only a request that waits already and can be sent twice');
      }
    }
    if (
      leased &&
      (this.time >= connection.retireAt || (this.#served.get(connection) ?? 0) >= this.maxRequests)
    ) {
      const goes = connection.state === 'closing' || connection.state === 'closed';
      assert.ok(goes, 'a connection that is too old, or has served enough, is not kept');
    }
  }

  #release(connection: Conn, reusable: boolean): boolean {
    if (!reusable) return this.pool.discard(connection);
    return this.distrusts ? this.pool.releaseUnsafe(connection) : this.pool.release(connection);
  }

  /** The other side closes, or the socket is destroyed: the pool hears of it at once. */
  closeByPeer(connection: Conn): void {
    if (this.dialling.has(connection)) return;
    this.leased.delete(connection);
    this.idle.delete(connection);
    this.closing.delete(connection);
    this.#gone(connection);
    connection.hasFailed = connection.isConnecting;
    this.pool.closed(connection);
  }

  /** A leased connection is lost, and its request wants another one. */
  lose(connection: Conn, fresh: boolean): void {
    const request = this.leased.get(connection);
    if (!request) return;
    const { host } = connection;
    request.end = undefined;
    // It comes first, and may wait for any time.
    request.priority = 0;
    request.at = Infinity;
    const waiter = (request.waiter = new Waiter<ModelKinds>(host, request, replayOf(request)));
    this.#initiators.add(request);
    if (fresh) this.awaitingSlot.add(request);
    else this.#queue(host).unshift(request);
    if (connection.pooled) connection.pooled.alive = false;
    if (fresh) this.pool.retryOnNew(connection, waiter);
    else this.pool.retry(connection, waiter);
  }

  /** A connection closes before the request that has waited for it has heard of it: the request keeps its position. */
  miss(connection: Conn): void {
    const request = this.leased.get(connection);
    const before = request?.waiter;
    if (!request || !before) return;
    this.closeByPeer(connection);
    const host = this.host(connection.host.origin);
    if (host.isEmpty) this.pool.limit(host, this.#limitsOf(host.origin), this.#vias.get(host.origin));
    request.end = undefined;
    const waiter = new Waiter<ModelKinds>(host, request, replayOf(request), before.since, before.priority);
    waiter.arrival = before.arrival;
    request.waiter = waiter;
    const isReplay = before.since === Infinity;
    if (isReplay) request.priority = 0;
    const queue = this.#queue(host);
    const later = isReplay ? 0 : queue.findIndex(({ at, id }) => at !== Infinity && id > request.id);
    queue.splice(later === -1 ? queue.length : later, 0, request);
    this.#initiators.add(request);
    this.pool.readmit(waiter);
  }

  finishClose(connection: Conn): void {
    if (!this.closing.delete(connection)) return;
    this.#gone(connection);
    this.pool.closed(connection);
  }

  reap(): void {
    const next = this.pool.upkeep.reap(this.time);
    for (const { expiresAt } of this.pool.idle) {
      assert.ok(expiresAt > this.time - GRAIN, 'expired connections are found');
      assert.ok(next <= expiresAt + GRAIN, 'the next time comes in time');
    }
    // For those that are in use the timer may wake in vain, once.
    if (this.pool.size === 0) assert.equal(next, Infinity, 'nothing is open, nothing is to do');
  }

  /** No further request is to get `connection`. */
  retireNow(connection: Conn): void {
    const { state } = connection;
    const isDone = this.pool.upkeep.retireNow(connection, 'address-gone', this.time);
    assert.equal(isDone, state === 'idle' || state === 'active');
    if (state === 'idle') {
      const goes = connection.state === 'closing' || connection.state === 'closed';
      assert.ok(goes, 'one that is free goes at once');
      assert.equal(connection.closeReason, 'address-gone');
    }
  }

  tick(): void {
    for (const connection of this.deferred) {
      this.deferred.delete(connection);
      this.pool.validated(connection);
    }
  }

  /** Another turn of the event loop begins. */
  turn(): void {
    this.tick();
    this.dialsThisTurn.clear();
    this.#boundedThisTurn.clear();
    if (this.turnsAsked === 0) return;
    assert.equal(this.turnsAsked, 1, 'one turn is asked for at a time');
    this.turnsAsked = 0;
    this.pool.turn();
  }

  adopt(origin: number): void {
    const host = this.host(origin);
    if (host.isEmpty) this.pool.limit(host, this.#limitsOf(origin), this.#vias.get(origin));
    const full = this.pool.isClosed || !this.#mayOpen(host);
    const connection = this.pool.adopt(host);
    assert.equal(connection === undefined, full, 'a foreign connection is taken in if there is room');
    if (!connection) return;
    connection.pooled = { alive: true, unvalidated: 0 };
    this.#bound(connection);
    this.#openOf(host).add(connection);
    this.#begun++;
    assert.ok(!connection.isConnecting, 'what comes from outside is ready');
    this.pool.release(connection);
  }

  /** Begins to close, and closes `pieces` idle connections. */
  beginClose(pieces: number): void {
    this.pool.shutdown.begin();
    this.#ending = this.pool.shutdown.closeIdle();
    this.goOnEnding(pieces);
  }

  /** The rest of a closed pool is ended, and `pieces` of it at once. */
  end(pieces: number): void {
    if (!this.pool.isClosed) return;
    this.#ending = this.pool.shutdown.end(() => new Error('closed'));
    this.goOnEnding(pieces);
  }

  goOnEnding(pieces: number): void {
    for (let i = 0; i < pieces && this.#ending; i++) {
      this.#ending = this.#ending.next().done ? undefined : this.#ending;
    }
  }

  closeIdleConnections(): void {
    this.pool.shutdown.closeIdleConnections();
    assert.equal(this.pool.idle.size, 0, 'no idle connection is left');
  }

  closeAllConnections(): void {
    const before = [...this.open.values()].flatMap((connections) => [...connections]);
    this.pool.shutdown.closeAllConnections();
    for (const { pooled, state } of before)
      assert.ok(
        pooled === undefined || state === 'closing' || state === 'closed',
        'all that is open is closed',
      );
  }

  destroy(): void {
    this.pool.shutdown.destroy(new Error('destroyed'));
    for (const request of this.requests) assert.ok(request.end, 'destroy ends every request that waits');
  }

  // The driver

  now(): number {
    return this.time;
  }

  dial(connection: Conn, waiter: Waiter<ModelKinds>): void {
    const { host } = connection;
    if (waiter.state === 'spare') {
      this.#dialSpare(connection);
      return;
    }
    const replaces = this.awaitingSlot.delete(waiter.request);
    const dials = (this.dialsThisTurn.get(host) ?? 0) + (replaces ? 0 : 1);
    this.dialsThisTurn.set(host, dials);
    const isBounded = host.limits.maxQueueSize < Infinity || this.limits.maxTotalQueueSize < Infinity;
    if (isBounded) this.#boundedThisTurn.add(host);
    const isPaced = dials <= 1 || this.#boundedThisTurn.has(host);
    assert.ok(isPaced, 'the event loop paces the dials, if the queue is long enough');
    assert.ok(this.#openOf(host).size < host.limits.maxSockets, 'maxSockets holds');
    assert.ok(this.size < this.limits.maxTotalSockets, 'maxTotalSockets holds');
    assert.ok(this.#mayOpen(host), 'slots reserved for others are left to them');
    assert.equal(waiter.request.end, undefined, 'nothing is opened for a request that has ended');
    if (replaces) {
      assert.equal(
        waiter.state,
        'dialling',
        'a request that gets the slot of its lost connection has it alone',
      );
    } else if (this.limits.binding === 'eager') {
      this.#takeNext(host, waiter.request, () => true);
    } else {
      const first = this.#queue(host).find((request) => !this.#initiators.has(request));
      if (first)
        assert.equal(waiter.request, first, 'opened for the first request that has had none opened yet');
    }
    this.#initiators.add(waiter.request);
    this.#answer(connection);
  }

  #dialSpare(connection: Conn): void {
    const { host } = connection;
    assert.equal(this.pool.capacity.blocked.size, 0, 'no slot is taken from hosts that wait for one');
    assert.ok(this.#openOf(host).size < host.limits.maxSockets, 'maxSockets holds');
    assert.ok(this.#mayOpen(host), 'maxTotalSockets holds, and slots reserved for others are left to them');
    assert.ok(!this.pool.isClosed, 'a closed pool opens nothing that no request waits for');
    this.#answer(connection);
  }

  #answer(connection: Conn): void {
    this.#openOf(connection.host).add(connection);
    this.dialling.add(connection);
    this.#begun++;
    this.#bound(connection);
    if (this.dialMode === 'connects') this.connect(connection);
    else if (this.dialMode === 'fails') this.failConnect(connection);
  }

  assign(connection: Conn, waiter: Waiter<ModelKinds>): void {
    const { request } = waiter;
    const queue = this.#queue(connection.host);
    if (queue.includes(request)) {
      const safe = this.#safeUntil(connection) > this.time;
      this.#takeNext(connection.host, request, ({ unreplayable }) => safe || !unreplayable);
    }
    this.#give(connection, request);
  }

  prepareIdle(connection: Conn): boolean {
    if (connection.retireAt <= this.time) return false;
    assert.notEqual(
      this.#safeUntil(connection),
      -Infinity,
      'a connection that is not safe at any age is not kept',
    );
    if (connection.idleSince >= 0) {
      this.idle.add(connection);
      return true;
    }
    connection.idleSince = this.time;
    connection.expiresAt = Math.min(this.time + this.idleTime, connection.retireAt);
    connection.safeUntil = this.time + this.idleTime * this.safePart;
    connection.validateAt = this.time + this.idleTime * this.validatePart;
    const { safeUntil, validateAt } = connection;
    this.#idleMoments.set(connection, { safeUntil, validateAt });
    if (this.keeps) this.idle.add(connection);
    return this.keeps;
  }

  usable(connection: Conn): boolean {
    return connection.pooled?.alive ?? false;
  }

  isReadyForNext({ pooled }: Conn): boolean {
    return this.quick && pooled?.alive === true && pooled.unvalidated <= 0;
  }

  isReadyToIdle(connection: Conn): boolean {
    return this.isReadyForNext(connection);
  }

  isReadyToLease(): boolean {
    return !this.busy;
  }

  validateSoon(connection: Conn): void {
    this.deferred.add(connection);
  }

  validate({ pooled }: Conn): boolean {
    return !pooled || pooled.unvalidated-- <= 0;
  }

  close(connection: Conn, reason: CloseReason): void {
    assert.ok(reason);
    if (
      reason === 'evicted' &&
      !this.idle.has(connection) &&
      !connection.host.reservation &&
      !connection.host.gateway
    ) {
      assert.notEqual(
        this.pool.capacity.blocked.next,
        connection.host,
        'no host gives up a slot that it would get back',
      );
    }
    this.leased.delete(connection);
    this.idle.delete(connection);
    this.dialling.delete(connection);
    if (this.closeAtOnce) {
      this.#gone(connection);
      this.pool.closed(connection);
    } else {
      this.closing.add(connection);
    }
  }

  gone(connection: Conn): void {
    assert.equal(connection.state, 'closed');
    assert.ok(connection.closeReason, 'every connection is closed for a reason');
    assert.ok(!this.#told.has(connection), 'the end of a connection is told once');
    this.#told.add(connection);
    // A dial without an answer is forgotten; the driver closes what it brings.
    if (this.dialling.delete(connection)) this.#gone(connection);
    assert.notEqual(connection.waiter?.state, 'spare');
    const isFailure = connection.hasFailed || connection.closeReason === 'connect-failed';
    const how = isFailure ? connection.phase : (connection.closeReason ?? '');
    this.#ended.set(how, (this.#ended.get(how) ?? 0) + 1);
  }

  ready({ request }: Waiter<ModelKinds>, connection: Conn): void {
    const spare = this.spares.get(request);
    assert.equal(spare?.fate, 'opening', 'a spare connection is told of once');
    if (spare) spare.fate = 'ready';
    assert.ok(['idle', 'active', 'validating'].includes(connection.state), 'what is ready is open');
  }

  short(host: Host): void {
    this.shortHosts.add(host);
  }

  reject(waiter: Waiter<ModelKinds>): void {
    const { request } = waiter;
    const spare = this.spares.get(request);
    if (spare) {
      assert.equal(spare.fate, 'opening', 'a spare connection is told of once');
      spare.fate = 'rejected';
      return;
    }
    assert.equal(request.end, undefined, 'a request ends once');
    request.end = 'rejected';
    this.#unqueue(request);
  }

  refuse(waiter: Waiter<ModelKinds>, refusal: Refusal): void {
    const { host, request } = waiter;
    assert.equal(request.end, undefined, 'a request ends once');
    const { limitedBy, limit, waited } = refusal;
    if (limitedBy === 'acquireTimeout') {
      assert.equal(limit, host.limits.acquireTimeout);
      assert.equal(waited, this.time - request.at);
      assert.ok(waited >= limit, 'nobody is refused before the deadline');
    } else if (limitedBy === 'closed') {
      assert.ok(this.pool.isClosed, 'a pool that is open takes requests');
    } else {
      const isTotal = limitedBy === 'maxTotalQueueSize';
      assert.equal(limit, isTotal ? this.limits.maxTotalQueueSize : host.limits.maxQueueSize);
      // Ours still counts it.
      const waiting = isTotal ? this.unserved : this.#unserved(host);
      assert.ok(waiting > limit, 'nobody is refused while there is room in the queue');
      assert.ok(!this.#mayOpen(host), 'nobody is refused while a connection may be opened');
    }
    request.end = 'refused';
    request.refusal = refusal;
    this.#unqueue(request);
  }

  saturated(host: Host): void {
    assert.ok(this.#queue(host).length > 0, 'saturated: somebody waits');
    this.saturatedHosts.add(host);
  }

  drained(host: Host): void {
    assert.ok(this.saturatedHosts.delete(host), 'a drained host was saturated');
  }

  schedule(): void {
    this.turnsAsked++;
  }

  retire(host: Host): void {
    assert.equal(this.#openOf(host).size, 0, 'a host with connections is not forgotten');
    const waits = this.#queue(host).some(({ waiter }) => waiter?.state !== 'done');
    assert.ok(!waits, 'a host with waiters is not forgotten');
    this.#hosts[host.origin] = undefined;
    this.#passedOver.delete(host);
    this.open.delete(host);
    this.queues.delete(host);
  }

  // The books

  get size(): number {
    let size = 0;
    for (const connections of this.open.values()) size += connections.size;
    return size;
  }

  /** Requests of `host` that wait and can count on nothing. */
  #unserved(host: Host): number {
    let coming = 0;
    for (const connection of this.#openOf(host)) {
      const isBound = connection.waiter?.state === 'dialling';
      if (connection.state === 'validating' || (connection.state === 'connecting' && !isBound)) coming++;
    }
    return Math.max(0, this.#queue(host).length - coming);
  }

  get unserved(): number {
    let sum = 0;
    for (const host of this.queues.keys()) sum += this.#unserved(host);
    return sum;
  }

  /** Queues that are not empty. */
  get waitingQueues(): number {
    return [...this.queues.values()].filter((queue) => queue.length > 0).length;
  }

  /** Whether one more connection to `host` is allowed, with what is reserved for others left to them. */
  #mayOpen(host: Host): boolean {
    if (this.#openOf(host).size >= host.limits.maxSockets) return false;
    const via = this.#vias.get(host.origin);
    if (via && this.#sizeOf(via) >= via.maxSockets) return false;
    let taken = this.size + 1;
    for (const [limits, { reserve }] of this.pool.capacity.reservations) {
      if (limits === host.limits) continue;
      let size = 0;
      for (const [other, connections] of this.open) if (other.limits === limits) size += connections.size;
      taken += Math.max(0, reserve - size);
    }
    return taken <= this.limits.maxTotalSockets;
  }

  /** Connections that are open through one way. */
  #sizeOf(via: HostLimits): number {
    let size = 0;
    for (const [{ origin }, connections] of this.open)
      if (this.#vias.get(origin) === via) size += connections.size;
    return size;
  }

  check(): void {
    checkInvariants(this.pool);
    for (const host of this.pool.hosts) {
      assert.equal(host.saturated, this.saturatedHosts.has(host), 'we are told where requests have to wait');
    }
    assert.equal(this.pool.size, this.size, 'the pool counts what is open');
    this.#checkCounters();
    for (const [host, connections] of this.open) {
      assert.deepEqual(new Set(host.connections), connections, 'the pool knows what is open');
    }
    for (const host of this.pool.hosts) {
      const least = host.limits.minFreeSockets;
      const before = this.#readyBefore.get(host);
      const ready = host.idle.size;
      if (before?.least === least && before.ready >= least && ready < least)
        assert.ok(this.shortHosts.has(host), 'a lack of free connections is told');
      this.#readyBefore.set(host, { least, ready });
    }
    this.shortHosts.clear();
    for (const connection of this.leased.keys()) assert.equal(connection.state, 'active');
    for (const connection of this.closing) assert.equal(connection.state, 'closing');
    for (const request of this.requests) {
      const state = request.waiter?.state;
      if (request.end === undefined) assert.ok(state !== undefined && state !== 'done', 'ends or waits');
    }
  }

  #checkCounters(): void {
    const { counters } = this.pool;
    assert.equal(counters.opened, this.#begun, 'every connection that was begun is counted');
    for (const [how, count] of Object.entries({ ...counters.closed, ...counters.failed }))
      assert.equal(count, this.#ended.get(how) ?? 0, `connections that ended: ${how}`);
    let waiting = 0;
    for (const queue of this.queues.values()) waiting += queue.length;
    assert.equal(counters.waiting, waiting, 'requests that wait are counted');
    const opened = this.#counters.reduce((sum, host) => sum + host.opened, 0);
    assert.equal(opened, this.#begun, 'hosts add up, also when they were forgotten');
  }

  /** Lets the world go on until nothing moves any more: then nobody may be left. */
  drain(): void {
    this.dialMode = 'later';
    for (const limits of [this.limits, ...this.#rules.values(), ...this.#vias.values()])
      limits.maxSockets = Math.max(1, limits.maxSockets);
    this.limits.maxTotalSockets = Math.max(1, this.limits.maxTotalSockets);
    this.pool.limitsChanged();
    for (let i = 0; i < 100_000; i++) {
      const [dial] = this.dialling;
      const [lease] = this.leased;
      const [closing] = this.closing;
      if (this.#ending) this.goOnEnding(1);
      else if (this.deferred.size > 0) this.tick();
      else if (this.turnsAsked > 0) this.turn();
      else if (closing) this.finishClose(closing);
      else if (dial) this.connect(dial);
      else if (lease) this.release(lease[0], true);
      else break;
      this.check();
    }
    for (const request of this.requests) assert.ok(request.end, `request ${request.id} was forgotten`);
    for (const { fate } of this.spares.values())
      assert.notEqual(fate, 'opening', 'a spare connection was forgotten');
    if (this.pool.isClosed)
      assert.ok(this.pool.isEmpty && this.size === 0, 'of a closed pool nothing is left');
    assert.ok(this.size <= this.limits.maxTotalSockets, 'a lowered maxTotalSockets holds in the end');
    for (const via of this.#vias.values())
      assert.ok(this.#sizeOf(via) <= via.maxSockets, 'a lowered limit of a shared way holds in the end');
    for (const connections of this.open.values()) {
      const [one] = connections;
      assert.ok(
        connections.size <= (one?.host.limits.maxSockets ?? 0),
        'a lowered maxSockets holds in the end',
      );
    }
  }

  #give(connection: Conn, request: ModelRequest): void {
    assert.equal(request.end, undefined, 'a request ends once');
    assert.ok(!this.leased.has(connection), 'a connection serves one request at a time');
    assert.equal(connection.state, 'active');
    if (request.unreplayable)
      assert.ok(this.#safeUntil(connection) > this.time, 'a request that cannot be sent twice takes no risk');
    const served = (this.#served.get(connection) ?? 0) + 1;
    assert.ok(served <= this.maxRequests, 'no connection serves more requests than it may');
    this.#served.set(connection, served);
    request.end = 'assigned';
    this.idle.delete(connection);
    this.leased.set(connection, request);
  }

  #bound(connection: Conn): void {
    connection.retireAt = this.time + this.maxAge;
    connection.requestsLeft = this.maxRequests;
  }

  #safeUntil(connection: Conn): number {
    return this.#idleMoments.get(connection)?.safeUntil ?? Infinity;
  }

  #validateAt(connection: Conn): number {
    return this.#idleMoments.get(connection)?.validateAt ?? Infinity;
  }

  #gone(connection: Conn): void {
    const { replayWaiter, host } = connection;
    assert.ok(this.#openOf(host).delete(connection), 'a connection closes once');
    if (!replayWaiter) return;
    const isRoom = this.#mayOpen(host);
    if (!isRoom && this.awaitingSlot.delete(replayWaiter.request))
      this.#queue(host).unshift(replayWaiter.request);
  }

  #openOf(host: Host): Set<Conn> {
    let connections = this.open.get(host);
    if (!connections) this.open.set(host, (connections = new Set()));
    return connections;
  }

  #queue(host: Host): ModelRequest[] {
    let queue = this.queues.get(host);
    if (!queue) this.queues.set(host, (queue = []));
    return queue;
  }

  /** `request` gets something: it has to be its turn, among those that may have it. */
  #takeNext(host: Host, request: ModelRequest, may: (request: ModelRequest) => boolean): void {
    const queue = this.#queue(host);
    const passedOver = this.#passedOver.get(host) ?? 0;
    const [oldest] = queue;
    const allowed = queue.filter(may);
    const urgent = Math.min(...allowed.map(({ priority }) => priority));
    const isItsTime = passedOver >= MAX_PASSED_OVER && oldest && may(oldest);
    const next = isItsTime ? oldest : allowed.find(({ priority }) => priority === urgent);
    assert.equal(
      request,
      next,
      'by priority, then first in, first out; the one that has waited longest does not wait for ever',
    );
    this.#passedOver.set(host, request === oldest ? 0 : passedOver + 1);
    this.#unqueue(request);
  }

  #unqueue(request: ModelRequest): void {
    const queue = request.waiter && this.#queue(request.waiter.host);
    const index = queue?.indexOf(request) ?? -1;
    if (index !== -1) queue?.splice(index, 1);
  }
}

function replayOf({ unreplayable }: ModelRequest): 'replayable' | 'unreplayable' {
  return unreplayable ? 'unreplayable' : 'replayable';
}
