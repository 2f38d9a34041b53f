/** `createConnection`, replaced by users: where it is looked up, and what it may give back. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect as connectTcp } from 'node:net';
import type { LookupFunction } from 'node:net';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { poolingAgent } from '../support/agent.js';
import { Agent, connect, isPlain, PoolingAgent, READY, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { forBoth, LIMIT, lookupLoopback, replaceCreateConnection, untilIdle } from './support.js';
import { until } from '../support/until.js';

/** A server at the other end of a stream that is no socket. */
function overDuplex(): { client: Duplex; end: Duplex; requests: () => number } {
  const [client, end] = duplexPair();
  let requests = 0;
  createServer((req, res) => {
    requests++;
    res.end(req.url);
  }).emit('connection', end);
  return { client, end, requests: () => requests };
}

forBoth(
  'it is looked up on the instance at every dial, and called on the agent',
  async ({ t, agent: make }) => {
    const server = await httpsServer(t, (_req, res) => res.setHeader('connection', 'close').end());
    const agent = make({ ca: server.ca });
    const calls: unknown[] = [];
    for (const name of ['first', 'second']) {
      replaceCreateConnection(agent, function replaced(options) {
        calls.push(name, this === agent);
        return connect(options as ConnectionOptions);
      });
      await get(server, { agent });
    }
    assert.deepEqual(calls, ['first', true, 'second', true]);
  },
);

test("it is inherited: http2-wrapper asks whether it is that of Node's agent", LIMIT, () => {
  const agent = new PoolingAgent();
  assert.equal(agent.createConnection, Agent.prototype.createConnection);
  assert.equal(Object.hasOwn(PoolingAgent.prototype, 'createConnection'), false);
  assert.equal(Object.hasOwn(agent, 'createConnection'), false);
});

forBoth('it may be wrapped to add a `lookup`, as cacheable-lookup does', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca, checkServerIdentity: () => undefined });
  const original = agent.createConnection;
  const names: string[] = [];
  replaceCreateConnection(agent, (options, callback) => {
    // It writes to what it is given.
    options['lookup'] ??= (...args: Parameters<LookupFunction>): void => {
      names.push(args[0]);
      lookupLoopback(...args);
    };
    return original.call(agent, options, callback);
  });
  assert.equal((await get(server, { agent, host: 'some.localhost', path: '/x' })).body, '/x');
  assert.deepEqual(names, ['some.localhost']);
});

forBoth('it may return any Duplex', async ({ agent: make }) => {
  const { client } = overDuplex();
  const agent = make({ keepAlive: false });
  replaceCreateConnection(agent, () => client);
  assert.equal((await get({ port: 443, ca: '' }, { agent, path: '/duplex' })).body, '/duplex');
  await until(() => agent.totalSocketCount === 0);
  assert.ok(client.destroyed);
});

test('a Duplex without the methods of a socket is kept and used again', LIMIT, async (t) => {
  const { client, requests } = overDuplex();
  const agent = poolingAgent(t);
  let dials = 0;
  replaceCreateConnection(agent, () => (dials++, client));
  for (const path of ['/1', '/2', '/3']) {
    assert.equal((await get({ port: 443, ca: '' }, { agent, path })).body, path);
  }
  assert.equal(await untilIdle(agent), client);
  assert.equal(dials, 1);
  assert.equal(requests(), 3);
});

test('bytes on an idle Duplex are an answer to nobody', LIMIT, async (t) => {
  const agent = poolingAgent(t);
  const streams = [overDuplex(), overDuplex()];
  let dials = 0;
  replaceCreateConnection(agent, () => streams[dials++]?.client);
  await get({ port: 443, ca: '' }, { agent });
  await untilIdle(agent);
  streams[0]?.end.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstray');
  await setImmediate();
  assert.equal((await get({ port: 443, ca: '' }, { agent, path: '/own' })).body, '/own');
  assert.equal(dials, 2);
  assert.ok(streams[0]?.client.destroyed);
});

test('a chunk without a byte is no answer, and no stray one', LIMIT, async (t) => {
  const agent = poolingAgent(t);
  const { client, requests } = overDuplex();
  let dials = 0;
  replaceCreateConnection(agent, () => (dials++, client));
  for (const path of ['/1', '/2', '/3']) {
    assert.equal((await get({ port: 443, ca: '' }, { agent, path })).body, path);
    client.push(Buffer.alloc(0));
    await untilIdle(agent);
    client.push('');
    await setImmediate();
  }
  assert.deepEqual([dials, requests()], [1, 3]);
});

forBoth('it may return nothing and call back later', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make();
  replaceCreateConnection(agent, (options, callback) => {
    process.nextTick(() => callback(null, connect(options as ConnectionOptions)));
  });
  assert.equal((await get(server, { agent, path: '/later' })).body, '/later');
  assert.equal(await untilIdle(agent).then((socket) => socket instanceof TLSSocket), !isPlain);
});

forBoth('it may do both, and more than once: the first counts', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make();
  replaceCreateConnection(agent, (options, callback) => {
    const socket = connect(options as ConnectionOptions);
    callback(null, socket);
    process.nextTick(callback, null, socket);
    process.nextTick(callback, new Error('too late'));
    return socket;
  });
  assert.equal((await get(server, { agent, path: '/both' })).body, '/both');
  await untilIdle(agent);
  assert.equal(agent.totalSocketCount, 1);
  assert.equal((await get(server, { agent, path: '/again' })).body, '/again');
  assert.equal(server.connections(), 1);
});

test('a socket handed out twice is refused: it has one owner', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const socket = connect({ host: 'localhost', port: server.port, ca: server.ca });
  replaceCreateConnection(agent, () => socket);
  const [first, second] = [get(server, { agent, path: '/one' }), get(server, { agent })];
  await assert.rejects(second, { code: 'ERR_INVALID_ARG_TYPE' });
  assert.equal((await first).body, '/one');
  assert.equal(agent.totalSocketCount, 1);
});

forBoth('a call from outside is nobody’s business', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  const { createConnection } = agent;
  const options = { host: 'localhost', port: server.port, ca: server.ca, servername: 'localhost' };
  const socket = createConnection.call(agent, options, () => {}) as Duplex;
  await new Promise((resolve) => socket.once(READY, resolve));
  assert.equal(agent.totalSocketCount, 0);
  assert.deepEqual(Object.keys(agent.sockets), []);
  socket.emit('free');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await closed;
  assert.equal(agent.totalSocketCount, 0);
});

for (const binding of ['eager', 'late'] as const) {
  test(
    `a TLSSocket made by hand begins its handshake with the request, ${binding} binding`,
    { ...LIMIT, ...TLS_ONLY },
    async (t) => {
      const server = await httpsServer(t, (req, res) => res.end(req.url));
      const agent = poolingAgent(t, { binding });
      replaceCreateConnection(agent, ({ port }) => new TLSSocket(connectTcp(Number(port), '127.0.0.1')));
      for (const path of ['/1', '/2']) assert.equal((await get(server, { agent, path })).body, path);
      assert.equal(server.connections(), 1);
    },
  );
}
