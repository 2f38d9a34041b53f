/** A request that says `Connection: close` is the last one on its connection, whatever the response says. */
import assert from 'node:assert/strict';
import { request } from '../support/protocol.js';
import type { RequestOptions } from 'node:https';
import type { ClientRequest } from 'node:http';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { poolingAgent, poolOf } from '../support/agent.js';
import { get, rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { LIMIT, untilIdle } from './support.js';

/** Answers all requests with `keep-alive`, and closes nothing. */
const stubborn = (socket: TLSSocket): void => {
  socket.on('data', () =>
    socket.write('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'),
  );
};

interface Way {
  readonly options?: RequestOptions;
  readonly change?: (req: ClientRequest) => void;
}

const LAST: Record<string, Way> = {
  'as a header': { options: { headers: { connection: 'close' } } },
  'in another letter case': { options: { headers: { CONNECTION: 'Close' } } },
  'with other options': { options: { headers: { Connection: 'keep-alive , CLOSE' } } },
  'as an array': { options: { headers: { Connection: ['keep-alive', 'close'] } } },
  'in a list of headers': { options: { headers: ['Host', 'localhost', 'connection', 'close'] } },
  'in a list, twice': {
    options: { headers: ['Host', 'localhost', 'Connection', 'te', 'Connection', 'close', 'TE', 'trailers'] },
  },
  'without a host': { options: { setHost: false, headers: { Connection: 'close' } } },
  'later, by setHeader': { change: (req) => req.setHeader('Connection', 'close') },
  'with a body': { options: { method: 'POST', headers: { Connection: 'close', 'Content-Length': 0 } } },
  'by shouldKeepAlive': { change: (req) => (req.shouldKeepAlive = false) },
};

const NOT_LAST: Record<string, Way> = {
  'it says nothing': {},
  'it says keep-alive': { options: { headers: { Connection: 'keep-alive' } } },
  'it says keep-alive in a list': { options: { headers: ['Host', 'localhost', 'Connection', 'keep-alive'] } },
  'another option has such a name': { options: { headers: { Connection: 'close-notify, x-close' } } },
  'the word is elsewhere': { options: { headers: ['Host', 'localhost', 'X-Connection', 'close'] } },
  'it names no host': { options: { setHost: false } },
};

function end(req: ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    req.on('response', (res) => res.resume().on('end', resolve));
    req.on('error', reject);
    req.end();
  });
}

for (const [kind, ways, connections] of [
  ['says close', LAST, 2],
  ['does not say close', NOT_LAST, 1],
] as const) {
  for (const [how, { options, change }] of Object.entries(ways)) {
    test(`a request that ${kind}: ${how}`, LIMIT, async (t) => {
      const server = await rawServer(t, stubborn);
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
      const req = request({ host: 'localhost', port: server.port, agent, ...options });
      change?.(req);
      await Promise.all([end(req), get(server, { agent })]);
      assert.equal(server.connections(), connections);
      await untilIdle(agent);
      assert.equal(agent.totalSocketCount, 1);
    });
  }
}

test('what others say on a socket that they hand over counts, too', LIMIT, async (t) => {
  const server = await rawServer(t, stubborn);
  const [lender, agent] = [poolingAgent(t, { ca: server.ca }), poolingAgent(t, { ca: server.ca })];
  for (const headers of [{}, { connection: 'close' }]) {
    const req = request({ host: 'localhost', port: server.port, agent: lender, headers });
    const socket = await new Promise<TLSSocket>((resolve) => req.on('socket', resolve as never).end());
    await new Promise((resolve) => req.on('response', (res) => res.resume().on('end', resolve)));
    // As a client does that keeps sockets for itself.
    socket.emit('agentRemove');
    Object.assign(socket, { _httpMessage: req });
    agent.emit('free', socket, { host: 'localhost', port: server.port, ca: server.ca });
    await until(() => poolOf(agent).idle.size === 1 || agent.totalSocketCount === 0);
    assert.equal(socket.destroyed, 'connection' in headers);
    agent.destroy();
    await until(() => agent.totalSocketCount === 0);
  }
});

test("a 'free' of somebody else's does not bring it back", LIMIT, async (t) => {
  const server = await rawServer(t, stubborn);
  const agent = poolingAgent(t, { ca: server.ca });
  const req = request({ host: 'localhost', port: server.port, agent, headers: { connection: 'close' } });
  await end(req);
  const { socket } = req;
  agent.emit('free', socket, { host: 'localhost', port: server.port });
  socket?.emit('free');
  await until(() => agent.totalSocketCount === 0);
  assert.equal(socket?.destroyed, true);
});

test('a request that was not sent has said nothing', LIMIT, async (t) => {
  const server = await rawServer(t, stubborn);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  const socket = await untilIdle(agent);
  const req = request({ host: 'localhost', port: server.port, agent, headers: { connection: 'close' } });
  req.on('error', () => {}).end();
  req.destroy();
  await new Promise((resolve) => req.on('close', resolve));
  assert.equal(await untilIdle(agent), socket);
});
