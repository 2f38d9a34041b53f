/** The state of a socket while no request has it, and the events that end it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { poolingAgent } from '../support/agent.js';
import { CONNECTED, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer, rawServer } from '../support/server.js';
import {
  forBoth,
  holdingServer,
  LIMIT,
  replaceCreateConnection,
  send,
  sizeOf,
  untilIdle,
} from './support.js';
import { until } from '../support/until.js';
import type { NodeAgent } from './support.js';

const RESPONSE = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

forBoth('an idle socket is bare', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  for (let round = 0; round < 3; round++) {
    await get(server, { agent });
    const socket = await untilIdle(agent);
    assert.ok(socket.listenerCount('error') >= 1);
    assert.equal(socket.listenerCount('data'), 0);
    assert.equal(socket.listenerCount('readable'), 0);
    assert.equal(Reflect.get(socket, '_httpMessage'), null);
    assert.equal(Reflect.get(socket, 'parser'), null);
  }
  assert.equal(server.connections(), 1);
});

for (const kind of ['PoolingAgent', 'Agent']) {
  test(`only a leased socket keeps the process alive: ${kind}`, LIMIT, async (t) => {
    const server = await holdingServer(t);
    const child = fileURLToPath(new URL('idle-child.js', import.meta.url));
    const args = [child, kind, String(server.port), server.ca];
    const run = promisify(execFile)(process.execPath, args, { timeout: 100_000 });
    await until(() => server.held.length === 2);
    for (const res of server.held.splice(0)) res.end();
    // The third request is on a reused socket, and the process has nothing else to wait for.
    await until(() => server.held.length === 1);
    await setTimeout(50);
    server.held[0]?.end('late');
    assert.equal((await run).stdout, '2 idle\nlate\n');
    assert.equal(server.connections(), 2);
  });
}

forBoth('TCP keep-alive is armed', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca, keepAliveMsecs: 1234 });
  const armed: unknown[][] = [];
  const { req } = send(server, { agent });
  const [socket] = (await once(req, 'socket')) as [TLSSocket];
  socket.setKeepAlive = (...args) => {
    armed.push(args);
    return socket;
  };
  await untilIdle(agent);
  assert.ok(armed.length >= 1);
  for (const args of armed) assert.deepEqual(args, [true, 1234]);
});

test('bytes on an idle socket end it', LIMIT, async (t) => {
  const ends: TLSSocket[] = [];
  const server = await rawServer(t, (socket) => {
    ends.push(socket);
    socket.on('data', () => socket.write(RESPONSE));
  });
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  const socket = await untilIdle(agent);
  ends[0]?.write(RESPONSE.replace('ok', 'no'));
  await once(socket, 'close');
  assert.equal(sizeOf(agent.freeSockets), 0);
  assert.equal((await get(server, { agent })).body, 'ok');
  assert.equal(server.connections(), 2);
});

test(
  'session tickets that come to an idle socket are no such bytes',
  { ...LIMIT, ...TLS_ONLY },
  async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, binding: 'late' });
    const { createConnection } = agent;
    let socket: Duplex | null | undefined;
    let tickets = 0;
    replaceCreateConnection(agent, (...args) => {
      socket = Reflect.apply(createConnection, agent, args) as Duplex;
      return socket.on('session', () => tickets++);
    });
    // Its connection becomes idle with the end of the handshake; the tickets come after that.
    const sent = send(server, { agent });
    sent.req.destroy();
    assert.equal(await untilIdle(agent), socket);
    await until(() => tickets === 2);
    assert.equal((await get(server, { agent })).req.socket, socket);
    assert.equal(server.connections(), 1);
  },
);

/** Ways in which an idle socket ends. */
const ENDS: Record<string, (socket: TLSSocket, server: { end: () => void }) => void> = {
  'is destroyed by somebody': (socket) => socket.destroy(),
  'is destroyed with an error': (socket) => socket.destroy(new Error('unwanted')),
  'is ended by somebody': (socket) => socket.end(),
  'is closed by the server': (_socket, server) => server.end(),
};

for (const [title, end] of Object.entries(ENDS)) {
  forBoth(`an idle socket that ${title} leaves the pool`, async ({ t, agent: make }) => {
    const ends: TLSSocket[] = [];
    const server = await httpsServer(t);
    server.server.on(CONNECTED, (socket) => ends.push(socket));
    const agent: NodeAgent = make({ ca: server.ca, maxSockets: 1 });
    await get(server, { agent });
    end(await untilIdle(agent), { end: () => ends[0]?.end() });
    await until(() => agent.totalSocketCount === 0);
    assert.deepEqual(Object.keys(agent.freeSockets), []);
    assert.deepEqual(Object.keys(agent.sockets), []);
    assert.equal((await get(server, { agent, path: '/next' })).body, '/next');
    assert.equal(server.connections(), 2);
  });
}
