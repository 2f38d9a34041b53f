/**
 * 10,000 hosts and 100,000 waiting requests, each event a single step: anything that looked through a list would
 * take hours here, and run into the timeout. Not audited, because the audit itself looks at everything.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../../src/pool/connection.js';
import type { Driver } from '../../src/pool/driver.js';
import { HostPool } from '../../src/pool/host-pool.js';
import { checkInvariants } from '../../src/pool/invariants.js';
import type { Limits } from '../../src/pool/limits.js';
import { Pool } from '../../src/pool/pool.js';
import { Waiter } from '../../src/pool/waiter.js';

interface PlainKinds {
  origin: number;
  channel: object;
  request: number;
}

const LIMIT = { timeout: 60_000 };

/** Connects at once, closes at once, and keeps a list of what is in use. */
class PlainDriver implements Driver<PlainKinds> {
  readonly pool: Pool<PlainKinds>;
  readonly active: Connection<PlainKinds>[] = [];
  served = 0;
  readonly #deferred: Connection<PlainKinds>[] = [];

  constructor(limits: Partial<Limits>) {
    this.pool = new Pool<PlainKinds>(this, {
      keepAlive: true,
      maxSockets: Infinity,
      maxTotalSockets: Infinity,
      maxFreeSockets: 256,
      scheduling: 'lifo',
      binding: 'eager',
      ...limits,
    });
  }

  request(host: HostPool<PlainKinds>, id: number): Waiter<PlainKinds> | undefined {
    const connection = this.pool.lease(host, false);
    if (connection) {
      this.active.push(connection);
      this.served++;
      return undefined;
    }
    const waiter = new Waiter<PlainKinds>(host, id);
    this.pool.enqueue(waiter);
    return waiter;
  }

  /** Releases everything in use, and lets the loop turn, until nothing is in use or scheduled. */
  run(): void {
    while (this.active.length > 0 || this.pool.scheduled) {
      for (const connection of this.active.splice(0)) this.pool.release(connection, true);
      for (const connection of this.#deferred.splice(0)) this.pool.settle(connection);
      if (this.pool.scheduled) this.pool.turn();
    }
  }

  dial(connection: Connection<PlainKinds>): void {
    connection.channel = {};
    this.pool.connected(connection);
  }
  assign(connection: Connection<PlainKinds>): void {
    this.active.push(connection);
    this.served++;
  }
  now(): number {
    return 0;
  }
  park(connection: Connection<PlainKinds>): boolean {
    connection.idleSince = 0;
    return true;
  }
  usable(): boolean {
    return true;
  }
  quiet(): boolean {
    return true;
  }
  polledLately(): boolean {
    return true;
  }
  defer(connection: Connection<PlainKinds>): void {
    this.#deferred.push(connection);
  }
  settled(): boolean {
    return true;
  }
  close(connection: Connection<PlainKinds>): void {
    this.pool.closed(connection);
  }
  reject(): void {}
  schedule(): void {}
  retire(): void {}
}

function hosts(count: number): HostPool<PlainKinds>[] {
  return Array.from({ length: count }, (_, origin) => new HostPool<PlainKinds>(origin));
}

test('100,000 requests wait behind 10 connections', LIMIT, () => {
  const driver = new PlainDriver({ maxSockets: 10 });
  const [host] = hosts(1) as [HostPool<PlainKinds>];
  for (let i = 0; i < 100_000; i++) driver.request(host, i);
  checkInvariants(driver.pool);
  driver.run();
  checkInvariants(driver.pool);
  assert.equal(driver.served, 100_000);
  assert.equal(driver.pool.size, 10);
});

test('100,000 waiting requests are aborted, from anywhere in the queue', LIMIT, () => {
  const driver = new PlainDriver({ maxSockets: 10 });
  const [host] = hosts(1) as [HostPool<PlainKinds>];
  const waiters = Array.from({ length: 100_000 }, (_, i) => driver.request(host, i));
  // 7,919 is prime: every waiter once, in no order.
  for (let i = 0; i < waiters.length; i++) {
    const waiter = waiters[(i * 7919) % waiters.length];
    if (waiter && waiter.state === 'queued') driver.pool.abort(waiter);
  }
  checkInvariants(driver.pool);
  driver.run();
  assert.equal(host.waiting.size, 0);
  assert.ok(driver.served <= 10);
});

test('10,000 hosts with one connection each', LIMIT, () => {
  const driver = new PlainDriver({});
  const all = hosts(10_000);
  for (let round = 0; round < 10; round++) {
    for (const host of all) driver.request(host, round);
    driver.run();
  }
  checkInvariants(driver.pool);
  assert.equal(driver.served, 100_000);
  assert.equal(driver.pool.size, 10_000);
});

test('10,000 hosts take turns on 100 places', LIMIT, () => {
  const driver = new PlainDriver({ maxTotalSockets: 100 });
  const all = hosts(10_000);
  for (let round = 0; round < 10; round++) for (const host of all) driver.request(host, round);
  checkInvariants(driver.pool);
  driver.run();
  checkInvariants(driver.pool);
  assert.equal(driver.served, 100_000);
  assert.ok(driver.pool.size <= 100);
});
