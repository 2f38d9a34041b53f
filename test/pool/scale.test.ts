/**
 * 10,000 hosts and 100,000 waiting requests, each event a single step: anything that looked through a list would
 * take hours here, and run into the timeout. Not audited, because the audit itself looks at everything.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';
import { checkInvariants } from '../../src/pool/invariants.js';
import type { Limits } from '../../src/pool/limits.js';
import { limitsWith } from '../support/limits.js';
import { BareDriver } from '../support/bare-driver.js';
import type { BareKinds } from '../support/bare-driver.js';

const LIMIT = { timeout: 120_000 };

/** Keeps a list of what is in use. */
class PlainDriver extends BareDriver {
  readonly active: Connection<BareKinds>[] = [];
  served = 0;
  requests = 0;
  refused = 0;
  readonly #deferred: Connection<BareKinds>[] = [];

  request(host: HostPool<BareKinds>, id: number): Waiter<BareKinds> | undefined {
    const connection = this.pool.leaseUnsafe(host);
    if (connection) {
      this.active.push(connection);
      this.served++;
      return undefined;
    }
    if (host.isEmpty) this.pool.limit(host, this.pool.limits);
    const waiter = new Waiter<BareKinds>(host, id, 'replayable', this.requests++ / 64, id % 8);
    this.pool.enqueue(waiter);
    return waiter;
  }

  /** Releases everything in use, and lets the loop turn, until nothing is in use or scheduled. */
  run(): void {
    while (this.active.length > 0 || this.pool.endOfTurn.scheduled) {
      for (const connection of this.active.splice(0)) this.pool.release(connection);
      for (const connection of this.#deferred.splice(0)) this.pool.validated(connection);
      if (this.pool.endOfTurn.scheduled) this.pool.turn();
    }
  }

  override assign(connection: Connection<BareKinds>): void {
    this.active.push(connection);
    this.served++;
  }
  override validateSoon(connection: Connection<BareKinds>): void {
    this.#deferred.push(connection);
  }
  override refuse(): void {
    this.refused++;
  }
}

function hosts(count: number): HostPool<BareKinds>[] {
  return Array.from({ length: count }, (_, origin) => new HostPool<BareKinds>(origin, limitsWith()));
}

test('100,000 requests wait behind 10 connections', LIMIT, () => {
  const driver = new PlainDriver({ maxSockets: 10 });
  const [host] = hosts(1) as [HostPool<BareKinds>];
  for (let i = 0; i < 100_000; i++) driver.request(host, i);
  checkInvariants(driver.pool);
  driver.run();
  checkInvariants(driver.pool);
  assert.equal(driver.served, 100_000);
  assert.equal(driver.pool.size, 10);
});

test('100,000 requests wait, and the pool is asked as often whether one does', LIMIT, () => {
  const driver = new PlainDriver({ maxSockets: 10 });
  const [host] = hosts(1) as [HostPool<BareKinds>];
  for (let i = 0; i < 100_000; i++) driver.request(host, i);
  for (let i = 0; i < 100_000; i++) assert.equal(driver.pool.hasUndialled, true);
  driver.run();
  assert.equal(driver.pool.hasUndialled, false);
});

test('100,000 waiting requests are aborted, from anywhere in the queue', LIMIT, () => {
  const driver = new PlainDriver({ maxSockets: 10 });
  const [host] = hosts(1) as [HostPool<BareKinds>];
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

const CONTENTIONS: Record<string, Partial<Limits>> = {
  'in turn': {},
  'by age': { fairness: 'fifo' },
  'with deadlines': { acquireTimeout: 1000 },
  'least used first, one idle at most': { scheduling: 'least-used', maxTotalFreeSockets: 1 },
};

for (const [name, limits] of Object.entries(CONTENTIONS)) {
  test(`10,000 hosts compete for 100 slots: ${name}`, LIMIT, () => {
    const driver = new PlainDriver({ maxTotalSockets: 100, ...limits });
    const all = hosts(10_000);
    for (let round = 0; round < 10; round++) for (const host of all) driver.request(host, round);
    checkInvariants(driver.pool);
    driver.run();
    checkInvariants(driver.pool);
    assert.equal(driver.served, 100_000);
    assert.ok(driver.pool.size <= 100);
    assert.equal(driver.pool.nextDeadline, Infinity);
  });
}

test('the deadlines of 100,000 requests at 10,000 hosts pass one after the other', LIMIT, () => {
  const driver = new PlainDriver({ maxSockets: 1, acquireTimeout: 1000 });
  const all = hosts(10_000);
  for (let round = 0; round < 11; round++) for (const host of all) driver.request(host, round);
  let wakes = 0;
  for (let now = driver.pool.nextDeadline; now < Infinity; now = driver.pool.expire(now)) wakes++;
  assert.equal(driver.refused, 100_000);
  assert.ok(wakes > 1000, 'not all at once');
});

test('100,000 waiting requests change their priority, each more than once', LIMIT, () => {
  const driver = new PlainDriver({ maxSockets: 1 });
  const [host] = hosts(1) as [HostPool<BareKinds>];
  const waiters = Array.from({ length: 100_000 }, (_, i) => driver.request(host, i));
  for (let i = 0; i < 3 * waiters.length; i++) {
    const waiter = waiters[(i * 7919) % waiters.length];
    if (waiter?.state === 'queued') driver.pool.reprioritize(waiter, (i * 31) % 8);
  }
  driver.run();
  assert.equal(driver.served, 100_000);
});
