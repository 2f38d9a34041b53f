/**
 * Tracers (async-listener and the like) put a wrapper in the place of `process.nextTick`, some before we are loaded: what the pool puts off
 * happens all the same, whatever becomes of the wrapper later.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

const original = process.nextTick;
process.nextTick = function wrapped(...args: Parameters<typeof original>): void {
  original(...args);
};
const { nextTick } = await import('../../src/node/timers.js');
const { PoolingAgent } = await import('../../src/index.js');
const { LIMIT, send } = await import('../contract/support.js');
const { get, httpsServer } = await import('../support/server.js');

test(
  'a tick comes after the code of now, before any turn of the loop, with its arguments',
  LIMIT,
  async () => {
    const order: unknown[] = [];
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        order.push('turn');
        resolve();
      });
      nextTick((...args: unknown[]) => order.push(...args), 'tick', 1);
      nextTick(() => order.push('next'));
      order.push('now');
    });
    assert.deepEqual(order, ['now', 'tick', 1, 'next', 'turn']);
  },
);

test('requests are answered, fail and end in time', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = new PoolingAgent({ ca: server.ca, maxSockets: 1 });
  t.after(() => agent.destroy());
  const given = [1, 2, 3].map((i) => get(server, { agent, path: `/${i}` }));
  const bodies = (await Promise.all(given)).map(({ body }) => body);
  assert.deepEqual(bodies, ['/1', '/2', '/3']);
  process.nextTick = original;
  assert.equal((await get(server, { agent, path: '/unwrapped' })).body, '/unwrapped');
  await server.close();
  const failed = send(server, { agent });
  await failed.closed;
  assert.deepEqual(failed.events, ['error', 'close']);
});
