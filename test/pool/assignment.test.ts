/** Where a connection goes that no request has: to a request, to the idle ones, or away. One decision at a time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import type { BareKinds } from '../support/bare-driver.js';
import { TimedDriver } from '../support/timed-driver.js';
import type { Connection } from '../../src/pool/records.js';

type Conn = Connection<BareKinds>;

class PickyDriver extends TimedDriver {
  /** The answers to the pool's questions. */
  readiness = { idle: true, next: true };
  validates: (connection: Conn) => boolean = () => true;
  /** Dials are answered at once, or when a test says so. */
  answers = true;

  override dial(connection: Conn): void {
    connection.pooled = true;
    if (this.answers) this.pool.connected(connection);
  }

  override isReadyToIdle(): boolean {
    return this.readiness.idle;
  }

  override isReadyForNext(): boolean {
    return this.readiness.next;
  }

  override validate(connection?: Conn): boolean {
    return !connection || this.validates(connection);
  }

  /** Idle since 0, and to be validated before it is leased. */
  openResting(safe = Infinity, expires = Infinity): Conn {
    this.ages = { expires, safe, validate: 1 };
    const connection = this.open();
    this.pool.release(connection);
    this.time = 1;
    return connection;
  }
}

test('what was released, and is not known to be read to its end, is validated before it is idle or has a request', () => {
  const d = new PickyDriver({ maxSockets: 1 });
  d.readiness = { idle: false, next: false };
  const connection = d.open();
  d.pool.release(connection);
  assert.equal(connection.state, 'validating');
  d.pool.turn();
  assert.equal(connection.state, 'idle');
  assert.equal(d.pool.lease(d.host), connection);
  d.ask('second');
  d.pool.release(connection);
  assert.equal(connection.state, 'validating');
  d.pool.turn();
  assert.deepEqual(d.assigned, ['first', 'second']);
});

test('a connection is validated in as many turns as the driver asks for, and one that was closed meanwhile in none', () => {
  const d = new PickyDriver({});
  const first = d.openResting();
  const looks: unknown[] = [];
  d.validates = (connection) => looks.push(connection) > 2;
  assert.equal(d.pool.lease(d.host), first);
  const waiter = d.ask('second');
  d.pool.turn();
  d.pool.turn();
  assert.deepEqual([first.state, waiter.state], ['validating', 'queued']);
  d.pool.turn();
  assert.deepEqual([first.state, waiter.state], ['active', 'done']);
  d.pool.release(first);
  d.time = 10;
  assert.equal(d.pool.lease(d.host), first);
  d.pool.close(first, 'surplus');
  looks.length = 0;
  d.pool.turn();
  assert.deepEqual(looks, []);
});

test('where the validation of one throws, the others are validated in the next turn', () => {
  const d = new PickyDriver({});
  d.ages.validate = 1;
  const connections = d.openIdle(3);
  d.time = 100;
  for (const _ of connections) assert.equal(d.pool.lease(d.host)?.state, 'validating');
  let looks = 0;
  d.validates = () => {
    if (looks++ === 0) throw new Error('thrown');
    return true;
  };
  assert.throws(() => d.pool.turn(), /thrown/);
  assert.equal(d.pool.endOfTurn.scheduled, true);
  d.pool.turn();
  assert.equal(d.host.idle.size, 2);
  assert.equal(looks, 3);
});

test('a validated connection that expires in this very moment serves nobody', () => {
  for (const [time, isServed] of [
    [99, true],
    [100, false],
  ] as const) {
    const d = new PickyDriver({ maxSockets: 1 });
    const connection = d.openResting(Infinity, 100);
    d.pool.lease(d.host);
    d.ask('second');
    d.time = time;
    d.pool.turn();
    assert.equal(connection.state, isServed ? 'active' : 'closed');
  }
});

test('a request that cannot be sent twice gets no connection that has just become unsafe; one that can does, and that is noted', () => {
  for (const [time, replay, isServed] of [
    [99, 'unreplayable', true],
    [100, 'unreplayable', false],
    [99, 'replayable', true],
    [100, 'replayable', true],
  ] as const) {
    const d = new PickyDriver({ maxSockets: 1 });
    const connection = d.openResting(100);
    d.pool.lease(d.host);
    d.ask('second', replay);
    d.time = time;
    d.pool.turn();
    assert.equal(connection.state, isServed ? 'active' : 'closed', `${time}, ${replay}`);
    assert.equal(connection.isUnsafe, isServed && time === 100, `${time}, ${replay}`);
    d.pool.turn();
    assert.deepEqual(d.assigned, ['first', 'second']);
  }
});

test('where no age is safe, and the request that took the risk has gone, the connection is not kept', () => {
  const d = new PickyDriver({ maxSockets: 1 });
  d.readiness.next = false;
  const connection = d.open();
  const waiter = d.ask('second');
  d.pool.releaseUnsafe(connection);
  assert.equal(connection.state, 'validating');
  d.pool.abort(waiter);
  d.pool.turn();
  assert.deepEqual(d.reasons, ['idle-timeout']);
});

test('a released connection that could not be kept is closed at once, those that are validated counted', () => {
  const d = new PickyDriver({ maxSockets: 3, maxFreeSockets: 1 });
  d.readiness = { idle: false, next: false };
  const [first, second, third] = [d.open(), d.open(), d.open()];
  d.pool.release(first);
  d.pool.release(second);
  assert.deepEqual([first.state, second.state], ['validating', 'closed']);
  d.pool.upkeep.abandon(d.host);
  assert.equal(third.state, 'active');
  d.pool.release(third);
  assert.equal(third.state, 'closed');
});

test('where requests wait for those that are validated, one more may be kept; and none needs to be, where all are waited for', () => {
  for (const [maxFreeSockets, waiting, isKept] of [
    [1, 1, true],
    [1, 0, false],
    [0, 2, true],
    [0, 1, false],
  ] as const) {
    const d = new PickyDriver({ maxSockets: 2, maxFreeSockets: 2 });
    d.readiness = { idle: false, next: false };
    const [first, second] = [d.open(), d.open()];
    for (let i = 0; i < waiting; i++) d.ask(`waits ${i}`);
    d.pool.release(first);
    d.pool.limits.maxFreeSockets = maxFreeSockets;
    d.pool.release(second);
    assert.equal(second.state, isKept ? 'validating' : 'closed', `${maxFreeSockets}, ${waiting}`);
    d.pool.turn();
  }
});

test('nothing is kept idle without keepAlive, of a host that is given up, or in a closed pool', () => {
  const ends: Record<string, (d: PickyDriver) => void> = {
    'without keepAlive': (d) => (d.pool.limits.keepAlive = false),
    'given up': (d) => d.pool.upkeep.abandon(d.host),
    closed: (d) => d.pool.shutdown.begin(),
  };
  for (const [name, end] of Object.entries(ends)) {
    const d = new PickyDriver({});
    const connection = d.open();
    end(d);
    d.pool.release(connection);
    assert.equal(connection.state, 'closed', name);
  }
});

test('a connection that is ready when a limit was lowered meanwhile is closed', () => {
  const d = new PickyDriver({ binding: 'late', maxSockets: 2 });
  d.answers = false;
  d.ask('first');
  d.ask('second');
  d.pool.turn();
  const [one, two] = [...d.host.connections] as [Conn, Conn];
  d.pool.limits.maxSockets = 1;
  d.pool.limitsChanged();
  d.pool.connected(one);
  assert.equal(one.closeReason, 'surplus');
  d.pool.connected(two);
  assert.deepEqual(d.assigned, ['first']);
});

test('after an end of turn, a host that has connections puts off its dials as before', () => {
  const d = new PickyDriver({});
  d.ask('first');
  d.ask('second');
  d.pool.turn();
  assert.equal(d.host.connections.size, 2);
  d.pool.turn();
  d.ask('third');
  assert.equal(d.host.connections.size, 2, 'not before the end of this turn');
  d.pool.turn();
  assert.equal(d.host.connections.size, 3);
});

test('every change that a reader of the pool could see is counted', () => {
  const d = new PickyDriver({ maxSockets: 1, maxQueueSize: 1 });
  let before = d.pool.changes;
  const counts = (what: string): void => {
    assert.ok(d.pool.changes > before, what);
    before = d.pool.changes;
  };
  d.answers = false;
  d.ask('first');
  counts('a dial');
  const [connection] = d.host.connections;
  assert.ok(connection);
  d.pool.connected(connection);
  counts('a connection');
  const waiter = d.ask('second');
  counts('a request that waits');
  d.pool.abort(waiter);
  counts('a request that goes');
  d.pool.release(connection);
  counts('an idle connection');
  assert.ok(d.pool.lease(d.host));
  counts('a lease');
  d.pool.limitsChanged();
  counts('limits');
  d.pool.upkeep.abandon(d.host);
  counts('a host that is given up');
  d.pool.close(connection, 'surplus');
  counts('a close');
});
