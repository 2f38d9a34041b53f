/** The TLS session cache, as Node's agent shows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { asNode, forBoth, LIMIT } from './support.js';
import type { NodeAgent } from './support.js';

/** Every request has a connection of its own. */
function closingServer(t: TestContext): Promise<TestServer> {
  return httpsServer(t, (_req, res) => res.setHeader('connection', 'close').end());
}

forBoth('a second connection resumes the session of the first', async ({ t, agent: make }) => {
  const server = await closingServer(t);
  const agent = make({ ca: server.ca });
  assert.equal(agent.maxCachedSessions, 100);
  await get(server, { agent });
  await get(server, { agent });
  assert.equal(server.connections(), 2);
  assert.equal(server.resumed(), 1);
});

forBoth('maxCachedSessions: 0 turns it off', async ({ t, agent: make }) => {
  const server = await closingServer(t);
  const agent = make({ ca: server.ca, maxCachedSessions: 0 });
  assert.equal(agent.maxCachedSessions, 0);
  await get(server, { agent });
  await get(server, { agent });
  assert.equal(server.connections(), 2);
  assert.equal(server.resumed(), 0);
});

forBoth('no more than maxCachedSessions are remembered', async ({ t, agent: make }) => {
  const server = await closingServer(t);
  const agent = make({ ca: server.ca, maxCachedSessions: 1 });
  await get(server, { agent });
  await get(server, { agent, host: '127.0.0.1' });
  await get(server, { agent });
  assert.equal(server.resumed(), 0);
  await get(server, { agent });
  assert.equal(server.resumed(), 1);
});

forBoth('_cacheSession, _getSession and _evictSession', ({ agent: make }) => {
  const agent = make({ maxCachedSessions: 2 });
  const session = (name: string): Buffer => Buffer.from(name);
  assert.equal(agent._getSession('a'), undefined);
  agent._cacheSession('a', session('1'));
  agent._cacheSession('a', session('2'));
  assert.deepEqual(agent._getSession('a'), session('2'));
  agent._cacheSession('b', session('3'));
  agent._cacheSession('c', session('4'));
  assert.equal(agent._getSession('a'), undefined, 'the limit holds');
  assert.deepEqual(agent._getSession('b'), session('3'));
  agent._evictSession('b');
  agent._evictSession('never seen');
  assert.equal(agent._getSession('b'), undefined);
  assert.deepEqual(agent._getSession('c'), session('4'));
});

forBoth('_sessionCache shows what is remembered', async ({ t, agent: make }) => {
  const server = await closingServer(t);
  const agent = make({ ca: server.ca });
  assert.deepEqual(agent._sessionCache.list, []);
  await get(server, { agent });
  assert.equal(agent._sessionCache.list.length, 1);
  const [key = ''] = agent._sessionCache.list;
  assert.ok(Buffer.isBuffer(agent._sessionCache.map[key]));
  assert.equal(agent._getSession(key), agent._sessionCache.map[key]);
});

forBoth('what _evictSession drops is not resumed', async ({ t, agent: make }) => {
  const server = await closingServer(t);
  const agent = make({ ca: server.ca });
  await get(server, { agent });
  for (const key of agent._sessionCache.list.slice()) agent._evictSession(key);
  await get(server, { agent });
  assert.equal(server.connections(), 2);
  assert.equal(server.resumed(), 0);
});

forBoth('a `session` in the options is used', async ({ t, agent: make }) => {
  const server = await closingServer(t);
  const first = make({ ca: server.ca });
  await get(server, { agent: first });
  const session = first._sessionCache.map[first._sessionCache.list[0] ?? ''];
  assert.ok(session);
  await get(server, { agent: make({ ca: server.ca, session }) });
  assert.equal(server.resumed(), 1);
});

const HIDDEN: Record<string, (agent: NodeAgent) => object> = {
  "in the request's options": () => ({ session: undefined }),
  "in the agent's options": (agent) => {
    Object.assign(agent.options, { session: undefined });
    return {};
  },
};

for (const [place, prepare] of Object.entries(HIDDEN)) {
  test(`session: undefined ${place} does not hide a cached session`, LIMIT, async (t) => {
    const server = await closingServer(t);
    const agent = asNode(poolingAgent(t, { ca: server.ca }));
    await get(server, { agent, ...prepare(agent) });
    await get(server, { agent, ...prepare(agent) });
    assert.equal(server.connections(), 2);
    assert.equal(server.resumed(), 1);
  });
}
