/**
 * What must hold between any two events of the pool. For tests: throws on the first thing that does not.
 */
import assert from 'node:assert/strict';
import type { Kinds } from './kinds.js';
import type { Pool } from './pool.js';

export function checkInvariants<K extends Kinds>(pool: Pool<K>): void {
  const { limits } = pool;
  let total = 0;
  let closing = 0;
  let idle = 0;
  let expiring = 0;

  for (const host of pool.hosts) {
    const count = { connecting: 0, active: 0, settling: 0, idle: 0, closing: 0, closed: 0 };
    let unbound = 0;
    for (const connection of host.connections) {
      count[connection.state]++;
      assert.equal(connection.host, host, 'a connection belongs to the host that lists it');
      assert.equal(connection.idleLink.list === host.idle, connection.state === 'idle', 'idle list');
      assert.equal(connection.lruLink.list === pool.idle, connection.state === 'idle', 'list of all idle');
      const expires = connection.state === 'idle' && connection.expiresAt !== Infinity;
      assert.equal(
        connection.expiryLink.list !== undefined,
        expires,
        'what is idle and expires is in the wheel',
      );
      if (expires) expiring++;
      if (connection.state === 'active') assert.equal(connection.idleSince, -1, 'what is active is not idle');
      if (connection.state === 'idle') {
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
    assert.ok(count.idle <= limits.maxFreeSockets, 'maxFreeSockets holds');
    if (count.idle > 0) {
      assert.ok(host.connections.size - count.closing <= limits.maxSockets, 'what is above maxSockets goes');
    }
    assert.equal(unbound, host.unbound, 'unbound count');
    assert.ok(!host.isEmpty, 'an empty host is forgotten');

    let waiting = 0;
    let careful = 0;
    let undialledSeen = host.undialled === undefined;
    for (const waiter of host.waiting) {
      waiting++;
      if (waiter.careful) careful++;
      assert.equal(waiter.state, 'queued');
      assert.equal(waiter.host, host);
      if (host.undialled === waiter.link) undialledSeen = true;
    }
    assert.equal(waiting, host.waiting.size, 'queue size');
    assert.ok(undialledSeen, 'the first undialled waiter is in the queue');

    assert.equal(careful, host.careful, 'count of those that take no risk');
    // Those that settle include idle ones that are looked at first, one for each request.
    assert.ok(
      count.idle === 0 || waiting - careful <= count.settling,
      'an idle connection and a waiter that may have it never coexist',
    );
    if (host.connections.size >= limits.maxSockets) {
      assert.ok(
        count.idle === 0 || host.need <= host.closing,
        'who may have no idle connection gets the place of one',
      );
    }
    if (host.need > 0 && host.connections.size < limits.maxSockets) {
      if (pool.size < limits.maxTotalSockets) {
        assert.ok(host.pacedLink.list === pool.paced, 'nobody waits while there is capacity for it');
      } else {
        assert.ok(host.hungryLink.list ?? host.pacedLink.list, 'who lacks only room waits for room');
      }
    }

    total += host.connections.size;
    closing += count.closing;
    idle += count.idle;
  }

  assert.equal(total, pool.size, 'total count');
  assert.equal(closing, pool.closing, 'closing count');
  assert.equal(idle, pool.idle.size, 'idle count of all hosts');
  assert.equal(expiring, pool.expiring.size, 'size of the wheel');
  if (idle > 0) assert.ok(total - closing <= limits.maxTotalSockets, 'what is above maxTotalSockets goes');
  if (pool.hungry.size > pool.closing) assert.equal(pool.idle.size, 0, 'an idle connection makes room');
  if (pool.paced.size > 0) assert.ok(pool.scheduled, 'who is put off has a turn coming');
  for (const host of pool.hungry) {
    assert.ok(pool.hosts.has(host), 'a hungry host is known');
    assert.ok(host.need > 0, 'a hungry host needs room');
  }
  for (const host of pool.paced) assert.ok(pool.hosts.has(host), 'a paced host is known');
}
