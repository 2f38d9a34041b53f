/** Plain http: what `PoolingHttpAgent` is beside all that it has in common with `PoolingAgent`, which over-http.test.ts runs over it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { RequestListener, RequestOptions, Server } from 'node:http';
import https from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import type { TestContext } from 'node:test';
import { PoolingAgent, PoolingHttpAgent } from '../../src/index.js';
import type { PoolingHttpAgentOptions } from '../../src/index.js';
import '../support/audit.js';

const LIMIT = { timeout: 120_000 };

function agentFor(t: TestContext, options?: PoolingHttpAgentOptions): PoolingHttpAgent {
  const agent = new PoolingHttpAgent(options);
  t.after(() => agent.destroy());
  return agent;
}

async function serverFor(t: TestContext, listener: RequestListener, path?: string): Promise<Server> {
  const server = http.createServer(listener);
  server.keepAliveTimeout = 0;
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(path === undefined ? server.listen(0, '127.0.0.1') : server.listen(path), 'listening');
  return server;
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}

async function get(options: RequestOptions): Promise<string> {
  const req = http.get({ host: 'localhost', ...options });
  const [res] = (await once(req, 'response')) as [http.IncomingMessage];
  return (await res.setEncoding('utf8').toArray()).join('');
}

test('it is an http.Agent, and no https.Agent', () => {
  const agent = new PoolingHttpAgent({ keepAlive: false, maxSockets: 3 });
  assert.ok(agent instanceof http.Agent && !(agent instanceof https.Agent));
  assert.ok(!(agent instanceof PoolingAgent) && !(new PoolingAgent() instanceof PoolingHttpAgent));
  assert.equal(agent.protocol, 'http:');
  assert.equal(agent.defaultPort, 80);
  assert.equal(agent.maxSockets, 3);
  assert.match(String(new PoolingHttpAgent({ name: 'a' }).name), /^a$/);
  assert.throws(() => https.get('https://localhost', { agent }), { code: 'ERR_INVALID_PROTOCOL' });
  assert.throws(() => new PoolingHttpAgent({ maxSockets: -1 }), { code: 'ERR_OUT_OF_RANGE' });
  assert.throws(() => new PoolingHttpAgent({ protocol: 'http' }), { code: 'ERR_INVALID_ARG_VALUE' });
});

test('names are those of Node, and tell functions apart', () => {
  const agent = new PoolingHttpAgent();
  const nodes = new http.Agent();
  for (const options of [
    undefined,
    { host: 'a', port: 1 },
    { host: 'a', port: 1, localAddress: '127.0.0.1', family: 4 },
    { socketPath: '/tmp/a' },
    { host: 'a', port: 1, servername: 'b', ca: 'c', key: 'd' },
  ])
    assert.equal(agent.getName(options), nodes.getName(options));
  const lookup = (): void => {};
  assert.notEqual(
    agent.getName({ host: 'a', lookup } as RequestOptions),
    agent.getName({ host: 'a', lookup: () => {} } as RequestOptions),
  );
});

test('TLS options mean nothing: connections are shared, and nothing is refused', LIMIT, async (t) => {
  const server = await serverFor(t, (_req, res) => res.end());
  const agent = agentFor(t, { ca: 'no certificate', sessionCache: 5, tls: 5 } as PoolingHttpAgentOptions);
  const port = portOf(server);
  for (const more of [{}, { ca: 'x' }, { servername: 'y' }, { headers: { host: 'z' } }])
    await get({ agent, port, ...more });
  assert.deepEqual(agent.stats().opened, 1);
  assert.deepEqual(agent.stats().handshakes, { full: 0, resumed: 0 });
});

test('a warm request needs no turn of the loop, and counts as on any agent', LIMIT, async (t) => {
  const server = await serverFor(t, (req, res) => res.end(req.url));
  const agent = agentFor(t, { maxSockets: 2 });
  const port = portOf(server);
  const bodies = await Promise.all(Array.from({ length: 10 }, (_, i) => get({ agent, port, path: `/${i}` })));
  assert.deepEqual(
    bodies,
    Array.from({ length: 10 }, (_, i) => `/${i}`),
  );
  const { opened, requests, reused } = agent.stats();
  assert.deepEqual({ opened, requests, reused }, { opened: 2, requests: 10, reused: 8 });
  const req = http.get({ agent, port, host: 'localhost' });
  assert.ok(Object.keys(agent.sockets).length === 1, 'it has its socket at once');
  const [res] = (await once(req, 'response')) as [http.IncomingMessage];
  await once(res.resume(), 'end');
});

test('a path of this machine', LIMIT, async (t) => {
  const socketPath = join(tmpdir(), `pooling-http-${process.pid}`);
  await serverFor(t, (req, res) => res.end(req.url), socketPath);
  const agent = agentFor(t, { proxy: 'http://127.0.0.1:1' });
  for (const path of ['/a', '/b']) assert.equal(await get({ agent, socketPath, path }), path);
  assert.equal(agent.stats().opened, 1);
});

describe('no other request follows', () => {
  const replies: Record<string, string> = {
    'HTTP/1.0': 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'Connection: close': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    'a body that ends with the connection': 'HTTP/1.1 200 OK\r\n\r\nok',
  };
  for (const [title, reply] of Object.entries(replies)) {
    it(title, LIMIT, async (t) => {
      const server = createTcpServer((socket: Socket) => {
        socket
          .on('error', () => {})
          .on('data', () => {
            socket.write(reply);
            if (title.startsWith('a body')) socket.end();
          });
      });
      t.after(() => server.close());
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const agent = agentFor(t);
      for (let i = 0; i < 2; i++) assert.equal(await get({ agent, port: portOf(server) }), 'ok');
      assert.equal(agent.stats().opened, 2);
      assert.equal(agent.stats().reused, 0);
    });
  }

  for (const method of ['CONNECT', 'GET'] as const) {
    it(method === 'GET' ? 'an upgrade' : method, LIMIT, async (t) => {
      const server = await serverFor(t, () => {});
      const accept = (_req: unknown, socket: Socket): void => {
        socket
          .on('error', () => {})
          .write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
        socket.once('data', (data) => socket.end(data));
      };
      server.on('upgrade', accept).on('connect', (_req, socket: Socket) => {
        socket.on('error', () => {}).write('HTTP/1.1 200 OK\r\n\r\n');
        socket.once('data', (data) => socket.end(data));
      });
      const agent = agentFor(t);
      const headers = method === 'GET' ? { connection: 'upgrade', upgrade: 'x' } : {};
      const req = http.request({
        agent,
        port: portOf(server),
        host: 'localhost',
        method,
        path: method === 'GET' ? '/' : 'a:1',
        headers,
      });
      req.end();
      const event = method === 'GET' ? 'upgrade' : 'connect';
      const [, socket] = (await once(req, event)) as [unknown, Socket];
      assert.equal(agent.totalSocketCount, 0, 'the socket is the caller’s');
      socket.write('echo');
      assert.equal(String(await once(socket, 'data')), 'echo');
      socket.destroy();
    });
  }
});

test('Expect: 100-continue', LIMIT, async (t) => {
  const server = await serverFor(t, (req, res) => req.pipe(res));
  const agent = agentFor(t);
  for (let i = 0; i < 2; i++) {
    const headers = { Expect: '100-continue', 'Content-Length': 4 };
    const req = http.request({ agent, port: portOf(server), host: 'localhost', method: 'POST', headers });
    req.flushHeaders();
    await once(req, 'continue');
    req.end('body');
    const [res] = (await once(req, 'response')) as [http.IncomingMessage];
    assert.equal((await res.setEncoding('utf8').toArray()).join(''), 'body');
  }
  assert.equal(agent.stats().opened, 1);
});

test(
  'preconnect() and minFreeSockets have connections ready, on port 80 where none is named',
  LIMIT,
  async (t) => {
    const server = await serverFor(t, (_req, res) => res.end());
    const agent = agentFor(t);
    assert.deepEqual(await agent.preconnect(`http://localhost:${portOf(server)}`, { connections: 2 }), {
      opened: 2,
      failed: 0,
      errors: [],
    });
    await get({ agent, port: portOf(server) });
    assert.equal(agent.stats().opened, 2);
    await assert.rejects(agent.preconnect('https://localhost'), { code: 'ERR_INVALID_PROTOCOL' });
    const dialled: unknown[] = [];
    const ready = new (class extends PoolingHttpAgent {
      override createSocket(...[req, options, callback]: Parameters<PoolingHttpAgent['createSocket']>): void {
        dialled.push([Reflect.get(req, 'protocol'), Reflect.get(options, 'port')]);
        callback(new Error('no'));
      }
    })({ hosts: { localhost: { minFreeSockets: 1 } } });
    t.after(() => ready.destroy());
    while (dialled.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(dialled[0], ['http:', 80]);
  },
);

test('a wrapper before the addRequest of Node’s agent is asked', LIMIT, async (t) => {
  const prototype = http.Agent.prototype as unknown as { addRequest(...args: unknown[]): void };
  const original = prototype.addRequest;
  t.after(() => (prototype.addRequest = original));
  let seen = 0;
  prototype.addRequest = function passing(this: object, ...args: unknown[]) {
    seen++;
    Reflect.apply(original, this, args);
  };
  const server = await serverFor(t, (req, res) => res.end(req.url));
  const agent = agentFor(t, { maxSockets: 1 });
  const port = portOf(server);
  const bodies = await Promise.all(['/a', '/b', '/c'].map((path) => get({ agent, port, path })));
  assert.deepEqual(bodies, ['/a', '/b', '/c']);
  assert.equal(seen, 3);
});

test('a socket from outside is adopted if it is as good as one of its own', LIMIT, async (t) => {
  const server = await serverFor(t, (_req, res) => res.end());
  const port = portOf(server);
  const agent = agentFor(t);
  const socket = agent.createConnection({ host: 'localhost', port }) as Socket;
  await once(socket, 'connect');
  agent.emit('free', socket, { host: 'localhost', port });
  assert.equal(agent.totalSocketCount, 1);
  const req = http.get({ agent, host: 'localhost', port });
  const [res] = (await once(req, 'response')) as [http.IncomingMessage];
  assert.equal(req.socket, socket);
  await once(res.resume(), 'end');
});
