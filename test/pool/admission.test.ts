/** Requests that are refused, and the counts that they are told; and what a request that had to wait says of the idle connections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import type { BareKinds } from '../support/bare-driver.js';
import { hostLimitsWith } from '../support/limits.js';
import { TimedDriver } from '../support/timed-driver.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';
import type { Refusal } from '../../src/pool/refusal.js';

type Conn = Connection<BareKinds>;

class RefusingDriver extends TimedDriver {
  readonly refused: [request: unknown, refusal: Refusal][] = [];
  /** Connections are closed at once, or not yet. */
  closes = true;

  override refuse(waiter?: Waiter<BareKinds>, refusal?: Refusal): void {
    if (waiter && refusal) this.refused.push([waiter.request, refusal]);
  }

  override close(connection: Conn): void {
    if (this.closes) super.close(connection);
  }

  askOf(host: HostPool<BareKinds>, name: string): Waiter<BareKinds> {
    const waiter = new Waiter<BareKinds>(host, name);
    this.pool.enqueue(waiter);
    return waiter;
  }

  another(origin: number): HostPool<BareKinds> {
    return new HostPool<BareKinds>(origin, this.pool.limits);
  }
}

test('where the queue of all hosts is full, a request is told of all hosts: neither idle nor closing connections are active', () => {
  const d = new RefusingDriver({ maxSockets: 3, maxTotalSockets: 6, maxTotalQueueSize: 1 });
  const connections = [d.open(), d.open(), d.open()];
  const other = d.another(1);
  for (const name of ['one', 'two', 'three']) {
    d.askOf(other, name);
    d.pool.turn();
  }
  const [idle] = other.connections;
  assert.ok(idle);
  d.pool.release(idle);
  d.closes = false;
  const [closing] = connections;
  assert.ok(closing);
  d.pool.close(closing, 'surplus');
  d.askOf(d.host, 'waits');
  d.askOf(d.host, 'waits, too');
  assert.equal(d.refused.length, 0);
  d.askOf(d.host, 'refused');
  assert.deepEqual(d.refused, [
    ['refused', { limitedBy: 'maxTotalQueueSize', limit: 1, waiting: 2, active: 4, waited: 0 }],
  ]);
});

test('a closed pool refuses every request, and counts those before it', () => {
  const d = new RefusingDriver({ maxSockets: 1 });
  d.open();
  d.ask('waits');
  d.pool.shutdown.begin();
  d.ask('late');
  assert.deepEqual(d.refused, [
    ['late', { limitedBy: 'closed', limit: 0, waiting: 1, active: 1, waited: 0 }],
  ]);
});

test('connections that others were to open at the end of the turn are opened before a request is refused', () => {
  const d = new RefusingDriver({ maxTotalQueueSize: 1 });
  const narrow = d.another(1);
  narrow.limits = hostLimitsWith({ maxSockets: 1 }, d.pool.limits);
  d.ask('first');
  d.ask('second');
  assert.equal(d.host.connections.size, 1, 'the second opens its connection at the end of the turn');
  d.askOf(narrow, 'third');
  d.askOf(narrow, 'fourth');
  assert.equal(d.host.connections.size, 2);
  assert.equal(d.refused.length, 0);
  d.askOf(narrow, 'fifth');
  assert.deepEqual(
    d.refused.map(([request]) => request),
    ['fifth'],
  );
});

test('a request for which a connection is opened has needed all idle ones of its host', () => {
  const d = new RefusingDriver({ trimInterval: 1000 });
  const once = (): void => {
    const connection = d.pool.lease(d.host);
    assert.ok(connection);
    d.pool.release(connection);
  };
  d.openIdle(3);
  d.pool.upkeep.beginTrim(0);
  once();
  d.pool.upkeep.trim(1000);
  assert.equal(d.host.idle.size, 3, 'they were opened in this interval');
  once();
  d.pool.upkeep.trim(2000);
  assert.equal(d.host.idle.size, 1);
});

test('a request that waits for the validation of one has needed that one', () => {
  const d = new RefusingDriver({ trimInterval: 1000 });
  d.openIdle(3);
  d.pool.upkeep.beginTrim(0);
  d.pool.upkeep.trim(1000);
  d.pool.upkeep.suspect();
  const connection = d.pool.lease(d.host);
  assert.equal(connection?.state, 'validating');
  d.ask('request');
  d.pool.turn();
  assert.equal(connection.state, 'active');
  d.pool.release(connection);
  d.pool.upkeep.trim(2000);
  assert.equal(d.host.idle.size, 1);
});

test('a request that gives up the wait for the slot of a lost connection leaves that slot', () => {
  const d = new RefusingDriver({ maxSockets: 1 });
  const lost = d.open();
  const waiter = new Waiter<BareKinds>(d.host, 'again', 'replayable', Infinity);
  d.closes = false;
  d.pool.retryOnNew(lost, waiter);
  assert.equal(waiter.state, 'awaiting-slot');
  assert.equal(d.pool.abort(waiter), true);
  assert.equal(d.pool.abort(waiter), false);
  d.pool.closed(lost);
  assert.deepEqual(d.assigned, ['first']);
  assert.equal(d.pool.isEmpty, true);
});

test('a request that is there again, and may not wait for any time, is refused at its own deadline', () => {
  const d = new RefusingDriver({ maxSockets: 1, acquireTimeout: 100 });
  d.open();
  d.pool.enqueue(new Waiter<BareKinds>(d.host, 'late', 'replayable', 50));
  const early = new Waiter<BareKinds>(d.host, 'early', 'replayable', 10);
  d.pool.readmit(early);
  assert.equal(d.pool.nextDeadline, 110);
  assert.equal(d.pool.expire(110), 150);
  assert.deepEqual(
    d.refused.map(([request, { waited }]) => [request, waited]),
    [['early', 100]],
  );
});

test('after a busy loop, requests of several hosts are refused in the order of their deadlines', () => {
  const d = new RefusingDriver({ maxTotalSockets: 1, acquireTimeout: 100 });
  d.open();
  for (const [origin, since] of [30, 10, 40, 20].entries())
    d.pool.enqueue(new Waiter<BareKinds>(d.another(origin + 1), since, 'replayable', since));
  assert.equal(d.pool.expire(1000), Infinity);
  assert.deepEqual(
    d.refused.map(([request]) => request),
    [10, 20, 30, 40],
  );
});

test('a request that cannot be sent twice closes no idle connection where it counts on one that is validated', () => {
  const d = new RefusingDriver({});
  d.ages.validate = 1;
  const [first, second] = d.openIdle(2);
  d.time = 10;
  assert.equal(d.pool.lease(d.host), second);
  d.ask('once', 'unreplayable');
  assert.deepEqual([first?.state, second?.state], ['idle', 'validating']);
  d.pool.turn();
  assert.equal(d.assigned.at(-1), 'once');
});

test('a request that can be sent twice has an idle connection validated, and none is closed', () => {
  const d = new RefusingDriver({});
  const [idle] = d.openIdle(1);
  d.ask('second');
  assert.equal(idle?.state, 'validating');
  assert.deepEqual(d.reasons, []);
});

test('of requests that have lost their connections, the last one comes first, and all come before the others', () => {
  const d = new RefusingDriver({ maxSockets: 2 });
  const [first, second] = [d.open(), d.open()];
  d.ask('others');
  d.closes = false;
  for (const [connection, name] of [
    [first, 'one'],
    [second, 'two'],
  ] as const)
    d.pool.retry(connection, new Waiter<BareKinds>(d.host, name, 'replayable', Infinity));
  assert.deepEqual(
    Array.from(d.host.waiting, ({ request }) => request),
    ['two', 'one', 'others'],
  );
});
