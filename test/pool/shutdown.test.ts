/** Ends of idle connections, of all connections, and of everything: which connections go, and which requests hear of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import type { BareKinds } from '../support/bare-driver.js';
import { TimedDriver } from '../support/timed-driver.js';
import { Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';

type Conn = Connection<BareKinds>;

class EndingDriver extends TimedDriver {
  /** Dials are answered at once, or not at all. */
  answers = true;
  /** Connections are closed at once, or not yet. */
  closes = true;
  readonly errors: unknown[] = [];
  readonly rejected: [request: unknown, error: unknown][] = [];

  override dial(connection: Conn): void {
    if (this.answers) super.dial(connection);
  }

  override close(connection: Conn, _reason?: unknown, error?: unknown): void {
    this.errors.push(error);
    if (this.closes) super.close(connection);
    else this.reasons.push(connection.closeReason);
  }

  override reject({ request }: Waiter<BareKinds>, error: unknown): void {
    this.rejected.push([request, error]);
  }

  /** A connection that is being opened and has no socket yet. */
  openSlowly(name: string): Conn {
    this.answers = false;
    const waiter = this.ask(name);
    this.pool.turn();
    this.answers = true;
    const { connection } = waiter;
    assert.equal(connection?.state, 'connecting');
    return connection;
  }

  /** So many that are validated, and that no request waits for. */
  validating(count: number): Conn[] {
    this.isRested = false;
    this.ages.validate = 1000;
    this.openIdle(count);
    const connections = Array.from({ length: count }, () => this.pool.lease(this.host) as Conn);
    for (const { state } of connections) assert.equal(state, 'validating');
    return connections;
  }
}

const states = (connections: readonly Conn[]): string[] => connections.map(({ state }) => state);

test('idle connections are closed piece by piece, the least recently used first, until there are none', () => {
  const d = new EndingDriver({});
  const late = d.open();
  const connections = d.openIdle(3);
  const pieces = d.pool.shutdown.closeIdle();
  assert.deepEqual(states(connections), ['idle', 'idle', 'idle']);
  pieces.next();
  assert.deepEqual(states(connections), ['closed', 'idle', 'idle']);
  pieces.next();
  assert.deepEqual(states(connections), ['closed', 'closed', 'idle']);
  d.pool.release(late);
  assert.deepEqual([...pieces].length, 2);
  assert.equal(d.pool.size, 0);
  assert.deepEqual(new Set(d.reasons), new Set(['shutdown']));
});

test('when the end begins, connections go that are validated or opened for no request', () => {
  const d = new EndingDriver({});
  const [first, second] = d.validating(2) as [Conn, Conn];
  const waiter = d.ask('second');
  const { changes } = d.pool;
  d.pool.shutdown.begin();
  assert.ok(d.pool.changes > changes);
  assert.deepEqual(states([first, second]).toSorted(), ['closed', 'validating']);
  d.pool.turn();
  assert.equal(waiter.state, 'done', 'a request that is here gets its connection');
  assert.deepEqual(d.reasons, ['shutdown']);
});

test('a dial goes where its request has gone, and stays where one waits for it', () => {
  for (const isAwaited of [true, false]) {
    const d = new EndingDriver({ binding: 'late' });
    const dial = d.openSlowly('first');
    const [waiter] = d.host.waiting;
    assert.ok(waiter);
    if (!isAwaited) d.pool.abort(waiter);
    d.pool.shutdown.begin();
    assert.equal(dial.state, isAwaited ? 'connecting' : 'closed');
    assert.equal(dial.closeReason, isAwaited ? undefined : 'shutdown');
    assert.deepEqual(d.reasons, [], 'there is no socket that could be closed');
  }
});

test('of two dials only the one goes that no request waits for', () => {
  const d = new EndingDriver({ binding: 'late' });
  const first = d.openSlowly('first');
  const second = d.openSlowly('second');
  const [waiter] = d.host.waiting;
  assert.ok(waiter);
  d.pool.abort(waiter);
  d.pool.shutdown.begin();
  assert.deepEqual(states([first, second]), ['closed', 'connecting']);
});

test('all dials go that no request waits for', () => {
  const d = new EndingDriver({ binding: 'late' });
  const dials = ['first', 'second', 'third'].map((name) => d.openSlowly(name));
  for (const waiter of d.host.waiting) d.pool.abort(waiter);
  d.pool.shutdown.begin();
  assert.deepEqual(states(dials), ['closed', 'closed', 'closed']);
});

test('closing idle connections leaves those in use, and those that a request waits for', () => {
  const d = new EndingDriver({});
  const [used, idle] = [d.open(), d.open()];
  const [first, second] = d.validating(2) as [Conn, Conn];
  d.pool.release(idle);
  d.ask('waits');
  d.pool.shutdown.closeIdleConnections();
  assert.equal(idle.closeReason, 'shutdown');
  assert.equal(used.state, 'active');
  assert.deepEqual(states([first, second]).toSorted(), ['closed', 'validating']);
  d.pool.turn();
  assert.equal(d.assigned.at(-1), 'waits');
  d.open();
});

test('closing all connections leaves dials that have brought no socket yet', () => {
  const d = new EndingDriver({});
  const used = d.open();
  const dial = d.openSlowly('slow');
  d.pool.shutdown.closeAllConnections();
  assert.deepEqual(states([used, dial]), ['closed', 'connecting']);
  assert.deepEqual(d.reasons, ['shutdown']);
  assert.deepEqual(d.rejected, []);
});

/** A pool with a request in every state in which it has no connection yet, and a connection that has a request. */
function busy(): EndingDriver {
  const d = new EndingDriver({ maxSockets: 4 });
  const [lost] = [d.open(), d.open()];
  d.openSlowly('dialling');
  d.answers = false;
  assert.equal(d.pool.spares.open(new Waiter<BareKinds>(d.host, 'spare')), undefined);
  d.answers = true;
  d.ask('queued', 'unreplayable');
  d.ask('behind', 'unreplayable');
  d.closes = false;
  d.pool.retryOnNew(lost, new Waiter<BareKinds>(d.host, 'lost', 'replayable', Infinity));
  assert.equal(lost.state, 'closing');
  d.closes = true;
  return d;
}

test('destroying rejects every request that has no connection, once, and closes every connection', () => {
  const d = busy();
  d.reasons.length = d.errors.length = 0;
  const connections = [...d.host.connections];
  d.pool.shutdown.destroy('error', 'close error');
  const requests = d.rejected.map(([request]) => request);
  assert.deepEqual(requests.toSorted(), ['behind', 'dialling', 'lost', 'queued', 'spare']);
  for (const [request, error] of d.rejected) assert.equal(error, 'error', String(request));
  assert.deepEqual(new Set(d.reasons), new Set(['destroyed']));
  assert.deepEqual(new Set(d.errors), new Set(['close error']));
  for (const connection of connections) if (connection.state === 'closing') d.pool.closed(connection);
  assert.deepEqual(new Set(states(connections)), new Set(['closed']));
  assert.equal(d.pool.isEmpty, true);
  d.open();
});

test('the end piece by piece does the same, also to a request that comes back meanwhile', () => {
  const d = busy();
  d.pool.shutdown.begin();
  const active = [...d.host.connections].find(({ state }) => state === 'active');
  assert.ok(active);
  const pieces = d.pool.shutdown.end(({ origin }) => `error of ${origin}`);
  pieces.next();
  assert.equal(d.rejected.length, 1, 'one at a time');
  let count = 1;
  for (const _ of pieces) if (++count === 4) d.pool.retry(active, new Waiter<BareKinds>(d.host, 'back'));
  const requests = d.rejected.map(([request]) => request);
  assert.deepEqual(requests.toSorted(), ['back', 'behind', 'dialling', 'lost', 'queued', 'spare']);
  // With the last request, there was no need for the spare one any more: nothing had failed.
  for (const [request, error] of d.rejected)
    assert.equal(error, request === 'spare' ? undefined : 'error of 0', String(request));
  for (const connection of d.host.connections) assert.equal(connection.state, 'closing');
  for (const connection of d.host.connections) d.pool.closed(connection);
  assert.equal(d.pool.isEmpty, true);
});
