/** `proxyEnv` as in Node 22.21 and 24.5, on every Node: requests go through a CONNECT tunnel. Node's own agent is beside ours where it can. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { PoolingAgent } from '../../src/index.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { get, httpsServer } from '../support/server.js';
import { poolingAgent } from '../support/agent.js';
import { asNode, forBoth, LIMIT, send, sizeOf, untilIdle } from './support.js';
import type { Bench } from './support.js';
import { until } from '../support/until.js';

function withProxy(url: string, noProxy?: string): PoolingAgentOptions & Record<string, unknown> {
  return { proxyEnv: { HTTPS_PROXY: url, ...(noProxy && { NO_PROXY: noProxy }) } };
}

const supported = Object.getOwnPropertySymbols(new Agent(withProxy('http://127.0.0.1:1') as object)).some(
  (symbol) => symbol.description === 'kProxyConfig',
);

/** On both agents, if Node's can. */
function forAll(title: string, body: (bench: Bench) => Promise<void>): void {
  if (supported) forBoth(title, body);
  else
    test(title, LIMIT, (t) => body({ t, ours: true, agent: (options) => asNode(poolingAgent(t, options)) }));
}

type Answer = (req: IncomingMessage, socket: Duplex) => void;

const tunnel: Answer = (req, socket) => {
  const [host, port] = (req.url ?? '').split(':');
  const target = connect(Number(port), host);
  target.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('error', () => target.destroy()).on('close', () => target.destroy());
  target.once('connect', () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.pipe(target).pipe(socket);
  });
};

interface Proxy {
  readonly url: string;
  /** The targets of its CONNECT requests. */
  readonly asked: string[];
}

async function proxy(t: TestContext, answer: Answer = tunnel): Promise<Proxy> {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  const server = createServer();
  server.on('connect', (req, socket) => {
    asked.push(req.url ?? '');
    sockets.add(socket.on('error', () => {}));
    answer(req, socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

forAll('requests share a tunnel', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const { url, asked } = await proxy(t);
  const agent = make({ ca: server.ca, ...withProxy(url) });
  for (const path of ['/1', '/2', '/3']) {
    assert.equal((await get(server, { agent, path })).body, path);
    assert.ok((await untilIdle(agent)).encrypted);
  }
  assert.deepEqual(asked, [`localhost:${server.port}`]);
  assert.equal(agent.totalSocketCount, 1);
  assert.equal(server.connections(), 1);
});

forAll('NO_PROXY goes past it', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const { url, asked } = await proxy(t);
  const agent = make({ ca: server.ca, ...withProxy(url, 'localhost') });
  assert.equal((await get(server, { agent, path: '/direct' })).body, '/direct');
  assert.deepEqual(asked, []);
});

test('the limits count tunnels from the first moment on', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const { url, asked } = await proxy(t);
  const agent = new PoolingAgent({ ca: server.ca, maxSockets: 2, ...withProxy(url) });
  t.after(() => agent.destroy());
  const paths = ['/1', '/2', '/3', '/4', '/5'];
  const answers = paths.map((path) => get(server, { agent, path }));
  await until(() => agent.totalSocketCount === 2);
  assert.equal(server.connections(), 0);
  assert.deepEqual(
    (await Promise.all(answers)).map(({ body }) => body),
    paths,
  );
  assert.equal(asked.length, 2);
  assert.equal(server.connections(), 2);
});

forAll('a refused tunnel is the request’s error, once', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const { url } = await proxy(t, (_req, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
  const agent = make({ ca: server.ca, ...withProxy(url) });
  const sent = send(server, { agent });
  await sent.closed;
  assert.equal(sent.errors[0]?.code, 'ERR_PROXY_TUNNEL');
  await until(() => agent.totalSocketCount === 0);
  assert.equal(sizeOf(agent.sockets) + sizeOf(agent.requests), 0);
  assert.deepEqual(sent.events, ['error', 'close']);
});

forAll('a certificate that is not trusted, behind a tunnel', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const { url } = await proxy(t);
  const agent = make(withProxy(url));
  const sent = send({ port: server.port }, { agent });
  await sent.closed;
  assert.deepEqual(sent.events, ['error', 'close']);
  assert.equal(sent.errors[0]?.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  await until(() => agent.totalSocketCount === 0);
});

test('a failed tunnel gives its slot to the next request', LIMIT, async (t) => {
  const server = await httpsServer(t);
  let calls = 0;
  const { url } = await proxy(t, (req, socket) => {
    if (++calls === 1) socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    else tunnel(req, socket);
  });
  const agent = new PoolingAgent({ ca: server.ca, maxSockets: 1, ...withProxy(url) });
  t.after(() => agent.destroy());
  const sent = send(server, { agent });
  const next = get(server, { agent, path: '/next' });
  await sent.closed;
  assert.deepEqual(sent.events, ['error', 'close']);
  assert.equal((await next).body, '/next');
});

forAll("a proxy that never answers: 'timeout', then the error", async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const { url } = await proxy(t, () => {});
  const sent = send(server, { agent: make({ ca: server.ca, ...withProxy(url) }), timeout: 30 });
  let timeouts = 0;
  sent.req.on('timeout', () => timeouts++);
  await sent.closed;
  assert.deepEqual(sent.events, ['error', 'close']);
  assert.equal(sent.errors[0]?.code, 'ERR_PROXY_TUNNEL');
  assert.equal(timeouts, 1);
});

forAll('nobody listens where the proxy should be', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca, ...withProxy('http://127.0.0.1:1') });
  const sent = send(server, { agent });
  await sent.closed;
  assert.deepEqual(sent.events, ['error', 'close']);
  assert.equal(sent.errors[0]?.code, 'ECONNREFUSED');
});
