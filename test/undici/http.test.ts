/** Both protocols over one pool: a dispatcher of the agents that `createAgents()` makes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fetch, WebSocket } from 'undici';
import { WebSocketServer } from 'ws';
import { createAgents, PoolingHttpAgent } from '../../src/index.js';
import { dispatcher } from '../../src/undici/index.js';
import { httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { recorder } from './support.js';
import '../support/audit.js';

const LIMIT = { timeout: 120_000 };

test('fetch over both protocols, by one dispatcher: limits and statistics are common', LIMIT, async (t) => {
  const secure = await httpsServer(t);
  const server = createServer((req, res) => req.pipe(res.writeHead(200, { 'x-url': req.url })));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const agents = createAgents({ ca: secure.ca, maxTotalSockets: 1 });
  t.after(() => {
    agents.http.destroy();
    agents.https.destroy();
  });
  const both = dispatcher(agents);
  const connected: string[] = [];
  both.on('connect', (url: URL) => connected.push(url.protocol));
  const plain = `http://localhost:${port}`;
  const answers = await Promise.all(
    [`${plain}/a`, `${secure.url}/b`, `${plain}/c`, `${secure.url}/d`].map(async (url) => {
      const res = await fetch(url, { dispatcher: both as never });
      return res.headers.get('x-url') ?? (await res.text());
    }),
  );
  assert.deepEqual(answers, ['/a', '/b', '/c', '/d']);
  assert.ok(connected.includes('http:') && connected.includes('https:'));
  const body = await fetch(plain, { method: 'POST', body: 'sent', dispatcher: both as never });
  assert.equal(await body.text(), 'sent');
  assert.equal(agents.http.stats().requests, 5);
  assert.deepEqual(agents.http.stats(), agents.https.stats());
});

test(
  'requests of one protocol wait for no limit of the other at the same host and port',
  LIMIT,
  async (t) => {
    const held: ServerResponse[] = [];
    const server = createServer((_req, res) => void held.push(res));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const agents = createAgents({ hosts: { 'http://localhost': { maxSockets: 1 } } });
    t.after(() => {
      agents.http.destroy();
      agents.https.destroy();
    });
    const both = dispatcher(agents);
    const drained: string[] = [];
    both.on('drain', (url: URL) => drained.push(url.protocol));
    const send = (protocol: string): boolean =>
      both.dispatch(
        { origin: `${protocol}//localhost:${port}`, path: '/', method: 'GET' },
        recorder('new').handler,
      );
    send('http:');
    send('http:');
    await until(() => agents.http.stats().waiting === 1 && held.length === 1);
    assert.equal(send('http:'), false);
    assert.equal(send('https:'), true, 'it speaks no TLS, but nothing waits');
    while (drained.length === 0) {
      await until(() => held.length > 0);
      held.shift()?.end();
      await setImmediate();
    }
    assert.deepEqual(drained, ['http:']);
  },
);

test('one agent for http: alone, and a WebSocket over it', LIMIT, async (t) => {
  const server = createServer();
  t.after(() => server.close());
  const sockets = new WebSocketServer({ server } as never);
  sockets.on('connection', (socket: { on(...args: unknown[]): void; send(text: string): void }) =>
    socket.on('message', (data: unknown) => socket.send(String(data))),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new PoolingHttpAgent();
  t.after(() => agent.destroy());
  const plain = dispatcher(agent);
  const socket = new WebSocket(`ws://localhost:${port}`, { dispatcher: plain as never });
  await once(socket, 'open');
  socket.send('echo');
  const [{ data }] = (await once(socket, 'message')) as [{ data: unknown }];
  assert.equal(data, 'echo');
  assert.equal(agent.totalSocketCount, 0, 'the socket is the caller’s');
  socket.close();
  await once(socket, 'close');
  await assert.rejects(fetch('https://localhost', { dispatcher: plain as never }), (error: Error) => {
    assert.equal((error.cause as { code?: string }).code, 'ERR_INVALID_PROTOCOL');
    return true;
  });
});
