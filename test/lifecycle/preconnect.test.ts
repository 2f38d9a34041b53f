/** `agent.preconnect()`: connections that are ready before the first request, and never at the cost of one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { send, untilIdle } from '../contract/support.js';
import { idleCount, poolingAgent, poolOf, waitingCount } from '../support/agent.js';
import { isPlain, OTHER_PROTOCOL, PoolingAgent, PROTOCOL, request, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { unreadyServer } from '../support/unready-server.js';
import { until } from '../support/until.js';
import { fate, holdingServer, LIMIT } from './support.js';

function codes(errors: readonly unknown[]): unknown[] {
  return errors.map((error) => (error as NodeJS.ErrnoException).code ?? (error as Error).name);
}

for (const binding of ['eager', 'late'] as const) {
  test(
    `50 are there before the first request, and no more are opened (${binding} binding)`,
    LIMIT,
    async (t) => {
      const server = await httpsServer(t);
      // So long that none is too old when the last one is there.
      const agent = poolingAgent(t, { binding, ca: server.ca, idleTimeout: 60_000 });
      const result = await agent.preconnect(server.url, { connections: 50 });
      assert.deepEqual(result, { opened: 50, failed: 0, errors: [] });
      assert.equal(server.requests(), 0);
      await until(() => server.connections() >= 50);
      assert.equal(idleCount(agent), 50);
      const answers = await Promise.all(Array.from({ length: 50 }, () => get(server, { agent })));
      assert.ok(answers.every(({ body }) => body === '/'));
      assert.equal(server.connections(), 50);
    },
  );
}

test('requests that come meanwhile count on the connections that are being opened', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const result = agent.preconnect(server.url, { connections: 3 });
  const answers = ['/1', '/2', '/3'].map((path) => get(server, { agent, path }));
  // Or a connection that is ready early might serve another one.
  await until(() => server.held.size === 3);
  server.answer();
  for (const { req } of await Promise.all(answers)) assert.equal(req.reusedSocket, false);
  assert.deepEqual(await result, { opened: 3, failed: 0, errors: [] });
  assert.equal(server.connections(), 3);
});

test('free connections count, and two calls share what is being opened', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  await untilIdle(agent);
  const calls = [
    agent.preconnect(server.url, { connections: 3 }),
    agent.preconnect(new URL(server.url), { connections: 4 }),
    agent.preconnect({ host: 'localhost', port: server.port }),
  ];
  const results = await Promise.all(calls);
  assert.deepEqual(
    results.map(({ opened, failed }) => [opened, failed]),
    [
      [3, 0],
      [4, 0],
      [1, 0],
    ],
  );
  await until(() => server.connections() >= 4);
  assert.equal(agent.totalSocketCount, 4);
});

test('connections belong to the identity of the arguments', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const target = {
    hostname: 'localhost',
    port: String(server.port),
    ca: server.ca,
    headers: { Host: 'a.test.localhost' },
  };
  assert.deepEqual(await agent.preconnect(target), { opened: 1, failed: 0, errors: [] });
  const { body } = await get(server, { agent, headers: { host: 'a.test.localhost' } });
  assert.equal(body, '/');
  assert.equal(server.connections(), 1);
  await get(server, { agent });
  // Over plain TCP, a name in the Host header tells no connections apart.
  assert.equal(server.connections(), isPlain ? 1 : 2);
});

test('what a limit does not allow has failed at once', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const cases = [
    [{ maxSockets: 2 }, 'maxSockets', 2],
    [{ maxTotalSockets: 3 }, 'maxTotalSockets', 3],
    [{ maxFreeSockets: 1 }, 'maxFreeSockets', 1],
    [{ maxTotalFreeSockets: 4 }, 'maxTotalFreeSockets', 4],
    [{ keepAlive: false }, 'keepAlive', 0],
    [{ idleTimeout: 0 }, 'idleTimeout', 0],
    [{ maxIdleTimeout: 0 }, 'maxIdleTimeout', 0],
  ] as const;
  for (const [limits, limitedBy, opened] of cases) {
    const agent = poolingAgent(t, { ca: server.ca, ...limits });
    const { errors, ...counts } = await agent.preconnect(server.url, { connections: 50 });
    assert.deepEqual(counts, { opened, failed: 50 - opened });
    assert.deepEqual(codes(errors), ['ERR_POOL_NO_CAPACITY']);
    assert.equal((errors[0] as { limitedBy?: string }).limitedBy, limitedBy);
    assert.equal(idleCount(agent), opened);
  }
  const paused = poolingAgent(t, { ca: server.ca });
  paused.maxSockets = 0;
  assert.equal((await paused.preconnect(server.url)).failed, 1);
  assert.equal(poolOf(paused).hosts.size, 0);
});

test('what is opened and not kept has failed, and no limit is blamed', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const picky = poolingAgent(t, { ca: server.ca });
  picky.keepSocketAlive = () => false;
  const closing = poolingAgent(t, { ca: server.ca });
  const results = [picky.preconnect(server.url), closing.preconnect(server.url, { connections: 3 })];
  await until(() => poolOf(closing).size === 3);
  while (closing.stats().closed.shutdown === 0) {
    closing.closeAllConnections();
    await sleep(1);
  }
  for (const { errors, failed } of await Promise.all(results)) {
    assert.ok(failed > 0);
    for (const error of errors) assert.equal((error as { limitedBy?: string }).limitedBy, 'notKept');
  }
});

test('slots that requests wait for are theirs, and idle connections of others stay', LIMIT, async (t) => {
  const [server, other] = [await holdingServer(t), await holdingServer(t)];
  const agent = poolingAgent(t, { ca: server.ca, maxTotalSockets: 2 });
  await get(other, { agent, path: '/quick', ca: undefined as never });
  await untilIdle(agent);
  assert.equal((await agent.preconnect(server.url, { connections: 5 })).opened, 1);
  assert.equal(idleCount(agent), 2);
  agent.destroy();

  const fates = ['/1', '/2', '/3'].map((path) => fate(get(server, { agent, path, ca: undefined as never })));
  await until(() => server.held.size === 2 && waitingCount(agent) === 1);
  const result = await agent.preconnect(other.url);
  assert.deepEqual(codes(result.errors), ['ERR_POOL_NO_CAPACITY']);
  server.answer();
  await until(() => server.held.size === 1);
  server.answer();
  assert.deepEqual(await Promise.all(fates), ['/1', '/2', '/3']);
});

test(
  'a request of another host that needs the slot gets it while the connection is being opened',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const port = await unreadyServer(t);
    const agent = poolingAgent(t, { maxTotalSockets: 1 });
    const result = agent.preconnect(`${PROTOCOL}//127.0.0.1:${port}`);
    await until(() => agent.totalSocketCount === 1);
    assert.equal((await get(server, { agent })).body, '/');
    const { opened, failed, errors } = await result;
    assert.deepEqual([opened, failed, ...codes(errors)], [0, 1, 'ERR_POOL_NO_CAPACITY']);
  },
);

test('each connection that fails is counted, with its error, and none is uncaught', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  if (!isPlain) {
    const untrusted = await agent.preconnect(server.url, { connections: 2 });
    assert.deepEqual([untrusted.opened, untrusted.failed], [0, 2]);
    assert.deepEqual(codes(untrusted.errors), ['DEPTH_ZERO_SELF_SIGNED_CERT', 'DEPTH_ZERO_SELF_SIGNED_CERT']);
  }
  await server.close();
  const refused = await agent.preconnect(server.url);
  assert.deepEqual(codes(refused.errors), ['ECONNREFUSED']);
  const impatient = poolingAgent(t, { connectTimeout: 100 });
  const late = await impatient.preconnect(`${PROTOCOL}//127.0.0.1:${await unreadyServer(t)}`);
  assert.deepEqual(codes(late.errors), ['ETIMEDOUT']);
  const thrown = new Error('thrown');
  agent.createConnection = () => {
    throw thrown;
  };
  assert.deepEqual(await agent.preconnect(server.url), { opened: 0, failed: 1, errors: [thrown] });
  assert.equal(agent.totalSocketCount, 0);
  assert.equal(poolOf(agent).hosts.size, 0);
});

test('createSocket and createConnection of users are called', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const calls: string[] = [];
  class Mine extends PoolingAgent {
    override createSocket(...args: Parameters<PoolingAgent['createSocket']>): void {
      const [req] = args;
      calls.push(`${req.method} ${req.path} ${String(req.getHeader('host'))}`);
      super.createSocket(...args);
    }
  }
  const agent = new Mine({ ca: server.ca });
  t.after(() => agent.destroy());
  assert.equal((await agent.preconnect(server.url)).opened, 1);
  assert.deepEqual(calls, ['CONNECT / undefined']);
});

test('arguments that are not valid reject', LIMIT, async (t) => {
  const agent = poolingAgent(t);
  const wrong: (readonly [unknown, unknown, string])[] = [
    ['localhost', {}, 'ERR_INVALID_URL'],
    [`${OTHER_PROTOCOL}//localhost`, {}, 'ERR_INVALID_PROTOCOL'],
    [{ protocol: OTHER_PROTOCOL, host: 'localhost' }, {}, 'ERR_INVALID_PROTOCOL'],
    [undefined, {}, 'ERR_INVALID_ARG_TYPE'],
    [443, {}, 'ERR_INVALID_ARG_TYPE'],
    [{ host: 1 }, {}, 'ERR_INVALID_ARG_TYPE'],
    ...(isPlain ? [] : [[{ servername: 1 }, {}, 'ERR_INVALID_ARG_TYPE'] as const]),
    [`${PROTOCOL}//localhost`, 5, 'ERR_INVALID_ARG_TYPE'],
    [`${PROTOCOL}//localhost`, { connections: 0 }, 'ERR_OUT_OF_RANGE'],
    [`${PROTOCOL}//localhost`, { connections: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [`${PROTOCOL}//localhost`, { connections: Infinity }, 'ERR_OUT_OF_RANGE'],
    [`${PROTOCOL}//localhost`, { connections: 'many' }, 'ERR_INVALID_ARG_TYPE'],
    [`${PROTOCOL}//localhost`, { signal: {} }, 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [target, options, code] of wrong) {
    const name = JSON.stringify([target, options]);
    await assert.rejects(agent.preconnect(target as string, options as object), { code }, name);
  }
  assert.equal(poolOf(agent).hosts.size, 0);
});

test('a signal gives up what is not ready, at any moment', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const port = await unreadyServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const reason = new Error('enough');
  const aborted = await agent.preconnect(server.url, { connections: 3, signal: AbortSignal.abort(reason) });
  assert.deepEqual(aborted, { opened: 0, failed: 3, errors: [reason] });
  assert.equal(agent.totalSocketCount, 0);

  const abort = new AbortController();
  const removed = t.mock.method(abort.signal, 'removeEventListener');
  const silent = agent.preconnect(`${PROTOCOL}//127.0.0.1:${port}`, {
    connections: 40,
    signal: abort.signal,
  });
  await until(() => agent.totalSocketCount > 0);
  abort.abort(reason);
  assert.deepEqual(await silent, { opened: 0, failed: 40, errors: [reason] });
  await until(() => agent.totalSocketCount === 0);
  assert.equal(removed.mock.callCount(), 1);

  const late = new AbortController();
  const done = await agent.preconnect(server.url, { connections: 2, signal: late.signal });
  late.abort();
  assert.equal(done.opened, 2);
  assert.equal(idleCount(agent), 2);
});

test('what somebody else counts on is not given up', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 2 });
  const abort = new AbortController();
  const given = agent.preconnect(server.url, { connections: 2, signal: abort.signal });
  const kept = agent.preconnect(server.url);
  const answer = get(server, { agent });
  abort.abort();
  assert.equal((await given).failed, 2);
  assert.equal((await answer).body, '/');
  assert.equal((await kept).opened, 1);
  await until(() => server.connections() === 2 || server.open() <= 2);
});

test('close() and destroy() end it: it resolves', LIMIT, async (t) => {
  const port = await unreadyServer(t);
  for (const [end, code] of [
    ['close', 'ERR_AGENT_CLOSED'],
    ['destroy', 'ERR_AGENT_DESTROYED'],
  ] as const) {
    const agent = poolingAgent(t);
    const result = agent.preconnect(`${PROTOCOL}//127.0.0.1:${port}`, { connections: 2 });
    await setImmediate();
    await agent[end]();
    const { opened, failed, errors } = await result;
    assert.deepEqual([opened, failed, ...codes(errors)], [0, 2, code, code]);
    await until(() => agent.totalSocketCount === 0);
  }
  const closed = poolingAgent(t);
  await closed.close();
  const { failed, errors } = await closed.preconnect(`${PROTOCOL}//127.0.0.1:${port}`, { connections: 3 });
  assert.deepEqual([failed, ...codes(errors)], [3, 'ERR_AGENT_CLOSED']);
});

test('TLS options that change meanwhile hold for all of them', { ...LIMIT, ...TLS_ONLY }, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: 'nonsense', rejectUnauthorized: false });
  const result = agent.preconnect(server.url, { connections: 20 });
  agent.updateTls({ ca: server.ca, rejectUnauthorized: true });
  assert.deepEqual(await result, { opened: 20, failed: 0, errors: [] });
  assert.equal(idleCount(agent), 20);
  await get({ port: server.port, ca: undefined as never }, { agent });
  await until(() => server.open() === 20);
});

test('a session that the server refuses is no failure', { ...LIMIT, ...TLS_ONLY }, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  await untilIdle(agent);
  server.server.setTicketKeys(Buffer.alloc(48, 1));
  assert.equal((await agent.preconnect(server.url, { connections: 4 })).opened, 4);
});

test('a waiting request is served where the connection that it counts on fails', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  let dials = 0;
  const { createConnection } = agent;
  agent.createConnection = function create(this: PoolingAgent, ...args) {
    if (dials++ === 0) throw new Error('the first one');
    return createConnection.apply(this, args);
  };
  const result = agent.preconnect(server.url);
  assert.equal((await get(server, { agent })).body, '/');
  assert.equal((await result).failed, 1);
  const req = request({ port: server.port, agent });
  send(server, { agent }).req.destroy();
  req.on('error', () => {}).destroy();
});
