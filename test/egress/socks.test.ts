/** SOCKS proxies: credentials, and proxies that misbehave at each step. Each error has a code and names the proxy; credentials are sent to nobody else. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import '../support/audit.js';
import { LIMIT, send } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { proxyServer } from '../support/proxy-server.js';
import { get, httpsServer } from '../support/server.js';
import { socksServer } from '../support/socks-server.js';
import type { SocksSettings } from '../support/socks-server.js';
import { until } from '../support/until.js';
import { PoolingAgent } from '../../src/index.js';
import { fakeLookup } from './support.js';

const credentials = { user: 'us@er', password: 'pa:ss wörd' };
const GIVEN = `${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@`;

it('credentials go to the proxy alone; tunnels are shared, and sessions resumed', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await socksServer(t, { credentials });
  const url = `socks5h://${GIVEN}127.0.0.1:${proxy.port}`;
  const agent = poolingAgent(t, { ca: server.ca, maxRequestsPerSocket: 2, proxy: url });
  for (const path of ['/1', '/2', '/3']) assert.equal((await get(server, { agent, path })).body, path);
  assert.deepEqual(proxy.told, Array(2).fill(`${credentials.user}:${credentials.password}`));
  assert.deepEqual(proxy.asked, ['localhost', 'localhost']);
  assert.equal(server.resumed(), 1);
  for (const text of [inspect(agent, { depth: 12 }), JSON.stringify(agent.stats()), inspect(agent.sockets)])
    assert.doesNotMatch(text, /pa:ss|w%C3%B6rd|us@er|us%40er/);
});

for (const [what, given] of [
  ['credentials that are wrong', 'us%40er:secret@'],
  ['a user alone', 'us%40er@'],
  ['none', ''],
] as const) {
  it(`${what}, where the proxy wants some`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const proxy = await socksServer(t, { credentials });
    const agent = poolingAgent(t, { ca: server.ca, proxy: `socks5://${given}127.0.0.1:${proxy.port}` });
    const sent = send(server, { agent });
    await sent.closed;
    assert.deepEqual(sent.events, ['error', 'close']);
    const [error] = sent.errors;
    assert.equal(error?.code, 'ERR_PROXY_TUNNEL');
    assert.equal(Reflect.get(error as Error, 'proxy'), `127.0.0.1:${proxy.port}`);
    assert.match(
      String(error?.message),
      /^Failed to establish tunnel to localhost:\d+ via socks5:\/\/127\.0\.0\.1:\d+: /,
    );
    assert.doesNotMatch(inspect(error, { depth: 12, showHidden: true }), /secret|us@er/);
    await until(() => proxy.open() === 0 && agent.totalSocketCount === 0);
  });
}

it('credentials that are too long for SOCKS are refused at construction, and not quoted', () => {
  for (const given of [`${'u'.repeat(256)}:p`, `u:${'p'.repeat(256)}`, `u:${'%C3%B6'.repeat(128)}`])
    assert.throws(
      () => new PoolingAgent({ proxy: `socks5://${given}@proxy.test` }),
      ({ code, message }: NodeJS.ErrnoException) =>
        code === 'ERR_INVALID_ARG_VALUE' && /255 bytes/.test(message) && !/uuu|ppp|ööö/.test(message),
    );
  assert.ok(new PoolingAgent({ proxy: `socks5://${'u'.repeat(255)}:${'p'.repeat(255)}@proxy.test` }));
  assert.ok(new PoolingAgent({ proxy: `http://${'u'.repeat(256)}:p@proxy.test` }));
});

it('a name that is longer than SOCKS allows', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await socksServer(t, { credentials });
  const agent = poolingAgent(t, { ca: server.ca, proxy: `socks5h://${GIVEN}127.0.0.1:${proxy.port}` });
  const sent = send(server, { agent, host: 'x'.repeat(256) });
  await sent.closed;
  assert.equal(sent.errors[0]?.code, 'ERR_PROXY_TUNNEL');
  assert.doesNotMatch(inspect(sent.errors[0], { depth: 12, showHidden: true }), /pa:ss/);
});

it('a name that is not ASCII is encoded, and what is no name is refused', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const socks = await socksServer(t);
  const http = await proxyServer(t);
  for (const proxy of [`socks5h://127.0.0.1:${socks.port}`, http.url]) {
    const agent = poolingAgent(t, { ca: server.ca, proxy });
    await get(server, { agent, host: 'mülle.test', servername: 'localhost' });
    await assert.rejects(get(server, { agent, host: 'a b.test', servername: 'localhost' }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  }
  assert.deepEqual(
    [...socks.asked, ...http.asked.map(({ target }) => target)],
    ['xn--mlle-0ra.test', `xn--mlle-0ra.test:${server.port}`],
  );
});

describe('socks5: the name of the server', LIMIT, () => {
  type Back = (error: unknown, addresses?: unknown, family?: unknown) => void;
  const throwing = (name: string): object =>
    Object.defineProperty(new Error(), name, {
      get() {
        throw new Error('read');
      },
    });

  for (const [what, ...answer] of [
    ['null', null, null],
    ['a list of null', null, [null]],
    ['nothing', null],
    ['a name', null, 'localhost', 4],
    ['an address that throws', null, [throwing('address')]],
    ['an error that throws', throwing('message')],
  ] as const) {
    it(`${what} is no address of it, and ends the request`, async (t) => {
      const server = await httpsServer(t);
      const proxy = await socksServer(t);
      const lookup = (_host: string, _options: object, back: Back): void =>
        void setImmediate(back, ...answer);
      const agent = poolingAgent(t, {
        ca: server.ca,
        proxy: `socks5://127.0.0.1:${proxy.port}`,
        lookup: lookup as never,
      });
      const { closed, errors } = send(server, { agent });
      await closed;
      assert.equal(errors[0]?.code, 'ERR_PROXY_TUNNEL');
      assert.deepEqual(proxy.asked, []);
    });
  }

  it('is told the proxy once, however often it is answered', async (t) => {
    const server = await httpsServer(t);
    const proxy = await socksServer(t);
    const lookup = (_host: string, _options: object, back: Back): void =>
      void setImmediate(() => {
        for (let i = 0; i < 3; i++) back(null, '127.0.0.1', 4);
      });
    const url = `socks5://127.0.0.1:${proxy.port}`;
    const agent = poolingAgent(t, { ca: server.ca, proxy: url, lookup: lookup as never });
    assert.equal((await get(server, { agent, path: '/1' })).body, '/1');
    assert.deepEqual(proxy.asked, ['127.0.0.1']);
  });

  it('is looked up by what stands in `dns.lookup`', async (t) => {
    const server = await httpsServer(t);
    const proxy = await socksServer(t);
    const fake = fakeLookup(t, '127.0.0.1');
    const agent = poolingAgent(t, { ca: server.ca, proxy: `socks5://127.0.0.1:${proxy.port}` });
    await get(server, { agent });
    assert.equal(fake.asked.length, 1);
  });
});

describe('a proxy that', () => {
  const write = (...bytes: number[]) => ({ end: (socket: Socket) => void socket.end(Buffer.from(bytes)) });
  const close = (socket: Socket): void => void socket.end();
  const reset = (socket: Socket): void => void socket.resetAndDestroy();
  const text = (socket: Socket): void => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  const FAULTS: Record<string, readonly [SocksSettings, code?: RegExp]> = {
    'closes when it is greeted': [{ on: { greeting: close } }],
    'resets when it is greeted': [{ on: { greeting: reset } }, /^ECONNRESET$/],
    'speaks HTTP': [{ on: { greeting: text } }],
    'wants another method': [{ on: { greeting: write(5, 1).end } }],
    'takes no method': [{ on: { greeting: write(5, 0xff).end } }],
    'closes at the credentials': [{ credentials, on: { credentials: close } }],
    'answers the credentials with text': [{ credentials, on: { credentials: text } }],
    'closes at the request': [{ on: { request: close } }],
    'closes within its answer': [{ on: { request: write(5, 0, 0, 1).end } }],
    'answers the request with text': [{ on: { request: text } }],
    'may not go there': [{ on: { request: write(5, 2, 0, 1, 0, 0, 0, 0, 0, 0).end } }],
    'does not know its own answer': [{ on: { request: write(5, 77, 0, 9, 0, 0, 0, 0, 0, 0).end } }],
    'opens a tunnel, and sends garbage behind it': [
      { behind: 'this is no TLS at all, it is text' },
      /^(?:EPROTO|ERR_SSL_\w+)$/,
    ],
  };
  for (const [what, [settings, code = /^ERR_PROXY_TUNNEL$/]] of Object.entries(FAULTS)) {
    it(what, LIMIT, async (t) => {
      const server = await httpsServer(t);
      const proxy = await socksServer(t, settings);
      const url = `socks5h://${settings.credentials ? GIVEN : ''}127.0.0.1:${proxy.port}`;
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, connectTimeout: 3000, proxy: url });
      for (const { closed, errors, events } of [send(server, { agent }), send(server, { agent })]) {
        await closed;
        assert.deepEqual(events, ['error', 'close']);
        assert.match(String(errors[0]?.code), code);
        assert.doesNotMatch(inspect(errors[0], { depth: 12, showHidden: true }), /pa:ss/);
      }
      await until(() => agent.totalSocketCount === 0 && proxy.open() === 0);
    });
  }

  for (const step of ['greeting', 'credentials', 'request'] as const) {
    it(`does not answer in time: ${step}`, LIMIT, async (t) => {
      const server = await httpsServer(t);
      const proxy = await socksServer(t, { credentials, on: { [step]: () => {} } });
      const url = `socks5h://${GIVEN}127.0.0.1:${proxy.port}`;
      const agent = poolingAgent(t, { ca: server.ca, proxy: { url, connectTimeout: 100 } });
      const sent = send(server, { agent });
      await sent.closed;
      assert.deepEqual(sent.events, ['error', 'close']);
      assert.equal(sent.errors[0]?.code, 'ETIMEDOUT');
      assert.equal(Reflect.get(sent.errors[0] as Error, 'phase'), 'tunnel');
      await until(() => agent.totalSocketCount === 0 && proxy.open() === 0);
    });
  }
});
