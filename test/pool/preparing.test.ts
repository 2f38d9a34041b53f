/**
 * Foreign code runs when a connection becomes idle (`keepSocketAlive`), and when one is opened. Whatever it does to the pool meanwhile, each
 * connection goes where it belongs by then, and the limits hold.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import { BareDriver } from '../support/bare-driver.js';
import type { BareKinds } from '../support/bare-driver.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';

type Conn = Connection<BareKinds>;

class MeddlingDriver extends BareDriver {
  /** Run once, while a connection is prepared. */
  meddle: (connection: Conn) => void = () => {};
  isReady = true;
  /** Requests that got a connection, in turn. */
  readonly assigned: unknown[] = [];
  /** Why connections were closed, in turn. */
  readonly reasons: unknown[] = [];
  readonly host = new HostPool<BareKinds>(0, this.pool.limits);

  ask(name: string): void {
    this.pool.enqueue(new Waiter<BareKinds>(this.host, name));
  }

  /** A connection that has the request "first". */
  open(): Conn {
    this.ask('first');
    const [connection] = this.host.connections;
    assert.equal(connection?.state, 'active');
    return connection;
  }

  override prepareIdle(connection: Conn): boolean {
    const { meddle } = this;
    this.meddle = () => {};
    meddle(connection);
    return super.prepareIdle(connection);
  }

  override isReadyForNext(): boolean {
    return this.isReady;
  }

  override assign(_connection: Conn, waiter: Waiter<BareKinds>): void {
    this.assigned.push(waiter.request);
  }

  override close(connection: Conn): void {
    this.reasons.push(connection.closeReason);
    super.close(connection);
  }
}

test('a request that comes meanwhile gets the connection', () => {
  const driver = new MeddlingDriver({ maxSockets: 1 });
  const connection = driver.open();
  driver.meddle = () => driver.ask('second');
  driver.pool.release(connection);
  assert.deepEqual(driver.assigned, ['first', 'second']);
  assert.equal(connection.state, 'active');
  assert.deepEqual(driver.reasons, []);
});

test('or, where it is not known that all was read, at the end of the turn', () => {
  const driver = new MeddlingDriver({ maxSockets: 1 });
  const connection = driver.open();
  driver.isReady = false;
  driver.meddle = () => driver.ask('second');
  driver.pool.release(connection);
  assert.deepEqual(driver.assigned, ['first']);
  assert.equal(connection.state, 'validating');
  driver.pool.turn();
  assert.deepEqual(driver.assigned, ['first', 'second']);
  assert.equal(connection.state, 'active');
});

test('a request that comes and goes leaves it idle', () => {
  const driver = new MeddlingDriver({ maxSockets: 1 });
  const connection = driver.open();
  driver.meddle = () => {
    const waiter = new Waiter<BareKinds>(driver.host, 'second');
    driver.pool.enqueue(waiter);
    driver.pool.abort(waiter);
  };
  driver.pool.release(connection);
  assert.equal(connection.state, 'idle');
  assert.equal(driver.pool.idle.size, 1);
});

for (const limit of ['maxSockets', 'maxFreeSockets'] as const) {
  test(`a lower ${limit} closes it, and no request waits for it`, () => {
    const driver = new MeddlingDriver({ maxSockets: 2 });
    const connection = driver.open();
    driver.meddle = () => {
      driver.pool.limits[limit] = 0;
      driver.pool.limitsChanged();
    };
    driver.pool.release(connection);
    assert.equal(connection.state, 'closed');
    assert.deepEqual(driver.reasons, ['surplus']);
    assert.equal(driver.pool.size, 0);
  });
}

test('one that is closed meanwhile stays closed', () => {
  const driver = new MeddlingDriver({ maxSockets: 1 });
  const connection = driver.open();
  driver.meddle = () => {
    driver.ask('second');
    driver.pool.close(connection, 'destroyed');
  };
  driver.pool.release(connection);
  assert.equal(connection.state, 'closed');
  assert.deepEqual(driver.reasons, ['destroyed']);
  driver.pool.turn();
  assert.deepEqual(driver.assigned, ['first', 'second'], 'on another one');
});

/** Hands over a connection of another host while one is opened. */
class AdoptingDriver extends BareDriver {
  adopting: HostPool<BareKinds> | undefined = undefined;

  override dial(connection: Conn): void {
    const host = this.adopting;
    this.adopting = undefined;
    if (host) assert.ok(this.pool.adopt(host), 'there is a slot');
    super.dial(connection);
  }
}

test('a host that waits for a slot, and is handed over a connection meanwhile, opens no second one', () => {
  const driver = new AdoptingDriver({ maxSockets: 1, maxTotalSockets: 1 });
  const { pool } = driver;
  const [a, b, c] = [0, 1, 2].map((origin) => new HostPool<BareKinds>(origin, pool.limits));
  assert.ok(a && b && c);
  for (const host of [a, b, c]) pool.enqueue(new Waiter<BareKinds>(host, undefined));
  assert.ok(b.isBlocked && c.isBlocked);
  driver.adopting = c;
  pool.limits.maxTotalSockets = 4;
  pool.limitsChanged();
  assert.deepEqual(
    [a, b, c].map((host) => host.connections.size),
    [1, 1, 1],
  );
  assert.ok(!b.isBlocked && !c.isBlocked);
  assert.equal(c.waiting.size, 1, 'until the one that it has is free');
  const [adopted] = c.connections;
  assert.ok(adopted);
  pool.release(adopted);
  assert.equal(c.waiting.size, 0);
});
