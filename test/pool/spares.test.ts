/** Connections that are opened before a request asks for them, one decision at a time: when one may be opened, where it goes, and who hears what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import { BareDriver } from '../support/bare-driver.js';
import type { BareKinds } from '../support/bare-driver.js';
import type { Limits } from '../../src/pool/limits.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';

type Conn = Connection<BareKinds>;
type Spare = Waiter<BareKinds>;

/** Dials are answered when a test says so. */
class SlowDriver extends BareDriver {
  time = 0;
  /** For how long what becomes idle may be so. */
  lifetime = Infinity;
  /** Everything that the pool has told, in turn. */
  readonly told: unknown[] = [];
  readonly dialling: Conn[] = [];
  readonly host = new HostPool<BareKinds>(0, this.pool.limits);
  readonly other = new HostPool<BareKinds>(1, this.pool.limits);

  override now(): number {
    return this.time;
  }

  override dial(connection: Conn): void {
    connection.pooled = true;
    this.dialling.push(connection);
  }

  override prepareIdle(connection: Conn): boolean {
    connection.idleSince = this.time;
    connection.expiresAt = this.time + this.lifetime;
    return true;
  }

  override ready(spare: Spare): void {
    this.told.push(`${String(spare.request)} is ready`);
  }

  override reject(waiter: Spare, error: unknown): void {
    this.told.push(`${String(waiter.request)} is rejected${error === undefined ? '' : `: ${String(error)}`}`);
  }

  override assign(_connection: Conn, waiter: Spare): void {
    this.told.push(`${String(waiter.request)} is assigned`);
  }

  override close(connection: Conn): void {
    this.told.push(`closed: ${connection.closeReason}`);
    super.close(connection);
  }

  /** Opens a spare connection, for which there is a slot. */
  open(name = 'spare', host = this.host): Spare {
    const spare = new Waiter<BareKinds>(host, name);
    assert.equal(this.pool.spares.open(spare), undefined);
    return spare;
  }

  /** The obstacle to another one, which stays without effect. */
  obstacle(host = this.host): string | undefined {
    const { size } = this.pool;
    const spare = new Waiter<BareKinds>(host, 'refused');
    const obstacle = this.pool.spares.open(spare);
    assert.equal(spare.state, 'done');
    assert.equal(this.pool.size, size);
    return obstacle;
  }

  ask(name: string, host = this.host): Spare {
    const waiter = new Waiter<BareKinds>(host, name);
    this.pool.enqueue(waiter);
    this.pool.turn();
    return waiter;
  }

  connect(): Conn {
    const connection = this.dialling.shift();
    assert.ok(connection);
    this.pool.connected(connection);
    return connection;
  }

  /** One that is idle. */
  openIdle(host = this.host): Conn {
    this.open('idle', host);
    const connection = this.connect();
    assert.equal(connection.state, 'idle');
    this.told.length = 0;
    return connection;
  }
}

function driver(limits: Partial<Limits> = {}): SlowDriver {
  return new SlowDriver(limits);
}

test('it becomes idle when it is connected, and that is told once', () => {
  const d = driver();
  const spare = d.open();
  assert.equal(spare.state, 'spare');
  const connection = d.connect();
  assert.equal(connection.state, 'idle');
  assert.equal(spare.state, 'done');
  d.pool.connected(connection);
  d.pool.failed(connection, 'late');
  assert.deepEqual(d.told, ['spare is ready']);
  assert.equal(d.pool.counters.connecting, 0);
});

test('a request of its host that comes meanwhile counts on it, and gets it', () => {
  const d = driver();
  d.open();
  const waiter = d.ask('request');
  assert.equal(d.dialling.length, 1, 'no second one is opened');
  const connection = d.connect();
  assert.equal(connection.state, 'active');
  assert.equal(waiter.state, 'done');
  assert.deepEqual(d.told, ['request is assigned', 'spare is ready']);
});

test('one whose dial fails is rejected with the error', () => {
  const d = driver();
  d.open();
  const [connection] = d.dialling;
  assert.ok(connection);
  d.pool.failed(connection, 'no route');
  assert.deepEqual(d.told, ['spare is rejected: no route']);
  assert.equal(d.pool.size, 0);
});

test('one that is closed, or is gone, before it is connected is rejected without an error', () => {
  for (const end of ['close', 'closed'] as const) {
    const d = driver();
    d.open();
    const [connection] = d.dialling;
    assert.ok(connection);
    d.pool[end](connection, 'surplus');
    assert.equal(d.told[0], 'spare is rejected');
    assert.equal(d.told.includes('closed: surplus'), end === 'close');
    assert.equal(d.pool.size, 0);
  }
});

test('nothing is opened for no request where a limit is reached, and the limit is named', () => {
  const cases: Record<string, [limits: Partial<Limits>, before?: (d: SlowDriver) => void]> = {
    closed: [{}, (d) => d.pool.shutdown.begin()],
    abandoned: [{}, (d) => d.pool.upkeep.abandon(d.host)],
    keepAlive: [{ keepAlive: false }],
    maxFreeSockets: [{ maxFreeSockets: 1 }, (d) => d.open()],
    maxTotalFreeSockets: [{ maxTotalFreeSockets: 1 }, (d) => d.open('one', d.other)],
    maxSockets: [{ maxSockets: 1 }, (d) => d.ask('request')],
    maxTotalSockets: [{ maxTotalSockets: 1 }, (d) => d.ask('request', d.other)],
  };
  for (const [name, [limits, before]] of Object.entries(cases)) {
    const d = driver(limits);
    before?.(d);
    assert.equal(d.obstacle(), name);
  }
});

test('the last slot is left to a request that waits for it, also where it dials only at the end of the turn', () => {
  const d = driver({ maxTotalSockets: 2 });
  d.ask('first', d.other);
  // Not yet: its host has dialled in this turn.
  d.pool.enqueue(new Waiter<BareKinds>(d.other, 'second'));
  d.pool.enqueue(new Waiter<BareKinds>(d.other, 'third'));
  assert.equal(d.obstacle(), 'maxTotalSockets');
});

test('a request of another host that needs the slot gets it while the connection is being opened', () => {
  const d = driver({ maxTotalSockets: 1 });
  d.open();
  d.ask('request', d.other);
  d.pool.turn();
  assert.deepEqual(d.told, ['spare is rejected', 'closed: evicted']);
  d.dialling.shift();
  d.connect();
  assert.equal(d.told.at(-1), 'request is assigned');
});

test('one that will soon be too old has a successor, and goes when that is there', () => {
  const d = driver({ maxFreeSockets: 1, maxTotalFreeSockets: 1 });
  d.lifetime = 1000;
  const old = d.openIdle();
  assert.equal(d.obstacle(), 'maxFreeSockets', 'it is young');
  d.time = 999;
  assert.equal(d.pool.spares.readyCount(d.host), 0);
  d.open('successor');
  const successor = d.connect();
  assert.equal(old.state, 'closed');
  assert.equal(successor.state, 'idle');
  assert.deepEqual(d.told, ['closed: idle-timeout', 'successor is ready']);
});

test('a young one does not go for another', () => {
  const d = driver({ maxFreeSockets: 2 });
  d.lifetime = 1000;
  const young = d.openIdle();
  d.open();
  d.pool.limits.maxFreeSockets = 1;
  d.pool.limitsChanged();
  const second = d.connect();
  assert.equal(young.state, 'idle');
  assert.equal(second.state, 'closed');
  assert.deepEqual(d.told, ['closed: surplus', 'spare is rejected']);
});

test('above maxTotalFreeSockets it closes, and the idle ones of others stay', () => {
  const d = driver({ maxTotalFreeSockets: 2 });
  const idle = d.openIdle(d.other);
  d.open();
  d.pool.limits.maxTotalFreeSockets = 1;
  d.pool.limitsChanged();
  d.connect();
  assert.equal(idle.state, 'idle');
  assert.deepEqual(d.told, ['closed: surplus', 'spare is rejected']);
});

test('but a request that waits gets it then', () => {
  const d = driver({ maxTotalFreeSockets: 2 });
  d.openIdle(d.other);
  d.open();
  d.ask('request');
  d.pool.limits.maxTotalFreeSockets = 1;
  d.pool.limitsChanged();
  assert.equal(d.connect().state, 'active');
  assert.deepEqual(d.told, ['request is assigned', 'spare is ready']);
});

test('one that is given up closes, unless a request counts on it; nobody is told', () => {
  const d = driver();
  const spare = d.open();
  d.pool.spares.giveUp(spare);
  d.pool.spares.giveUp(spare);
  assert.deepEqual(d.told, ['closed: surplus']);
  assert.equal(d.pool.size, 0);
  const second = driver();
  const counted = second.open();
  second.ask('request');
  second.pool.spares.giveUp(counted);
  second.connect();
  assert.deepEqual(second.told, ['request is assigned']);
  const third = driver();
  const connected = third.open();
  const connection = third.connect();
  third.pool.spares.giveUp(connected);
  assert.equal(connection.state, 'idle', 'it is too late to give it up');
});

test('the shortage counts what is free, what is being opened, and what will soon be too old', () => {
  const d = driver();
  d.lifetime = 1000;
  const { spares } = d.pool;
  assert.equal(spares.shortage(d.host, 2), 2);
  d.openIdle();
  assert.equal(spares.shortage(d.host, 2), 1);
  assert.equal(spares.readyCount(d.host), 1);
  d.open();
  assert.equal(spares.shortage(d.host, 2), 0);
  assert.equal(spares.readyCount(d.host), 1, 'one that is being opened is not ready');
  assert.equal(spares.shortage(d.host, 1), 0);
  d.time = 999;
  assert.equal(spares.shortage(d.host, 2), 1);
  assert.equal(spares.shortage(d.host, 1), 0);
  assert.equal(spares.readyCount(d.host), 0);
});

test('the oldest makes way for its successor only when it is about to go, and nobody counts on it', () => {
  const d = driver();
  d.lifetime = 1000;
  d.pool.spares.makeWay(d.host);
  const old = d.openIdle();
  d.pool.spares.makeWay(d.host);
  assert.equal(old.state, 'idle');
  d.time = 999;
  const other = d.open();
  d.pool.spares.makeWay(d.host);
  assert.equal(old.state, 'idle', 'another one is on its way');
  d.pool.spares.giveUp(other);
  d.pool.spares.makeWay(d.host);
  assert.equal(old.closeReason, 'idle-timeout');
});

test('one that a request counts on is not free for another', () => {
  const d = driver();
  d.open();
  assert.equal(d.pool.spares.shortage(d.host, 1), 0);
  d.ask('request');
  assert.equal(d.pool.spares.shortage(d.host, 1), 1);
});
