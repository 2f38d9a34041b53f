/** Connections through a proxy are connections of the pool: counted, reused, resumed, replaced and ended as all others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import '../support/audit.js';
import { LIMIT, replaceCreateConnection, send } from '../contract/support.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { proxyServer } from '../support/proxy-server.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import type { ProxyOptions } from '../../src/index.js';
import { connector } from '../../src/undici/index.js';

const PROTOCOLS = ['http', 'https'] as const;

for (const protocol of PROTOCOLS) {
  describe(`an ${protocol} proxy`, () => {
    for (const binding of ['eager', 'late'] as const) {
      it(`tunnels are shared, and sessions resumed over others; ${binding} binding`, LIMIT, async (t) => {
        const server = await httpsServer(t);
        const { cert } = await certificate();
        const proxy = await proxyServer(t, { protocol });
        const agent = poolingAgent(t, {
          ca: server.ca,
          binding,
          proxy: { url: proxy.url, tls: { ca: cert } },
        });
        for (const path of ['/1', '/2', '/3']) {
          const { body, req } = await get(server, { agent, path });
          assert.equal(body, path);
          assert.equal(req.reusedSocket, path !== '/1');
        }
        assert.deepEqual(
          proxy.asked.map(({ target }) => target),
          [`localhost:${server.port}`],
        );
        agent.closeIdleConnections();
        await until(() => agent.totalSocketCount === 0 && proxy.open() === 0);
        assert.equal((await get(server, { agent, path: '/4' })).body, '/4');
        assert.equal(server.resumed(), 1, 'a session belongs to the server, and not to the way there');
        assert.equal(proxy.asked.length, 2);
      });
    }

    it('bodies of any size pass through', LIMIT, async (t) => {
      const server = await httpsServer(t, (req, res) => void req.pipe(res));
      const { cert } = await certificate();
      const proxy = await proxyServer(t, { protocol });
      const agent = poolingAgent(t, { ca: server.ca, proxy: { url: proxy.url, tls: { ca: cert } } });
      const body = 'x'.repeat(1 << 20);
      for (let i = 0; i < 3; i++)
        assert.equal((await get(server, { agent, method: 'POST' }, body)).body, body);
      assert.equal(proxy.asked.length, 1);
    });

    it('a proxy that is given up closes at once', LIMIT, async (t) => {
      const server = await httpsServer(t);
      const { cert } = await certificate();
      const proxy = await proxyServer(t, { protocol, answer: () => {} });
      const agent = poolingAgent(t, { ca: server.ca, proxy: { url: proxy.url, tls: { ca: cert } } });
      const sent = send(server, { agent });
      await until(() => proxy.asked.length === 1);
      agent.destroy();
      await sent.closed;
      assert.equal(agent.totalSocketCount, 0);
      await until(() => proxy.open() === 0);
    });
  });
}

it('tunnels count from their first byte on', LIMIT, async (t) => {
  const server = await httpsServer(t);
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const proxy = await proxyServer(t, { answer: (asked) => void released.then(() => asked.open()) });
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 2, proxy: proxy.url });
  const answers = ['/1', '/2', '/3', '/4', '/5'].map((path) => get(server, { agent, path }));
  await until(() => proxy.asked.length === 2);
  assert.equal(agent.totalSocketCount, 2);
  assert.equal(agent.stats().connecting, 2);
  release();
  await Promise.all(answers);
  assert.equal(proxy.peak(), 2);
  assert.equal(server.peak(), 2);
});

it('a request that is aborted leaves its tunnel to the next one', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t, { answer: () => {} });
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, proxy: proxy.url });
  const sent = send(server, { agent });
  await until(() => proxy.asked.length === 1);
  const next = get(server, { agent, path: '/next' });
  sent.req.destroy();
  proxy.asked[0]?.open();
  assert.equal((await next).body, '/next');
  assert.equal(proxy.asked.length, 1);
});

it('explain() tells the step, and a request that has waited for it is closed in time', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t, { answer: () => {} });
  const agent = poolingAgent(t, { ca: server.ca, connectTimeout: 300, proxy: proxy.url });
  const sent = send(server, { agent });
  await until(() => proxy.asked.length === 1);
  assert.equal(agent.explain(sent.req).phase, 'tunnel');
  await sent.closed;
  assert.deepEqual(sent.events, ['error', 'close']);
  assert.equal(sent.errors[0]?.code, 'ETIMEDOUT');
  assert.equal(Reflect.get(sent.errors[0] as Error, 'phase'), 'tunnel');
  assert.equal(agent.stats().failed.tunnel, 1);
  await until(() => proxy.open() === 0);
});

it(
  'a server that closes an idle connection: the request is sent again over another tunnel',
  LIMIT,
  async (t) => {
    let closes = true;
    const server = await httpsServer(t, (req, res) => {
      if (req.url === '/lost' && closes) {
        closes = false;
        req.socket.destroy();
      } else res.end(req.url);
    });
    const proxy = await proxyServer(t);
    const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
    assert.equal((await get(server, { agent, path: '/first' })).body, '/first');
    assert.equal((await get(server, { agent, path: '/lost' })).body, '/lost');
    assert.equal(agent.stats().replayed, 1);
    assert.equal(proxy.asked.length, 2);
  },
);

it('a connection that was opened ahead is a tunnel, too', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
  const { opened } = await agent.preconnect(server.url, { connections: 2 });
  assert.equal(opened, 2);
  assert.equal(proxy.asked.length, 2);
  assert.equal((await get(server, { agent, path: '/1' })).body, '/1');
  assert.equal(proxy.asked.length, 2);
});

it('a `createConnection` of the user gets the tunnel as its socket', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
  let given: unknown;
  replaceCreateConnection(agent, (options) => {
    given = options['socket'];
    return connectTls(options);
  });
  assert.equal((await get(server, { agent, path: '/1' })).body, '/1');
  assert.ok(given);
  assert.equal(proxy.asked.length, 1);
  agent.destroy();
  await until(() => proxy.open() === 0);
});

it('a `createConnection` that throws takes its tunnel with it', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
  replaceCreateConnection(agent, () => {
    throw new Error('no');
  });
  await assert.rejects(get(server, { agent }), /no/);
  await until(() => proxy.open() === 0);
  assert.equal(agent.totalSocketCount, 0);
});

it(
  'a tunnel that is lost while `createConnection` is at work is the end of its request',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    for (const loss of ['resetAndDestroy', 'destroy'] as const) {
      const proxy = await proxyServer(t);
      const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
      let answerLate = (): unknown => undefined;
      replaceCreateConnection(agent, (options, callback) => {
        const tunnel = options['socket'] as Socket;
        // The end of a stream is found by reading.
        tunnel.resume();
        proxy.asked[0]?.socket[loss]();
        answerLate = () => {
          const socket = connectTls(options);
          callback(null, socket);
          return socket;
        };
        return undefined;
      });
      const { closed, errors, events } = send(server, { agent });
      await closed;
      assert.deepEqual(events, ['error', 'close']);
      assert.equal(errors[0]?.code, 'ECONNRESET');
      assert.equal(agent.totalSocketCount, 0);
      const late = answerLate() as Socket;
      assert.ok(late.destroyed);
      await until(() => late.closed);
    }
  },
);

it('a tunnel ends with its dial while `createConnection` is at work', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url, connectTimeout: 100 });
  replaceCreateConnection(agent, () => undefined);
  const { closed, errors } = send(server, { agent });
  await closed;
  assert.equal(errors[0]?.code, 'ETIMEDOUT');
  await until(() => proxy.open() === 0);

  const lasting = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
  let calls = 0;
  replaceCreateConnection(lasting, () => void calls++);
  const sent = send(server, { agent: lasting });
  await until(() => calls === 1);
  lasting.destroy();
  await sent.closed;
  await until(() => proxy.open() === 0);

  const others = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
  replaceCreateConnection(others, () => void calls++);
  const error = await new Promise<unknown>((resolve) => {
    const dial = connector(others, { timeout: 100 });
    dial({ protocol: 'https:', hostname: 'localhost', port: server.port }, (...[reason]) => resolve(reason));
  });
  assert.equal(Reflect.get(error as Error, 'code'), 'UND_ERR_CONNECT_TIMEOUT');
  assert.equal(calls, 2);
  await until(() => proxy.open() === 0);
});

it('a socket from outside is not taken in where a proxy leads, and is where none does', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  const options = { host: 'localhost', port: server.port, ca: server.ca, servername: 'localhost' };
  for (const [choice, isTaken] of [
    [proxy.url, false],
    [() => proxy.url, false],
    [() => undefined, true],
  ] as const) {
    const agent = poolingAgent(t, { ca: server.ca, proxy: choice });
    const socket = connectTls(options);
    await once(socket, 'secureConnect');
    agent.emit('free', socket, options);
    assert.equal(idleCount(agent), isTaken ? 1 : 0);
    assert.equal(socket.destroyed, !isTaken);
  }
});

it('a request over a socket of its own, or to a path, needs no proxy', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
  const { connect } = await import('node:net');
  const socket = connect(server.port, '127.0.0.1');
  assert.equal((await get(server, { agent, path: '/own', socket } as object)).body, '/own');
  await assert.rejects(get(server, { agent, socketPath: '/nowhere' }), { code: 'ENOENT' });
  assert.equal(proxy.asked.length, 0);
});

it('a copy of an agent has its proxy, too', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  for (const options of [{ proxy: proxy.url }, { proxyEnv: { https_proxy: proxy.url } }]) {
    const agent = poolingAgent(t, { ca: server.ca, ...options });
    const copy = Object.create(Object.getPrototypeOf(agent) as object) as typeof agent;
    Object.assign(copy, { ...agent });
    t.after(() => copy.destroy());
    const before = proxy.asked.length;
    assert.equal((await get(server, { agent: copy, path: '/1' })).body, '/1');
    assert.equal(proxy.asked.length, before + 1);
  }
});

it('credentials are sent to the proxy, and told nobody else', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t, {
    answer: ({ socket }) =>
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n'),
  });
  const url = proxy.url.replace('://', '://Us%40er:Se%3Acret@');
  const agent = poolingAgent(t, {
    ca: server.ca,
    proxy: url,
    name: 'a',
    hosts: { 'other.test': { proxy: url } },
  });
  let told = '';
  const listener = (message: unknown): void => void (told += inspect(message, { depth: 6 }));
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
  const channels = ['open', 'close'].map((name) => `pooling-https-agent:connection:${name}`);
  for (const channel of channels) subscribe(channel, listener);
  const sent = send(server, { agent });
  await sent.closed;
  for (const channel of channels) unsubscribe(channel, listener);
  const [error] = sent.errors;
  assert.ok(error);
  const { authorization = '' } = { authorization: proxy.asked[0]?.headers['proxy-authorization'] };
  assert.equal(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString(), 'Us@er:Se:cret');
  told +=
    inspect(error, { depth: 6, showHidden: true }) + JSON.stringify(error) + inspect(agent, { depth: 6 });
  told += JSON.stringify(agent) + JSON.stringify(agent.stats({ hosts: true } as object));
  assert.doesNotMatch(told, /Se(?:%3A|:)cret|VXNA|Us(?:%40|@)er/);
  assert.equal(error.code, 'ERR_PROXY_TUNNEL');
  assert.deepEqual(
    { ...error },
    {
      code: 'ERR_PROXY_TUNNEL',
      proxy: `127.0.0.1:${proxy.port}`,
      statusCode: 407,
      statusText: 'Proxy Authentication Required',
    },
  );
  assert.match(error.message, /does not take the credentials that it was given: it wants Basic/);
});

for (const [as, given, secret] of [
  ['credentials', {}, 'VXM6U2U6Y3JldA=='],
  ['a token', { headers: { 'Proxy-Authorization': 'Bearer to.ken' } }, 'to.ken'],
] as const) {
  it(`a proxy that repeats ${as} in its answer brings them into no error`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const fill = 'x'.repeat(70);
    const proxy = await proxyServer(t, {
      answer: ({ socket, headers }) =>
        socket.end(`HTTP/1.1 407 ${headers['proxy-authorization']}, Se:cret, ${fill} ${secret}\r\n\r\n`),
    });
    const url = 'headers' in given ? proxy.url : proxy.url.replace('://', '://Us:Se%3Acret@');
    const agent = poolingAgent(t, { ca: server.ca, proxy: { url, ...given } });
    const sent = send(server, { agent });
    await sent.closed;
    const [error] = sent.errors;
    assert.equal(error?.code, 'ERR_PROXY_TUNNEL');
    assert.match(String(Reflect.get(error, 'statusText')), /removed/);
    const told = inspect(error, { depth: 6, showHidden: true });
    assert.ok(!told.includes(secret.slice(0, 4)), told);
    if (as === 'credentials') assert.doesNotMatch(told, /Se:cret/);
  });
}

it('a user without a password, and headers of any name, are as secret', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t, {
    answer: ({ socket, headers }) => {
      const [, sent = ''] = (headers['proxy-authorization'] ?? '').split(' ');
      const [user] = Buffer.from(sent, 'base64').toString().split(':');
      socket.end(`HTTP/1.1 403 ${user} and ${headers['x-key']} are not known\r\n\r\n`);
    },
  });
  const url = proxy.url.replace('://', '://to%3Fken@');
  const agent = poolingAgent(t, { ca: server.ca, proxy: { url, headers: { 'X-Key': 'abcdefgh' } } });
  await assert.rejects(get(server, { agent }), { statusText: '[removed] and [removed] are not known' });
});

it('headers: as they are given, or made for each tunnel', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  let calls = 0;
  const headersFor = (host: string, port: number): Record<string, string> => ({
    'Proxy-Authorization': `Bearer ${++calls} for ${host}:${port}`,
    'X-Two': 'two',
  });
  const agent = poolingAgent(t, {
    ca: server.ca,
    proxy: { url: proxy.url, headers: headersFor },
    maxRequestsPerSocket: 1,
  });
  for (let i = 1; i <= 2; i++) {
    await get(server, { agent });
    const asked = proxy.asked[i - 1]?.headers ?? {};
    assert.equal(asked['proxy-authorization'], `Bearer ${i} for localhost:${server.port}`);
    assert.equal(asked['x-two'], 'two');
    assert.equal(asked['host'], `localhost:${server.port}`);
  }
  const fixed = poolingAgent(t, {
    ca: server.ca,
    proxy: { url: proxy.url, headers: { 'X-Many': ['1', '2'] } },
  });
  await get(server, { agent: fixed });
  assert.equal(proxy.asked.at(-1)?.headers['x-many'], '2');
  for (const bad of [{ 'X-A': 'a\r\nb' }, { 'a b': '1' }]) {
    const other = poolingAgent(t, { ca: server.ca, proxy: { url: proxy.url, headers: bad } });
    await assert.rejects(get(server, { agent: other }), { code: /ERR_INVALID_(?:CHAR|HTTP_TOKEN)/ });
    assert.equal(other.totalSocketCount, 0);
  }
  const throwing = poolingAgent(t, {
    ca: server.ca,
    proxy: {
      url: proxy.url,
      headers: () => {
        throw new Error('no token');
      },
    },
  });
  await assert.rejects(get(server, { agent: throwing }), /no token/);
});

it('headers that are no object with a property for each are refused, and not left out', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  const token = { 'Proxy-Authorization': 'Bearer secret' };
  for (const headers of [
    new Headers(token),
    new Map(Object.entries(token)),
    Object.entries(token),
    'secret',
  ]) {
    const given = { url: proxy.url, headers } as unknown as ProxyOptions;
    assert.throws(() => poolingAgent(t, { proxy: given }), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /must be an object with a property for each header or a function\. Received (?!.*secret)/,
    });
  }
  for (const value of [Promise.resolve(token), new Headers(token), 'secret']) {
    const headers = (() => value) as unknown as () => Record<string, string>;
    const agent = poolingAgent(t, { ca: server.ca, proxy: { url: proxy.url, headers } });
    await assert.rejects(get(server, { agent }), {
      code: 'ERR_INVALID_RETURN_VALUE',
      message: /returned from the "proxy\.headers" function but got (?!.*secret)/,
    });
    assert.equal(agent.totalSocketCount, 0);
  }
  assert.equal(proxy.asked.length, 0);
});

it('an https proxy is verified by its own options, never by those for servers', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t, { protocol: 'https' });
  const agent = poolingAgent(t, { ca: server.ca, rejectUnauthorized: false, proxy: proxy.url });
  const sent = send(server, { agent });
  await sent.closed;
  assert.equal(sent.errors[0]?.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  assert.equal(Reflect.get(sent.errors[0] as Error, 'proxy'), `localhost:${proxy.port}`);
  assert.equal(proxy.asked.length, 0);
  const bad = poolingAgent(t, { proxy: { url: proxy.url, tls: { ca: 'no certificate' } } });
  await assert.rejects(get(server, { agent: bad }));
});
