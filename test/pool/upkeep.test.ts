/** Connections that are closed, or validated, without a request: expired ones, and those beside one that was lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import type { BareKinds } from '../support/bare-driver.js';
import { TimedDriver } from '../support/timed-driver.js';
import { nextSuccessor } from '../../src/pool/ageing.js';
import { HostPool, Waiter } from '../../src/pool/records.js';

test('what has expired is closed, and what is in use is left alone', () => {
  const d = new TimedDriver({});
  d.ages.expires = 1000;
  const [idle, used] = d.openIdle(2);
  assert.equal(d.pool.lease(d.host)?.id, used?.id);
  d.time = 5000;
  d.pool.upkeep.reap(d.time);
  assert.equal(idle?.closeReason, 'idle-timeout');
  assert.equal(used?.state, 'active');
});

test('after a loss, a request that takes the risk has an idle connection validated for it; no other does', () => {
  for (const replay of ['replayable', 'unreplayable'] as const) {
    const d = new TimedDriver({ maxSockets: 2 });
    const [lost, idle] = d.openIdle(2);
    assert.ok(lost && idle);
    assert.equal(d.pool.lease(d.host)?.id, idle.id);
    d.pool.retry(idle, new Waiter<BareKinds>(d.host, 'again', replay, Infinity));
    assert.equal(lost.state, replay === 'replayable' ? 'validating' : 'idle');
  }
});

test('a request that means another host by now has no claim to the slot of the lost connection', () => {
  const d = new TimedDriver({ maxSockets: 1 });
  const lost = d.open();
  const other = new HostPool<BareKinds>(1, d.pool.limits);
  d.pool.retryOnNew(lost, new Waiter<BareKinds>(other, 'moved', 'replayable', Infinity));
  assert.equal(lost.replayWaiter, undefined);
  d.pool.turn();
  assert.deepEqual(d.assigned, ['first', 'moved']);
});

test('the next successor is that of the one that ages first', () => {
  const ages = [1000, 400, 800].map((expiresAt) => ({ idleSince: 0, expiresAt, safeUntil: Infinity }));
  assert.equal(nextSuccessor(ages), 200);
  assert.equal(nextSuccessor([]), Infinity);
  assert.equal(nextSuccessor([{ idleSince: 100, expiresAt: 1100, safeUntil: Infinity }]), 600);
  assert.equal(nextSuccessor([{ idleSince: 100, expiresAt: 1100, safeUntil: 300 }]), 200);
  // It was not safe for a moment: it has its successor only before it goes.
  assert.equal(nextSuccessor([{ idleSince: 100, expiresAt: 1100, safeUntil: 100 }]), 600);
});

test('a connection that is retired is closed at once if it is idle, and after its exchange if it is in use', () => {
  const d = new TimedDriver({});
  const [idle, used] = d.openIdle(2);
  assert.ok(idle && used);
  assert.equal(d.pool.lease(d.host)?.id, used.id);
  assert.equal(d.pool.upkeep.retireNow(idle, 'address-gone', d.time), true);
  assert.deepEqual([idle.state, idle.closeReason], ['closed', 'address-gone']);
  const { changes } = d.pool;
  assert.equal(d.pool.upkeep.retireNow(used, 'address-gone', d.time), true);
  assert.ok(d.pool.changes > changes, 'readers of the pool see it');
  assert.equal(used.state, 'active');
  d.pool.release(used);
  assert.deepEqual(d.reasons, ['address-gone', 'address-gone']);
  assert.equal(d.pool.size, 0);
});

test('one that is neither idle nor in use is not retired', () => {
  const d = new TimedDriver({});
  d.isRested = false;
  d.ages.validate = 100;
  const [connection] = d.openIdle(1);
  assert.ok(connection);
  d.pool.lease(d.host);
  assert.equal(connection.state, 'validating');
  assert.equal(d.pool.upkeep.retireNow(connection, 'address-gone', d.time), false);
  assert.equal(connection.retireAt, Infinity);
  d.pool.close(connection, 'surplus');
  assert.equal(d.pool.upkeep.retireNow(connection, 'address-gone', d.time), false);
  assert.deepEqual(d.reasons, ['surplus']);
});

test('trimming leaves minFreeSockets beside those that were in use at once', () => {
  for (const [inUse, left] of [
    [1, 4],
    [2, 5],
  ] as const) {
    const d = new TimedDriver({ minFreeSockets: 3, trimInterval: 1000 });
    d.openIdle(10);
    d.pool.upkeep.beginTrim(0);
    d.pool.upkeep.trim(1000);
    assert.equal(d.host.idle.size, 10, 'all were needed in this interval');
    const used = Array.from({ length: inUse }, () => d.pool.lease(d.host));
    for (const connection of used) if (connection) d.pool.release(connection);
    assert.equal(d.pool.upkeep.trim(1999), 2000);
    assert.equal(d.host.idle.size, 10, 'the interval is not over');
    assert.equal(d.pool.upkeep.trim(2000), 3000);
    assert.equal(d.host.idle.size, left);
    assert.deepEqual(new Set(d.reasons), new Set(['surplus']));
  }
});

test('an interval of trimming ends where it was to end when it began; without one, nothing is trimmed', () => {
  const d = new TimedDriver({ trimInterval: 1000 });
  d.openIdle(2);
  assert.deepEqual([d.pool.upkeep.beginTrim(5000), d.pool.upkeep.beginTrim(5500)], [6000, 6000]);
  d.pool.limits.trimInterval = 0;
  assert.equal(d.pool.upkeep.beginTrim(7000), Infinity);
  d.pool.release(d.pool.lease(d.host) as NonNullable<ReturnType<typeof d.pool.lease>>);
  assert.equal(d.pool.upkeep.trim(9000), Infinity);
  assert.equal(d.host.idle.size, 2);
});

test('after a loss, the idle connection that was used last is validated, whatever is leased first', () => {
  const d = new TimedDriver({ maxSockets: 3, scheduling: 'fifo' });
  d.pool.limit(d.host, d.pool.limits);
  const [lost, , last] = d.openIdle(3);
  assert.equal(d.pool.lease(d.host), lost);
  assert.ok(lost);
  d.pool.retry(lost, new Waiter<BareKinds>(d.host, 'again', 'replayable', Infinity));
  assert.equal(last?.state, 'validating');
});

test('a host that is given up is opened no connection ahead of requests', () => {
  const d = new TimedDriver({});
  d.dial = () => {};
  const spare = new Waiter<BareKinds>(d.host, 'spare');
  assert.equal(d.pool.spares.open(spare), undefined);
  d.ask('request');
  d.pool.upkeep.abandon(d.host);
  assert.equal(spare.state, 'done');
});
