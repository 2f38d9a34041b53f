/** When idle connections are made ready to stay idle: those that have been idle for some time, and not those that were used a moment ago. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdleEntry } from '../../src/connections/idle-entry.js';
import type { PooledSocket } from '../../src/connections/pooled-socket.js';
import { monotonicNow } from '../../src/node/timers.js';
import { until } from '../support/until.js';
import { fakeOwner } from './fake-owner.js';
import { LIMIT } from './support.js';

/** Milliseconds for which a connection has been idle at least. */
const LEAST = 40;

test('each connection is made ready when it has been idle for some time, and not before', LIMIT, async () => {
  const idle = new Map<object, PooledSocket>();
  const times: number[] = [];
  const keepSocketAlive = (socket: object): boolean => {
    times.push(monotonicNow() - (idle.get(socket)?.idleFrom ?? NaN));
    return true;
  };
  const entry = new IdleEntry({ keepSocketAlive }, keepSocketAlive, fakeOwner('idle').owner.pool);
  const begin = (state: string, idleFrom: number): PooledSocket => {
    const { pooled, socket } = fakeOwner(state);
    Object.assign(socket, { _handle: { reading: true } });
    idle.set(socket, Object.assign(pooled, { idleFrom }));
    assert.equal(entry.begin(pooled), true);
    return pooled;
  };
  const now = monotonicNow();
  const leased = begin('active', Infinity);
  const early = begin('idle', now);
  // Used again until then.
  const late = begin('idle', now + 300);
  await until(() => early.rested && late.rested);
  assert.equal(times.length, 2);
  for (const time of times) assert.ok(time >= LEAST, `after ${time} ms`);
  for (const { restsSoon } of idle.values()) assert.equal(restsSoon, false);
  assert.equal(leased.rested, false);
});
