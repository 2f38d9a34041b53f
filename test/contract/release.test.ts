/** How a request gives its socket back: `'free'` and `'agentRemove'` on the socket, once, twice or too late. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { activeCount, idleCount, poolingAgent, poolOf } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { forBoth, holdingServer, LIMIT, lookupLoopback, send, sizeOf, untilIdle } from './support.js';
import { until } from '../support/until.js';

// Node's agent closes the socket in these two cases: it looks for the request on it, which is not there yet.
test('a request destroyed before it used an idle socket gives it back', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  const socket = await untilIdle(agent);
  const sent = send(server, { agent });
  assert.equal(sizeOf(agent.freeSockets), 0);
  sent.req.destroy();
  await sent.closed;
  assert.equal(await untilIdle(agent), socket);
  assert.equal((await get(server, { agent })).req.socket, socket);
  assert.equal(server.connections(), 1);
});

test('a request destroyed at once leaves the connection being opened to the next one', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const lookups: Parameters<LookupFunction>[] = [];
  const lookup = (...args: Parameters<LookupFunction>): unknown => lookups.push(args);
  const agent = poolingAgent(t, { ca: server.ca, lookup });
  const sent = send(server, { agent });
  const [socket] = Object.values(agent.sockets)[0] ?? [];
  sent.req.destroy();
  await sent.closed;
  await until(() => socket?.destroyed || poolOf(agent).idle.size === 1);
  assert.equal(socket?.destroyed, false);
  assert.ok(socket.connecting);
  const next = get(server, { agent });
  await until(() => lookups.length > 0);
  for (const args of lookups) lookupLoopback(...args);
  const { req } = await next;
  assert.equal(req.socket, socket);
  assert.equal(req.reusedSocket, false);
  assert.equal(server.connections(), 1);
});

test('a socket that has served nobody is not called reused', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, binding: 'late' });
  const sent = send(server, { agent });
  sent.req.destroy();
  await sent.closed;
  await untilIdle(agent);
  assert.equal((await get(server, { agent })).req.reusedSocket, false);
  await untilIdle(agent);
  assert.equal((await get(server, { agent })).req.reusedSocket, true);
  assert.equal(server.connections(), 1);
});

test('`reusedSocket` is true also after the hand-over to a queued request', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const answers = await Promise.all([get(server, { agent }), get(server, { agent }), get(server, { agent })]);
  assert.deepEqual(
    answers.map(({ req }) => req.reusedSocket),
    [false, true, true],
  );
  assert.equal(server.connections(), 1);
});

test("a second 'free' of an idle socket changes nothing", LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const first = get(server, { agent });
  await until(() => server.held.length === 1);
  server.held[0]?.end();
  await first;
  const socket = await untilIdle(agent);
  socket.emit('free');
  await setImmediate();
  assert.equal(idleCount(agent), 1);

  // It is there once: of two requests at once, one needs another connection.
  const answers = [get(server, { agent }), get(server, { agent })];
  await until(() => server.held.length === 3);
  assert.equal(server.connections(), 2);
  for (const res of server.held) res.end();
  await Promise.all(answers);
});

test("a second 'free' does not take the socket from the next request", LIMIT, async (t) => {
  const server = await holdingServer(t);
  const { held } = server;
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const first = get(server, { agent });
  const second = get(server, { agent });
  await until(() => held.length === 1);
  held[0]?.end('first');
  const { req } = await first;
  await until(() => held.length === 2);
  // Late, and of the first exchange: the second request has the socket now.
  req.socket?.emit('free');
  const third = get(server, { agent });
  await setImmediate();
  assert.equal(activeCount(agent), 1);
  held[1]?.end('second');
  assert.equal((await second).body, 'second');
  await until(() => held.length === 3);
  held[2]?.end('third');
  assert.equal((await third).body, 'third');
  assert.equal(server.connections(), 1);
});

test("'free' for sockets that are closed or gone is ignored", LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  const socket = await untilIdle(agent);
  socket.destroy();
  socket.emit('free');
  await once(socket, 'close');
  socket.emit('free');
  agent.emit('free', socket, { host: 'localhost', port: server.port });
  await setImmediate();
  assert.equal(idleCount(agent) + activeCount(agent), 0);
  assert.equal(agent.totalSocketCount, 0);
});

for (const method of ['CONNECT', 'GET']) {
  const event = method === 'CONNECT' ? 'connect' : 'upgrade';
  forBoth(`after '${event}' the socket is the caller's, and counts nowhere`, async ({ t, agent: make }) => {
    const server = await httpsServer(t);
    server.server.on(event, (_req: IncomingMessage, socket: Duplex) => {
      socket.write(
        'HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n'.replace(
          '200',
          method === 'CONNECT' ? '200' : '101',
        ),
      );
      socket.pipe(socket);
    });
    const agent = make({ ca: server.ca, maxSockets: 1 });
    const headers = { connection: 'upgrade', upgrade: 'echo' };
    const { req } = send(server, { agent, method, headers: method === 'CONNECT' ? {} : headers });
    const [, socket] = (await once(req, event)) as [IncomingMessage, Duplex];
    assert.equal(sizeOf(agent.sockets), 0);
    assert.equal(agent.totalSocketCount, 0);

    // Under a limit of one, another request goes beside it.
    assert.equal((await get(server, { agent })).body, '/');
    await untilIdle(agent);
    socket.write('still there');
    assert.equal(String((await once(socket, 'data'))[0]), 'still there');
    socket.emit('free');
    socket.destroy();
    await once(socket, 'close');
    assert.equal(sizeOf(agent.freeSockets), 1);
    assert.equal(agent.totalSocketCount, 1);
  });
}
