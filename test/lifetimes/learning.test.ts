/** Hosts that close idle connections teach how soon; requests that can be sent once only obey. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { monotonicNow } from '../../src/node/timers.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { SURVIVALS } from '../../src/lifetimes/learned-idle.js';
import { poolingAgent } from '../support/agent.js';
import { get, rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { untilIdle } from '../contract/support.js';
import { fickleServer } from '../connections/fickle-server.js';
import { begin, connectionOf, endingServer, hostOf, LIMIT, POST } from '../connections/support.js';

async function setUp(t: TestContext, options: PoolingAgentOptions = {}) {
  const server = await endingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, ...options });
  return { server, agent };
}

const ENDS = {
  FIN: (server) => server.sockets.at(-1)?.end(),
  RST: (server) => server.raw.at(-1)?.resetAndDestroy(),
  'a 408': (server) =>
    server.sockets.at(-1)?.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'),
} satisfies Record<string, (server: Awaited<ReturnType<typeof endingServer>>) => void>;

for (const [how, end] of Object.entries(ENDS)) {
  test(
    `an idle connection closed by ${how} is remembered, also after the host's last connection`,
    LIMIT,
    async (t) => {
      const { server, agent } = await setUp(t);
      const connection = connectionOf((await get(server, { agent })).req);
      await untilIdle(agent);
      assert.equal(hostOf(agent).learned, undefined);
      await setTimeout(40);
      end(server);
      await until(() => agent.totalSocketCount === 0);
      assert.notEqual(connection.closeReason, 'poisoned');
      await get(server, { agent });
      const { limit = 0, safeAge = 0 } = hostOf(agent).learned ?? {};
      assert.ok(limit >= 40 && limit < 20_000, `${limit} ms`);
      assert.ok(safeAge < limit);
    },
  );
}

test('a connection that its user closes, or that we close, teaches nothing', LIMIT, async (t) => {
  const { server, agent } = await setUp(t);
  await get(server, { agent });
  (await untilIdle(agent)).destroy();
  await until(() => agent.totalSocketCount === 0);
  agent.setHostLimits('localhost', { idleTimeout: 20 });
  await get(server, { agent });
  await until(() => agent.totalSocketCount === 0);
  await get(server, { agent });
  assert.equal(hostOf(agent).learned, undefined);
});

test('stray bytes teach nothing', LIMIT, async (t) => {
  const { server, agent } = await setUp(t);
  const connection = connectionOf((await get(server, { agent })).req);
  await untilIdle(agent);
  server.sockets.at(-1)?.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  await until(() => agent.totalSocketCount === 0);
  assert.equal(connection.closeReason, 'poisoned');
  await get(server, { agent });
  assert.equal(hostOf(agent).learned, undefined);
});

test(
  'a request that can be sent once only takes none older than the learned age; others do',
  LIMIT,
  async (t) => {
    const { server, agent } = await setUp(t);
    await get(server, { agent });
    await untilIdle(agent);
    await setTimeout(20);
    server.sockets.at(-1)?.end();
    await until(() => agent.totalSocketCount === 0);

    const connection = connectionOf((await get(server, { agent })).req);
    await untilIdle(agent);
    const host = hostOf(agent);
    await until(() => monotonicNow() > connection.safeUntil);
    const replayable = await get(server, { agent });
    assert.equal(connectionOf(replayable.req), connection, 'GET');
    await untilIdle(agent);
    await until(() => monotonicNow() > connection.safeUntil);
    const notRepeatable = await get(server, { agent, ...POST });
    assert.notEqual(connectionOf(notRepeatable.req), connection, 'POST');
    assert.equal(connection.closeReason, 'idle-timeout', 'it gave way');
    assert.equal(hostOf(agent), host);
  },
);

test('at the limit the old one gives way, and the request waits for the slot', LIMIT, async (t) => {
  const { server, agent } = await setUp(t, { maxSockets: 1, maxTotalSockets: 1 });
  const connection = connectionOf((await get(server, { agent })).req);
  await untilIdle(agent);
  connection.safeUntil = 0;
  const { body } = await get(server, { agent, ...POST, path: '/new' });
  assert.equal(body, '/new');
  assert.equal(server.connections(), 2);
  assert.equal(server.peak(), 1);
});

test('in a fifo pool it takes the last used one, where that one is safe', LIMIT, async (t) => {
  const { server, agent } = await setUp(t, { scheduling: 'fifo' });
  await Promise.all([1, 2, 3].map(() => get(server, { agent })));
  const count = server.connections();
  await untilIdle(agent, count);
  const [first] = hostOf(agent).idle;
  assert.ok(first && count > 1);
  first.safeUntil = 0;
  const { req } = await get(server, { agent, ...POST });
  assert.ok(req.reusedSocket);
  assert.notEqual(connectionOf(req), first);
  assert.equal(first.state, 'idle');
});

test('a connection that dies under a request, before a response, counts as closed, too', LIMIT, async (t) => {
  const { server, agent } = await setUp(t);
  await get(server, { agent });
  await untilIdle(agent);
  await setTimeout(30);
  const req = begin(server, { agent, ...POST });
  req.on('error', () => {});
  server.raw.at(-1)?.resetAndDestroy();
  req.end();
  await until(() => agent.totalSocketCount === 0);
  await get(server, { agent });
  const { limit = 0 } = hostOf(agent).learned ?? {};
  assert.ok(limit >= 25 && limit < 20_000, `${limit} ms`);
});

test('learned ages are forgotten when connections outlive them', LIMIT, async (t) => {
  const { server, agent } = await setUp(t);
  await get(server, { agent });
  await untilIdle(agent);
  server.sockets.at(-1)?.end();
  await until(() => agent.totalSocketCount === 0);
  await get(server, { agent });
  const { learned } = hostOf(agent);
  assert.ok(learned);
  learned.closedAt(1);
  for (let i = 0; i < 2 * SURVIVALS; i++) {
    await untilIdle(agent);
    await setTimeout(5);
    await get(server, { agent });
  }
  assert.equal(hostOf(agent).learned, learned);
  assert.ok(learned.limit > 4, `${learned.limit} ms`);
});

test('also when nobody uses them, and we close them', LIMIT, async (t) => {
  const { server, agent } = await setUp(t);
  const first = connectionOf((await get(server, { agent })).req);
  await untilIdle(agent);
  server.raw.at(-1)?.resetAndDestroy();
  await until(() => first.state === 'closed');
  agent.setHostLimits('localhost', { idleTimeout: 50 });
  await get(server, { agent });
  const { learned } = hostOf(agent);
  assert.ok(learned);
  learned.closedAt(1);
  for (let i = 0; i < 2 * SURVIVALS; i++) {
    await get(server, { agent });
    await until(() => agent.totalSocketCount === 0);
  }
  assert.ok(learned.limit > 4, `${learned.limit} ms`);
});

/** Answers each request with the number of its connection, and closes that, of which the answer says nothing. */
async function closingServer(t: TestContext) {
  let connections = 0;
  return rawServer(t, (socket) => {
    const body = String(++connections);
    socket.on('data', () =>
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, () =>
        socket.destroy(),
      ),
    );
  });
}

test('a server that closes right after its answers costs one POST', LIMIT, async (t) => {
  const server = await closingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  let lost = 0;
  for (let i = 0; i < 50; i++) await get(server, { agent, ...POST }).catch(() => lost++);
  assert.ok(lost <= 2, `${lost} were lost`);
  // And no GET, whatever is known.
  for (let i = 0; i < 20; i++) await get(server, { agent });
});

/** A POST on the connection of `agent`, which is reset before the response. What is the next POST's connection then? */
async function reusesAfterLoss(
  { server, agent }: Awaited<ReturnType<typeof setUp>>,
  before: (connection: ReturnType<typeof connectionOf>) => void,
): Promise<boolean> {
  const req = begin(server, { agent, ...POST });
  req.end('text');
  await once(req, 'socket');
  assert.ok(req.reusedSocket);
  before(connectionOf(req));
  server.raw.at(-1)?.resetAndDestroy();
  await once(req, 'error');
  await until(() => agent.totalSocketCount === 0);
  await get(server, { agent, ...POST });
  return (await get(server, { agent, ...POST })).req.reusedSocket;
}

test('a host that has kept connections long enough may lose one, and is trusted on', LIMIT, async (t) => {
  for (const [served, trusted] of [
    [SURVIVALS, false],
    [SURVIVALS + 1, true],
  ] as const) {
    const all = await setUp(t);
    for (let i = 0; i < served; i++) await get(all.server, { agent: all.agent });
    // As if it had been free for no time.
    const reuses = await reusesAfterLoss(all, (connection) => (connection.idledFor = 0));
    assert.equal(reuses, trusted, `${served} served before`);
  }
});

test('an end that comes while the server works on a request teaches nothing', LIMIT, async (t) => {
  for (const idledFor of [0, 30]) {
    const all = await setUp(t);
    await get(all.server, { agent: all.agent });
    const reuses = await reusesAfterLoss(all, (connection) => {
      connection.idledFor = idledFor;
      assert.ok(connection.pooled);
      connection.pooled.polledAt -= 2000;
    });
    assert.ok(reuses);
    assert.equal(hostOf(all.agent).learned, undefined);
  }
});

test(
  'where nothing is kept idle, a connection serves only those that wait and can be sent twice',
  LIMIT,
  async (t) => {
    for (const options of [{ idleTimeout: 0 }, { hosts: { localhost: { idleTimeout: 0 } } }]) {
      const { server, agent } = await setUp(t, { maxSockets: 1, ...options });
      const answers = await Promise.all([
        get(server, { agent }),
        get(server, { agent }),
        get(server, { agent, ...POST }),
        get(server, { agent, ...POST }),
        get(server, { agent }),
      ]);
      const sockets = answers.map(({ req }) => req.socket);
      assert.equal(server.peak(), 1);
      assert.equal(sockets[1], sockets[0]);
      assert.notEqual(sockets[2], sockets[1], 'a POST takes none that was used');
      assert.notEqual(sockets[3], sockets[2]);
      await until(() => agent.totalSocketCount === 0);
    }
  },
);

test('the idle time before an earlier request counts for no later one', LIMIT, async (t) => {
  const server = await fickleServer(t, (received) => {
    if (received.path === '/lost') received.connection.end();
    else received.connection.answer(received);
  });
  const agent = poolingAgent(t, {
    ca: server.ca,
    maxSockets: 1,
    replay: false,
    validateAfterIdle: Infinity,
  });
  await get(server, { agent, path: '/first' });
  await untilIdle(agent);
  await setTimeout(60);
  // The second finds the connection idle; the third gets it right after that one's answer, which is when the server ends it.
  const second = get(server, { agent, path: '/second' });
  const lost = assert.rejects(get(server, { agent, path: '/lost', ...POST }), { code: 'ECONNRESET' });
  const last = get(server, { agent, path: '/last' });
  assert.equal((await second).req.reusedSocket, true);
  await lost;
  assert.equal((await last).body, '/last');
  assert.equal(server.all.length, 2);
  const { learned } = hostOf(agent);
  assert.ok(learned, 'it has taught something');
  assert.equal(learned.limit, Infinity);
  assert.equal(learned.isDistrusted(monotonicNow()), true);
});
