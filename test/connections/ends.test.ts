/** Connections that end although they are alive: by age, by count, because their peer is dead, or because they were poisoned. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { monotonicNow } from '../../src/node/timers.js';
import { poolOf, poolingAgent } from '../support/agent.js';
import { block } from '../support/block.js';
import { get, httpsServer, rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { threadedServer } from '../support/threaded-server.js';
import { holdingServer, send, untilIdle } from '../contract/support.js';
import { begin, connectionFor, connectionOf, endingServer, LIMIT } from './support.js';

test('maxSocketAge: a response under way is not cut, and no request follows it', LIMIT, async (t) => {
  const server = await httpsServer(t, async (req, res) => {
    res.write('begun, ');
    await setTimeout(req.url === '/slow' ? 150 : 0);
    res.end('done');
  });
  const agent = poolingAgent(t, { ca: server.ca, maxSocketAge: 100, maxSockets: 1 });
  const slow = get(server, { agent, path: '/slow' });
  const behind = get(server, { agent, path: '/fast' });
  assert.equal((await slow).body, 'begun, done');
  assert.equal((await behind).body, 'begun, done');
  assert.equal(server.connections(), 2);
});

test('maxSocketAge: an idle connection goes, too, and its age is never exceeded', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSocketAge: 200 });
  const before = monotonicNow();
  const connection = await connectionFor(server, { agent });
  assert.ok(connection.retireAt > before + 180 && connection.retireAt <= monotonicNow() + 200);
  await until(() => connection.state === 'closed');
  assert.equal(connection.closeReason, 'max-age');
  assert.equal(poolOf(agent).size, 0);
});

test('maxRequestsPerSocket: one request after the other', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxRequestsPerSocket: 3 });
  const reused: boolean[] = [];
  for (let i = 0; i < 7; i++) {
    const { req } = await get(server, { agent });
    reused.push(req.reusedSocket);
  }
  assert.deepEqual(reused, [false, true, true, false, true, true, false]);
  assert.equal(server.connections(), 3);
});

test('maxRequestsPerSocket: from the queue', LIMIT, async (t) => {
  const served = new Map<object, number>();
  const server = await httpsServer(t, ({ socket, url }, res) => {
    served.set(socket, (served.get(socket) ?? 0) + 1);
    res.end(url);
  });
  const agent = poolingAgent(t, { ca: server.ca, maxRequestsPerSocket: 2, maxSockets: 2 });
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) => get(server, { agent, path: `/${i}` })),
  );
  for (const [i, { body }] of answers.entries()) assert.equal(body, `/${i}`);
  assert.ok([...served.values()].every((count) => count <= 2));
  assert.ok([...served.values()].includes(2));
});

/** As the system reports that nothing has come back for too long. */
function timedOut(syscall: string, more: object = {}): Error {
  return Object.assign(new Error(`${syscall} ETIMEDOUT`), { code: 'ETIMEDOUT', syscall, ...more });
}

test('when a connection dies because its peer does not answer, its idle siblings go', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const other = await httpsServer(t);
  const agent = poolingAgent(t, { ca: [server.ca, other.ca], checkServerIdentity: () => undefined });
  const idle = [send(server, { agent }), send(server, { agent })];
  await until(() => server.held.length === 2);
  const elsewhere = connectionOf((await get(other, { agent })).req);
  for (const res of server.held.splice(0)) res.end();
  await Promise.all(idle.map(({ closed }) => closed));
  // By another name: the same address.
  const byAddress = send(server, { agent, host: '127.0.0.1' });
  await until(() => server.held.length === 1);
  server.held.pop()?.end();
  await byAddress.closed;
  await untilIdle(agent, 4);
  const siblings = [...idle, byAddress].map(({ req }) => connectionOf(req));

  const stalled = send(server, { agent });
  await until(() => server.held.length === 1);
  // No peer counts as dead sooner.
  await setTimeout(600);
  stalled.req.socket?.destroy(timedOut('read'));
  await stalled.closed;
  assert.equal(stalled.errors[0]?.code, 'ETIMEDOUT');
  await until(() => poolOf(agent).size === 1);
  const reasons = siblings.map(({ closeReason }) => closeReason);
  assert.deepEqual(reasons.filter((reason) => reason === 'peer-dead').length, 2, String(reasons));
  assert.equal(elsewhere.state, 'idle');
});

test('the same when a connect times out', LIMIT, async (t) => {
  const server = await endingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const sibling = connectionOf((await get(server, { agent })).req);
  await untilIdle(agent);
  const failing = send(server, { agent, localAddress: '127.0.0.1' });
  await once(failing.req, 'socket');
  failing.req.socket?.destroy(timedOut('connect', { address: '127.0.0.1', port: server.port }));
  await failing.closed;
  await until(() => sibling.state === 'closed');
  assert.equal(sibling.closeReason, 'peer-dead');
});

test('a client that ran out of patience proves nothing', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const first = send(server, { agent });
  const second = send(server, { agent });
  await until(() => server.held.length === 2);
  server.held.shift()?.end();
  await Promise.race([first.closed, second.closed]);
  await untilIdle(agent);
  for (const { req } of [first, second]) {
    if (!req.destroyed) req.destroy(Object.assign(new Error('late'), { code: 'ETIMEDOUT' }));
  }
  await Promise.all([first.closed, second.closed]);
  assert.equal(poolOf(agent).idle.size, 1);
});

/** The arguments of all calls of `setKeepAlive` on the socket of `req`. */
async function armedFor(req: ClientRequest): Promise<unknown[][]> {
  const [socket] = (await once(req, 'socket')) as [TLSSocket];
  const armed: unknown[][] = [];
  const { setKeepAlive } = socket;
  socket.setKeepAlive = function spy(...args) {
    armed.push(args);
    return setKeepAlive.apply(this, args);
  };
  return armed;
}

test('TCP keep-alive is armed for a connection that has lived for half a second', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, keepAliveMsecs: 1234 });
  const short = send(server, { agent });
  const spared = await armedFor(short.req);
  await until(() => server.held.length === 1);
  short.req.destroy();
  await short.closed;
  const armed = await armedFor(send(server, { agent }).req);
  await until(() => armed.length > 0);
  assert.deepEqual(armed, [[true, 1234]]);
  assert.deepEqual(spared, []);
});

test('TCP keep-alive is armed at once for a connection that leaves the pool', LIMIT, async (t) => {
  const server = await httpsServer(t);
  server.server.on('upgrade', (_req, socket) => {
    socket.write('HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  });
  const agent = poolingAgent(t, { ca: server.ca, keepAliveMsecs: 1234 });
  const req = begin(server, { agent, headers: { connection: 'upgrade', upgrade: 'x' } });
  const upgraded = once(req, 'upgrade');
  const armed = armedFor(req);
  req.end();
  const [, socket] = (await upgraded) as [IncomingMessage, TLSSocket];
  assert.deepEqual(await armed, [[true, 1234]]);
  socket.destroy();
});

test(
  'bytes that come before the request was sent are no answer to it; it ends where it may not go on',
  LIMIT,
  async (t) => {
    const server = await endingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, replay: false });
    for (const status of ['200 OK', '408 Request Timeout']) {
      await get(server, { agent });
      await untilIdle(agent);
      const req = begin(server, { agent, method: 'POST' });
      let responses = 0;
      req.on('response', () => responses++);
      const failed = once(req, 'error');
      const socket = await new Promise<TLSSocket>((resolve) =>
        req.on('socket', (own) => resolve(own as TLSSocket)),
      );
      assert.ok(req.reusedSocket);
      server.sockets.at(-1)?.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
      const [error] = (await failed) as [Error & { code: string }];
      assert.equal(error.code, 'ECONNRESET');
      assert.equal(responses, 0, status);
      assert.ok(socket.destroyed);
    }
  },
);

test(
  'bytes that come before the request was sent are no answer to it; it goes on elsewhere',
  LIMIT,
  async (t) => {
    const server = await endingServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    for (const status of ['200 OK', '408 Request Timeout']) {
      await get(server, { agent });
      await untilIdle(agent);
      const before = server.connections();
      const req = begin(server, { agent, method: 'POST', path: '/mine' });
      const sockets: unknown[] = [];
      req.on('socket', (own) => sockets.push(own));
      await once(req, 'socket');
      server.sockets.at(-1)?.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
      await until(() => sockets.length === 2);
      req.end();
      const [res] = (await once(req, 'response')) as [IncomingMessage];
      assert.equal(res.statusCode, 200);
      assert.equal(server.connections(), before + 1);
      res.resume();
      await once(req, 'close');
    }
  },
);

const EARLY = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('after a response before the request was complete, no request follows', LIMIT, async (t) => {
  const peers: TLSSocket[] = [];
  const server = await rawServer(t, (socket) => {
    peers.push(socket);
    // Answers the head, and swallows the body as a server should.
    socket.once('data', () => socket.write(EARLY));
  });
  const agent = poolingAgent(t, { ca: server.ca });
  const req = begin(server, { agent, method: 'POST' });
  req.write('half');
  const [res] = await once(req, 'response');
  const connection = connectionOf(req);
  await once(res.resume(), 'end');
  req.end(' of it');
  await once(req, 'close');
  await until(() => connection.state === 'closed');
  assert.equal(connection.closeReason, 'surplus', 'at the end of the exchange');
  assert.equal((await get(server, { agent })).body, 'ok');
  assert.equal(peers.length, 2);
});

test('the same where the request had ended, but not left', LIMIT, async (t) => {
  const peers: TLSSocket[] = [];
  const server = await rawServer(t, (socket) => {
    peers.push(socket);
    socket.once('data', () => {
      // Takes no more for now: most of the body stays with the client.
      socket.pause();
      socket.write(EARLY);
    });
  });
  const agent = poolingAgent(t, { ca: server.ca });
  const body = Buffer.alloc(16 * 1024 * 1024);
  const req = begin(server, { agent, method: 'POST', headers: { 'content-length': body.length } });
  req.end(body);
  const [res] = await once(req, 'response');
  const connection = connectionOf(req);
  await once(res.resume(), 'end');
  peers[0]?.resume();
  await once(req, 'close');
  await until(() => connection.state === 'closed');
  assert.equal(connection.closeReason, 'surplus', 'at the end of the exchange');
  assert.equal((await get(server, { agent })).body, 'ok');
  assert.equal(peers.length, 2);
});

test('a request that was sent whole is no such case, however fast the answer', LIMIT, async (t) => {
  const { url, ca } = await threadedServer(t);
  const server = { port: Number(new URL(url).port), ca };
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  for (let i = 0; i < 20; i++) {
    // Sent before the loop polls, and answered when it does: Node reports the end of the write only after that.
    await setTimeout(1);
    const answer = get(server, { agent, path: '/' });
    process.nextTick(block, 15);
    await answer;
  }
  assert.equal(agent.totalSocketCount, 1);
  assert.equal((await get(server, { agent, path: '/' })).req.reusedSocket, true);
});

test('noDelay is on from the connect on, unless it is turned off', LIMIT, async (t) => {
  const server = await endingServer(t);
  for (const noDelay of [undefined, true, false]) {
    const agent = poolingAgent(t, { ca: server.ca, noDelay });
    const req = begin(server, { agent });
    req.end();
    const [socket] = (await once(req, 'socket')) as [TLSSocket];
    const calls: unknown[] = [];
    socket.setNoDelay = (on) => {
      calls.push(on);
      return socket;
    };
    await once(req, 'response');
    assert.deepEqual(calls, noDelay === false ? [] : [true]);
  }
});
