/** The route to a host by the option, by rules, by the current environment, or by a function; and the effect of a change. */
import assert from 'node:assert/strict';
import Module from 'node:module';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import '../support/audit.js';
import { PoolingAgent } from '../../src/index.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { LIMIT, lookupLoopback } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { proxyServer } from '../support/proxy-server.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy'];

/** The environment for the rest of a test: these variables, and none of the others. */
function environment(t: TestContext, variables: Record<string, string> = {}): void {
  const before = { ...process.env };
  for (const name of VARIABLES) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, variables);
  t.after(() => {
    for (const name of VARIABLES) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  });
}

async function ask(server: TestServer, agent: PoolingAgent, host = 'localhost'): Promise<void> {
  const { body } = await get(server, {
    agent,
    host,
    path: '/x',
    headers: { Host: 'localhost' },
    lookup: lookupLoopback,
  });
  assert.equal(body, '/x');
}

describe("'env'", () => {
  it('is read at each dial: other connections from then on, and no request fails', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const [one, two] = [await proxyServer(t), await proxyServer(t)];
    environment(t);
    const agent = poolingAgent(t, { ca: server.ca, proxy: 'env' });
    await ask(server, agent);
    assert.equal(one.asked.length + two.asked.length, 0, 'directly');
    process.env['HTTPS_PROXY'] = one.url;
    await ask(server, agent);
    assert.equal(one.asked.length, 0, 'what is warm goes on: the environment is read at a dial');
    await Promise.all([ask(server, agent), ask(server, agent), ask(server, agent)]);
    assert.ok(one.asked.length > 0);
    const before = one.asked.length;
    process.env['https_proxy'] = two.url;
    await Promise.all(Array.from({ length: before + 1 }, () => ask(server, agent)));
    assert.ok(two.asked.length > 0, 'lower case comes first');
    assert.equal(one.asked.length, before);
    await until(() => one.open() === 0);
  });

  it('ALL_PROXY is for what has none of its own, NO_PROXY for what needs none', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const [one, two] = [await proxyServer(t), await proxyServer(t)];
    environment(t, { ALL_PROXY: one.url, no_proxy: 'direct.test', HTTPS_PROXY: '' });
    const agent = poolingAgent(t, { ca: server.ca, proxy: 'env', maxRequestsPerSocket: 1 });
    await ask(server, agent, 'a.test');
    assert.equal(one.asked.length, 1);
    await ask(server, agent, 'a.direct.test');
    assert.equal(one.asked.length, 1);
    process.env['HTTPS_PROXY'] = two.url.replace('http://', '');
    await ask(server, agent, 'a.test');
    assert.equal(two.asked[0]?.target, `a.test:${server.port}`, 'http:// may be left out');
  });

  it('a URL that is none fails the request, and is told to nobody', LIMIT, async (t) => {
    const server = await httpsServer(t);
    environment(t, { https_proxy: 'ftp://user:secret@proxy.test' });
    const agent = poolingAgent(t, { ca: server.ca, proxy: 'env' });
    await assert.rejects(get(server, { agent }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_PROXY_INVALID_CONFIG');
      assert.match(error.message, /https_proxy/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    assert.equal(agent.totalSocketCount, 0);
  });

  it('NODE_USE_ENV_PROXY is for the agents of Node', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const proxy = await proxyServer(t);
    environment(t, { HTTPS_PROXY: proxy.url });
    process.env['NODE_USE_ENV_PROXY'] = '1';
    t.after(() => Reflect.deleteProperty(process.env, 'NODE_USE_ENV_PROXY'));
    await ask(server, poolingAgent(t, { ca: server.ca }));
    assert.equal(proxy.asked.length, 0);
  });
});

describe('a function', () => {
  it('says for each host', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const proxy = await proxyServer(t);
    const calls: string[] = [];
    const agent = poolingAgent(t, {
      ca: server.ca,
      proxy: (host, port) => {
        calls.push(`${host}:${port}`);
        return host === 'far.test' ? new URL(proxy.url) : undefined;
      },
    });
    await ask(server, agent, 'far.test');
    await ask(server, agent, 'near.test');
    assert.deepEqual(
      proxy.asked.map(({ target }) => target),
      [`far.test:${server.port}`],
    );
    const before = calls.length;
    await ask(server, agent, 'far.test');
    assert.equal(calls.length, before, 'a warm request asks nobody');
  });

  it('that changes its mind, throws, or returns nonsense', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const proxy = await proxyServer(t);
    let says: () => unknown = () => undefined;
    const agent = poolingAgent(t, { ca: server.ca, proxy: (() => says()) as never });
    await ask(server, agent);
    says = () => proxy.url;
    await Promise.all([ask(server, agent), ask(server, agent)]);
    assert.ok(proxy.asked.length > 0);
    agent.destroy();
    says = () => {
      throw new Error('I do not know');
    };
    await assert.rejects(get(server, { agent }), /I do not know/);
    for (const nonsense of [1, 'proxy.test', { url: 'http://user:secret@' }]) {
      says = () => nonsense;
      await assert.rejects(get(server, { agent }), (error: Error & { code?: string }) => {
        assert.match(error.code ?? '', /^ERR_INVALID_ARG/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    }
    says = () => Promise.resolve(proxy.url);
    await assert.rejects(get(server, { agent }), {
      code: 'ERR_INVALID_RETURN_VALUE',
      message: /returned from the "proxy" function but got an instance of Promise/,
    });
    await until(() => agent.totalSocketCount === 0);
  });
});

for (const binding of ['eager', 'late'] as const) {
  it(
    `a function that names another proxy each time stops no request, ${binding} binding`,
    LIMIT,
    async (t) => {
      const server = await httpsServer(t);
      const proxies = [await proxyServer(t), await proxyServer(t), await proxyServer(t)];
      let calls = 0;
      const agent = poolingAgent(t, {
        ca: server.ca,
        binding,
        maxSockets: 4,
        proxy: () => proxies[++calls % 3]?.url,
      });
      await Promise.all(Array.from({ length: 12 }, () => ask(server, agent)));
      agent.closeIdleConnections();
      await Promise.all(Array.from({ length: 12 }, () => ask(server, agent)));
      assert.equal(agent.stats().waiting, 0);
    },
  );
}

describe('rules', () => {
  it('have their own proxy, or none', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const [one, two] = [await proxyServer(t), await proxyServer(t)];
    const agent = poolingAgent(t, {
      ca: server.ca,
      proxy: one.url,
      hosts: {
        'two.test': { proxy: two.url },
        '*.near.test': { proxy: false },
        'limited.test': { maxSockets: 2 },
      },
    });
    for (const host of ['two.test', 'a.near.test', 'limited.test']) await ask(server, agent, host);
    assert.deepEqual(
      one.asked.map(({ target }) => target),
      [`limited.test:${server.port}`],
    );
    assert.deepEqual(
      two.asked.map(({ target }) => target),
      [`two.test:${server.port}`],
    );
  });

  it('are followed where a function names another way at each call', LIMIT, async (t) => {
    const held: (() => void)[] = [];
    let holds = true;
    const server = await httpsServer(t, (_req, res) => {
      if (holds) held.push(() => res.end());
      else res.end();
    });
    const one = await proxyServer(t);
    let calls = 0;
    const proxy = (): string => {
      // An endless loop is to end.
      if (calls > 1000) throw new Error('Called too often');
      return one.url.replace('//', `//user${++calls}:password@`);
    };
    const agent = poolingAgent(t, { ca: server.ca, maxTotalSockets: 2, proxy });
    const all = Array.from({ length: 6 }, () => get(server, { agent }));
    await until(() => held.length === 2);
    agent.setHostLimits('localhost', { maxSockets: 3 });
    assert.ok(calls < 100, `${calls} calls`);
    holds = false;
    for (const end of held) end();
    await Promise.all(all);
  });

  it('that change take effect at once', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const [one, two] = [await proxyServer(t), await proxyServer(t)];
    const agent = poolingAgent(t, { ca: server.ca, hosts: () => ({ proxy: one.url }) });
    await ask(server, agent);
    assert.equal(one.asked.length, 1);
    agent.setHostLimits('localhost', { proxy: two.url });
    await ask(server, agent);
    assert.equal(two.asked.length, 1, 'what is idle went the old way');
    await until(() => one.open() === 0);
    agent.setHostLimits('localhost', { maxSockets: 3, proxy: two.url });
    await ask(server, agent);
    assert.equal(two.asked.length, 1, 'the same way as before');
  });
});

it('what is no proxy is refused at construction, and not quoted', () => {
  const BAD: [PoolingAgentOptions | Record<string, unknown>, string][] = [
    [{ proxy: 'proxy.test:3128' }, 'ERR_INVALID_ARG_VALUE'],
    [{ proxy: 'ftp://user:secret@proxy.test' }, 'ERR_INVALID_ARG_VALUE'],
    [{ proxy: 'http://user:sec%ret@proxy.test' }, 'ERR_INVALID_ARG_VALUE'],
    [{ proxy: 'http://' }, 'ERR_INVALID_ARG_VALUE'],
    [{ proxy: true }, 'ERR_INVALID_ARG_TYPE'],
    [{ proxy: {} }, 'ERR_INVALID_ARG_TYPE'],
    [{ proxy: [] }, 'ERR_INVALID_ARG_TYPE'],
    [{ proxy: { url: 'http://proxy.test', headers: 'secret' } }, 'ERR_INVALID_ARG_TYPE'],
    [{ proxy: { url: 'http://proxy.test', tls: 1 } }, 'ERR_INVALID_ARG_TYPE'],
    [{ proxy: { url: 'http://proxy.test', connectTimeout: -1 } }, 'ERR_OUT_OF_RANGE'],
    [{ proxy: { url: 'socks5://proxy.test', headers: {} } }, 'ERR_INVALID_ARG_VALUE'],
    [{ hosts: { 'a.test': { proxy: 'secret' } } }, 'ERR_INVALID_ARG_VALUE'],
    [{ proxy: 'http://proxy.test', proxyEnv: {} }, 'ERR_INVALID_ARG_VALUE'],
    [{ proxyEnv: { https_proxy: 'http://user:secret@[' } }, 'ERR_PROXY_INVALID_CONFIG'],
    [{ proxyEnv: { HTTPS_PROXY: 'http://user:secret@proxy\r\n.test' } }, 'ERR_PROXY_INVALID_CONFIG'],
  ];
  for (const [options, code] of BAD) {
    assert.throws(
      () => new PoolingAgent(options as PoolingAgentOptions),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, code, error.message);
        assert.doesNotMatch(error.message, /sec(?:%)?ret/);
        return true;
      },
      String(options['proxy']),
    );
  }
  for (const proxy of [
    false,
    null,
    undefined,
    'env',
    'https://[::1]:3128',
    new URL('http://a.test'),
    () => 'x',
  ])
    assert.ok(new PoolingAgent({ proxy } as PoolingAgentOptions));
  assert.ok(new PoolingAgent({ proxyEnv: { https_proxy: 'socks5://left.to.others' } }));
});

it('a SOCKS proxy without the package "socks" is refused at construction, and by setHostLimits', (t) => {
  const loader = Module as unknown as { _resolveFilename(name: string, ...rest: unknown[]): string };
  const original = loader._resolveFilename;
  loader._resolveFilename = function hide(name, ...rest) {
    if (name === 'socks') throw new Error('hidden');
    return original.call(this, name, ...rest);
  };
  t.after(() => (loader._resolveFilename = original));
  const missing = { code: 'MODULE_NOT_FOUND', message: /npm install socks/ };
  const proxy = 'socks5://proxy.test';
  assert.throws(() => new PoolingAgent({ proxy }), missing);
  assert.throws(() => new PoolingAgent({ hosts: { 'a.test': { proxy } } }), missing);
  const agent = poolingAgent(t);
  assert.throws(() => agent.setHostLimits('a.test', { proxy }), missing);
  agent.setHostLimits('b.test', { maxSockets: 2 });
});
