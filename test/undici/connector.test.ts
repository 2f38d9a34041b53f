/** Connections for undici's own client, opened as an agent opens its own. */
import assert from 'node:assert/strict';
import { createSecureServer } from 'node:http2';
import { connect as netConnect, createServer } from 'node:net';
import type { AddressInfo, LookupFunction, Server, Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { connector } from '../../src/undici/index.js';
import type { ConnectOptions } from '../../src/undici/index.js';
import { replaceCreateConnection } from '../contract/support.js';
import { partsOf, poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { front } from '../sessions/front.js';
import { proxyServer } from '../support/proxy-server.js';
import { get, httpsServer, rawServer } from '../support/server.js';
import { collectUncaught } from '../support/uncaught.js';
import { until } from '../support/until.js';
import { LIMIT, undicis } from './support.js';
import type { PoolingAgent } from '../../src/index.js';

interface Connected {
  error: (Error & { code?: string }) | null;
  socket: Socket | null;
}

function connect(
  agent: PoolingAgent,
  options: Partial<ConnectOptions>,
  timeout?: number,
): Promise<Connected> {
  const all = { protocol: 'https:', hostname: 'localhost', host: 'localhost', port: '443', ...options };
  return new Promise((resolve) =>
    connector(agent, { timeout })(all, (error, socket) => resolve({ error, socket })),
  );
}

async function portOf(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

for (const [name, undici] of undicis) {
  describe(`${name} with a connector`, LIMIT, () => {
    const clientOf = (t: TestContext, agent: PoolingAgent, options: object = {}) => {
      const client = new undici.Agent({ connect: connector(agent) as never, ...options });
      t.after(() => client.destroy());
      return client;
    };

    it('opens connections that the pool does not count', async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t, { ca: server.ca });
      const client = clientOf(t, agent, { connections: 1 });
      for (let i = 0; i < 3; i++) {
        const { body } = await undici.request(`${server.url}/${i}`, { dispatcher: client });
        assert.equal(await body.text(), `/${i}`);
      }
      assert.equal(await (await undici.fetch(`${server.url}/f`, { dispatcher: client })).text(), '/f');
      assert.equal(server.connections(), 1);
      assert.equal(agent.totalSocketCount, 0);
    });

    it('resumes sessions, those of the agent too, and makes one secure context', async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t, { ca: server.ca });
      await get(server, { agent });
      for (let i = 0; i < 3; i++) {
        const client = clientOf(t, agent);
        const { body } = await undici.request(server.url, { dispatcher: client });
        await body.text();
        await client.close();
      }
      assert.equal(server.connections(), 4);
      assert.equal(server.resumed(), 3);
      assert.equal(partsOf(agent).tls?.contexts.size, 1);
    });

    it('speaks HTTP/2 where both sides want to', async (t) => {
      const server = createSecureServer({ ...(await certificate()), allowHTTP1: true }, (req, res) => {
        res.end(req.httpVersion);
      });
      const port = await portOf(t, server);
      const agent = poolingAgent(t, { ca: (await certificate()).cert });
      for (const [allowH2, version] of [
        [true, '2.0'],
        [false, '1.1'],
      ] as const) {
        const client = clientOf(t, agent, { allowH2, connect: connector(agent, { allowH2 }) });
        const { body } = await undici.request(`https://localhost:${port}`, { dispatcher: client });
        assert.equal(await body.text(), version);
        await client.close();
      }
    });

    it('opens the next one with new TLS options', async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t, { ca: server.ca });
      await (await undici.request(server.url, { dispatcher: clientOf(t, agent) })).body.text();
      agent.updateTls({ ca: [] as never });
      await assert.rejects(undici.request(server.url, { dispatcher: clientOf(t, agent) }), {
        code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      });
      agent.updateTls({ ca: server.ca });
      await (await undici.request(server.url, { dispatcher: clientOf(t, agent) })).body.text();
    });

    it('tells of errors', async (t) => {
      const server = await httpsServer(t);
      const { port } = server;
      const agent = poolingAgent(t);
      await assert.rejects(undici.request(server.url, { dispatcher: clientOf(t, agent) }), {
        code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      });
      await server.close();
      await assert.rejects(undici.request(`https://127.0.0.1:${port}`, { dispatcher: clientOf(t, agent) }), {
        code: 'ECONNREFUSED',
      });
    });
  });
}

describe('connector()', LIMIT, () => {
  it('checks its arguments', (t) => {
    const agent = poolingAgent(t);
    for (const value of [undefined, null, {}, 'agent'])
      assert.throws(() => connector(value as never), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => connector(agent, { timeout: '5' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => connector(agent, { timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.ok(connector(agent, null));
  });

  it('opens none to http: origins', async (t) => {
    const { error } = await connect(poolingAgent(t), { protocol: 'http:' });
    assert.equal(error?.code, 'UND_ERR_INVALID_ARG');
  });

  it('has a connection be ready in time, or not at all', async (t) => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => silent.close());
    const open = new Set<Socket>();
    silent.on('connection', (socket) => {
      open.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => open.delete(socket))
        .resume();
    });
    const { port } = silent.address() as AddressInfo;
    const { error } = await connect(poolingAgent(t), { hostname: '127.0.0.1', port }, 50);
    assert.equal(error?.code, 'UND_ERR_CONNECT_TIMEOUT');
    await until(() => open.size === 0);
  });

  it('opens none over an agent that was closed', async (t) => {
    const agent = poolingAgent(t);
    await agent.close();
    const { error } = await connect(agent, {});
    assert.equal(error?.code, 'ERR_AGENT_CLOSED');
  });

  it('asks for the name that undici wants', async (t) => {
    const names: unknown[] = [];
    const server = await rawServer(t, (socket) => names.push(socket.servername));
    const agent = poolingAgent(t, { ca: server.ca, checkServerIdentity: () => undefined });
    for (const servername of [undefined, 'other.localhost']) {
      const { error, socket } = await connect(agent, { port: server.port, servername });
      assert.equal(error, null);
      await until(() => names.length === (servername ? 2 : 1));
      socket?.destroy();
    }
    assert.deepEqual(names, ['localhost', 'other.localhost']);
  });

  it('goes by what stands in createConnection', async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    let calls = 0;
    const { createConnection } = agent;
    agent.createConnection = function (...args) {
      calls++;
      return createConnection.apply(this, args);
    };
    const { socket } = await connect(agent, { port: server.port });
    assert.equal(calls, 1);
    socket?.destroy();
    const failure = new Error('not today');
    agent.createConnection = () => {
      throw failure;
    };
    assert.equal((await connect(agent, { port: server.port })).error, failure);
    for (const [reason, code] of [
      [failure, failure],
      [undefined, /closed before/],
    ] as const) {
      agent.createConnection = () => new PassThrough().on('error', () => {}).destroy(reason);
      const { error } = await connect(agent, { port: server.port }, 0);
      if (code instanceof Error) assert.equal(error, code);
      else assert.match(String(error), code);
    }
  });

  it('takes a connection without TLS from createConnection, when it is ready', async (t) => {
    const port = await portOf(t, createServer());
    const agent = poolingAgent(t);
    const plain = netConnect(port, '127.0.0.1');
    agent.createConnection = () => plain;
    for (let i = 0; i < 2; i++) {
      const { error, socket } = await connect(agent, { port }, 0);
      assert.deepEqual([error, socket?.readyState], [null, 'open']);
    }
    plain.destroy();
  });

  it('goes through the proxy, and by the names, that the agent goes by', async (t) => {
    const server = await httpsServer(t);
    const proxy = await proxyServer(t);
    const looked: string[] = [];
    const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
    const { error, socket } = await connect(agent, { port: server.port });
    assert.equal(error, null);
    assert.deepEqual(
      proxy.asked.map(({ target }) => target),
      [`localhost:${server.port}`],
    );
    socket?.destroy();
    await until(() => proxy.open() === 0);
    const lookup: LookupFunction = (hostname, options, callback) => {
      looked.push(hostname);
      if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    };
    const named = await connect(poolingAgent(t, { ca: server.ca, lookup }), {
      hostname: 'a.test.localhost',
      port: server.port,
    });
    assert.equal(named.error, null);
    assert.deepEqual(looked, ['a.test.localhost']);
    named.socket?.destroy();
  });

  it('tells of a proxy that refuses, or says nothing in time', async (t) => {
    const refusing = await proxyServer(t, { answer: ({ socket }) => socket.end('HTTP/1.1 403 No\r\n\r\n') });
    const { error } = await connect(poolingAgent(t, { proxy: refusing.url }), {});
    assert.equal(error?.code, 'ERR_PROXY_TUNNEL');
    const silent = await proxyServer(t, { answer: () => {} });
    const late = await connect(poolingAgent(t, { proxy: silent.url }), {}, 50);
    assert.equal(late.error?.code, 'UND_ERR_CONNECT_TIMEOUT');
    await until(() => silent.open() === 0);
  });

  it('tells of an error that is none', async (t) => {
    const agent = poolingAgent(t, {
      proxy: () => {
        // oxlint-disable-next-line no-throw-literal -- code of others throws anything
        throw undefined;
      },
    });
    const { error, socket } = await connect(agent, {});
    assert.equal(error?.code, 'ERR_FALSY_VALUE_REJECTION');
    assert.equal(socket, null);
  });

  it('answers once whatever createConnection makes: a stream without setNoDelay, no stream, nothing', async (t) => {
    const agent = poolingAgent(t);
    const stream = new PassThrough();
    replaceCreateConnection(agent, () => stream as never);
    assert.equal((await connect(agent, {})).socket, stream as never);

    const mute = Object.assign(new PassThrough(), {
      connecting: true,
      on() {
        throw new Error('takes no listener');
      },
    });
    for (const [made, code] of [
      [5, 'ERR_INVALID_ARG_TYPE'],
      [Promise.resolve(), 'ERR_INVALID_ARG_TYPE'],
      [Object.freeze({ connecting: true }), 'ERR_INVALID_ARG_TYPE'],
      [new PassThrough().destroy(), 'ECONNRESET'],
      [mute, undefined],
    ] as const) {
      replaceCreateConnection(agent, () => made as never);
      const { error } = await connect(agent, {});
      assert.ok(error);
      assert.equal(error.code, code);
    }
    replaceCreateConnection(agent, (_options, callback) => callback(null));
    assert.equal((await connect(agent, {})).error?.code, 'ERR_INVALID_ARG_TYPE');
  });

  it('loses no exception of the callback', async (t) => {
    const uncaught = collectUncaught(t);
    const failure = new Error('thrown');
    const agent = poolingAgent(t);
    replaceCreateConnection(agent, () => new PassThrough() as never);
    connector(agent)({ protocol: 'https:', hostname: 'localhost', port: '443' }, () => {
      throw failure;
    });
    await until(() => uncaught.length === 1);
    assert.equal(uncaught.pop(), failure);
  });

  it('tries again without a session when the handshake is refused for one', async (t) => {
    const at = await front(t);
    const agent = poolingAgent(t, { ca: at.ca });
    const first = await connect(agent, { port: at.port });
    await new Promise((resolve) => first.socket?.once('session', resolve).resume());
    first.socket?.destroy();
    let closed = 0;
    const { createConnection } = agent;
    agent.createConnection = function (...args) {
      return createConnection.apply(this, args)?.on('close', () => closed++);
    };
    const { error, socket } = await connect(agent, { port: at.port });
    assert.equal(error, null);
    await until(() => closed === 1);
    assert.deepEqual([at.killed(), at.accepted()], [1, 3]);
    socket?.destroy();
    at.isMad = true;
    // (The one before may have got a session since.)
    const refused = await connect(poolingAgent(t, { ca: at.ca }), { port: at.port });
    assert.equal(refused.error?.code, 'ECONNRESET');
    assert.equal(at.accepted(), 4, 'no session was offered, so that is that');
  });

  it('tries again once, also where the session is the caller’s own', async (t) => {
    const at = await front(t);
    const first = await connect(poolingAgent(t, { ca: at.ca }), { port: at.port });
    const session = await new Promise<Buffer>((resolve) => first.socket?.once('session', resolve).resume());
    first.socket?.destroy();
    const { error } = await connect(poolingAgent(t, { ca: at.ca, session }), { port: at.port });
    assert.equal(error?.code, 'ECONNRESET');
    assert.equal(at.killed(), 2);
  });
});
