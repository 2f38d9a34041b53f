/** When idle connections that are to be there always get successors: with time to spare for slow handshakes, and all that need one at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import { BareDriver } from '../support/bare-driver.js';
import type { BareKinds } from '../support/bare-driver.js';
import { successorAfter } from '../../src/pool/ageing.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';

/** Connections are safe for 800 ms, and idle for 1000 at most. */
class AgeingDriver extends BareDriver {
  time = 0;
  readonly host = new HostPool<BareKinds>(0, this.pool.limits);

  override now(): number {
    return this.time;
  }

  override prepareIdle(connection: Connection<BareKinds>): boolean {
    connection.idleSince = this.time;
    connection.safeUntil = this.time + 800;
    connection.expiresAt = this.time + 1000;
    return true;
  }

  open(count: number): void {
    for (let i = 0; i < count; i++)
      assert.equal(this.pool.spares.open(new Waiter<BareKinds>(this.host, i)), undefined);
  }
}

test('in the second half of the time in which any request may have it, and a second before its end', () => {
  const driver = new AgeingDriver({});
  driver.open(5);
  for (const [time, lack] of [
    [0, 0],
    [399, 0],
    [400, 5],
    [900, 5],
  ] as const) {
    driver.time = time;
    assert.equal(driver.pool.spares.shortage(driver.host, 5), lack, `after ${time} ms`);
  }
  assert.equal(successorAfter(60_000), 59_000);
  assert.equal(successorAfter(Infinity), Infinity);
});

test('where some are gone, those that age count as gone, too', () => {
  const driver = new AgeingDriver({});
  driver.open(5);
  const [first] = driver.host.connections;
  if (first) driver.pool.close(first, 'closed');
  assert.equal(driver.pool.spares.shortage(driver.host, 5), 1);
  driver.time = 500;
  assert.equal(driver.pool.spares.shortage(driver.host, 5), 5);
  driver.open(5);
  assert.equal(driver.pool.spares.shortage(driver.host, 5), 0);
});
