/** When idle connections are made ready to stay idle: at once where they come seldom, else those that have been idle for some time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IdleEntry } from '../../src/connections/idle-entry.js';
import type { PooledSocket } from '../../src/connections/pooled-socket.js';
import { monotonicNow } from '../../src/node/timers.js';
import { poolingAgent, poolOf } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { fakeOwner } from './fake-owner.js';
import { LIMIT } from './support.js';

/** Milliseconds for which a connection has been idle at least, where many come. */
const LEAST = 40;
/** Milliseconds from one to the next where they come seldom. */
const SELDOM = 10;

interface Entry {
  /** For how long each has been idle when it was made ready, in milliseconds. */
  readonly times: number[];
  readonly idle: Map<object, PooledSocket>;
  begin(state: string, idleFrom: number): PooledSocket;
}

function idleEntry(): Entry {
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
  return { times, idle, begin };
}

test('of many, each is made ready when it has been idle for some time, and not before', LIMIT, async () => {
  const { times, idle, begin } = idleEntry();
  const now = monotonicNow();
  const first = begin('idle', now);
  assert.ok(first.rested, 'none was before it');
  const leased = begin('active', now);
  const early = begin('idle', now);
  const later = begin('idle', now + SELDOM - 1);
  // Used again until then.
  Object.assign(later, { idleFrom: now + 300 });
  await until(() => early.rested && later.rested);
  assert.equal(times.length, 3);
  for (const time of times.slice(1)) assert.ok(time >= LEAST, `after ${time} ms`);
  for (const { restsSoon } of idle.values()) assert.equal(restsSoon, false);
  assert.equal(leased.rested, false);
});

test('those that come seldom are made ready at once', LIMIT, () => {
  const { begin } = idleEntry();
  const now = monotonicNow();
  assert.equal(begin('idle', now).rested, true);
  assert.equal(begin('idle', now + SELDOM).rested, true);
  assert.equal(begin('idle', now + 2 * SELDOM - 1).rested, false);
});

test(
  'a connection whose requests come with rests between them is ready as soon as it is idle',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    for (let time = 0; time < 3; time++) {
      await get(server, { agent });
      await until(() => poolOf(agent).idle.size === 1);
      const [{ pooled } = {}] = poolOf(agent).idle;
      assert.equal(pooled?.rested, true);
      await sleep(2 * SELDOM);
    }
  },
);
