/** When idle connections are made ready to stay idle: those that have been idle for some time, and not those that were used a moment ago. */
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

/** Milliseconds for which a connection has been idle at least. */
const LEAST = 40;
/** Milliseconds for which a connection is idle that has rested. */
const REST = 3;

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

test(
  'a connection that has rested is made ready at once when it is idle again, until it is in steady use',
  LIMIT,
  () => {
    let made = 0;
    const keepSocketAlive = (): boolean => made++ >= 0;
    const { owner, pooled, socket } = fakeOwner('idle');
    Object.assign(socket, { _handle: { reading: true } });
    const entry = new IdleEntry({ keepSocketAlive }, keepSocketAlive, owner.pool);
    const useAgain = (after: number): void => {
      entry.end(pooled, pooled.idleFrom + after);
      Object.assign(pooled, { rested: false, idleFrom: monotonicNow() });
      assert.equal(entry.begin(pooled), true);
    };
    pooled.idleFrom = monotonicNow();
    entry.begin(pooled);
    assert.equal(made, 0, 'its first time');
    useAgain(REST);
    assert.equal(made, 1, 'after a rest');
    useAgain(REST - 1);
    assert.equal(made, 1, 'in steady use');
  },
);

test(
  'a connection whose requests come with rests between them is ready to rest as soon as it is idle',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    const request = async (): Promise<boolean> => {
      await get(server, { agent });
      await until(() => poolOf(agent).idle.size === 1);
      const [{ pooled } = {}] = poolOf(agent).idle;
      return pooled?.rested === true;
    };
    await request();
    // On a busy machine, a request may find that the connection must be validated first.
    await until(async () => {
      await sleep(2 * REST);
      return request();
    });
  },
);
