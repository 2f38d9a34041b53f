/** The agent's own events, 'free' and 'keylog'. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { poolingAgent } from '../support/agent.js';
import { connect, READY, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { forBoth, forBothOverTls, LIMIT, send, sizeOf, untilIdle } from './support.js';
import type { NodeAgent, Options } from './support.js';

forBoth("'free' tells of every socket that is given back, with its options", async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  const freed: [TLSSocket, Options][] = [];
  agent.on('free', (socket: TLSSocket, options: Options) => freed.push([socket, options]));
  const { req } = await get(server, { agent });
  await get(server, { agent });
  await untilIdle(agent);
  assert.equal(freed.length, 2);
  for (const [socket, options] of freed) {
    assert.equal(socket, req.socket);
    assert.equal(options['host'], 'localhost');
    assert.equal(options['port'], server.port);
    // Also over plain TCP: a listener of others may open a TLS connection with these options.
    assert.equal(options['servername'], 'localhost');
    assert.equal(agent.getName(options).startsWith(`localhost:${server.port}:`), true);
  }
});

/** Hands a connection over as http2-wrapper does when it turns out to speak HTTP/1.1. */
async function handOver(
  agent: NodeAgent,
  options: { host: string; port: number; ca: string },
): Promise<TLSSocket> {
  const socket = connect({ ...options, servername: options.host });
  await once(socket, READY);
  Reflect.set(socket, '_httpMessage', { shouldKeepAlive: true });
  socket.on('free', () => agent.emit('free', socket, options));
  socket.on('close', () => agent.removeSocket(socket, options));
  socket.on('agentRemove', () => agent.removeSocket(socket, options));
  agent.emit('free', socket, options);
  return socket;
}

forBoth("'free' emitted from outside brings a foreign socket in", async ({ t, ours, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  const options = { host: 'localhost', port: server.port, ca: server.ca };
  const socket = await handOver(agent, options);
  assert.equal(await untilIdle(agent), socket);
  for (const path of ['/1', '/2']) {
    const { req, body } = await get(server, { agent, path });
    assert.equal(body, path);
    assert.equal(req.socket, socket);
    // It has served nobody before: Node's agent calls it reused all the same.
    assert.equal(req.reusedSocket, path === '/2' || !ours);
    await untilIdle(agent);
  }
  assert.equal(server.connections(), 1);
  socket.destroy();
  await once(socket, 'close');
  assert.equal(sizeOf(agent.freeSockets), 0);
});

test('a foreign socket counts, and is closed where there is no slot for it', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const options = { host: 'localhost', port: server.port, ca: server.ca };
  const taken = await handOver(agent as unknown as NodeAgent, options);
  await untilIdle(agent);
  assert.equal(agent.totalSocketCount, 1);
  const surplus = await handOver(agent as unknown as NodeAgent, options);
  assert.ok(surplus.destroyed);
  assert.equal(taken.destroyed, false);
  assert.equal(agent.totalSocketCount, 1);
});

forBothOverTls("'keylog' comes from the sockets, with the socket", async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  const lines: string[] = [];
  const sockets = new Set<unknown>();
  agent.on('keylog', (line: Buffer, socket: TLSSocket) => {
    lines.push(line.toString());
    sockets.add(socket);
  });
  const { req } = await get(server, { agent });
  assert.ok(lines.some((line) => line.startsWith('CLIENT_TRAFFIC_SECRET_0 ')));
  assert.deepEqual([...sockets], [req.socket]);
});

test(
  "'keylog' comes from sockets that were there before the listener, once",
  { ...LIMIT, ...TLS_ONLY },
  async (t) => {
    const server = await httpsServer(t, (req, res) => void (req.url === '/hold' || res.end()));
    const agent = poolingAgent(t, { ca: server.ca });
    await get(server, { agent });
    const idle = await untilIdle(agent);
    const holding = send(server, { agent, path: '/hold' });
    const [active] = (await once(holding.req, 'socket')) as [TLSSocket];
    assert.equal(active, idle);
    await get(server, { agent });
    const other = await untilIdle(agent);

    const lines: unknown[] = [];
    agent.on('keylog', (line: Buffer, socket: TLSSocket) => lines.push([String(line), socket]));
    agent.on('keylog', () => {});
    active.emit('keylog', Buffer.from('active'));
    other.emit('keylog', Buffer.from('idle'));
    assert.deepEqual(lines, [
      ['active', active],
      ['idle', other],
    ]);
    assert.notEqual(active, other);
  },
);

test("a socket has no 'keylog' listener while nobody asks for them", LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  assert.equal((await untilIdle(agent)).listenerCount('keylog'), 0);
});
