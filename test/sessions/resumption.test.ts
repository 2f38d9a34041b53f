/** Sessions on the wire: who resumes what, and what is made of a handshake that fails. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import { PoolingAgent, SessionCache } from '../../src/index.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { readSession } from '../../src/sessions/session-info.js';
import { asNode, holdingServer, lookupLoopback, send, spyOnDials } from '../contract/support.js';
import { restoreVariable } from '../support/environment.js';
import { poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

/** Every request has a connection of its own. */
function closingServer(t: TestContext, options: object = {}): Promise<TestServer> {
  return httpsServer(t, (_req, res) => res.setHeader('connection', 'close').end(), options);
}

/** The sessions that dials offered, and an agent that offers them. */
function spiedAgent(
  t: TestContext,
  options: PoolingAgentOptions = {},
): { agent: PoolingAgent; offered: () => (Buffer | undefined)[] } {
  const agent = poolingAgent(t, options);
  const dials = spyOnDials(agent);
  return { agent, offered: () => dials.map((dial) => dial['session'] as Buffer | undefined) };
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${maxVersion}: every connection after the first resumes`, LIMIT, async (t) => {
    const server = await closingServer(t, { maxVersion });
    const cache = new SessionCache();
    const agent = poolingAgent(t, { ca: server.ca, sessionCache: cache });
    for (let i = 0; i < 6; i++) await get(server, { agent });
    assert.equal(server.connections(), 6);
    assert.equal(server.resumed(), 5);
    const { hits, misses, resumed, full } = cache.stats;
    assert.deepEqual({ hits, misses, resumed, full }, { hits: 5, misses: 1, resumed: 5, full: 1 });
  });
}

test('each connection tells whether it resumed', LIMIT, async (t) => {
  const server = await closingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const told: boolean[] = [];
  for (let i = 0; i < 2; i++) {
    const { req } = await get(server, { agent });
    told.push((req.socket as TLSSocket).isSessionReused());
  }
  assert.deepEqual(told, [false, true]);
});

test('a session is offered at the address that answers, and read once', LIMIT, async (t) => {
  const server = await closingServer(t);
  const { setSession } = TLSSocket.prototype as object as { setSession(session: Buffer): void };
  const given: Buffer[] = [];
  t.mock.method(
    TLSSocket.prototype as object as { setSession: typeof setSession },
    'setSession',
    function (this: TLSSocket, session: Buffer) {
      given.push(session);
      setSession.call(this, session);
    },
  );
  const addresses = [{ address: '127.0.0.1', family: 4 }];
  const lookup = (_host: string, _options: object, done: (...args: unknown[]) => void): void =>
    void setImmediate(() => done(null, addresses));
  const options = { ca: server.ca, dns: false, lookup, autoSelectFamily: true } as object;
  const agent = poolingAgent(t, options);
  const host = 'localhost';
  await get(server, { agent, host });
  // Nothing listens there. Node makes a new handle for the next attempt.
  addresses.unshift({ address: '127.0.0.2', family: 4 });
  for (let i = 0; i < 2; i++) {
    const { req } = await get(server, { agent, host });
    const { autoSelectFamilyAttemptedAddresses: tried } = req.socket as TLSSocket;
    assert.equal(tried?.length, 2);
  }
  assert.equal(server.resumed(), 2);
  assert.equal(given.length, 2);
});

test('connections that start together take different tickets', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const cache = new SessionCache();
  const { agent, offered } = spiedAgent(t, { ca: server.ca, sessionCache: cache });
  const together = async (count: number): Promise<void> => {
    const before = server.connections();
    const requests = Array.from({ length: count }, () => send(server, { agent }));
    await until(() => server.held.length === count);
    for (const res of server.held.splice(0)) res.setHeader('connection', 'close').end();
    await Promise.all(requests.map(({ closed }) => closed));
    assert.equal(server.connections() - before, count);
  };
  // Each connection in full gives two tickets; how many of these ten resume with one of them is a matter of time.
  await together(10);
  const used = new Set(offered().filter((session) => session !== undefined)).size;
  const left = cache.stats.stored - used;
  assert.ok(left >= 2, `${left} tickets`);
  const before = offered().length;
  const resumedBefore = server.resumed();
  await together(10);
  const second = offered().slice(before);
  assert.equal(new Set(second).size, Math.min(10, left), 'a ticket each, while there is one');
  assert.ok(!second.includes(undefined));
  assert.equal(server.resumed() - resumedBefore, 10);
});

test("ticketReuse: 'never' offers no ticket twice", LIMIT, async (t) => {
  const server = await closingServer(t);
  const { agent, offered } = spiedAgent(t, { ca: server.ca, ticketReuse: 'never' });
  for (let i = 0; i < 7; i++) await get(server, { agent });
  const tickets = offered().filter((session) => session !== undefined);
  assert.equal(new Set(tickets).size, tickets.length);
  // Node's server gives two tickets on a full handshake and none on a resumed one.
  assert.equal(server.resumed(), tickets.length);
  assert.ok(tickets.length >= 4, `${tickets.length} of 6`);
});

test('agents that share a cache resume the sessions of each other', LIMIT, async (t) => {
  const server = await closingServer(t);
  const sessionCache = new SessionCache();
  const checkServerIdentity = (): undefined => undefined;
  const make = (): PoolingAgent => poolingAgent(t, { ca: [server.ca], checkServerIdentity, sessionCache });
  await get(server, { agent: make() });
  await get(server, { agent: make() });
  assert.equal(server.resumed(), 1, 'equal options, and the same function');
  await get(server, {
    agent: poolingAgent(t, { ca: [server.ca], checkServerIdentity: () => undefined, sessionCache }),
  });
  assert.equal(server.resumed(), 1, 'another function');
  await get(server, {
    agent: poolingAgent(t, { ca: [server.ca, server.ca], checkServerIdentity, sessionCache }),
  });
  assert.equal(server.resumed(), 1, 'another ca');
});

test('sessionCache: false and maxCachedSessions: 0 offer nothing; the limit is live', LIMIT, async (t) => {
  const server = await closingServer(t);
  const { agent, offered } = spiedAgent(t, { ca: server.ca, sessionCache: false });
  assert.equal(agent.maxCachedSessions, 0);
  for (let i = 0; i < 2; i++) await get(server, { agent });
  agent.maxCachedSessions = 10;
  for (let i = 0; i < 2; i++) await get(server, { agent });
  agent.maxCachedSessions = 0;
  await get(server, { agent });
  assert.deepEqual(offered().map(Boolean), [false, false, false, true, false]);
  assert.throws(() => (agent.maxCachedSessions = -1), { code: 'ERR_OUT_OF_RANGE' });
});

test('Node is asked for sessions only where they are kept', LIMIT, async (t) => {
  const server = await closingServer(t);
  const listeners = async (options: object): Promise<number | undefined> => {
    const { req } = await get(server, { agent: poolingAgent(t, { ca: server.ca, ...options }) });
    return req.socket?.listenerCount('session');
  };
  assert.equal(await listeners({}), 1);
  assert.equal(await listeners({ sessionCache: false }), 0);
  assert.equal(await listeners({ maxCachedSessions: 0 }), 0);
});

test('options of a cache that is not its own are refused', () => {
  const sessionCache = new SessionCache();
  for (const options of [{ maxCachedSessions: 5 }, { ticketReuse: 'never' as const }]) {
    assert.throws(() => new PoolingAgent({ sessionCache, ...options }), { code: 'ERR_INVALID_ARG_VALUE' });
  }
  assert.throws(() => new PoolingAgent({ sessionCache: {} as SessionCache }), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  assert.throws(() => new PoolingAgent({ sessionCache: true as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => new PoolingAgent({ ticketReuse: 'once' as 'never' }), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
});

test('what has expired is not offered', LIMIT, async (t) => {
  const server = await closingServer(t, { sessionTimeout: 100 });
  let now = Date.now();
  const sessionCache = new SessionCache({ now: () => now });
  const { agent, offered } = spiedAgent(t, { ca: server.ca, sessionCache });
  await get(server, { agent });
  now += 90_000;
  await get(server, { agent });
  now += 11_000;
  await get(server, { agent });
  assert.deepEqual(offered().map(Boolean), [false, true, false]);
  assert.ok(sessionCache.stats.expired > 0);
});

test('what was got without verification is offered to nobody who verifies', LIMIT, async (t) => {
  const server = await closingServer(t);
  const sessionCache = new SessionCache();
  const { agent, offered } = spiedAgent(t, { ca: server.ca, sessionCache });
  const { agent: lax, offered: laxOffered } = spiedAgent(t, {
    ca: server.ca,
    rejectUnauthorized: false,
    sessionCache,
  });
  for (let i = 0; i < 2; i++) await get(server, { agent: lax });
  await get(server, { agent });
  assert.deepEqual(laxOffered().map(Boolean), [false, true]);
  assert.deepEqual(offered().map(Boolean), [false]);
});

test('so it is when the environment turns verification off for a while', LIMIT, async (t) => {
  const server = await closingServer(t);
  // Without a `ca` the certificate is good for nobody who looks at it.
  const { agent, offered } = spiedAgent(t);
  const name = 'NODE_TLS_REJECT_UNAUTHORIZED';
  restoreVariable(t, name);
  process.env[name] = '0';
  for (let i = 0; i < 2; i++) await get({ ...server, ca: undefined as never }, { agent });
  Reflect.deleteProperty(process.env, name);
  await assert.rejects(get({ ...server, ca: undefined as never }, { agent }), {
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  assert.deepEqual(offered().map(Boolean), [false, true, false]);
});

test(
  'a session counts for what held when its connection was opened, and not when it is filed',
  LIMIT,
  async (t) => {
    const server = await closingServer(t);
    const { agent, offered } = spiedAgent(t);
    const name = 'NODE_TLS_REJECT_UNAUTHORIZED';
    restoreVariable(t, name);
    process.env[name] = '0';
    // Its key is needed only by the next connection.
    await get({ ...server, ca: undefined as never }, { agent });
    Reflect.deleteProperty(process.env, name);
    await assert.rejects(get({ ...server, ca: undefined as never }, { agent }), {
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    assert.deepEqual(offered().map(Boolean), [false, false]);
    process.env[name] = '0';
    await get({ ...server, ca: undefined as never }, { agent });
    assert.deepEqual(offered().map(Boolean), [false, false, true]);
  },
);

test("rotation of the server's ticket keys costs full handshakes, and no error", LIMIT, async (t) => {
  const server = await closingServer(t, { ticketKeys: randomBytes(48) });
  const sessionCache = new SessionCache();
  const agent = poolingAgent(t, { ca: server.ca, sessionCache });
  for (let i = 0; i < 3; i++) await get(server, { agent });
  assert.equal(server.resumed(), 2);
  server.server.setTicketKeys(randomBytes(48));
  for (let i = 0; i < 5; i++) await get(server, { agent });
  assert.equal(sessionCache.stats.failed, 0);
  assert.equal(server.connections(), 8);
  assert.ok(server.resumed() >= 5, `${server.resumed()} resumed`);
});

/** Accepts connections, waits for the first bytes, and answers with `answer`, or with a reset. */
async function rudeServer(
  t: TestContext,
  answer: Buffer | undefined,
): Promise<{ port: number; greeted: () => number }> {
  let greeted = 0;
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      greeted++;
      if (answer) socket.end(answer);
      else socket.resetAndDestroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close());
  return { port: (server.address() as AddressInfo).port, greeted: () => greeted };
}

/** Moves what was learnt of one server to where another one listens. */
async function connectElsewhere(
  t: TestContext,
  options: PoolingAgentOptions,
): Promise<{ agent: PoolingAgent; cache: SessionCache; request: (port: number) => Promise<unknown> }> {
  const server = await closingServer(t);
  let port = server.port;
  const cache = new SessionCache();
  const agent = poolingAgent(t, { ca: server.ca, sessionCache: cache, ...options });
  const createConnection = agent.createConnection;
  Reflect.set(
    agent,
    'createConnection',
    function elsewhere(this: PoolingAgent, dial: object, callback: never) {
      return createConnection.call(this, { ...dial, port } as never, callback);
    },
  );
  const request = (to: number): Promise<unknown> => {
    port = to;
    return get(server, { agent });
  };
  // Two full handshakes, four tickets: the second connection is open before the first one has given any.
  await Promise.all([request(server.port), request(server.port)]);
  await request(server.port);
  return { agent, cache, request };
}

const ALERT = Buffer.from([0x15, 0x03, 0x03, 0, 2, 2, 40]);

test('a TLS alert in the handshake costs the sessions of the identity', LIMIT, async (t) => {
  const { cache, request } = await connectElsewhere(t, {});
  assert.equal(cache.size, 1);
  const rude = await rudeServer(t, ALERT);
  await assert.rejects(request(rude.port), { code: /^ERR_SSL_|^EPROTO$/ });
  assert.equal(rude.greeted(), 1);
  assert.equal(cache.size, 0);
  assert.ok(cache.stats.failed > 0);
});

test('a connection that dies in the handshake costs the sessions of the identity', LIMIT, async (t) => {
  const { cache, request } = await connectElsewhere(t, {});
  const rude = await rudeServer(t, undefined);
  await assert.rejects(request(rude.port), { code: 'ECONNRESET' });
  assert.equal(cache.size, 0);
  assert.ok(cache.stats.failed > 0);
});

test('a connection that never came about costs no session', LIMIT, async (t) => {
  const { agent, cache, request } = await connectElsewhere(t, {});
  const [id = ''] = cache.ids;
  const newest = asNode(agent)._getSession(id);
  const closed = createTcpServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  for (let i = 0; i < 5; i++) await assert.rejects(request(port), { code: 'ECONNREFUSED' });
  assert.equal(cache.stats.failed, 0);
  assert.equal(asNode(agent)._getSession(id), newest);
});

test('a connection that fails later costs no session', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const cache = new SessionCache();
  const agent = poolingAgent(t, { ca: server.ca, sessionCache: cache });
  const first = send(server, { agent });
  await until(() => server.held.length === 1);
  server.held[0]?.flushHeaders();
  await until(() => first.events.includes('response'));
  (first.req.socket as TLSSocket).destroy(new Error('It failed'));
  await first.closed;
  const second = send(server, { agent });
  await until(() => server.held.length === 2);
  server.held[1]?.end();
  await second.closed;
  assert.equal(server.resumed(), 1);
  assert.equal(cache.stats.failed, 0);
});

test('a closure for each request leaves no sessions behind', LIMIT, async (t) => {
  const server = await closingServer(t);
  const sessionCache = new SessionCache();
  const agent = poolingAgent(t, { ca: server.ca, sessionCache });
  for (let i = 0; i < 5; i++) await get(server, { agent, checkServerIdentity: () => undefined });
  assert.equal(server.resumed(), 0);
  assert.equal(sessionCache.size, 0);
  const checkServerIdentity = (): undefined => undefined;
  for (let i = 0; i < 4; i++) await get(server, { agent, checkServerIdentity });
  assert.ok(server.resumed() >= 2, 'one and the same function does resume');
  assert.equal(sessionCache.size, 1);
});

test('overridden methods get and give the sessions', LIMIT, async (t) => {
  const server = await closingServer(t);
  const shared = new Map<string, Buffer>();
  const evicted: string[] = [];
  class Persistent extends PoolingAgent {
    override _getSession(key: string): Buffer | undefined {
      return shared.get(key);
    }
    override _cacheSession(key: string, session: Buffer): void {
      shared.set(key, session);
      super._cacheSession(key, session);
    }
    override _evictSession(key: string): void {
      evicted.push(key);
      shared.delete(key);
    }
  }
  const make = (): Persistent => {
    const agent = new Persistent({ ca: server.ca, maxCachedSessions: 0 });
    t.after(() => agent.destroy());
    return agent;
  };
  await get(server, { agent: make() });
  assert.equal(shared.size, 1);
  await get(server, { agent: make() });
  assert.equal(server.resumed(), 1);
  const rude = await rudeServer(t, undefined);
  await assert.rejects(get({ ...server, port: rude.port }, { agent: make() }));
  assert.equal(evicted.length, 1);
});

test("a session of the user's own is offered, and not remembered", LIMIT, async (t) => {
  const server = await closingServer(t);
  const first = new SessionCache();
  await get(server, { agent: poolingAgent(t, { ca: server.ca, sessionCache: first }) });
  const session = first.take(first.ids[0] ?? '');
  assert.ok(session);
  const sessionCache = new SessionCache();
  const { agent, offered } = spiedAgent(t, { ca: server.ca, sessionCache });
  await get(server, { agent, session } as object);
  assert.equal(offered()[0], session);
  assert.equal(server.resumed(), 1);
  assert.equal(sessionCache.size, 0);
});

test('sessions are kept apart by host, also on one address', LIMIT, async (t) => {
  const server = await closingServer(t);
  const checkServerIdentity = (): undefined => undefined;
  const { agent, offered } = spiedAgent(t, { ca: server.ca, lookup: lookupLoopback, checkServerIdentity });
  for (const host of ['a.localhost', 'b.localhost', 'a.localhost']) await get(server, { agent, host });
  assert.deepEqual(offered().map(Boolean), [false, false, true]);
});

test('a session says when it ends: no sooner, no later', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  const server = await closingServer(t, { key, cert, sessionTimeout: 7 });
  const cache = new SessionCache();
  await get(server, { agent: poolingAgent(t, { ca: server.ca, sessionCache: cache }) });
  const session = cache.peek(cache.ids[0] ?? '');
  assert.equal(session && readSession(session)?.lifetime, 7000);
});
