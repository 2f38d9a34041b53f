/** Limits are read live: a raised one lets waiters go at once, a lowered one closes what is idle above it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeCount, idleCount, poolingAgent, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { forBoth, holdingServer, LIMIT, sizeOf, untilIdle } from './support.js';
import { until } from '../support/until.js';

for (const limit of ['maxSockets', 'maxTotalSockets'] as const) {
  test(`a raised ${limit} lets waiters go at once`, LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, [limit]: 1 });
    const answers = [1, 2, 3].map(() => get(server, { agent }));
    await until(() => server.held.length === 1);
    assert.equal(waitingCount(agent), 2);
    agent[limit] = 2;
    await until(() => server.held.length === 2);
    assert.equal(waitingCount(agent), 1);
    agent[limit] = Infinity;
    await until(() => server.held.length === 3);
    assert.equal(waitingCount(agent), 0);
    for (const res of server.held) res.end();
    await Promise.all(answers);
  });

  test(
    `a lowered ${limit} closes idle connections, and those in use after their exchange`,
    LIMIT,
    async (t) => {
      const server = await holdingServer(t);
      const agent = poolingAgent(t, { ca: server.ca });
      const answers = [1, 2, 3, 4].map(() => get(server, { agent }));
      await until(() => server.held.length === 4);
      for (const res of server.held.splice(0, 2)) res.end();
      await untilIdle(agent, 2);
      agent[limit] = 3;
      await until(() => agent.totalSocketCount === 3);
      assert.equal(idleCount(agent), 1);
      agent[limit] = 1;
      await until(() => agent.totalSocketCount === 2);
      assert.equal(activeCount(agent), 2);
      for (const res of server.held) res.end();
      await Promise.all(answers);
      await until(() => agent.totalSocketCount === 1);
      await untilIdle(agent, 1);
    },
  );
}

test('a lowered maxFreeSockets closes idle connections', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const answers = [1, 2, 3].map(() => get(server, { agent }));
  await until(() => server.held.length === 3);
  for (const res of server.held) res.end();
  await Promise.all(answers);
  await untilIdle(agent, 3);
  agent.maxFreeSockets = 1;
  assert.equal(idleCount(agent), 1);
  agent.maxFreeSockets = 0;
  assert.equal(idleCount(agent), 0);
  await until(() => server.open() === 0);
});

forBoth('a maxSockets written before a request holds for it', async ({ t, agent: make }) => {
  const server = await holdingServer(t);
  const agent = make({ ca: server.ca });
  const first = get(server, { agent });
  agent.maxSockets = 1;
  const second = get(server, { agent });
  await until(() => server.held.length === 1);
  assert.equal(sizeOf(agent.requests), 1);
  server.held[0]?.end();
  await until(() => server.held.length === 2);
  server.held[1]?.end();
  await Promise.all([first, second]);
  assert.equal(server.connections(), 1);
});

test('maxSockets: 0, set live, holds everybody back until it is raised', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  agent.maxSockets = 0;
  const answer = get(server, { agent, path: '/paused' });
  assert.equal(waitingCount(agent), 1);
  assert.equal(agent.totalSocketCount, 0);
  agent.maxSockets = 1;
  assert.equal((await answer).body, '/paused');
});

forBoth('`keepAlive` and `scheduling` are read live, too', async ({ t, agent: make }) => {
  const server = await holdingServer(t);
  const agent = make({ ca: server.ca });
  const answers = [get(server, { agent }), get(server, { agent })];
  await until(() => server.held.length === 2);
  server.held[0]?.end();
  const first = await untilIdle(agent, 1);
  server.held[1]?.end();
  await Promise.all(answers);
  await untilIdle(agent, 2);
  Reflect.set(agent, 'scheduling', 'fifo');
  const last = get(server, { agent });
  await until(() => server.held.length === 3);
  agent.keepAlive = false;
  server.held[2]?.end();
  const { req } = await last;
  assert.equal(req.socket, first);
  await until(() => agent.totalSocketCount === 1);
  assert.ok(first.destroyed);
});
