/**
 * The system knows what has come on a connection in the moment before its next request: a request that must not be sent twice does not meet its end, and none is
 * answered by what came there. (A Node that cannot ask the system finds out with the next poll, too late for a connection that was read just now.)
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { hasPendingRead } from '../../src/node/handle.js';
import { pooledSocketOf } from '../../src/connections/pooled-socket.js';
import { monotonicNow } from '../../src/node/timers.js';
import { untilIdle } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { block } from '../support/block.js';
import { request } from '../support/protocol.js';
import { get, rawServer } from '../support/server.js';
import { onRequest, response } from '../agent/raw-requests.js';
import { connectionOf, endingServer, LIMIT, POST } from './support.js';
import type { EndingServer } from './support.js';

/** Whether this Node can ask. */
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const probe = connect((server.address() as AddressInfo).port, '127.0.0.1');
await once(probe, 'connect');
const ASKS = { ...LIMIT, skip: hasPendingRead(probe) === undefined && 'this Node cannot ask the system' };
probe.destroy();
server.close();

const ENDS: Record<string, (server: EndingServer) => void> = {
  'by FIN': ({ raw }) => void raw.at(-1)?.destroy(),
  'by RST': ({ raw }) => void raw.at(-1)?.resetAndDestroy(),
};

for (const [how, end] of Object.entries(ENDS)) {
  test(`a connection that was read just now, and closed ${how} since, gets no request`, ASKS, async (t) => {
    const ending = await endingServer(t);
    const agent = poolingAgent(t, { ca: ending.ca });
    for (let i = 0; i < 10; i++) {
      const { req: dead } = await get(ending, { agent });
      await untilIdle(agent);
      const { socket } = dead;
      const pooled = socket && pooledSocketOf(socket);
      assert.ok(pooled);
      pooled.polledAt = monotonicNow();
      end(ending);
      const { req } = await get(ending, { agent, ...POST });
      assert.notEqual(req.socket, socket);
      await untilIdle(agent);
    }
  });

  test(`nor the request behind one that has just ended when it is closed ${how}`, ASKS, async (t) => {
    const ending = await endingServer(t);
    for (let i = 0; i < 10; i++) {
      // A new one each time: it learns that this server closes early.
      const agent = poolingAgent(t, { ca: ending.ca, maxSockets: 1 });
      const first = request({ host: 'localhost', port: ending.port, ca: ending.ca, agent }).end();
      const behind = get(ending, { agent, path: '/behind', ...POST });
      const [res] = (await once(first, 'response')) as [IncomingMessage];
      // Its socket is released a tick later.
      res.resume().on('end', () => end(ending));
      const answer = await behind;
      assert.equal(answer.body, '/behind');
      assert.notEqual(answer.req.socket, first.socket);
    }
  });
}

for (const method of ['GET', 'POST']) {
  test(`a ${method} is not answered by what came a moment before`, ASKS, async (t) => {
    const sockets: (Socket | TLSSocket)[] = [];
    const read = onRequest((socket, path) => void socket.write(response(path)));
    const echo = await rawServer(t, (socket) => {
      sockets.push(socket);
      read(socket);
    });
    const agent = poolingAgent(t, { ca: echo.ca });
    const options = { agent, method, headers: method === 'POST' ? POST.headers : {} };
    for (let i = 0; i < 10; i++) {
      await get(echo, { agent });
      await untilIdle(agent);
      sockets.at(-1)?.write(response('stray'));
      assert.equal((await get(echo, { ...options, path: '/own' })).body, '/own');
      await untilIdle(agent);
    }
  });
}

test('where nothing came, no request waits for a poll, in a busy loop either', ASKS, async (t) => {
  const ending = await endingServer(t);
  const agent = poolingAgent(t, { ca: ending.ca });
  const connection = connectionOf((await get(ending, { agent })).req);
  for (const options of [{}, POST]) {
    await untilIdle(agent);
    // Longer than what counts as just now.
    block(5);
    const answer = get(ending, { agent, ...options });
    assert.equal(connection.state, 'active');
    assert.equal((await answer).req.reusedSocket, true);
  }
  assert.equal(ending.connections(), 1);
});
