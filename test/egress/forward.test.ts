/** Requests to `http:` origins through a proxy: given to it whole, with the URL as the target, on connections of the pool. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it, test } from 'node:test';
import type { TestContext } from 'node:test';
import { PoolingHttpAgent } from '../../src/index.js';
import type { PoolingHttpAgentOptions } from '../../src/index.js';
import { restoreVariable } from '../support/environment.js';
import { certificate } from '../support/certificate.js';
import { until } from '../support/until.js';
import '../support/audit.js';

const LIMIT = { timeout: 120_000 };

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Listening {
  readonly port: number;
  readonly url: string;
  readonly received: Received[];
  readonly sockets: Socket[];
}

/** Answers each request with its target, whoever it was meant for. Those for which `drops` answers `true` lose their connection. */
async function listening(
  t: TestContext,
  {
    secure = false,
    drops = () => false,
  }: { secure?: boolean; drops?: (req: IncomingMessage) => boolean } = {},
): Promise<Listening> {
  const received: Received[] = [];
  const sockets: Socket[] = [];
  const onRequest = async (req: IncomingMessage, res: http.ServerResponse): Promise<void> => {
    if (drops(req)) {
      req.socket.destroy();
      return;
    }
    const body = (await req.setEncoding('utf8').toArray()).join('');
    received.push({ method: req.method, url: req.url, headers: req.headers, body });
    res.end(req.url);
  };
  const { key, cert } = await certificate();
  const listener = (req: IncomingMessage, res: http.ServerResponse): void => void onRequest(req, res);
  const server = secure ? https.createServer({ key, cert }, listener) : http.createServer(listener);
  server.keepAliveTimeout = 0;
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => {})));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, url: `${secure ? 'https' : 'http'}://localhost:${port}`, received, sockets };
}

function agentFor(t: TestContext, options: PoolingHttpAgentOptions): PoolingHttpAgent {
  const agent = new PoolingHttpAgent(options);
  t.after(() => agent.destroy());
  return agent;
}

async function ask(options: RequestOptions, body?: string): Promise<string> {
  const req = http.request({ host: 'origin.test', ...options });
  req.end(body);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  return (await res.setEncoding('utf8').toArray()).join('');
}

describe('the target is a whole URL', () => {
  const CASES: [RequestOptions, string][] = [
    [{ path: '/a/../b?c#d' }, 'http://origin.test/a/../b?c#d'],
    [{ path: '/a', port: 8080 }, 'http://origin.test:8080/a'],
    [{ host: '::1', port: 8080 }, 'http://[::1]:8080/'],
    [{ path: '*', method: 'OPTIONS' }, 'http://origin.test'],
    [{ path: 'http://origin.test/already' }, 'http://origin.test/already'],
    [{ path: '/list', headers: ['Host', 'origin.test', 'X-A', '1'] }, 'http://origin.test/list'],
    [{ path: '/given', headers: { host: 'ORIGIN.test:80' } }, 'http://origin.test/given'],
  ];
  for (const [options, target] of CASES) {
    it(JSON.stringify(options), LIMIT, async (t) => {
      const proxy = await listening(t);
      const agent = agentFor(t, { proxy: `http://us%40er:p%3Aw@localhost:${proxy.port}` });
      await ask({ agent, ...options });
      const [first] = proxy.received;
      assert.equal(first?.url, target);
      assert.equal(first?.headers['proxy-authorization'], `Basic ${btoa('us@er:p:w')}`);
      assert.equal(first?.headers['proxy-connection'], 'keep-alive');
    });
  }

  it('also of a request that has waited, with a body', LIMIT, async (t) => {
    const proxy = await listening(t);
    const agent = agentFor(t, { proxy: proxy.url, maxSockets: 1 });
    const asked = ['a', 'bb', 'ccc'].map((body) => ask({ agent, method: 'POST', path: `/${body}` }, body));
    assert.deepEqual(
      await Promise.all(asked),
      ['a', 'bb', 'ccc'].map((body) => `http://origin.test/${body}`),
    );
    assert.deepEqual(
      proxy.received.map(({ body }) => body),
      ['a', 'bb', 'ccc'],
    );
    assert.equal(agent.stats().opened, 1);
  });
});

test(
  'a request that says something else than its options is refused, and the others go on',
  LIMIT,
  async (t) => {
    const proxy = await listening(t);
    const agent = agentFor(t, { proxy: proxy.url });
    const OTHERS = [
      'other.test',
      // One parser takes the first name for the host, another one the last.
      'origin.test\\@other.test',
      'origin.test#@other.test',
      'origin.test/@other.test',
      'origin.test?@other.test',
      'other.test@origin.test',
      'origin.test, other.test',
      'origin\t.test',
    ];
    for (const wrong of [
      ...OTHERS.map((host) => ({ headers: { host } })),
      ...OTHERS.map((host) => ({ headers: ['Host', host] })),
      { headers: ['Host', 'origin.test', 'X-A', '1', 'host', 'other.test'] },
      { path: 'http://other.test/' },
      { path: 'http://origin.test\\@other.test/' },
      { path: 'http://origin.test#@other.test/' },
      { path: 'http://other.test@origin.test/' },
      { path: 'http:///origin.test' },
      { path: 'ftp://origin.test/' },
      { host: '::1%1', headers: { host: 'other.test@' } },
    ] as RequestOptions[])
      await assert.rejects(
        ask({ agent, ...wrong }),
        { code: 'ERR_INVALID_ARG_VALUE' },
        JSON.stringify(wrong),
      );
    assert.equal(await ask({ agent }), 'http://origin.test/');
    assert.equal(proxy.received.length, 1);
  },
);

test('a host that is no name is not made part of a target', LIMIT, async (t) => {
  const proxy = await listening(t);
  const agent = agentFor(t, { proxy: proxy.url });
  for (const host of [
    'other.test/',
    'other.test#.origin.test',
    'other.test\\',
    'a:80',
    'us:secret@other.test',
  ])
    await assert.rejects(ask({ agent, host }), (error: NodeJS.ErrnoException) => {
      assert.equal(error.code, 'ERR_INVALID_ARG_VALUE');
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  assert.equal(await ask({ agent, host: '[::1]' }), 'http://[::1]/');
  assert.equal(proxy.received.length, 1);
});

test('a header that is set after the request has its connection is checked, too', LIMIT, async (t) => {
  const proxy = await listening(t);
  const agent = agentFor(t, { proxy: proxy.url });
  await ask({ agent });
  await until(() => agent.stats().idle === 1);
  const req = http.request({ agent, host: 'origin.test' });
  req.setHeader('Host', 'other.test');
  req.end();
  await assert.rejects(once(req, 'response'), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.equal(proxy.received.length, 1);
  assert.equal(await ask({ agent }), 'http://origin.test/');
});

test('headers for the proxy: of a function, by host; those of the request come first', LIMIT, async (t) => {
  const proxy = await listening(t);
  const agent = agentFor(t, {
    proxy: {
      url: proxy.url.replace('//', '//user:secret@'),
      headers: (host, port) => ({ 'X-For': [`${host}`, `${port}`], 'X-Not': undefined }),
    },
  });
  await ask({ agent, headers: { 'Proxy-Authorization': 'Bearer mine' } });
  const [first] = proxy.received;
  assert.equal(first?.headers['x-for'], 'origin.test, 80');
  assert.equal(first?.headers['proxy-authorization'], 'Bearer mine');

  const failing = agentFor(t, {
    proxy: {
      url: proxy.url,
      headers: () => {
        throw new Error('no headers');
      },
    },
  });
  await assert.rejects(ask({ agent: failing }), /no headers/);
});

test('TLS to the proxy', LIMIT, async (t) => {
  const proxy = await listening(t, { secure: true });
  const { cert } = await certificate();
  const agent = agentFor(t, { proxy: { url: proxy.url, tls: { ca: cert } } });
  for (let i = 0; i < 3; i++) assert.equal(await ask({ agent, path: `/${i}` }), `http://origin.test/${i}`);
  assert.equal(agent.stats().opened, 1);
  assert.deepEqual(
    agent.stats().handshakes,
    { full: 0, resumed: 0 },
    'that of the proxy is none of an origin',
  );
  const untrusting = agentFor(t, { proxy: proxy.url });
  await assert.rejects(ask({ agent: untrusting }), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});

test(
  'credentials go to their proxy alone: a request that is sent again goes the way of then',
  LIMIT,
  async (t) => {
    let direct = false;
    const proxy = await listening(t, { drops: () => direct });
    const origin = await listening(t);
    const agent = agentFor(t, {
      proxy: () => (direct ? false : proxy.url.replace('//', '//user:secret@')),
    });
    const options = { agent, host: 'localhost', port: origin.port };
    assert.equal(await ask({ ...options, path: '/1' }), `http://localhost:${origin.port}/1`);
    direct = true;
    // On the connection that it has: lost there, and sent again on a new one, which goes directly.
    assert.equal(await ask({ ...options, path: '/2' }), '/2');
    const [second] = origin.received;
    assert.equal(second?.headers['proxy-authorization'], undefined);
    assert.equal(second?.headers['proxy-connection'], undefined);
    assert.equal(second?.headers.host, `localhost:${origin.port}`);
    assert.equal(agent.stats().replayed, 1);
  },
);

test('a socket that somebody else has opened is no way to the proxy', LIMIT, async (t) => {
  const origin = await listening(t);
  class Own extends PoolingHttpAgent {
    override createSocket(...[, , callback]: Parameters<PoolingHttpAgent['createSocket']>): void {
      const socket = this.createConnection({ host: '127.0.0.1', port: origin.port }) as Socket;
      callback(null, socket);
    }
  }
  const agent = new Own({ proxy: 'http://user:secret@localhost:1' });
  t.after(() => agent.destroy());
  assert.equal(await ask({ agent, path: '/own' }), '/own');
  assert.equal(origin.received[0]?.headers['proxy-authorization'], undefined);
});

test('a proxy that is not there, and one that ends the connection', LIMIT, async (t) => {
  const agent = agentFor(t, { proxy: 'http://127.0.0.1:1' });
  await assert.rejects(ask({ agent }), { code: 'ECONNREFUSED' });
  const ending = await listening(t, { drops: () => true });
  const other = agentFor(t, { proxy: ending.url });
  await assert.rejects(ask({ agent: other }), { code: 'ECONNRESET' });
});

describe('the environment', () => {
  const NAMES = [
    'http_proxy',
    'HTTP_PROXY',
    'https_proxy',
    'HTTPS_PROXY',
    'all_proxy',
    'ALL_PROXY',
    'no_proxy',
    'NO_PROXY',
  ];
  function withEnvironment(t: TestContext, values: Record<string, string>): void {
    for (const name of NAMES) {
      restoreVariable(t, name);
      Reflect.deleteProperty(process.env, name);
    }
    Object.assign(process.env, values);
  }

  it(
    '`proxy: env` goes by http_proxy, and not by HTTP_PROXY, which a request may set for a CGI program',
    LIMIT,
    async (t) => {
      const proxy = await listening(t);
      const origin = await listening(t);
      const options = { host: 'localhost', port: origin.port };
      withEnvironment(t, { HTTP_PROXY: proxy.url, https_proxy: proxy.url });
      const agent = agentFor(t, { proxy: 'env' });
      assert.equal(await ask({ agent, ...options, path: '/direct' }), '/direct');
      process.env['http_proxy'] = proxy.url;
      agent.closeIdleConnections();
      assert.equal(await ask({ agent, ...options, path: '/a' }), `http://localhost:${origin.port}/a`);
      process.env['no_proxy'] = 'localhost';
      agent.closeIdleConnections();
      assert.equal(await ask({ agent, ...options, path: '/direct' }), '/direct');
      Reflect.deleteProperty(process.env, 'http_proxy');
      Reflect.deleteProperty(process.env, 'no_proxy');
      process.env['ALL_PROXY'] = proxy.url;
      agent.closeIdleConnections();
      assert.equal(await ask({ agent, ...options, path: '/all' }), `http://localhost:${origin.port}/all`);
    },
  );

  it('`proxyEnv` has the meanings of Node’s option: HTTP_PROXY counts', LIMIT, async (t) => {
    const proxy = await listening(t);
    const agent = agentFor(t, { proxyEnv: { HTTP_PROXY: proxy.url, HTTPS_PROXY: 'http://127.0.0.1:1' } });
    assert.equal(await ask({ agent, path: '/a' }), 'http://origin.test/a');
    const bypassing = agentFor(t, { proxyEnv: { http_proxy: proxy.url, NO_PROXY: 'localhost' } });
    const origin = await listening(t);
    assert.equal(await ask({ agent: bypassing, host: 'localhost', port: origin.port, path: '/b' }), '/b');
  });
});
