/** `sockets`, `freeSockets`, `requests` and `totalSocketCount`, as metrics, mocks and SDKs read them. */
import assert from 'node:assert/strict';
import http from 'node:http';
import type https from 'node:https';
import { test } from 'node:test';
import { nodes, PoolingAgent } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { forBoth, holdingServer, LIMIT, sizeOf, untilIdle } from './support.js';
import { until } from '../support/until.js';
import type { NodeAgent } from './support.js';

const VIEWS = ['sockets', 'freeSockets', 'requests'] as const;

forBoth('own objects without a prototype, empty at first', ({ agent: make }) => {
  const agent = make();
  for (const name of VIEWS) {
    assert.ok(Object.hasOwn(agent, name), name);
    assert.equal(Object.getPrototypeOf(agent[name]), null, name);
    assert.deepEqual(Object.keys(agent[name]), [], name);
  }
  assert.ok(Object.hasOwn(agent, 'totalSocketCount'));
  assert.equal(agent.totalSocketCount, 0);
});

function keysOf(agent: NodeAgent): string[][] {
  return VIEWS.map((name) => {
    const keys: string[] = [];
    for (const key in agent[name]) keys.push(key);
    assert.deepEqual(keys, Object.keys(agent[name]), name);
    return keys;
  });
}

forBoth('members by the name that getName() gives; empty keys are gone', async ({ t, agent: make }) => {
  const server = await holdingServer(t);
  const { held } = server;
  const agent = make({ ca: server.ca, maxSockets: 1 });
  const name = agent.getName({ host: 'localhost', port: server.port, ca: server.ca });

  const first = get(server, { agent });
  const second = get(server, { agent });
  await until(() => held.length === 1);
  assert.deepEqual(keysOf(agent), [[name], [], [name]]);
  const [socket] = agent.sockets[name] ?? [];
  assert.ok(socket && agent.sockets[name]?.includes(socket));
  assert.equal(agent.sockets[name]?.length, 1);
  assert.equal(agent.requests[name]?.length, 1);
  assert.equal(agent.requests[name]?.[0]?.method, 'GET');
  assert.equal(agent.totalSocketCount, 1);

  held[0]?.end();
  await first;
  await until(() => held.length === 2);
  assert.deepEqual(keysOf(agent), [[name], [], []]);
  assert.deepEqual(agent.sockets[name], [socket]);

  held[1]?.end();
  await second;
  await untilIdle(agent);
  assert.deepEqual(keysOf(agent), [[], [name], []]);
  assert.deepEqual(agent.freeSockets[name], [socket]);
  assert.equal(agent.totalSocketCount, 1);

  socket.destroy();
  await until(() => agent.totalSocketCount === 0);
  assert.deepEqual(keysOf(agent), [[], [], []]);
});

forBoth('a host each has a key each', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  await Promise.all([get(server, { agent }), get(server, { agent, host: '127.0.0.1' })]);
  await untilIdle(agent, 2);
  const names = [
    agent.getName({ host: 'localhost', port: server.port, ca: server.ca }),
    agent.getName({ host: '127.0.0.1', port: server.port, ca: server.ca, servername: '' }),
  ];
  assert.deepEqual(Object.keys(agent.freeSockets).toSorted(), names.toSorted());
  assert.equal(agent.totalSocketCount, 2);
});

forBoth('the first key of `sockets` begins with host and port', async ({ t, agent: make }) => {
  const server = await httpsServer(t, () => {});
  const agent = make({ ca: server.ca });
  get(server, { agent }).catch(() => {});
  // As http-proxy-middleware reads it.
  const [host, port] = Object.keys(agent.sockets)[0]?.split(':') ?? [];
  assert.equal(host, 'localhost');
  assert.equal(Number(port), server.port);
});

forBoth('saturation is seen as the AWS SDK looks for it', async ({ t, agent: make }) => {
  const server = await httpsServer(t, () => {});
  const agent = make({ ca: server.ca, maxSockets: 1 });
  for (let i = 0; i < 4; i++) get(server, { agent }).catch(() => {});
  const saturated: string[] = [];
  for (const origin in agent.sockets) {
    const inUse = agent.sockets[origin]?.length ?? 0;
    const enqueued = agent.requests[origin]?.length ?? 0;
    if (inUse >= agent.maxSockets && enqueued >= 2 * agent.maxSockets) saturated.push(origin);
  }
  assert.equal(saturated.length, 1);
});

forBoth('`totalSocketCount` counts from the first moment to the last', async ({ t, agent: make }) => {
  const server = await holdingServer(t);
  const agent = make({ ca: server.ca });
  const answers = [get(server, { agent }), get(server, { agent })];
  assert.ok(agent.totalSocketCount >= 1);
  assert.equal(sizeOf(agent.sockets), agent.totalSocketCount);
  await until(() => agent.totalSocketCount === 2);
  await until(() => server.held.length === 2);
  for (const res of server.held) res.end();
  await Promise.all(answers);
  await untilIdle(agent, 2);
  assert.equal(agent.totalSocketCount, 2);
  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
  assert.equal(sizeOf(agent.sockets) + sizeOf(agent.freeSockets), 0);
});

test('TypeScript and `instanceof` take it for an https.Agent', LIMIT, () => {
  class Sub extends PoolingAgent {
    connections(): number {
      return Object.values(this.sockets).reduce((sum, { length } = []) => sum + length, 0);
    }
  }
  const agent: https.Agent = new PoolingAgent();
  const constructor: new (options?: https.AgentOptions) => https.Agent = PoolingAgent;
  const options: https.RequestOptions = { agent: new Sub() };
  assert.ok(agent instanceof nodes.Agent && agent instanceof http.Agent);
  assert.ok(new constructor({ keepAlive: true }) instanceof PoolingAgent);
  assert.equal((options.agent as Sub).connections(), 0);
});

test('the class and its instances go by their names', LIMIT, () => {
  const agent = new PoolingAgent();
  assert.match(PoolingAgent.name, /^Pooling(?:Http)?Agent$/);
  assert.equal(agent.constructor, PoolingAgent);
  // gaxios and node-fetch call an agent that is a function.
  assert.equal(typeof agent, 'object');
});
