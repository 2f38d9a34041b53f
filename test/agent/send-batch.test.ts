/** With many connections in use, the requests of one turn of the event loop are sent together. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { PoolingAgent } from '../../src/index.js';
import { poolingAgent, poolOf } from '../support/agent.js';
import { block } from '../support/block.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { threadedServer } from '../support/threaded-server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 30_000 };
const CONNECTIONS = 6;

/** An agent with `CONNECTIONS` idle connections that have all been used. */
async function warm(t: TestContext, server: TestServer): Promise<PoolingAgent> {
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: CONNECTIONS, validateAfterIdle: Infinity });
  while (poolOf(agent).idle.size < CONNECTIONS) {
    await Promise.all(Array.from({ length: CONNECTIONS }, () => get(server, { agent, path: '/slow' })));
    await setImmediate();
  }
  return agent;
}

async function slowServer(t: TestContext): Promise<TestServer> {
  return httpsServer(t, (req, res) => {
    if (req.url === '/slow') setTimeout(() => res.end('ok'), 5);
    else if (req.method === 'POST') req.pipe(createHash('sha256')).setEncoding('hex').pipe(res);
    else res.end(req.url);
  });
}

/** Makes a request and resolves with its socket as soon as it has it. */
async function start(agent: PoolingAgent, server: TestServer, path = '/'): Promise<TLSSocket> {
  const req = request({ host: 'localhost', port: server.port, agent, path }, (res) => res.resume());
  req.on('error', () => {});
  req.end();
  const [socket] = (await once(req, 'socket')) as [TLSSocket];
  return socket;
}

test('with many in use, what is requested in one turn leaves at its end', LIMIT, async (t) => {
  const server = await slowServer(t);
  const agent = await warm(t, server);
  await setImmediate();
  // However long it really takes.
  const now = performance.now();
  const clock = t.mock.method(performance, 'now', () => now);
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => start(agent, server)));
  clock.mock.restore();
  const corked = sockets.filter((socket) => socket.writableCorked > 0).length;
  assert.equal(corked, CONNECTIONS - 3, 'the first three see few others in use');
  await setImmediate();
  assert.ok(sockets.every((socket) => socket.writableCorked === 0));
  await until(() => poolOf(agent).idle.size >= CONNECTIONS);
});

test('with few in use, a request leaves at once', LIMIT, async (t) => {
  const server = await slowServer(t);
  const agent = await warm(t, server);
  for (let i = 0; i < 10; i++) {
    const socket = await start(agent, server);
    assert.equal(socket.writableCorked, 0);
    await until(() => poolOf(agent).idle.size >= CONNECTIONS);
  }
});

test('a turn that lasts does not hold them until its end', LIMIT, async (t) => {
  const server = await slowServer(t);
  const agent = await warm(t, server);
  await setImmediate();
  const now = performance.now();
  const clock = t.mock.method(performance, 'now', () => now);
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS - 1 }, () => start(agent, server)));
  clock.mock.restore();
  assert.ok(sockets.some((socket) => socket.writableCorked > 0));
  block(5);
  sockets.push(await start(agent, server));
  assert.ok(sockets.every((socket) => socket.writableCorked === 0));
  await until(() => poolOf(agent).idle.size >= CONNECTIONS);
});

test('where every batch is of one, it is given up', LIMIT, async (t) => {
  const server = await slowServer(t);
  const agent = await warm(t, server);
  // These keep their connections; the requests meanwhile come one by one.
  const held = await Promise.all(Array.from({ length: 4 }, () => start(agent, server, '/slow')));
  assert.equal(held.length, 4);
  let corked = 0;
  for (let i = 0; i < 20; i++) {
    void start(agent, server, '/slow');
    const socket = await start(agent, server);
    if (socket.writableCorked > 0) corked++;
    await setImmediate();
    await setImmediate();
  }
  assert.ok(corked <= 6, `${corked} of 20 were held in vain`);
  await until(() => Object.keys(agent.sockets).length === 0);
});

test('what is destroyed in the same turn is never sent, and takes nothing else with it', LIMIT, async (t) => {
  const server = await slowServer(t);
  const agent = await warm(t, server);
  const before = server.requests();
  const paths = Array.from({ length: CONNECTIONS }, (_, i) => `/${i}`);
  const answers = paths.map((path) => get(server, { agent, path }));
  const req = request({ host: 'localhost', port: server.port, agent, path: '/doomed' });
  const closed = new Promise((resolve) => req.on('close', resolve));
  req.on('error', () => {});
  req.end();
  req.on('socket', () => req.destroy());
  const bodies = (await Promise.all(answers)).map(({ body }) => body);
  await closed;
  assert.deepEqual(bodies, paths);
  assert.equal(server.requests() - before, CONNECTIONS);
});

test('what comes while a request is held back is no answer to it', LIMIT, async (t) => {
  const server = await slowServer(t);
  const agent = await warm(t, server);
  await setImmediate();
  const stray = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray');
  const before = server.requests();
  const paths = Array.from({ length: CONNECTIONS }, (_, i) => `/${i}`);
  let strays = 0;
  const now = performance.now();
  const clock = t.mock.method(performance, 'now', () => now);
  void setImmediate().then(() => clock.mock.restore());
  const bodies = paths.map(async (path, i) => {
    const method = i % 2 ? 'PUT' : 'GET';
    const req = request({ host: 'localhost', port: server.port, agent, path, method });
    req.end();
    req.once('socket', (socket: TLSSocket) => {
      // As if the loop had read it in this very turn.
      if (socket.writableCorked === 0) return;
      strays++;
      process.nextTick(() => socket.push(stray));
    });
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of res.setEncoding('utf8')) text += String(chunk);
    return text;
  });
  assert.deepEqual(await Promise.all(bodies), paths);
  assert.ok(strays >= 3);
  assert.equal(server.requests() - before, CONNECTIONS, 'each was sent once');
});

test('bodies beyond every buffer arrive whole, in both directions', LIMIT, async (t) => {
  const server = await slowServer(t);
  const agent = await warm(t, server);
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const body = randomBytes(1_000_000);
      const options = { host: 'localhost', port: server.port, agent, method: 'POST' };
      const req = request(options);
      req.end(body);
      const [res] = (await once(req, 'response')) as [IncomingMessage];
      res.setEncoding('latin1');
      let text = '';
      for await (const chunk of res) text += String(chunk);
      assert.equal(text, createHash('sha256').update(body).digest('hex'));
    }),
  );
});

test("a request has 'finished' before its response ends, however fast that comes", LIMIT, async (t) => {
  const { url, ca } = await threadedServer(t);
  const agent = poolingAgent(t, { ca, maxSockets: CONNECTIONS, validateAfterIdle: Infinity });
  const finished = async (): Promise<boolean> => {
    const req = request(url, { agent });
    req.end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    res.resume();
    await once(res, 'end');
    return req.writableFinished;
  };
  while (poolOf(agent).idle.size < CONNECTIONS)
    await Promise.all(Array.from({ length: CONNECTIONS }, finished));
  await sleep(50);
  for (let i = 0; i < 5; i++) {
    const now = performance.now();
    const clock = t.mock.method(performance, 'now', () => now);
    const requests = Array.from({ length: CONNECTIONS }, finished);
    // Sent at this turn's end; the loop reads no sooner than all answers are there.
    void setImmediate().then(() => {
      clock.mock.restore();
      block(20);
    });
    // The first three were sent at once, from a timer: theirs may be read before, as over Node's agent.
    assert.ok((await Promise.all(requests)).slice(3).every(Boolean));
    await sleep(20);
  }
});
