/**
 * Checks, for tests, the conditions that hold between any two events of the pool. Throws at the first one that does not.
 */
import assert from 'node:assert/strict';
import { sumOf } from './counters.js';
import type { Counters } from './counters.js';
import { GRAIN } from './expiry-wheel.js';
import type { HostPool } from './records.js';
import type { Kinds } from './kinds.js';
import type { HostLimits } from './limits.js';
import type { Pool } from './pool.js';

export function checkInvariants<K extends Kinds>(pool: Pool<K>): void {
  const { limits } = pool;
  const total = {
    connections: 0,
    closing: 0,
    idle: 0,
    expiring: 0,
    blocked: 0,
    unserved: 0,
    watched: 0,
    spares: 0,
  };
  const counted = new Map<Counters, Holding>();
  const passing = new Map<object, { size: number; closing: number; idle: number; blocked: number }>();
  const shared = new Map<HostLimits, { size: number; closing: number; idle: number; blocked: number }>();
  let reserved = 0;
  let held = 0;
  for (const [key, reservation] of pool.capacity.reservations) {
    shared.set(key, { size: 0, closing: 0, idle: 0, blocked: 0 });
    reserved += reservation.reserve;
    held += reservation.unused;
    assert.ok(reservation.reserve <= key.reserve, 'no more is reserved than the rule says');
  }
  assert.equal(held, pool.capacity.held, 'reserved slots without a connection');
  assert.ok(reserved === 0 || reserved < limits.maxTotalSockets, 'one slot at least is for everybody');

  /** Idle connections on slots that are not reserved: these are evicted first. */
  let evictable = 0;
  for (const gateway of pool.capacity.gateways.values())
    passing.set(gateway, { size: 0, closing: 0, idle: 0, blocked: 0 });
  for (const host of pool.hosts) {
    const count = { connecting: 0, active: 0, validating: 0, idle: 0, closing: 0, closed: 0 };
    const reservation = pool.capacity.reservations.get(host.limits);
    assert.equal(host.reservation, reservation, 'a host is in the reservation of its rule');
    let unclaimed = 0;
    const holding = counted.get(host.counters) ?? { connections: 0, connecting: 0, waiting: 0 };
    counted.set(host.counters, holding);
    holding.connections += host.connections.size;
    holding.waiting += host.waiting.size;
    for (const connection of host.connections) {
      count[connection.state]++;
      if (connection.isConnecting) holding.connecting++;
      if (connection.isConnecting)
        assert.notEqual(connection.state, 'closing', 'a connection that closes is not connecting');
      if (connection.state === 'idle')
        assert.ok(!connection.isConnecting, 'a connection that is not ready is not idle');
      assert.equal(connection.host, host, 'a connection belongs to the host that lists it');
      const isIdle = connection.state === 'idle';
      assert.equal(connection.idleLink.list === host.idle, isIdle, 'idle list');
      assert.equal(connection.lruLink.list === pool.idle.lru, isIdle, 'list of all idle');
      if (reservation)
        assert.equal(
          connection.reservationLink?.list === reservation.idle,
          isIdle,
          'idle list of the reservation',
        );
      else assert.equal(connection.reservationLink?.list, undefined, 'in no reservation, in no list of one');
      assert.equal(
        connection.gatewayLink?.list,
        isIdle ? host.gateway?.idle : undefined,
        'idle list of the gateway',
      );
      const isWatched = connection.expiryLink.list !== undefined;
      if (isWatched) total.expiring++;
      if (isIdle && connection.expiresAt !== Infinity) {
        assert.ok(isWatched, 'an idle connection that expires is in the wheel');
        assert.ok((connection.expirySlot - 1) * GRAIN <= connection.expiresAt, 'and found in time');
      }
      if (connection.state === 'closing') assert.ok(!isWatched, 'a connection that closes expires no more');
      if (connection.state === 'active')
        assert.equal(connection.idleSince, -1, 'an active connection is not idle');
      if (isIdle) {
        assert.ok(connection.idleSince >= 0, 'an idle connection is so since some moment');
        assert.ok(connection.expiresAt <= connection.retireAt, 'nothing is idle beyond its age');
        assert.ok(connection.requestsLeft > 0, 'a connection that has served its last request is gone');
      }
      if (connection.state === 'connecting' && connection.waiter?.state !== 'dialling') unclaimed++;
      const isSpare = connection.waiter?.state === 'spare';
      if (isSpare) total.spares++;
      assert.equal(
        connection.spareLink?.list === pool.capacity.spares,
        isSpare,
        'list of those that are opened for no request',
      );
      if (connection.state !== 'connecting') assert.equal(connection.waiter, undefined);
      if (connection.replayWaiter) {
        assert.equal(connection.state, 'closing', 'only what goes has a request that wants its slot');
        assert.equal(connection.replayWaiter.state, 'awaiting-slot');
        assert.equal(connection.replayWaiter.connection, connection);
      }
      if (connection.waiter) {
        assert.notEqual(connection.waiter.state, 'done', 'nothing is opened for a request that is done');
        assert.equal(connection.waiter.connection, connection);
      }
    }
    assert.equal(count.closed, 0, 'a closed connection is in no list');
    assert.equal(count.validating, host.validating, 'validating count');
    assert.equal(count.closing, host.closing, 'closing count of a host');
    assert.equal(count.idle, host.idle.size, 'idle count');
    assert.equal(count.connecting + count.active, host.inUse, 'count of those in use');
    assert.ok(count.idle <= host.limits.maxFreeSockets, 'maxFreeSockets holds');
    assert.equal(host.nextIdle === undefined, count.idle === 0, 'an idle connection can be leased');
    if (count.idle > 0) {
      assert.ok(
        host.connections.size - count.closing <= host.limits.maxSockets,
        'connections above maxSockets go',
      );
    }
    assert.equal(unclaimed, host.unclaimed, 'unclaimed count');
    if (pool.isClosed || host.section?.isClosed)
      assert.ok(unclaimed <= host.waiting.size, 'a closed pool opens nothing that no request waits for');
    assert.ok(!host.isEmpty, 'an empty host is forgotten');

    checkQueue(pool, host);
    // While any is idle, a connection is being validated for each waiter that may have it.
    assert.ok(
      count.idle === 0 || host.waiting.size - host.unreplayable <= count.validating,
      'an idle connection and a waiter that may have it never coexist',
    );
    if (host.connections.size >= host.limits.maxSockets) {
      assert.ok(
        count.idle === 0 || host.unserved <= host.closing,
        'requests that may have no idle connection get the slot of one',
      );
    }
    const { gateway } = host;
    const waitsAtGateway = host.gatewayLink.list !== undefined;
    assert.ok(
      !waitsAtGateway || host.gatewayLink.list === gateway?.blocked,
      'a host waits at its own gateway',
    );
    assert.ok(!waitsAtGateway || !host.isBlocked, 'a host waits in one line');
    if (gateway && gateway.left <= 0 && host.unserved > 0 && host.connections.size < host.limits.maxSockets) {
      assert.ok(
        waitsAtGateway || host.isBlocked || host.pacedLink.list,
        'a host that only lacks a slot at its gateway waits for one',
      );
    } else if (host.unserved > 0 && host.connections.size < host.limits.maxSockets) {
      const left = limits.maxTotalSockets - pool.size - pool.capacity.held;
      const own = reservation?.unused ?? 0;
      if (left > 0 || (own > 0 && left + own > 0)) {
        assert.ok(
          host.pacedLink.list === pool.endOfTurn.paced,
          'no request waits while there is capacity for it',
        );
      } else {
        assert.ok(host.isBlocked || host.pacedLink.list, 'a host that only lacks a slot waits for one');
      }
    }
    if (host.unserved > 0 && !host.pacedLink.list)
      assert.ok(host.saturated, 'a host where requests have to wait is told of');
    if (host.saturated) assert.ok(host.waiting.size > 0, 'a host where no request waits is not saturated');

    total.connections += host.connections.size;
    total.closing += count.closing;
    total.idle += count.idle;
    total.blocked += host.isBlocked ? 1 : 0;
    total.unserved += host.unserved;
    total.watched += host.deadlineEntry.heap ? 1 : 0;
    const part = shared.get(host.limits);
    if (part) {
      part.size += host.connections.size;
      part.closing += count.closing;
      part.idle += count.idle;
      part.blocked += host.isBlocked ? 1 : 0;
    }
    const pass = gateway && passing.get(gateway);
    assert.equal(pass === undefined, gateway === undefined, 'a gateway is known');
    if (pass) {
      pass.size += host.connections.size;
      pass.closing += count.closing;
      pass.idle += count.idle;
      pass.blocked += waitsAtGateway ? 1 : 0;
    }
    if (!reservation?.isWithinReserve) evictable += count.idle;
  }

  checkCounters(pool, counted);
  assert.equal(total.connections, pool.size, 'total count');
  assert.equal(total.closing, pool.capacity.closing, 'closing count');
  assert.equal(total.idle, pool.idle.size, 'idle count of all hosts');
  assert.equal(total.spares, pool.capacity.spares.size, 'count of those that are opened for no request');
  assert.equal(total.expiring, pool.idle.expiring.size, 'size of the wheel');
  assert.equal(total.unserved, pool.queues.unserved, 'waiters of all hosts that can count on nothing');
  assert.equal(total.blocked, pool.capacity.blocked.size, 'count of blocked hosts');
  assert.equal(total.watched, pool.queues.deadlines.size, 'a host that is watched for deadlines is known');
  assert.ok(total.idle <= limits.maxTotalFreeSockets, 'maxTotalFreeSockets holds');
  const staying = total.connections - total.closing;
  if (total.idle > 0) assert.ok(staying <= limits.maxTotalSockets, 'connections above maxTotalSockets go');
  if (evictable > 0) {
    assert.ok(pool.capacity.blocked.size <= pool.capacity.closing, 'an idle connection makes room');
    assert.ok(
      held === 0 || staying + held <= limits.maxTotalSockets,
      'connections on slots reserved for others go',
    );
  }
  for (const gateway of pool.capacity.gateways.values()) {
    const { size, closing, idle, blocked } = gateway;
    const counts = { size, closing, idle: idle.size, blocked: blocked.size };
    assert.deepEqual(counts, passing.get(gateway), 'counts of a gateway');
    if (idle.size > 0) {
      assert.ok(!gateway.lacksSlots, 'an idle connection makes room at its gateway');
      assert.ok(!gateway.isSurplus, 'connections above the limit of a gateway go');
    }
    assert.ok(blocked.size === 0 || gateway.left <= 0, 'no host waits at a gateway that has slots');
  }
  for (const [key, reservation] of pool.capacity.reservations) {
    const { size, closing, idle, blocked } = reservation;
    assert.deepEqual(
      { size, closing, idle: idle.size, blocked: blocked.size },
      shared.get(key),
      'counts of a reservation',
    );
    if (idle.size > 0) assert.ok(blocked.size <= closing, 'an idle connection makes room in its reservation');
  }
  if (pool.endOfTurn.paced.size > 0)
    assert.ok(pool.endOfTurn.scheduled, 'hosts that are put off have a turn coming');
  for (const host of pool.capacity.blocked) {
    assert.ok(host.isBlocked && pool.hosts.has(host), 'a blocked host is known');
    assert.ok(host.unserved > 0, 'a blocked host needs a slot');
    assert.ok(host.connections.size < host.limits.maxSockets, 'a blocked host lacks only a slot');
  }
  for (const host of pool.endOfTurn.paced) assert.ok(pool.hosts.has(host), 'a paced host is known');
}

/** The connections and waiters that are there now, of all identities of a host. */
interface Holding {
  connections: number;
  connecting: number;
  waiting: number;
}

function checkCounters<K extends Kinds>(pool: Pool<K>, counted: ReadonlyMap<Counters, Holding>): void {
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
