/** `closeIdleConnections()` and `closeAllConnections()`: as on `http.Server`. The agent stays usable. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilIdle } from '../contract/support.js';
import { activeCount, idleCount, poolingAgent, waitingCount } from '../support/agent.js';
import { get } from '../support/server.js';
import { until } from '../support/until.js';
import { fate, holdingServer, LIMIT } from './support.js';

test('closeIdleConnections() closes what is idle, and nothing else', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t);
  const held = get(server, { agent, path: '/held' });
  await get(server, { agent, path: '/quick' });
  await until(() => server.held.size === 1);
  await until(() => idleCount(agent) === 1);
  agent.closeIdleConnections();
  assert.equal(idleCount(agent), 0);
  assert.equal(activeCount(agent), 1);
  server.answer();
  assert.equal((await held).body, '/held');
  assert.equal((await get(server, { agent, path: '/quick/2' })).body, '/quick/2');
  await untilIdle(agent);
});

test('closeIdleConnections() as soon as a response was read', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t);
  await get(server, { agent, path: '/quick' });
  agent.closeIdleConnections();
  await until(() => agent.totalSocketCount === 0);
});

for (const binding of ['eager', 'late'] as const) {
  test(
    `closeAllConnections() ends what is in use; what waits gets new ones (${binding} binding)`,
    LIMIT,
    async (t) => {
      const server = await holdingServer(t);
      const agent = poolingAgent(t, { maxSockets: 2, binding });
      const ask = (path: string): Promise<string> => fate(get(server, { agent, path }));
      const fates = ['/1', '/2', '/quick/3', '/quick/4'].map(ask);
      await until(() => server.held.size === 2 && waitingCount(agent) === 2);
      agent.closeAllConnections();
      assert.equal(activeCount(agent), 0);
      assert.deepEqual(await Promise.all(fates), ['ECONNRESET', 'ECONNRESET', '/quick/3', '/quick/4']);
      assert.ok(server.connections() > 2 && server.peak() <= 4);
    },
  );
}

test(
  'closeAllConnections() in the moment of a burst loses no request that has no connection yet',
  LIMIT,
  async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { binding: 'late', maxSockets: 4 });
    const requests = Array.from({ length: 20 }, (_, i) => get(server, { agent, path: `/quick/${i}` }));
    agent.closeAllConnections();
    await new Promise(setImmediate);
    agent.closeAllConnections();
    await until(() => server.connections() > 0);
    for (const { body } of await Promise.all(requests)) assert.match(body, /quick/);
  },
);
