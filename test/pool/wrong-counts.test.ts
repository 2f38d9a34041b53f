/** Loops of the pool end, also where a count is wrong that they go by: a bug must cost a request, not the process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpiryWheel } from '../../src/pool/expiry-wheel.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Limits } from '../../src/pool/limits.js';
import { BareDriver } from '../support/bare-driver.js';
import type { BareKinds } from '../support/bare-driver.js';

/** A loop without an end is found by the time that the runner gives a file. */
function poolWith(limits: Partial<Limits>) {
  const driver = new BareDriver(limits);
  const { pool } = driver;
  const host = (origin: number): HostPool<BareKinds> => new HostPool<BareKinds>(origin, pool.limits);
  const request = (of: HostPool<BareKinds>): void => {
    if (!pool.leaseUnsafe(of)) pool.enqueue(new Waiter<BareKinds>(of, undefined));
  };
  const idle = (of: HostPool<BareKinds>): void => {
    request(of);
    for (const connection of of.connections) pool.release(connection);
  };
  return { driver, pool, host, request, idle };
}

test('the wheel says that nothing is to come where it finds nothing', () => {
  const wheel = new ExpiryWheel<never>();
  wheel.size = 3;
  assert.equal(wheel.next, Infinity);
});

for (const number of [1, 2, -1, NaN, Infinity]) {
  test(`a random number of ${number}: some idle connection is leased`, () => {
    const { pool, host, idle } = poolWith({ scheduling: 'random', random: () => number });
    const a = host(1);
    pool.limit(a, pool.limits);
    idle(a);
    assert.equal(a.idle.size, 1);
    assert.ok(pool.leaseUnsafe(a));
    pool.enqueue(new Waiter<BareKinds>(a, undefined));
  });
}

test('more unserved requests than there are waiters', () => {
  for (const limits of [
    {},
    { binding: 'late' as const },
    { maxTotalSockets: 3 },
    { maxTotalQueueSize: 0 },
    { maxQueueSize: 0 },
  ]) {
    const { pool, host, request } = poolWith(limits);
    const [a, b] = [host(1), host(2)];
    request(a);
    for (const wrong of [a, b]) wrong.validating = -5;
    request(b);
    for (const connection of a.connections) pool.release(connection);
    pool.turn();
    pool.limitsChanged();
    request(a);
    assert.ok(pool.size <= pool.limits.maxTotalSockets);
  }
});

test('more connections, or fewer that close, than there are', () => {
  for (const wrong of [1000, -1000]) {
    const { pool, host, idle, request } = poolWith({ maxTotalSockets: 2, maxTotalFreeSockets: 1 });
    const [a, b] = [host(1), host(2)];
    idle(a);
    pool.capacity.size += Math.abs(wrong);
    pool.capacity.closing += Math.min(0, wrong);
    pool.limits.maxTotalSockets = 1;
    pool.limitsChanged();
    request(b);
    pool.limits.maxTotalFreeSockets = 0;
    pool.limitsChanged();
    pool.shutdown.destroy(new Error('end'));
  }
});

test('an idle connection that is closing already', () => {
  const { pool, host, idle, request } = poolWith({});
  const [a, b] = [host(1), host(2)];
  idle(a);
  const [connection] = a.connections;
  assert.ok(connection);
  connection.state = 'closing';
  connection.expiresAt = -1;
  assert.equal(pool.leaseUnsafe(a), undefined);
  pool.limits.maxTotalSockets = 0;
  pool.limits.maxTotalFreeSockets = 0;
  pool.limitsChanged();
  pool.limits.maxTotalSockets = 1;
  request(b);
  pool.limitsChanged();
});
