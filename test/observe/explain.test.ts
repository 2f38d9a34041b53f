/** `agent.explain(req)`: where a request stands at each moment of its life, and what it waits for. */
import assert from 'node:assert/strict';
import { get as getPlain } from 'node:http';
import type { ClientRequest } from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { Explanation } from '../../src/index.js';
import { poolingAgent } from '../support/agent.js';
import { CONNECTED, PoolingAgent, READY, request } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { unreadyServer } from '../support/unready-server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

function quiet(req: ClientRequest): ClientRequest {
  return req.on('error', () => {}).end();
}

function without({ waited, ...rest }: Explanation): Omit<Explanation, 'waited'> {
  if (waited !== undefined) assert.ok(waited >= 0 && waited < 30_000, `waited ${waited} ms`);
  return rest;
}

test('a request from its beginning to its end', LIMIT, async (t) => {
  let answer = (): void => {};
  const server = await httpsServer(t, (_req, res) => void (answer = () => res.end()));
  const agent = poolingAgent(t, { ca: server.ca });
  const host = `localhost:${server.port}`;
  const req = quiet(request({ host: 'localhost', port: server.port, agent }));
  const first = agent.explain(req);
  const { connection } = first;
  assert.ok(connection !== undefined && connection > 0);
  assert.deepEqual([first.state, first.host], ['connecting', host]);
  assert.ok(first.phase === 'lookup' || first.phase === 'connect', first.phase);
  assert.ok(first.waited !== undefined);
  const phases = new Set<unknown>();
  await until(() => phases.add(agent.explain(req).phase) && agent.explain(req).state === 'active');
  for (const phase of phases)
    assert.ok(['lookup', 'connect', READY, undefined].includes(phase as never), String(phase));
  assert.deepEqual(agent.explain(req), { state: 'active', host, connection });
  await until(() => server.requests() === 1);
  answer();
  const res = await new Promise<NodeJS.ReadableStream>((resolve) => req.on('response', resolve));
  res.resume();
  await until(() => agent.stats().idle === 1);
  assert.deepEqual(agent.explain(req), { state: 'done' });
});

test('requests that wait for maxSockets: by a rule, and by the agent', LIMIT, async (t) => {
  const server = await httpsServer(t, () => {});
  const host = `localhost:${server.port}`;
  for (const [options, rule] of [
    [{ maxSockets: 1 }, {}],
    [{ hosts: { localhost: { maxSockets: 1 } } }, { rule: 'localhost' }],
    [{ maxSockets: 1, hosts: { localhost: { maxFreeSockets: 1 } } }, {}],
    [{ hosts: { '*': { maxSockets: 1 } } }, { rule: '*' }],
  ] as const) {
    const agent = poolingAgent(t, { ca: server.ca, ...options });
    const [first, second, third] = [1, 2, 3].map(() =>
      quiet(request({ host: 'localhost', port: server.port, agent })),
    ) as [ClientRequest, ClientRequest, ClientRequest];
    await until(() => agent.explain(first).state === 'active');
    const limitedBy = 'maxSockets' as const;
    assert.deepEqual(without(agent.explain(second)), { state: 'queued', host, ahead: 0, limitedBy, ...rule });
    assert.deepEqual(without(agent.explain(third)), { state: 'queued', host, ahead: 1, limitedBy, ...rule });
    agent.setPriority(third, 0);
    assert.deepEqual([agent.explain(second).ahead, agent.explain(third).ahead], [1, 0]);
    third.destroy();
    assert.deepEqual(agent.explain(third), { state: 'done' });
  }
});

test('requests that wait for maxTotalSockets, and paused ones', LIMIT, async (t) => {
  const server = await httpsServer(t, () => {});
  const agent = poolingAgent(t, { ca: server.ca, maxTotalSockets: 1 });
  const first = quiet(request({ host: 'localhost', port: server.port, agent }));
  const second = quiet(request({ host: '127.0.0.1', port: server.port, agent }));
  await until(() => agent.explain(first).state === 'active');
  assert.equal(agent.explain(second).limitedBy, 'maxTotalSockets');
  agent.maxTotalSockets = 0;
  assert.equal(agent.explain(second).limitedBy, 'paused');
  agent.maxTotalSockets = 1;
  agent.setHostLimits('127.0.0.1', { maxSockets: 0 });
  const { limitedBy, rule } = agent.explain(second);
  assert.deepEqual([limitedBy, rule], ['paused', '127.0.0.1']);
});

test('a burst is put off to the end of the turn', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const reqs = [1, 2].map(() => quiet(request({ host: 'localhost', port: server.port, agent })));
  const [first, second] = reqs.map((req) => agent.explain(req));
  assert.equal(first?.state, 'connecting');
  assert.deepEqual([second?.state, second?.limitedBy, second?.ahead], ['queued', 'pacing', 0]);
  for (const req of reqs) req.on('response', (res) => res.resume());
  await until(() => reqs.every((req) => agent.explain(req).state === 'done'));
});

test('late binding: it is queued, and the dial on its behalf is told', LIMIT, async (t) => {
  const port = await unreadyServer(t);
  const agent = poolingAgent(t, { binding: 'late' });
  const req = quiet(request({ host: 'localhost', port, agent }));
  await until(() => agent.explain(req).phase === READY);
  const { ahead, connection, limitedBy, state } = agent.explain(req);
  assert.deepEqual([state, ahead, limitedBy], ['queued', 0, undefined]);
  assert.ok(connection);
});

test('a slow createConnection', LIMIT, async (t) => {
  const agent = poolingAgent(t);
  agent.createConnection = (() => undefined) as never;
  const req = quiet(request({ host: 'localhost', agent }));
  assert.deepEqual([agent.explain(req).state, agent.explain(req).phase], ['connecting', 'createConnection']);
});

test('a request that is sent again is queued, and then active on another connection', LIMIT, async (t) => {
  const sockets: Socket[] = [];
  let answers = 0;
  const server = await httpsServer(t, (_req, res) => {
    if (++answers === 2) sockets[0]?.destroy();
    else if (answers === 1) res.end();
  });
  server.server.on(CONNECTED, (socket: Socket) => void sockets.push(socket));
  const agent = poolingAgent(t, { ca: server.ca, replay: 1 });
  await get(server, { agent });
  const req = quiet(request({ host: 'localhost', port: server.port, agent }));
  await until(() => answers === 3);
  assert.equal(agent.explain(req).state, 'active');
  assert.equal(agent.stats().replayed, 1);
});

test('requests of others, and what is none', LIMIT, async (t) => {
  let answers = 0;
  const server = await httpsServer(t, (_req, res) => void (++answers === 1 && res.end()));
  const agent = poolingAgent(t, { ca: server.ca });
  const other = poolingAgent(t, { ca: server.ca });
  const { req } = await get(server, { agent: other });
  assert.deepEqual(agent.explain(req), { state: 'unknown' });
  const active = quiet(request({ host: 'localhost', port: server.port, agent: other }));
  assert.deepEqual(agent.explain(active), { state: 'unknown' });
  await until(() => other.explain(active).state === 'active');
  assert.deepEqual(agent.explain(active), { state: 'unknown' });
  const plain = getPlain({ port: 1 }).on('error', () => {});
  assert.deepEqual(agent.explain(plain), { state: 'unknown' });
  assert.deepEqual(agent.explain({} as never), { state: 'unknown' });
  const hostile = new Proxy({}, { get: () => assert.fail('not to be read') });
  assert.deepEqual(agent.explain(hostile as never), { state: 'unknown' });
  for (const nothing of [undefined, null, 1, 'req'])
    assert.throws(() => agent.explain(nothing as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('util.inspect: one line, and one of hosts; the busiest are named', LIMIT, async (t) => {
  assert.equal(
    inspect(new PoolingAgent({ name: 'egress' })),
    `${PoolingAgent.name} { name: 'egress', hosts: 0, connections: 0, idle: 0, waiting: 0 }`,
  );
  const server = await httpsServer(t, () => {});
  const lookup = ((_host: string, _options: object, cb: (error: null, addresses: object[]) => void) =>
    cb(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as LookupFunction;
  const agent = poolingAgent(t, {
    ca: server.ca,
    maxSockets: 1,
    passphrase: 'a secret',
    lookup,
    checkServerIdentity: () => undefined,
  });
  for (let i = 0; i < 2; i++) quiet(request({ host: 'localhost', port: server.port, agent }));
  for (let i = 1; i < 8; i++) quiet(request({ host: `host-${i}`, port: server.port, agent }));
  await until(() => agent.stats({ hosts: false }).active === 8);
  const [first, second, ...more] = inspect(agent).split('\n');
  assert.match(first ?? '', /^Pooling(?:Http)?Agent \{ hosts: \d, connections: \d, idle: 0, waiting: 1 \}$/);
  assert.ok(second?.startsWith(`  localhost:${server.port}: 1 active, 1 waiting; `), second);
  assert.match(second ?? '', /; host-\d:\d+: 1 active; 3 more$/);
  assert.deepEqual(more, []);
  assert.ok(!inspect(agent, { depth: 9, showHidden: true }).includes('secret'));
});

test('JSON.stringify has the name', () => {
  const { name } = JSON.parse(JSON.stringify(new PoolingAgent({ name: 'egress' }))) as { name: string };
  assert.equal(name, 'egress');
});
