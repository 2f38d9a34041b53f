/**
 * Checks, for tests, the conditions that hold between any two events of the pool. All that the pool counts is counted anew. Throws at the first
 * condition that does not hold.
 */
import assert from 'node:assert/strict';
import { sumOf } from './counters.js';
import type { Counters } from './counters.js';
import { GRAIN } from './expiry-wheel.js';
import type { Connection, ConnectionState, GatewayOf, HostPool, ReservationOf, Section } from './records.js';
import type { Kinds } from './kinds.js';
import type { Pool } from './pool.js';

export function checkInvariants<K extends Kinds>(pool: Pool<K>): void {
  const census = new Census(pool);
  for (const host of pool.hosts) {
    for (const connection of host.connections) checkConnection(pool, host, connection);
    const counts = countsOf(host);
    checkGroupsOf(pool, host);
    checkCounts(pool, host, counts);
    checkQueue(pool, host);
    checkService(pool, host);
    census.add(host, counts);
  }
  checkCounters(pool, census);
  checkTotals(pool, census);
  checkReservations(pool, census);
  checkGateways(pool, census);
  checkLines(pool);
  for (const [section, size] of census.sections)
    assert.equal(section.size, size, 'hosts of a section that hold something');
}

/** The sums over hosts that share a gateway or a reservation. */
interface Group {
  size: number;
  closing: number;
  idle: number;
  blocked: number;
}

/** The connections and waiters that are there now, of all identities of a host. */
interface Holding {
  connections: number;
  connecting: number;
  waiting: number;
}

/** All hosts, counted anew. */
class Census<K extends Kinds> {
  connections = 0;
  closing = 0;
  idle = 0;
  /** Idle connections on slots that are not reserved: these are evicted first. */
  evictable = 0;
  /** Connections in the wheel of those that expire. */
  expiring = 0;
  spares = 0;
  unserved = 0;
  /** Hosts that wait for a slot under `maxTotalSockets`. */
  blocked = 0;
  /** Hosts that are watched for deadlines. */
  watched = 0;
  readonly counters: Map<Counters, Holding> = new Map();
  readonly sections: Map<Section, number> = new Map();
  readonly gateways: Map<GatewayOf<K>, Group> = new Map();
  readonly reservations: Map<ReservationOf<K>, Group> = new Map();

  constructor({ capacity }: Pool<K>) {
    for (const gateway of capacity.gateways.values()) this.gateways.set(gateway, emptyGroup());
    for (const reservation of capacity.reservations.values())
      this.reservations.set(reservation, emptyGroup());
  }

  add(host: HostPool<K>, count: Counts): void {
    const { gateway, reservation, section } = host;
    const isAtGateway = host.gatewayLink.list !== undefined;
    this.connections += host.connections.size;
    this.closing += count.closing;
    this.idle += count.idle;
    if (!reservation?.isWithinReserve) this.evictable += count.idle;
    this.unserved += host.unserved;
    if (host.isBlocked) this.blocked++;
    if (host.deadlineEntry.heap) this.watched++;
    if (section) this.sections.set(section, (this.sections.get(section) ?? 0) + 1);
    if (gateway) addTo(this.gateways.get(gateway), host, count, isAtGateway);
    if (reservation) addTo(this.reservations.get(reservation), host, count, host.isBlocked);
    const holding = this.counters.get(host.counters) ?? { connections: 0, connecting: 0, waiting: 0 };
    this.counters.set(host.counters, holding);
    holding.connections += host.connections.size;
    holding.waiting += host.waiting.size;
    holding.connecting += count.notReady;
    this.expiring += count.expiring;
    this.spares += count.spares;
  }
}

/** The counts that a gateway or a reservation keeps of itself. */
function groupOf<K extends Kinds>({ size, closing, idle, blocked }: GatewayOf<K> | ReservationOf<K>): Group {
  return { size, closing, idle: idle.size, blocked: blocked.size };
}

function emptyGroup(): Group {
  return { size: 0, closing: 0, idle: 0, blocked: 0 };
}

function addTo<K extends Kinds>(
  group: Group | undefined,
  { connections }: HostPool<K>,
  { closing, idle }: Counts,
  isBlocked: boolean,
): void {
  assert.ok(group, 'the gateway and the reservation of a host are known');
  group.size += connections.size;
  group.closing += closing;
  group.idle += idle;
  if (isBlocked) group.blocked++;
}

/** The connections of one host, by state, and those of which something else holds. */
interface Counts extends Record<ConnectionState, number> {
  /** Those that are being opened and are bound to no request. */
  unclaimed: number;
  notReady: number;
  expiring: number;
  spares: number;
}

function countsOf<K extends Kinds>({ connections }: HostPool<K>): Counts {
  const states = { connecting: 0, active: 0, validating: 0, idle: 0, closing: 0, closed: 0 };
  const counts = { ...states, unclaimed: 0, notReady: 0, expiring: 0, spares: 0 };
  for (const { expiryLink, isConnecting, state, waiter } of connections) {
    counts[state]++;
    if (state === 'connecting' && waiter?.state !== 'dialling') counts.unclaimed++;
    if (isConnecting) counts.notReady++;
    if (expiryLink.list) counts.expiring++;
    if (waiter?.state === 'spare') counts.spares++;
  }
  return counts;
}

function checkConnection<K extends Kinds>(pool: Pool<K>, host: HostPool<K>, connection: Connection<K>): void {
  const { state } = connection;
  assert.equal(connection.host, host, 'a connection belongs to the host that lists it');
  if (connection.isConnecting)
    assert.ok(
      state !== 'closing' && state !== 'idle',
      'a connection that is not ready neither closes nor is idle',
    );
  if (state === 'active') assert.equal(connection.idleSince, -1, 'an active connection is not idle');
  if (state === 'idle') {
    assert.ok(connection.idleSince >= 0, 'an idle connection is so since some moment');
    assert.ok(connection.expiresAt <= connection.retireAt, 'nothing is idle beyond its age');
    assert.ok(connection.requestsLeft > 0, 'a connection that has served its last request is gone');
  }
  checkLinks(pool, connection);
  checkWaitersOf(connection);
}

/** The lists that `connection` is in. */
function checkLinks<K extends Kinds>(pool: Pool<K>, connection: Connection<K>): void {
  const { expiryLink, gatewayLink, host, reservationLink, state, waiter } = connection;
  const { gateway, reservation } = host;
  const isIdle = state === 'idle';
  assert.equal(connection.idleLink.list === host.idle, isIdle, 'idle list');
  assert.equal(connection.lruLink.list === pool.idle.lru, isIdle, 'list of all idle');
  assert.equal(reservationLink?.list, isIdle ? reservation?.idle : undefined, 'idle list of the reservation');
  assert.equal(gatewayLink?.list, isIdle ? gateway?.idle : undefined, 'idle list of the gateway');
  if (isIdle && connection.expiresAt !== Infinity) {
    assert.ok(expiryLink.list, 'an idle connection that expires is in the wheel');
    assert.ok((connection.expirySlot - 1) * GRAIN <= connection.expiresAt, 'and found in time');
  }
  if (state === 'closing') assert.ok(!expiryLink.list, 'a connection that closes expires no more');
  assert.equal(
    connection.spareLink?.list === pool.capacity.spares,
    waiter?.state === 'spare',
    'list of those that are opened for no request',
  );
}

/** The waiters that refer to `connection`. */
function checkWaitersOf<K extends Kinds>(connection: Connection<K>): void {
  const { replayWaiter, state, waiter } = connection;
  if (waiter) {
    assert.equal(state, 'connecting', 'only what is being opened has a waiter that it is opened for');
    assert.notEqual(waiter.state, 'done', 'nothing is opened for a request that is done');
    assert.equal(waiter.connection, connection);
  }
  if (replayWaiter) {
    assert.equal(state, 'closing', 'only what goes has a request that wants its slot');
    assert.equal(replayWaiter.state, 'awaiting-slot');
    assert.equal(replayWaiter.connection, connection);
  }
}

/** The gateway and the reservation of `host`. */
function checkGroupsOf<K extends Kinds>({ capacity }: Pool<K>, host: HostPool<K>): void {
  const { gateway, reservation } = host;
  assert.equal(
    reservation,
    capacity.reservations.get(host.limits),
    'a host is in the reservation of its rule',
  );
  const line = host.gatewayLink.list;
  if (!line) return;
  assert.equal(line, gateway?.blocked, 'a host waits at its own gateway');
  assert.ok(!host.isBlocked, 'a host waits in one line');
}

/** The counts of the connections of `host`, and the limits on these. */
function checkCounts<K extends Kinds>(pool: Pool<K>, host: HostPool<K>, count: Counts): void {
  assert.equal(count.closed, 0, 'a closed connection is in no list');
  assert.equal(count.validating, host.validating, 'validating count');
  assert.equal(count.closing, host.closing, 'closing count of a host');
  assert.equal(count.idle, host.idle.size, 'idle count');
  assert.equal(count.connecting + count.active, host.inUse, 'count of those in use');
  assert.equal(count.unclaimed, host.unclaimed, 'unclaimed count');
  assert.ok(count.idle <= host.limits.maxFreeSockets, 'maxFreeSockets holds');
  assert.equal(host.nextIdle === undefined, count.idle === 0, 'an idle connection can be leased');
  const staying = host.connections.size - count.closing;
  if (count.idle > 0) assert.ok(staying <= host.limits.maxSockets, 'connections above maxSockets go');
  if (pool.isClosed || host.section?.isClosed)
    assert.ok(count.unclaimed <= host.waiting.size, 'a closed pool opens nothing that no request waits for');
  assert.ok(!host.isEmpty, 'an empty host is forgotten');
}

function checkQueue<K extends Kinds>(pool: Pool<K>, host: HostPool<K>): void {
  let waiting = 0;
  let unreplayable = 0;
  let timed = 0;
  let undialled = 0;
  let before = -Infinity;
  for (const waiter of host.waiting) {
    waiting++;
    if (waiter.unreplayable) unreplayable++;
    if (waiter.since !== Infinity) timed++;
    assert.equal(waiter.state, 'queued');
    assert.equal(waiter.host, host);
    assert.ok(waiter.arrival > before, 'in order of arrival');
    before = waiter.arrival;
    if (waiter.undialledLink?.list === host.undialled) undialled++;
  }
  assert.equal(waiting, host.waiting.size, 'queue size');
  assert.equal(unreplayable, host.unreplayable, 'count of those that take no risk');
  assert.equal(timed, host.timed, 'count of those that may not wait for any time');
  assert.equal(undialled, host.undialled.size, 'waiters that have had no dial are in the queue');
  assert.equal(host.countedUnserved, host.unserved, 'waiters of a host that can count on nothing');
  const { oldest } = host.waiting;
  assert.equal(oldest === undefined, waiting === 0, 'one of them has waited longest');
  const { nextToExpire } = host.waiting;
  if (host.limits.acquireTimeout > 0 && nextToExpire) {
    assert.equal(
      host.deadlineEntry.heap,
      pool.queues.deadlines,
      'a host with requests that may not wait for ever is watched',
    );
    assert.ok(host.deadline <= nextToExpire.since + host.limits.acquireTimeout, 'and checked in time');
  } else {
    assert.equal(host.deadlineEntry.heap, undefined, 'no deadline without a waiter');
  }
}

/** No request of `host` waits in vain: there is nothing for it, and the host stands in line. */
function checkService<K extends Kinds>(pool: Pool<K>, host: HostPool<K>): void {
  const { closing, connections, idle, limits, unserved, validating, waiting } = host;
  const isPaced = host.pacedLink.list !== undefined;
  const left = pool.limits.maxTotalSockets - pool.size - pool.capacity.held;
  const own = host.reservation?.unused ?? 0;
  // While any is idle, a connection is being validated for each waiter that may have it.
  assert.ok(
    idle.size === 0 || waiting.size - host.unreplayable <= validating,
    'an idle connection and a waiter that may have it never coexist',
  );
  if (host.saturated) assert.ok(waiting.size > 0, 'a host where no request waits is not saturated');
  if (connections.size >= limits.maxSockets) {
    assert.ok(
      idle.size === 0 || unserved <= closing,
      'requests that may have no idle connection get the slot of one',
    );
  }
  if (unserved === 0) return;
  assert.ok(host.saturated || isPaced, 'a host where requests have to wait is told of');
  if (connections.size >= limits.maxSockets) return;
  if (host.gateway && host.gateway.left <= 0) {
    assert.ok(
      host.gatewayLink.list || host.isBlocked || isPaced,
      'a host that only lacks a slot at its gateway waits for one',
    );
  } else if (left > 0 || (own > 0 && left + own > 0)) {
    assert.equal(
      host.pacedLink.list,
      pool.endOfTurn.paced,
      'no request waits while there is capacity for it',
    );
  } else {
    assert.ok(host.isBlocked || isPaced, 'a host that only lacks a slot waits for one');
  }
}

function checkCounters<K extends Kinds>(pool: Pool<K>, { counters: counted }: Census<K>): void {
  const all: Holding = { connections: 0, connecting: 0, waiting: 0 };
  for (const [counters, holding] of counted) {
    checkSums(counters, holding);
    all.connections += holding.connections;
    all.connecting += holding.connecting;
    all.waiting += holding.waiting;
  }
  checkSums(pool.counters, all);
}

function checkSums(counters: Counters, { connections, connecting, waiting }: Holding): void {
  const { closed, failed, handshakes, opened, queued, refused, requests, reused } = counters;
  const ended = sumOf(closed) + sumOf(failed);
  assert.equal(opened, connections + ended, 'what was begun is open, has failed or is closed');
  assert.equal(counters.open, connections, 'connections that are open');
  assert.equal(counters.connecting, connecting, 'connections that are not ready');
  assert.equal(counters.waiting, waiting, 'requests in a queue');
  assert.ok(reused <= requests && queued <= requests, 'requests are counted once');
  assert.ok(sumOf(refused) <= requests, 'only requests that came are refused');
  assert.ok(sumOf(handshakes) <= opened, 'a connection has one handshake');
}

/** The sums over all hosts, and the limits on these. */
function checkTotals<K extends Kinds>(pool: Pool<K>, census: Census<K>): void {
  const { capacity, idle, limits, queues } = pool;
  assert.equal(census.connections, pool.size, 'total count');
  assert.equal(census.closing, capacity.closing, 'closing count');
  assert.equal(census.idle, idle.size, 'idle count of all hosts');
  assert.equal(census.spares, capacity.spares.size, 'count of those that are opened for no request');
  assert.equal(census.expiring, idle.expiring.size, 'size of the wheel');
  assert.equal(census.unserved, queues.unserved, 'waiters of all hosts that can count on nothing');
  assert.equal(census.blocked, capacity.blocked.size, 'count of blocked hosts');
  assert.equal(census.watched, queues.deadlines.size, 'a host that is watched for deadlines is known');
  assert.ok(census.idle <= limits.maxTotalFreeSockets, 'maxTotalFreeSockets holds');
  const staying = census.connections - census.closing;
  if (census.idle > 0) assert.ok(staying <= limits.maxTotalSockets, 'connections above maxTotalSockets go');
  if (census.evictable === 0) return;
  assert.ok(capacity.blocked.size <= capacity.closing, 'an idle connection makes room');
  assert.ok(
    capacity.held === 0 || staying + capacity.held <= limits.maxTotalSockets,
    'connections on slots reserved for others go',
  );
}

function checkReservations<K extends Kinds>({ capacity, limits }: Pool<K>, census: Census<K>): void {
  let reserved = 0;
  let held = 0;
  for (const [rule, reservation] of capacity.reservations) {
    const { blocked, closing, idle, reserve, unused } = reservation;
    reserved += reserve;
    held += unused;
    assert.ok(reserve <= rule.reserve, 'no more is reserved than the rule says');
    assert.deepEqual(groupOf(reservation), census.reservations.get(reservation), 'counts of a reservation');
    if (idle.size > 0) assert.ok(blocked.size <= closing, 'an idle connection makes room in its reservation');
  }
  assert.equal(held, capacity.held, 'reserved slots without a connection');
  assert.ok(reserved === 0 || reserved < limits.maxTotalSockets, 'one slot at least is for everybody');
}

function checkGateways<K extends Kinds>({ capacity }: Pool<K>, census: Census<K>): void {
  for (const gateway of capacity.gateways.values()) {
    const { blocked, idle } = gateway;
    assert.deepEqual(groupOf(gateway), census.gateways.get(gateway), 'counts of a gateway');
    if (idle.size > 0) {
      assert.ok(!gateway.lacksSlots, 'an idle connection makes room at its gateway');
      assert.ok(!gateway.isSurplus, 'connections above the limit of a gateway go');
    }
    assert.ok(blocked.size === 0 || gateway.left <= 0, 'no host waits at a gateway that has slots');
  }
}

/** The hosts that wait for a slot under `maxTotalSockets`, and those that dial at the end of the turn. */
function checkLines<K extends Kinds>({ capacity, endOfTurn, hosts }: Pool<K>): void {
  for (const host of capacity.blocked) {
    assert.ok(host.isBlocked && hosts.has(host), 'a blocked host is known');
    assert.ok(host.unserved > 0, 'a blocked host needs a slot');
    assert.ok(host.connections.size < host.limits.maxSockets, 'a blocked host lacks only a slot');
  }
  if (endOfTurn.paced.size > 0) assert.ok(endOfTurn.scheduled, 'hosts that are put off have a turn coming');
  for (const host of endOfTurn.paced) assert.ok(hosts.has(host), 'a paced host is known');
}
