/** `DEBUG=pooling-https-agent`: each connection by its name, each wait with its reason and position, each close once with its reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { format, stripVTControlCharacters } from 'node:util';
import createDebug from 'debug';
import { enableDebug } from '../../src/index.js';
import type { PoolingAgent } from '../../src/index.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

function debugLines(t: TestContext): string[] {
  const lines: string[] = [];
  assert.ok(enableDebug());
  createDebug.log = (...args) => void lines.push(stripVTControlCharacters(format(...args)));
  t.after(() => void (createDebug.log = () => {}));
  return lines;
}

async function end(agent: PoolingAgent): Promise<void> {
  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
}

const answerSlowly = (t: TestContext): Promise<TestServer> =>
  httpsServer(t, (_req, res) => void setTimeout(() => res.end(), 20));

test('a connection has one name from its beginning to its end', LIMIT, async (t) => {
  const server = await answerSlowly(t);
  const lines = debugLines(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  await get(server, { agent });
  await end(agent);
  const [, name = ''] = /(#\d+ localhost:\d+) is opened for GET/.exec(lines[0] ?? '') ?? [];
  assert.ok(name.endsWith(`localhost:${server.port}`), lines[0]);
  assert.ok(lines.some((line) => line.includes(`${name} made a full handshake`)));
  const closes = lines.filter((line) => line.includes(`localhost:${server.port} closed: `));
  assert.equal(closes.length, 1, closes.join());
  assert.match(closes[0] ?? '', new RegExp(`${name} closed: destroyed, after 2 requests`));
});

for (const [reason, options] of [
  ['maxSockets', { maxSockets: 1 }],
  ['maxTotalSockets', { maxTotalSockets: 1 }],
] as const) {
  test(`requests that wait for ${reason} say so, and at which position`, LIMIT, async (t) => {
    const server = await answerSlowly(t);
    const lines = debugLines(t);
    const agent = poolingAgent(t, { ca: server.ca, ...options });
    await Promise.all([
      get(server, { agent }),
      get(server, { agent }),
      get(server, { agent, method: 'POST' }),
    ]);
    const waits = lines.filter((line) => line.includes(' waits '));
    assert.match(
      waits[0] ?? '',
      new RegExp(`GET localhost:${server.port} waits as number 1 of 1: ${reason}`),
    );
    assert.match(
      waits[1] ?? '',
      new RegExp(`POST localhost:${server.port} waits as number 2 of 2: ${reason}`),
    );
    assert.equal(waits.length, 2);
  });
}

test('a paused host, and a request that is put off to the end of the turn', LIMIT, async (t) => {
  const server = await answerSlowly(t);
  const lines = debugLines(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await Promise.all([get(server, { agent }), get(server, { agent })]);
  assert.ok(lines.some((line) => line.includes('waits as number 1 of 1: pacing')));
  agent.setHostLimits('localhost', { maxSockets: 0 });
  const waiting = get(server, { agent });
  assert.ok(lines.some((line) => line.includes('waits as number 1 of 1: paused')));
  agent.setHostLimits('localhost', undefined);
  await waiting;
});

test('more urgent requests come first', LIMIT, async (t) => {
  const server = await answerSlowly(t);
  const lines = debugLines(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const priorities = [3, 3, 3, 0];
  await Promise.all(priorities.map((priority) => get(server, { agent, priority } as object)));
  assert.ok(
    lines.some((line) => line.includes('waits as number 1 of 3: maxSockets')),
    lines.join('\n'),
  );
});

test('a connection that never came to be is closed once, with the code of its error', LIMIT, async (t) => {
  const server = await httpsServer(t);
  await server.close();
  const lines = debugLines(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await assert.rejects(get(server, { agent }), { code: 'ECONNREFUSED' });
  await until(() => agent.totalSocketCount === 0);
  const closes = lines.filter((line) => line.includes(`localhost:${server.port} closed: `));
  assert.equal(closes.length, 1, closes.join());
  assert.match(closes[0] ?? '', /#\d+ localhost:\d+ closed: closed \(ECONNREFUSED\), after 1 requests/);
});

test('a host that ends idle connections is named, with what that taught', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const lines = debugLines(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  await until(() => idleCount(agent) === 1);
  // A connection that closes at once teaches something else.
  await sleep(40);
  server.server.closeIdleConnections();
  await until(() => agent.totalSocketCount === 0);
  const found = lines.find((line) => line.includes('ends idle connections after'));
  assert.match(
    found ?? '',
    new RegExp(`localhost:${server.port} ends idle connections after \\d+ ms: safe for \\d+ ms`),
  );
});
