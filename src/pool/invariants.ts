/**
 * What must hold between any two events of the pool. For tests: throws on the first thing that does not.
 */
import assert from 'node:assert/strict';
import { GRAIN } from './expiry-wheel.js';
import type { HostPool } from './host-pool.js';
import type { Kinds } from './kinds.js';
import type { HostLimits } from './limits.js';
import type { Pool } from './pool.js';

export function checkInvariants<K extends Kinds>(pool: Pool<K>): void {
  const { limits } = pool;
  const total = { connections: 0, closing: 0, idle: 0, expiring: 0, hungry: 0, unmet: 0, watched: 0 };
  const shared = new Map<HostLimits, { size: number; closing: number; idle: number; hungry: number }>();
  let reserved = 0;
  let held = 0;
  for (const [key, share] of pool.room.shares) {
    shared.set(key, { size: 0, closing: 0, idle: 0, hungry: 0 });
    reserved += share.reserve;
    held += share.unused;
    assert.ok(share.reserve <= key.reserve, 'no more is reserved than the rule says');
  }
  assert.equal(held, pool.room.held, 'reserved places that nobody has');
  assert.ok(reserved === 0 || reserved < limits.maxTotalSockets, 'one place at least is for everybody');

  /** Idle connections of hosts that are closed before any on a reserved place is. */
  let evictable = 0;
  for (const host of pool.hosts) {
    const count = { connecting: 0, active: 0, settling: 0, idle: 0, closing: 0, closed: 0 };
    const share = pool.room.shares.get(host.limits);
    assert.equal(host.share, share, 'a host is in the share of its rule');
    let unbound = 0;
    for (const connection of host.connections) {
      count[connection.state]++;
      assert.equal(connection.host, host, 'a connection belongs to the host that lists it');
      const isIdle = connection.state === 'idle';
      assert.equal(connection.idleLink.list === host.idle, isIdle, 'idle list');
      assert.equal(connection.lruLink.list === pool.idle.lru, isIdle, 'list of all idle');
      if (share) assert.equal(connection.shareLink?.list === share.idle, isIdle, 'idle list of the share');
      else assert.equal(connection.shareLink?.list, undefined, 'in no share, in no list of one');
      const isWatched = connection.expiryLink.list !== undefined;
      if (isWatched) total.expiring++;
      if (isIdle && connection.expiresAt !== Infinity) {
        assert.ok(isWatched, 'what is idle and expires is in the wheel');
        assert.ok((connection.expirySlot - 1) * GRAIN <= connection.expiresAt, 'and found in time');
      }
      if (connection.state === 'closing') assert.ok(!isWatched, 'what closes expires no more');
      if (connection.state === 'active') assert.equal(connection.idleSince, -1, 'what is active is not idle');
      if (isIdle) {
        assert.ok(connection.idleSince >= 0, 'what is idle is so since some moment');
        assert.ok(connection.expiresAt <= connection.retireAt, 'nothing is idle beyond its age');
        assert.ok(connection.requestsLeft > 0, 'what has served its last request is gone');
      }
      if (connection.state === 'connecting' && connection.waiter?.state !== 'dialling') unbound++;
      if (connection.state !== 'connecting') assert.equal(connection.waiter, undefined);
      if (connection.heir) {
        assert.equal(connection.state, 'closing', 'only what goes has an heir');
        assert.equal(connection.heir.state, 'inheriting');
        assert.equal(connection.heir.connection, connection);
      }
      if (connection.waiter) {
        assert.notEqual(connection.waiter.state, 'done', 'nothing is opened for a request that is done');
        assert.equal(connection.waiter.connection, connection);
      }
    }
    assert.equal(count.closed, 0, 'a closed connection is in no list');
    assert.equal(count.settling, host.settling, 'settling count');
    assert.equal(count.closing, host.closing, 'closing count of a host');
    assert.equal(count.idle, host.idle.size, 'idle count');
    assert.equal(count.connecting + count.active, host.inUse, 'count of those in use');
    assert.ok(count.idle <= host.limits.maxFreeSockets, 'maxFreeSockets holds');
    assert.equal(host.nextIdle === undefined, count.idle === 0, 'what is idle can be leased');
    if (count.idle > 0) {
      assert.ok(
        host.connections.size - count.closing <= host.limits.maxSockets,
        'what is above maxSockets goes',
      );
    }
    assert.equal(unbound, host.unbound, 'unbound count');
    assert.ok(!host.isEmpty, 'an empty host is forgotten');

    checkQueue(pool, host);
    // Those that settle include idle ones that are looked at first, one for each request.
    assert.ok(
      count.idle === 0 || host.waiting.size - host.careful <= count.settling,
      'an idle connection and a waiter that may have it never coexist',
    );
    if (host.connections.size >= host.limits.maxSockets) {
      assert.ok(
        count.idle === 0 || host.need <= host.closing,
        'who may have no idle connection gets the place of one',
      );
    }
    if (host.need > 0 && host.connections.size < host.limits.maxSockets) {
      const room = limits.maxTotalSockets - pool.size - pool.room.held;
      const own = share?.unused ?? 0;
      if (room > 0 || (own > 0 && room + own > 0)) {
        assert.ok(
          host.pacedLink.list === pool.postponed.paced,
          'nobody waits while there is capacity for it',
        );
      } else {
        assert.ok(host.isHungry || host.pacedLink.list, 'who lacks only room waits for room');
      }
    }
    if (host.need > 0 && !host.pacedLink.list) assert.ok(host.saturated, 'who has to wait is told of');
    if (host.saturated) assert.ok(host.waiting.size > 0, 'where nobody waits, nothing is saturated');

    total.connections += host.connections.size;
    total.closing += count.closing;
    total.idle += count.idle;
    total.hungry += host.isHungry ? 1 : 0;
    total.unmet += Math.max(0, host.need);
    total.watched += host.deadlineEntry.heap ? 1 : 0;
    const part = shared.get(host.limits);
    if (part) {
      part.size += host.connections.size;
      part.closing += count.closing;
      part.idle += count.idle;
      part.hungry += host.isHungry ? 1 : 0;
    }
    if (!share?.isWithinReserve) evictable += count.idle;
  }

  assert.equal(total.connections, pool.size, 'total count');
  assert.equal(total.closing, pool.room.closing, 'closing count');
  assert.equal(total.idle, pool.idle.size, 'idle count of all hosts');
  assert.equal(total.expiring, pool.idle.expiring.size, 'size of the wheel');
  assert.equal(total.unmet, pool.queues.unmet, 'waiters of all hosts that can count on nothing');
  assert.equal(total.hungry, pool.room.hungry.size, 'count of hungry hosts');
  assert.equal(total.watched, pool.queues.deadlines.size, 'a host that is watched for deadlines is known');
  assert.ok(total.idle <= limits.maxTotalFreeSockets, 'maxTotalFreeSockets holds');
  const staying = total.connections - total.closing;
  if (total.idle > 0) assert.ok(staying <= limits.maxTotalSockets, 'what is above maxTotalSockets goes');
  if (evictable > 0) {
    assert.ok(pool.room.hungry.size <= pool.room.closing, 'an idle connection makes room');
    assert.ok(held === 0 || staying + held <= limits.maxTotalSockets, 'what is on reserved places goes');
  }
  for (const [key, share] of pool.room.shares) {
    const { size, closing, idle, hungry } = share;
    assert.deepEqual(
      { size, closing, idle: idle.size, hungry: hungry.size },
      shared.get(key),
      'counts of a share',
    );
    if (idle.size > 0) assert.ok(hungry.size <= closing, 'an idle connection makes room in its share');
  }
  if (pool.postponed.paced.size > 0) assert.ok(pool.postponed.scheduled, 'who is put off has a turn coming');
  for (const host of pool.room.hungry) {
    assert.ok(host.isHungry && pool.hosts.has(host), 'a hungry host is known');
    assert.ok(host.need > 0, 'a hungry host needs room');
    assert.ok(host.connections.size < host.limits.maxSockets, 'a hungry host lacks room only');
  }
  for (const host of pool.postponed.paced) assert.ok(pool.hosts.has(host), 'a paced host is known');
}

function checkQueue<K extends Kinds>(pool: Pool<K>, host: HostPool<K>): void {
  let waiting = 0;
  let careful = 0;
  let timed = 0;
  let undialled = 0;
  let before = -Infinity;
  for (const waiter of host.waiting) {
    waiting++;
    if (waiter.careful) careful++;
    if (waiter.since !== Infinity) timed++;
    assert.equal(waiter.state, 'queued');
    assert.equal(waiter.host, host);
    assert.ok(waiter.arrival > before, 'in order of arrival');
    before = waiter.arrival;
    if (waiter.undialledLink?.list === host.undialled) undialled++;
  }
  assert.equal(waiting, host.waiting.size, 'queue size');
  assert.equal(careful, host.careful, 'count of those that take no risk');
  assert.equal(timed, host.timed, 'count of those that may not wait for any time');
  assert.equal(undialled, host.undialled.size, 'who has had no dial is in the queue');
  assert.equal(host.unmet, Math.max(0, host.need), 'waiters of a host that can count on nothing');
  const { oldest } = host.waiting;
  assert.equal(oldest === undefined, waiting === 0, 'one of them has waited longest');
  const { nextToExpire } = host.waiting;
  if (host.limits.acquireTimeout > 0 && nextToExpire) {
    assert.equal(host.deadlineEntry.heap, pool.queues.deadlines, 'who may not wait for ever is watched');
    assert.ok(host.deadline <= nextToExpire.since + host.limits.acquireTimeout, 'and looked at in time');
  } else {
    assert.equal(host.deadlineEntry.heap, undefined, 'no deadline without a waiter');
  }
}
