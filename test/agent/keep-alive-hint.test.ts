/** A server's hint about how long it keeps a connection: the parsing of the header, and its effect. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { isLast, keepAliveHeader, parseKeepAlive } from '../../src/lifetimes/keep-alive-hint.js';
import { connectionFor } from '../connections/support.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

test('timeout and max stand anywhere in the header', () => {
  const hints: [string, number | undefined, number | undefined][] = [
    ['timeout=5', 5, undefined],
    ['max=100', undefined, 100],
    ['timeout=5, max=100', 5, 100],
    ['max=100, timeout=5', 5, 100],
    ['max=100,timeout=5', 5, 100],
    ['Timeout=5, Max=100', 5, 100],
    ['timeout = 5', 5, undefined],
    ['timeout="5"', 5, undefined],
    ['other=1, timeout=5; max=2', 5, 2],
    ['timeout=0', 0, undefined],
    ['mytimeout=5', undefined, undefined],
    ['timeout=soon', undefined, undefined],
    ['timeout=-5', undefined, undefined],
    ['', undefined, undefined],
  ];
  for (const [header, timeout, max] of hints)
    assert.deepEqual(parseKeepAlive(header), { timeout, max }, header);
});

test('the header is found by name, in any case', () => {
  assert.equal(keepAliveHeader(['Connection', 'keep-alive', 'KEEP-ALIVE', 'timeout=5']), 'timeout=5');
  assert.equal(keepAliveHeader(['Connection', 'keep-alive']), undefined);
  assert.equal(keepAliveHeader([]), undefined);
});

test('the last request is the one after which one or none is left', () => {
  for (const max of [0, 1]) assert.ok(isLast({ timeout: 5, max }));
  for (const max of [2, 100, undefined]) assert.ok(!isLast({ timeout: 5, max }));
  assert.ok(!isLast(undefined));
});

test('a connection with nothing left of its time or its requests is not kept', LIMIT, async (t) => {
  for (const header of ['timeout=0', 'timeout=5, max=0', 'max=1, timeout=5']) {
    const server = await httpsServer(t, (_req, res) => {
      res.setHeader('keep-alive', header);
      res.end();
    });
    const agent = poolingAgent(t, { ca: server.ca });
    for (let i = 0; i < 3; i++) {
      await get(server, { agent });
      await until(() => agent.totalSocketCount === 0);
    }
    assert.equal(server.connections(), 3);
  }
});

test('many idle connections expire, each by its own hint', LIMIT, async (t) => {
  const held: ServerResponse[] = [];
  const server = await httpsServer(t, (req, res) => {
    if (req.url === '/short') res.setHeader('keep-alive', 'timeout=1');
    if (held.push(res) === 20) for (const one of held) one.end();
  });
  const agent = poolingAgent(t, { ca: server.ca, agentKeepAliveTimeoutBuffer: 900 });
  const paths = Array.from({ length: 20 }, (_, i) => (i % 2 ? '/short' : '/long'));
  await Promise.all(paths.map((path) => get(server, { agent, path })));
  // Each has a connection of its own. (The first may expire before the last is idle.)
  assert.equal(server.connections(), 20);
  await until(() => agent.totalSocketCount === 10 && idleCount(agent) === 10);
});

test("the agent's timeout closes idle connections", LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, timeout: 300 });
  const connection = await connectionFor(server, { agent });
  await until(() => agent.totalSocketCount === 0);
  assert.equal(connection.closeReason, 'idle-timeout');
});
