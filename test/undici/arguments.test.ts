/** Arguments: what is refused, with which code, and what headers become on the wire. */
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { dispatcher } from '../../src/undici/index.js';
import type { DispatchOptions } from '../../src/undici/index.js';
import { poolingAgent } from '../support/agent.js';
import { proxyServer } from '../support/proxy-server.js';
import { rawServer } from '../support/server.js';
import { KINDS, LIMIT, recorder, run, setUp, undicis } from './support.js';

describe('dispatcher()', () => {
  it('takes an agent, or one for each protocol', () => {
    const agent = new https.Agent();
    for (const agents of [agent, { https: agent }, { http: new http.Agent() }, { http: null, https: agent }])
      assert.equal(dispatcher(agents).closed, false);
    for (const agents of [
      undefined,
      null,
      'agent',
      {},
      { https: {} },
      { http: undefined },
      { https: agent, http: 1 },
    ])
      assert.throws(() => dispatcher(agents as never), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('takes an agent for both protocols for what it is', async (t) => {
    const { agent, server } = await setUp(t);
    /** As agent-base has it. */
    class Both extends http.Agent {
      get protocol(): undefined {
        return undefined;
      }
      set protocol(_value: string | undefined) {}
      addRequest(req: http.ClientRequest, options: object): void {
        agent.addRequest(req as never, options);
      }
    }
    const over = dispatcher(new Both());
    const told = await run(over, { origin: server.url, path: '/x', method: 'GET' }, recorder('new'));
    assert.equal(told.body, '/x');
  });

  it('checks its options', () => {
    const agent = new https.Agent();
    assert.ok(dispatcher(agent, null));
    assert.ok(dispatcher(agent, { headersTimeout: 0, bodyTimeout: Infinity, maxResponseSize: -1 }));
    for (const name of ['headersTimeout', 'bodyTimeout', 'maxResponseSize', 'maxHeaderSize']) {
      assert.throws(() => dispatcher(agent, { [name]: '5s' }), { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => dispatcher(agent, { [name]: -5 }), { code: 'ERR_OUT_OF_RANGE' });
    }
    assert.throws(() => dispatcher(agent, { webSocket: 5 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
    const eventSource = { maxEventSize: -1 };
    assert.throws(() => dispatcher(agent, { eventSource }), { code: 'ERR_OUT_OF_RANGE' });
    assert.equal(dispatcher(agent, { eventSource: { maxEventSize: 9 } }).eventSourceOptions.maxEventSize, 9);
  });
});

for (const kind of KINDS) {
  describe(`dispatch(), with a handler of the ${kind} kind`, LIMIT, () => {
    it('tells it of arguments that are not valid', async (t) => {
      const { server, dispatcher: over, agent } = await setUp(t);
      const valid = { origin: server.url, path: '/', method: 'GET' };
      const wrong: [Partial<Record<keyof DispatchOptions, unknown>>, RegExp][] = [
        [{ origin: undefined }, /origin/],
        [{ origin: '' }, /origin/],
        [{ origin: {} }, /origin/],
        [{ origin: `${server.url}/path` }, /origin/],
        [{ origin: 'ftp://localhost' }, /protocol/],
        [{ method: '' }, /method/],
        [{ path: undefined }, /path/],
        [{ path: 'path' }, /path/],
        [{ path: '/\u0000' }, /./],
        [{ path: '/a b' }, /./],
        [{ method: undefined }, /method/],
        [{ method: 'G T' }, /./],
        [{ query: 'a=1' }, /query/],
        [{ path: '/?a', query: { b: 1 } }, /Query/],
        [{ upgrade: true }, /upgrade/],
        [{ headersTimeout: -1 }, /headersTimeout/],
        [{ headersTimeout: '5' }, /headersTimeout/],
        [{ bodyTimeout: NaN }, /bodyTimeout/],
        [{ reset: 'yes' }, /reset/],
        [{ expectContinue: 1 }, /expectContinue/],
        [{ servername: 1 }, /servername/],
        [{ maxRedirections: 3 }, /redirect/],
        [{ headers: 'a: b' }, /headers/],
        [{ headers: ['a'] }, /headers/],
        [{ headers: [['a', 'b'], 'c'] }, /header/],
        [{ headers: new Set(['a']) }, /pair/],
        [{ headers: { 'a b': 'c' } }, /./],
        [{ headers: { a: 'b\r\nc: d' } }, /./],
        [{ headers: { a: {} } }, /a header/],
        [{ headers: { 'content-length': 'x' } }, /content-length/],
        [{ headers: { 'content-length': '1', 'Content-Length': '1' } }, /content-length/],
        [{ headers: { 'transfer-encoding': 'chunked' } }, /transfer-encoding/],
        [{ headers: { 'keep-alive': '5' } }, /keep-alive/],
        [{ headers: { upgrade: 'x' } }, /upgrade/],
        [{ headers: { connection: '\u0000' } }, /connection/],
        [{ headers: { expect: 'more' } }, /expect/],
        [{ headers: { host: ['a', 'b'] } }, /host/],
        [{ headers: ['host', 'a', 'Host', 'b'] }, /host/],
      ];
      for (const [options, message] of wrong) {
        const told = await run(over, { ...valid, ...options } as DispatchOptions, recorder(kind));
        assert.equal(told.error?.code, 'UND_ERR_INVALID_ARG', JSON.stringify(options));
        assert.equal(told.error?.name, 'InvalidArgumentError');
        assert.match(told.error?.message ?? '', message);
        for (const [, { errors }] of undicis) assert.ok(told.error instanceof errors.InvalidArgumentError);
      }
      assert.equal(agent.totalSocketCount, 0);
    });

    it('names what to use for http: origins', async (t) => {
      const { dispatcher: over } = await setUp(t);
      const told = await run(over, { origin: 'http://localhost', path: '/', method: 'GET' }, recorder(kind));
      assert.equal(told.error?.code, 'ERR_INVALID_PROTOCOL');
      assert.match(told.error?.message ?? '', /dispatcher\(\{ http, https \}\)/);
    });
  });
}

describe('dispatch()', LIMIT, () => {
  it('throws for a handler that cannot hear of it', async (t) => {
    const { server, dispatcher: over } = await setUp(t);
    const options = { origin: server.url, path: '/', method: 'GET' };
    for (const handler of [undefined, null, 'handler', {}, { onConnect() {} }])
      assert.throws(() => over.dispatch(options, handler as never), { code: 'UND_ERR_INVALID_ARG' });
    assert.throws(() => over.dispatch(null as never, { onRequestStart() {} }), {
      code: 'UND_ERR_INVALID_ARG',
    });
  });

  it('takes an origin as text or as URL, and headers in each form', async (t) => {
    const { server, dispatcher: over } = await setUp(t, (req, res) => res.end(req.rawHeaders.join('|')));
    const forms: unknown[] = [
      { 'X-One': '1', two: ['2', 3], none: undefined, empty: null },
      ['X-One', '1', 'two', ['2', 3], 'empty', null],
      ['X-One', '1', 'two', '2', 'Two', '3', 'empty', ''],
      new Map<string, unknown>([
        ['X-One', '1'],
        ['two', ['2', '3']],
        ['empty', ''],
      ]),
      [Buffer.from('X-One'), Buffer.from('1'), 'two', ['2', '3'], 'empty', ''],
    ];
    const host = `localhost:${server.port}`;
    for (const headers of forms) {
      const options = { origin: new URL(server.url), path: '/', method: 'GET', headers };
      const told = await run(over, options, recorder('new'));
      assert.equal(told.body, `host|${host}|X-One|1|two|2|two|3|empty||Connection|keep-alive`);
    }
    const named = {
      origin: server.url,
      path: '/',
      method: 'GET',
      headers: { HOST: host, Connection: 'close' },
    };
    assert.equal((await run(over, named, recorder('new'))).body, `host|${host}|connection|close`);
    const headers = new Headers({ a: 'b' });
    const given = await run(over, { origin: server.url, path: '/', method: 'GET', headers }, recorder('new'));
    assert.match(given.body, /\|a\|b\|/);
  });

  it('sends a query, an absolute path, and the method', async (t) => {
    const { server, dispatcher: over } = await setUp(t, (req, res) => res.end(`${req.method} ${req.url}`));
    const send = async (options: Partial<DispatchOptions>): Promise<string> => {
      const all = { origin: server.url, path: '/', method: 'GET', ...options };
      return (await run(over, all, recorder('new'))).body;
    };
    assert.equal(await send({ query: { a: 1, b: ['x', 'y z'] } }), 'GET /?a=1&b=x&b=y%20z');
    assert.equal(await send({ query: {} }), 'GET /');
    assert.equal(await send({ path: 'https://other/x' }), 'GET https://other/x');
    assert.equal(await send({ method: 'PURGE' }), 'PURGE /');
  });

  it('asks for the name of the Host header, or another one', async (t) => {
    const names: unknown[] = [];
    const server = await rawServer(t, (socket) => {
      names.push(socket.servername);
      socket.on('data', () => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
    });
    const over = dispatcher(poolingAgent(t, { ca: server.ca, checkServerIdentity: () => undefined }));
    const options = { origin: `https://127.0.0.1:${server.port}`, path: '/', method: 'GET' };
    for (const more of [
      {},
      { headers: { host: 'by-host.localhost' } },
      { servername: 'by-name.localhost' },
    ]) {
      const told = await run(over, { ...options, ...more }, recorder('new'));
      assert.equal(told.error, undefined);
    }
    assert.deepEqual(names, [false, 'by-host.localhost', 'by-name.localhost']);
  });

  it('sends the Host header that it is given, also an empty one', async (t) => {
    const { server, dispatcher: over } = await setUp(t, (req, res) => res.end(req.headers.host), {
      checkServerIdentity: () => undefined,
    });
    const options = { origin: server.url, path: '/', method: 'GET' };
    for (const [host, sent] of [
      ['name', 'name'],
      ['', ''],
      [undefined, `localhost:${server.port}`],
    ] as const) {
      const told = await run(over, { ...options, headers: { host } }, recorder('new'));
      assert.equal(told.body, sent);
    }
    assert.equal(server.connections(), 2, 'one for the name in the header, and one for that of the origin');
  });

  it('goes over an http.Agent to http: origins', async (t) => {
    const server = http.createServer((req, res) => res.end(req.url));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const agent = new http.Agent({ keepAlive: true });
    t.after(() => {
      agent.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const secure = await setUp(t);
    const over = dispatcher({ http: agent, https: secure.agent });
    const told = await run(
      over,
      { origin: `http://127.0.0.1:${port}`, path: '/x', method: 'GET' },
      recorder('old'),
    );
    assert.equal(told.body, '/x');
    const tls = await run(over, { origin: secure.server.url, path: '/y', method: 'GET' }, recorder('old'));
    assert.equal(tls.body, '/y');
    assert.ok(dispatcher(agent));
  });

  it('goes through the proxy of its agent', async (t) => {
    const proxy = await proxyServer(t);
    const { server, dispatcher: over } = await setUp(t, undefined, { proxy: proxy.url });
    const told = await run(over, { origin: server.url, path: '/x', method: 'GET' }, recorder('new'));
    assert.equal(told.body, '/x');
    assert.equal(proxy.asked.length, 1);
  });

  it('passes a priority on', async (t) => {
    const order: (string | undefined)[] = [];
    const { server, dispatcher: over } = await setUp(
      t,
      (req, res) => {
        order.push(req.url);
        setTimeout(() => res.end(), 5);
      },
      { maxSockets: 1 },
    );
    const options = { origin: server.url, method: 'GET' };
    await Promise.all([
      run(over, { ...options, path: '/first' }, recorder('new')),
      run(over, { ...options, path: '/late', priority: 7 }, recorder('new')),
      run(over, { ...options, path: '/early', priority: 0 }, recorder('new')),
      run(over, { ...options, path: '/middle' }, recorder('new')),
    ]);
    assert.deepEqual(order, ['/first', '/early', '/middle', '/late']);
    const told = await run(over, { ...options, path: '/', priority: 9 }, recorder('new'));
    assert.equal(told.error?.code, 'ERR_OUT_OF_RANGE');
  });

  it('leaves the five methods to the functions of undici', async (t) => {
    const { dispatcher: over } = await setUp(t);
    for (const name of ['request', 'stream', 'pipeline', 'connect', 'upgrade'] as const)
      assert.throws(() => over[name](), {
        code: 'UND_ERR_NOT_SUPPORTED',
        message: new RegExp(`import \\{ ${name} \\}`),
      });
  });
});
