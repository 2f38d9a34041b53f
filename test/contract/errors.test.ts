/** Errors of connections reach their request with Node's codes, which retries depend on: one 'error', one 'close'. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, LookupFunction } from 'node:net';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer, rawServer } from '../support/server.js';
import {
  asNode,
  forBoth,
  forBothOverTls,
  LIMIT,
  replaceCreateConnection,
  send,
  sizeOf,
  untilIdle,
} from './support.js';
import { until } from '../support/until.js';
import { TLS_ONLY } from '../support/protocol.js';
import type { NodeAgent, Sent } from './support.js';

/** It failed, once and with `code`, and nothing of it is left. */
async function failed(sent: Sent, agent: NodeAgent, code: string): Promise<void> {
  await sent.closed;
  await until(() => agent.totalSocketCount === 0);
  // A second one would come about now.
  await setImmediate();
  assert.deepEqual(
    sent.events.filter((event) => event !== 'response'),
    ['error', 'close'],
  );
  assert.equal(sent.errors[0]?.code, code);
  assert.equal(sizeOf(agent.sockets) + sizeOf(agent.freeSockets) + sizeOf(agent.requests), 0);
}

forBoth('ECONNREFUSED', async ({ agent: make }) => {
  const unused = createServer().listen(0, '127.0.0.1');
  await once(unused, 'listening');
  const { port } = unused.address() as AddressInfo;
  await new Promise((resolve) => unused.close(resolve));
  const agent = make();
  await failed(send({ port }, { agent, host: '127.0.0.1' }), agent, 'ECONNREFUSED');
});

test("binding: 'late' has the same codes", { ...LIMIT, ...TLS_ONLY }, async (t) => {
  const server = await httpsServer(t);
  const agent = asNode(poolingAgent(t, { binding: 'late' }));
  await failed(send({ port: server.port }, { agent }), agent, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  await server.close();
  await failed(send({ port: server.port }, { agent, host: '127.0.0.1' }), agent, 'ECONNREFUSED');
});

forBoth('ENOTFOUND', async ({ agent: make }) => {
  const agent = make();
  const lookup = (...[, , callback]: Parameters<LookupFunction>): void => {
    process.nextTick(callback, Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), '');
  };
  await failed(send({ port: 443 }, { agent, lookup }), agent, 'ENOTFOUND');
});

forBothOverTls('a certificate that is not trusted', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make();
  await failed(send({ port: server.port }, { agent }), agent, 'DEPTH_ZERO_SELF_SIGNED_CERT');
});

forBoth('ECONNRESET: the handshake is cut off', async ({ t, agent: make }) => {
  const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.destroy()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const agent = make();
  await failed(send({ port: (server.address() as AddressInfo).port }, { agent }), agent, 'ECONNRESET');
});

forBoth('ECONNRESET: the server ends the connection in place of an answer', async ({ t, agent: make }) => {
  const server = await rawServer(t, (socket) => socket.once('data', () => socket.end()));
  const agent = make({ ca: server.ca });
  await failed(send(server, { agent }), agent, 'ECONNRESET');
});

forBoth('ECONNRESET: also on a reused connection', async ({ t, agent: make }) => {
  const server = await httpsServer(t, (req, res) => {
    if (req.url === '/reset') req.socket.destroy();
    else res.end();
  });
  const agent = make({ ca: server.ca });
  await get(server, { agent });
  await untilIdle(agent);
  // Not to be sent twice.
  const sent = send(server, { agent, path: '/reset', method: 'POST' });
  await failed(sent, agent, 'ECONNRESET');
  assert.equal(server.connections(), 1);
});

forBoth('ECONNRESET: a request is destroyed', async ({ t, agent: make }) => {
  const server = await httpsServer(t, () => {});
  const agent = make({ ca: server.ca });
  const sent = send(server, { agent });
  await once(server.server, 'request');
  sent.req.destroy();
  await failed(sent, agent, 'ECONNRESET');
});

forBoth('ECONNRESET: the agent is destroyed', async ({ t, agent: make }) => {
  const server = await httpsServer(t, () => {});
  const agent = make({ ca: server.ca });
  const sent = send(server, { agent });
  await once(server.server, 'request');
  agent.destroy();
  await failed(sent, agent, 'ECONNRESET');
});

test('a request that waits when the agent is destroyed has a code of ours', LIMIT, async (t) => {
  const server = await httpsServer(t, () => {});
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const [active, waiting] = [send(server, { agent }), send(server, { agent })];
  await once(server.server, 'request');
  agent.destroy();
  await Promise.all([
    failed(active, asNode(agent), 'ECONNRESET'),
    failed(waiting, asNode(agent), 'ERR_AGENT_DESTROYED'),
  ]);
});

for (const code of ['EPIPE', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH']) {
  forBoth(`${code} from the socket itself`, async ({ agent: make }) => {
    const agent = make();
    const error = Object.assign(new Error(`write ${code}`), { code });
    replaceCreateConnection(agent, () => {
      return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(error) });
    });
    const sent = send({ port: 443 }, { agent });
    await failed(sent, agent, code);
    assert.equal(sent.errors[0], error);
  });
}

forBoth("the connection dies during the body: the response's error, and no request's", async (bench) => {
  const { t, agent: make } = bench;
  const server = await httpsServer(t, (req, res) => {
    res.write('half', () => req.socket.destroy());
  });
  const agent = make({ ca: server.ca });
  await assert.rejects(get(server, { agent }), { code: 'ECONNRESET' });
  const sent = send(server, { agent });
  await sent.closed;
  assert.deepEqual(sent.events, ['response', 'close']);
  await until(() => agent.totalSocketCount === 0);
});
