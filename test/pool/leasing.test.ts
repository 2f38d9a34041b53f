/** The idle connection that a request gets, and the fate of a connection whose exchange is over: each moment of its life, to the millisecond. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import type { BareKinds } from '../support/bare-driver.js';
import { TimedDriver } from '../support/timed-driver.js';
import type { Limits } from '../../src/pool/limits.js';
import type { Connection } from '../../src/pool/records.js';

type Conn = Connection<BareKinds>;

function driver(limits: Partial<Limits> = {}): TimedDriver {
  return new TimedDriver(limits);
}

test('a connection is leased to every request until it is not safe any more, and then to those that take the risk', () => {
  const d = driver();
  d.ages.safe = 100;
  const [connection] = d.openIdle(1);
  d.time = 99;
  assert.equal(d.pool.lease(d.host)?.id, connection?.id);
  assert.equal(connection?.isUnsafe, false);
  assert.equal(connection.idledFor, 99);
  assert.equal(connection.safeUntil, Infinity, 'a lease forgets the ages');
  assert.equal(connection.idleSince, -1);
  d.pool.release(connection);
  d.time = 199;
  assert.equal(d.pool.lease(d.host), undefined);
  assert.equal(d.host.idle.size, 1);
  assert.equal(d.pool.leaseUnsafe(d.host)?.id, connection?.id);
  assert.equal(connection.isUnsafe, true);
  assert.equal(connection.idledFor, 100);
  assert.deepEqual(d.reasons, []);
});

test('one that was lost to its age does not make the next one unsafe', () => {
  const d = driver();
  d.ages.safe = 100;
  const [connection] = d.openIdle(1);
  d.time = 150;
  assert.ok(connection && d.pool.leaseUnsafe(d.host));
  d.pool.release(connection);
  assert.equal(d.pool.lease(d.host)?.id, connection?.id);
  assert.equal(connection.isUnsafe, false);
  assert.equal(connection.idledFor, 0);
});

test('one that goes from one request to the next was not idle in between', () => {
  const d = driver({ maxSockets: 1 });
  const [connection] = d.openIdle(1);
  d.time = 100;
  assert.equal(d.pool.lease(d.host)?.idledFor, 100);
  d.ask('second');
  d.pool.release(connection as Conn);
  assert.deepEqual(d.assigned, ['first', 'second']);
  assert.equal(connection?.idledFor, 0);
});

test('where the one whose turn it is has been idle for too long, the last used one is safe', () => {
  const d = driver({ scheduling: 'fifo' });
  d.pool.limit(d.host, d.pool.limits);
  d.ages.safe = 100;
  const [oldest, middle, last] = d.openIdle(3).map(({ id }) => id);
  d.time = 99;
  assert.equal(d.pool.lease(d.host)?.id, oldest, 'in turn');
  d.time = 101;
  assert.equal(d.pool.lease(d.host)?.id, last, 'the other one is too old, by no more than a moment');
  assert.equal(d.pool.lease(d.host), undefined);
  assert.equal(d.pool.leaseUnsafe(d.host)?.id, middle);
});

test('a request that takes the risk gets the one whose turn it is', () => {
  const d = driver({ scheduling: 'fifo' });
  d.pool.limit(d.host, d.pool.limits);
  d.ages.safe = 100;
  const [oldest] = d.openIdle(2);
  d.time = 100;
  assert.equal(d.pool.leaseUnsafe(d.host)?.id, oldest?.id);
});

test('one that has expired is closed, and the next one leased', () => {
  const d = driver();
  const [other, expired] = d.openIdle(2);
  assert.ok(expired && other);
  expired.expiresAt = 50;
  d.time = 49;
  assert.equal(d.pool.lease(d.host)?.id, expired?.id);
  d.pool.release(expired);
  expired.expiresAt = 60;
  d.time = 60;
  assert.equal(d.pool.lease(d.host)?.id, other?.id);
  assert.deepEqual(d.reasons, ['idle-timeout']);
  assert.equal(d.pool.lease(d.host), undefined);
});

test('so is one that is dead; and of two reasons, age is told', () => {
  const d = driver();
  const [other, dead, deadAndOld] = d.openIdle(3);
  assert.ok(dead && deadAndOld && other);
  for (const connection of [dead, deadAndOld]) d.unusable.add(connection);
  deadAndOld.expiresAt = d.time;
  deadAndOld.retireAt = d.time;
  assert.equal(d.pool.lease(d.host)?.id, other?.id);
  assert.deepEqual(d.reasons, ['max-age', 'server-closed']);
});

test('one that has been idle for long is validated first, whatever is known of it', () => {
  const d = driver();
  d.ages.validate = 100;
  const [connection] = d.openIdle(1);
  d.time = 99;
  const req = {};
  assert.equal(d.pool.lease(d.host, req)?.state, 'active');
  assert.deepEqual(d.asked, [req]);
  d.pool.release(connection as Conn);
  d.time = 199;
  assert.equal(d.pool.lease(d.host, req)?.state, 'validating');
  assert.equal(d.asked.length, 1, 'there is nothing to ask');
});

test('one that has rested is validated first, unless the host is never validated', () => {
  const d = driver();
  d.isRested = false;
  d.ages.validate = 100;
  const [connection] = d.openIdle(1);
  assert.equal(d.pool.lease(d.host)?.state, 'validating');
  const waiter = d.ask('second');
  d.pool.turn();
  assert.equal(waiter.state, 'done');
  assert.equal(connection?.state, 'active');
  d.ages.validate = Infinity;
  d.pool.release(connection);
  assert.equal(d.pool.lease(d.host)?.state, 'active');
});

test('nothing is leased where nothing is idle, nor from a closed pool', () => {
  const d = driver();
  assert.equal(d.pool.lease(d.host), undefined);
  d.openIdle(1);
  d.pool.shutdown.begin();
  assert.equal(d.pool.lease(d.host), undefined);
  assert.equal(d.pool.leaseUnsafe(d.host), undefined);
  assert.equal(d.host.idle.size, 1, 'until it is closed');
});

test('an exchange ends once, in each of its ways', () => {
  for (const end of ['release', 'releaseUnsafe', 'discard'] as const) {
    const d = driver();
    const connection = d.open();
    assert.equal(d.pool[end](connection), true, end);
    const { state } = connection;
    for (const again of ['release', 'releaseUnsafe', 'discard'] as const)
      assert.equal(d.pool[again](connection), false, `${again} after ${end}`);
    assert.equal(connection.state, state);
    assert.equal(state, end === 'release' ? 'idle' : 'closed');
    assert.deepEqual(d.reasons, { release: [], releaseUnsafe: ['idle-timeout'], discard: ['surplus'] }[end]);
  }
});

test('where no age is safe, a connection serves a request that waits and takes the risk, and no other', () => {
  for (const [replay, isServed] of [
    ['replayable', true],
    ['unreplayable', false],
  ] as const) {
    const d = driver({ maxSockets: 1 });
    const connection = d.open();
    d.ask('second', replay);
    d.pool.releaseUnsafe(connection);
    assert.equal(connection.state, isServed ? 'active' : 'closed');
    if (!isServed) assert.deepEqual(d.reasons, ['idle-timeout']);
    assert.equal(connection.isUnsafe, isServed);
    d.pool.turn();
    assert.deepEqual(d.assigned, ['first', 'second'], 'on this one or on another');
  }
});

test('the request that takes the risk need not be the first', () => {
  const d = driver({ maxSockets: 1 });
  const connection = d.open();
  d.ask('second', 'unreplayable');
  d.ask('third');
  d.pool.releaseUnsafe(connection);
  assert.deepEqual(d.assigned, ['first', 'third']);
  assert.equal(connection.isUnsafe, true);
});

test('a limit ends the life of a connection with its exchange, for each way of release', () => {
  const limits: Record<string, (d: TimedDriver, connection: Conn) => void> = {
    surplus: (d) => {
      d.pool.limits.maxSockets = 0;
    },
    'max-requests': (_d, connection) => {
      connection.requestsLeft = 0;
    },
    'max-age': (d, connection) => {
      connection.retireAt = d.time;
    },
  };
  for (const [reason, reach] of Object.entries(limits)) {
    for (const end of ['release', 'releaseUnsafe'] as const) {
      const d = driver({ maxSockets: 2 });
      d.time = 10;
      const connection = d.open();
      reach(d, connection);
      assert.equal(d.pool[end](connection), true);
      assert.equal(connection.state, 'closed');
      assert.deepEqual(d.reasons, [reason]);
    }
  }
});

test('short of the limit it lives on', () => {
  const d = driver({ maxSockets: 1 });
  d.time = 10;
  const connection = d.open();
  connection.requestsLeft = 1;
  connection.retireAt = 11;
  d.pool.release(connection);
  assert.equal(connection.state, 'idle');
  assert.equal(d.pool.lease(d.host)?.id, connection?.id);
  assert.equal(connection.requestsLeft, 0);
  d.pool.release(connection);
  assert.deepEqual(d.reasons, ['max-requests']);
});

test('a connection from outside is in use, and counts, where there is a slot for it', () => {
  const d = driver({ maxSockets: 1 });
  const connection = d.pool.adopt(d.host);
  assert.equal(connection?.state, 'active');
  assert.equal(connection.isConnecting, false);
  assert.equal(connection.served, 1);
  assert.equal(d.pool.counters.connecting, 0);
  assert.equal(d.pool.counters.opened, 1);
  assert.equal(d.pool.adopt(d.host), undefined);
  connection.pooled = true;
  d.pool.release(connection);
  assert.equal(d.pool.lease(d.host)?.id, connection?.id);
  d.pool.discard(connection);
  d.pool.shutdown.begin();
  assert.equal(d.pool.adopt(d.host), undefined, 'not in a closed pool');
});
