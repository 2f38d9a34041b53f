/** WebSockets: an upgrade takes the socket out of the pool; what it was counted for is free again. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Agent } from 'node:https';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { Options } from 'ws';
import { activeCount, idleCount, poolingAgent, waitingCount } from '../support/agent.js';
import { isPlain, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import type { PoolingAgent } from '../../src/index.js';
import { failsAsOverCore, LIMIT, quiet } from './support.js';
import { until } from '../support/until.js';

interface EchoServer extends TestServer {
  /** Accepts or refuses the upgrades to `/hold`, that wait for it. */
  readonly decide: ((accept: boolean) => void)[];
}

/**
 * Sends each message back. It greets everyone with a message, refuses `/refuse`, redirects `/redirect`, and answers
 * plain requests with their path, `/hold` only when the test decides.
 */
async function echoServer(t: TestContext): Promise<EchoServer> {
  const server = await httpsServer(t, (req, res) => {
    if (req.url === '/hold') decide.push(() => res.end(req.url));
    else res.end(req.url);
  });
  const decide: ((accept: boolean) => void)[] = [];
  const sockets = new WebSocketServer({
    noServer: true,
    verifyClient: ({ req }, done) => {
      if (req.url === '/hold') decide.push(done);
      else done(req.url !== '/refuse');
    },
  });
  server.server.on('upgrade', (req, socket, head) => {
    if (req.url === '/redirect') {
      socket.end('HTTP/1.1 302 Found\r\nLocation: /here\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(req, socket, head, (ws) => {
      ws.send(`hello ${req.url}`);
      ws.on('message', (data: Buffer) => ws.send(data));
    });
  });
  return { ...server, decide };
}

function webSocket(server: TestServer, path: string, agent: Agent, options?: Options): WebSocket {
  return new WebSocket(`${isPlain ? 'ws' : 'wss'}://localhost:${server.port}${path}`, { agent, ...options });
}

async function nextMessage(ws: WebSocket): Promise<string> {
  const [data] = (await once(ws, 'message')) as [Buffer];
  return data.toString();
}

/** It has been greeted: the upgrade is over, for both sides. */
async function greeted(
  server: TestServer,
  path: string,
  agent: Agent,
  options?: Options,
): Promise<WebSocket> {
  const ws = webSocket(server, path, agent, options);
  assert.match(await nextMessage(ws), /^hello /);
  return ws;
}

async function echoes(ws: WebSocket, message: string): Promise<void> {
  ws.send(message);
  assert.equal(await nextMessage(ws), message);
}

async function closed(ws: WebSocket): Promise<unknown> {
  ws.close(1000);
  const [code] = (await once(ws, 'close')) as [number];
  return code;
}

async function answers(server: TestServer, agent: PoolingAgent): Promise<void> {
  assert.equal((await get(server, { agent, path: '/next' })).body, '/next');
  await quiet(agent);
}

function assertEmpty(agent: PoolingAgent): void {
  const counts = [agent.totalSocketCount, activeCount(agent), idleCount(agent), waitingCount(agent)];
  assert.deepEqual(counts, [0, 0, 0, 0]);
}

describe('ws', () => {
  it('leaves the pool when it opens', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    const ws = await greeted(server, '/', agent);
    assertEmpty(agent);
    for (const message of ['one', 'two', 'three']) await echoes(ws, message);
    assert.equal(await closed(ws), 1000);
    assertEmpty(agent);
    await answers(server, agent);
    assert.equal(server.connections(), 2);
  });

  it('opens on a connection that was used before', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    await answers(server, agent);
    const ws = await greeted(server, '/', agent);
    assert.equal(server.connections(), 1);
    assertEmpty(agent);
    await echoes(ws, 'message');
    await answers(server, agent);
    assert.equal(server.connections(), 2);
    await echoes(ws, 'another message');
    assert.equal(await closed(ws), 1000);
  });

  it('takes no slot under the limits', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, maxTotalSockets: 1 });
    const paths = Array.from({ length: 5 }, (_, i) => `/${i}`);
    const sockets = await Promise.all(paths.map((path) => greeted(server, path, agent)));
    assert.equal(server.open(), 5);
    assertEmpty(agent);
    await answers(server, agent);
    await Promise.all(sockets.map((ws, i) => echoes(ws, `message ${i}`)));
    for (const ws of sockets) assert.equal(await closed(ws), 1000);
    await answers(server, agent);
    assert.equal(server.connections(), 6);
  });

  it('gives its slot to the request behind it', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const opening = greeted(server, '/hold', agent);
    await until(() => server.decide.length === 1);
    const waiting = answers(server, agent);
    await until(() => waitingCount(agent) === 1);
    server.decide[0]?.(true);
    const ws = await opening;
    await waiting;
    await echoes(ws, 'message');
    assert.equal(await closed(ws), 1000);
  });

  it('is left alone by agent.destroy()', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    const ws = await greeted(server, '/', agent);
    agent.destroy();
    await echoes(ws, 'message');
    assert.equal(await closed(ws), 1000);
  });

  it('carries big messages', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    await answers(server, agent);
    const ws = await greeted(server, '/', agent);
    await echoes(ws, 'big'.repeat(1_000_000));
    assert.equal(await closed(ws), 1000);
  });

  it('follows a redirect', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const ws = webSocket(server, '/redirect', agent, { followRedirects: true });
    assert.equal(await nextMessage(ws), 'hello /here');
    await until(() => agent.totalSocketCount === 0);
    await answers(server, agent);
    assert.equal(await closed(ws), 1000);
  });

  it('closes with 1006 when its connection dies', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const ws = await greeted(server, '/', agent);
    ws.terminate();
    const [code] = (await once(ws, 'close')) as [number];
    assert.equal(code, 1006);
    assertEmpty(agent);
    await answers(server, agent);
  });

  it('is aborted while it opens', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const ws = webSocket(server, '/hold', agent);
    await until(() => server.decide.length === 1);
    const waiting = answers(server, agent);
    await until(() => waitingCount(agent) === 1);
    ws.terminate();
    await assert.rejects(once(ws, 'open'), { message: /closed before the connection was established/ });
    await waiting;
  });

  it('is aborted while it waits', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const active = get(server, { agent, path: '/hold' });
    await until(() => server.decide.length === 1);
    const ws = webSocket(server, '/', agent);
    assert.equal(waitingCount(agent), 1);
    ws.terminate();
    await assert.rejects(once(ws, 'open'), { message: /closed before the connection was established/ });
    assert.equal(waitingCount(agent), 0);
    server.decide[0]?.(true);
    assert.equal((await active).body, '/hold');
    await answers(server, agent);
    assert.equal(server.connections(), 1);
  });

  it('times out while it opens', LIMIT, async (t) => {
    const server = await echoServer(t);
    const options = { ca: server.ca, maxSockets: 1 };
    await failsAsOverCore(t, options, async (agent) => {
      await greeted(server, '/hold', agent, { handshakeTimeout: 100 });
    });
    const agent = poolingAgent(t, options);
    const ws = webSocket(server, '/hold', agent, { handshakeTimeout: 100 });
    const waiting = answers(server, agent);
    await assert.rejects(once(ws, 'open'), { message: 'Opening handshake has timed out' });
    await waiting;
  });

  it('times out while it waits', LIMIT, async (t) => {
    const server = await echoServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const active = get(server, { agent, path: '/hold' });
    await until(() => server.decide.length === 1);
    const ws = webSocket(server, '/', agent, { handshakeTimeout: 100 });
    await assert.rejects(once(ws, 'open'), { message: 'Opening handshake has timed out' });
    assert.equal(waitingCount(agent), 0);
    server.decide[0]?.(true);
    assert.equal((await active).body, '/hold');
    await answers(server, agent);
  });

  describe('fails as over a core agent', () => {
    it('when it is refused', LIMIT, async (t) => {
      const server = await echoServer(t);
      const options = { ca: server.ca, maxSockets: 1 };
      await failsAsOverCore(t, options, (agent) => greeted(server, '/refuse', agent));
      const agent = poolingAgent(t, options);
      const ws = webSocket(server, '/refuse', agent);
      await assert.rejects(once(ws, 'open'), { message: 'Unexpected server response: 401' });
      await answers(server, agent);
    });

    it('when nobody listens', LIMIT, async (t) => {
      const server = await echoServer(t);
      await server.close();
      const failure = await failsAsOverCore(t, { ca: server.ca }, (agent) => greeted(server, '/', agent));
      assert.equal(failure.code, 'ECONNREFUSED');
    });

    it('when the server resets', LIMIT, async (t) => {
      const server = await httpsServer(t);
      server.server.on('upgrade', (_req, socket) => socket.destroy());
      const failure = await failsAsOverCore(t, { ca: server.ca }, (agent) => greeted(server, '/', agent));
      assert.equal(failure.code, 'ECONNRESET');
    });

    it('when the certificate is not trusted', { ...LIMIT, ...TLS_ONLY }, async (t) => {
      const server = await echoServer(t);
      const failure = await failsAsOverCore(t, {}, (agent) => greeted(server, '/', agent));
      assert.equal(failure.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    });
  });
});
