/** The idle connection that is leased next, by each value of `scheduling`: also when that is changed while connections are idle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import type { BareKinds } from '../support/bare-driver.js';
import { TimedDriver } from '../support/timed-driver.js';
import type { HostLimits, Limits } from '../../src/pool/limits.js';
import type { Connection } from '../../src/pool/records.js';

type Conn = Connection<BareKinds>;

/** Three idle connections, the longest idle first, that have served 3, 1 and 2 requests. */
function three(limits: Partial<Limits>): { d: TimedDriver; idle: readonly [Conn, Conn, Conn] } {
  const d = new TimedDriver(limits);
  d.pool.limit(d.host, d.pool.limits);
  const [a, b, c] = d.openIdle(3) as [Conn, Conn, Conn];
  for (const [i, connection] of [a, b, c].entries()) connection.served = [3, 1, 2][i] as number;
  reschedule(d, d.pool.limits.scheduling);
  return { d, idle: [a, b, c] };
}

function reschedule(d: TimedDriver, scheduling: HostLimits['scheduling']): void {
  // By way of another one: the order is made anew.
  for (const one of ['lifo', scheduling] as const) {
    d.pool.limits.scheduling = one;
    d.pool.limitsChanged();
  }
}

function order(d: TimedDriver, idle: readonly Conn[]): string {
  return Array.from(idle, () => 'abc'[idle.indexOf(d.pool.lease(d.host) as Conn)]).join('');
}

test('each has its order', () => {
  for (const [scheduling, expected] of [
    ['lifo', 'cba'],
    ['fifo', 'abc'],
    ['least-used', 'bca'],
  ] as const) {
    const { d, idle } = three({ scheduling });
    assert.equal(order(d, idle), expected, scheduling);
  }
});

test('of those that have served as many requests, the longest idle one comes first', () => {
  const { d, idle } = three({ scheduling: 'least-used' });
  idle[2].served = 1;
  reschedule(d, 'least-used');
  assert.equal(order(d, idle), 'bca');
  const same = three({ scheduling: 'least-used' });
  for (const connection of same.idle) connection.served = 1;
  reschedule(same.d, 'least-used');
  assert.equal(order(same.d, same.idle), 'abc');
});

test('at random, the number that is drawn says which one', () => {
  for (const [number, expected] of [
    [0, 'a'],
    [0.4, 'b'],
    [0.99, 'c'],
  ] as const) {
    const { d, idle } = three({ scheduling: 'random', random: () => number });
    assert.equal('abc'[idle.indexOf(d.pool.lease(d.host) as Conn)], expected);
  }
});

test('a change holds at once, for those that are idle already', () => {
  const { d, idle } = three({ scheduling: 'lifo' });
  d.pool.limits.scheduling = 'least-used';
  d.pool.limitsChanged();
  d.pool.limitsChanged();
  assert.equal(d.host.nextIdle, idle[1]);
  d.pool.limits.scheduling = 'fifo';
  assert.equal(d.host.nextIdle, idle[1], 'not before it is told');
  d.pool.limitsChanged();
  assert.equal(order(d, idle), 'abc');
});
