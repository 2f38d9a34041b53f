/** The bounds of a replay, and the connection that it gets. */
import assert from 'node:assert/strict';
import { request } from '../../support/protocol.js';
import type { ClientRequest } from 'node:http';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { PoolingAgent, PoolingAgentOptions } from '../../../src/index.js';
import { poolingAgent, poolOf } from '../../support/agent.js';
import { get } from '../../support/server.js';
import { until } from '../../support/until.js';
import { fickleServer } from '../fickle-server.js';
import type { Connection, FickleServer, Received } from '../fickle-server.js';

const LIMIT = { timeout: 120_000 };

async function setUp(
  t: TestContext,
  lose: (received: Received) => void,
  options: PoolingAgentOptions = {},
): Promise<{ server: FickleServer; agent: PoolingAgent }> {
  const server = await fickleServer(t, (received) => {
    if (received.place > 0 && received.path === '/lost') lose(received);
    else received.connection.answer(received);
  });
  // Or a loss would be seen before the request is sent.
  return { server, agent: poolingAgent(t, { ca: server.ca, validateAfterIdle: Infinity, ...options }) };
}

const isAllIdle = (agent: PoolingAgent, count: number) => (): boolean =>
  poolOf(agent).idle.size === count && agent.totalSocketCount === count;

/** Leaves `count` idle connections. */
async function warmUp(server: FickleServer, agent: PoolingAgent, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => get(server, { agent, path: `/warm/${i}` })));
  await until(isAllIdle(agent, count));
}

/** A POST on a connection that the server has reset, so that the system does not take the write of it. */
async function postOnReset(
  t: TestContext,
  bytes: number,
): Promise<{ req: ClientRequest; error: unknown; bodies: string[]; finishes: number }> {
  const { server, agent } = await setUp(t, () => {});
  await warmUp(server, agent, 1);
  server.all[0]?.reset();
  const req = request({ host: 'localhost', port: server.port, agent, method: 'POST', path: '/post' });
  let error: unknown;
  let finishes = 0;
  req.on('error', (reason) => (error = reason));
  req.on('finish', () => finishes++);
  req.on('response', (res) => res.resume());
  req.end('x'.repeat(bytes));
  await new Promise((resolve) => req.on('close', resolve));
  const posts = server.received.filter(({ path }) => path === '/post');
  return { req, error, bodies: posts.map(({ body }) => body), finishes };
}

describe('A POST whose write failed', () => {
  // With its head, it fits into one TLS record: one that was cut short cannot be read.
  for (const bytes of [0, 1, 15_000]) {
    it(`goes on with ${bytes} bytes of body`, LIMIT, async (t) => {
      const { error, bodies } = await postOnReset(t, bytes);
      assert.equal(error, undefined);
      assert.deepEqual(bodies, ['x'.repeat(bytes)]);
    });
  }

  // If there are several records, the server may have received the first and acted upon it.
  for (const bytes of [16_384, 20_000, 60_000, 70_000]) {
    it(`is never sent again with ${bytes}, of which a part may have left`, LIMIT, async (t) => {
      const { error, bodies } = await postOnReset(t, bytes);
      assert.ok(error instanceof Error);
      assert.deepEqual(bodies, []);
    });
  }

  it('keeps nothing of that failure', LIMIT, async (t) => {
    const { req, error, finishes } = await postOnReset(t, 10);
    assert.equal(error, undefined);
    assert.equal(finishes, 1);
    assert.equal(req.writableFinished, true);
    assert.equal(req.errored, null);
    // Node keeps it under a symbol for those who call `end` later.
    for (const symbol of Object.getOwnPropertySymbols(req)) {
      assert.ok(!(Reflect.get(req, symbol) instanceof Error), symbol.toString());
    }
    // oxlint-disable-next-line unicorn/no-useless-promise-resolve-reject
    const again = await new Promise<unknown>((resolve) => req.end(resolve));
    assert.equal((again as NodeJS.ErrnoException | undefined)?.code, 'ERR_STREAM_ALREADY_FINISHED');
  });
});

describe('A replay', () => {
  const WAYS: Record<string, (connection: Connection) => void> = {
    reset: (connection) => connection.reset(),
    'end of file': (connection) => connection.end(),
  };
  for (const [way, lose] of Object.entries(WAYS)) {
    for (const scheduling of ['lifo', 'fifo'] as const) {
      it(`takes the idle connection that was used last (${way}, ${scheduling})`, LIMIT, async (t) => {
        const used: unknown[] = [];
        const onLost = (received: Received): void => {
          const { connection } = received;
          used.push(connection.tls.remotePort);
          if (used.length === 1) lose(connection);
          else connection.answer(received);
        };
        const { server, agent } = await setUp(t, onLost, { scheduling });
        await warmUp(server, agent, 4);
        const ports = [...poolOf(agent).idle].map(
          ({ pooled }) => (pooled?.socket as { localPort?: number } | undefined)?.localPort,
        );
        assert.equal((await get(server, { agent, path: '/lost' })).body, '/lost');
        // The first is up to the scheduling; of the others, the one that was used last is the least likely to be dead.
        const first = scheduling === 'lifo' ? ports.pop() : ports.shift();
        assert.deepEqual(used, [first, ports.at(-1)]);
        assert.equal(server.connections(), 4);
      });
    }
  }
});

describe('A request that may risk an old connection when it is made', () => {
  const LATE: Record<string, (req: ClientRequest) => void> = {
    'a method override': (req) => req.setHeader('X-HTTP-Method-Override', 'POST'),
    'a condition': (req) => req.setHeader('If-Match', '"1"'),
    'a length': (req) => req.setHeader('Content-Length', 4),
  };
  for (const [what, set] of Object.entries(LATE)) {
    it(`gets another one if it is given ${what} before it is sent`, LIMIT, async (t) => {
      // Safe for no time, and good for half a minute to those who may risk it.
      const server = await fickleServer(t, ({ connection, path }) =>
        connection.tls.write(
          `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: ${path.length}\r\n\r\n${path}`,
        ),
      );
      const agent = poolingAgent(t, { ca: server.ca, agentKeepAliveTimeoutBuffer: 60_000 });
      await warmUp(server, agent, 1);
      assert.equal((await get(server, { agent, method: 'OPTIONS', path: '/free' })).body, '/free');
      assert.equal(server.connections(), 1);
      await until(isAllIdle(agent, 1));

      const options = { host: 'localhost', port: server.port, agent, method: 'OPTIONS', path: '/late' };
      const req = request(options, (res) => res.resume());
      set(req);
      req.end(what === 'a length' ? 'body' : undefined);
      await new Promise((resolve, reject) => req.on('close', resolve).on('error', reject));
      const [late, ...more] = server.received.filter(({ path }) => path === '/late');
      assert.deepEqual([late?.place, more.length, server.connections()], [0, 0, 2]);
    });
  }
});
