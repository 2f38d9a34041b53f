/** undici's other functions, its interceptors, and the global dispatcher, each over a pool. */
import assert from 'node:assert/strict';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline as pipe } from 'node:stream/promises';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { dispatcher, setGlobalDispatcher } from '../../src/undici/index.js';
import { activeCount, poolingAgent } from '../support/agent.js';
import { httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { fetches, LIMIT, recorder, run, setUp, undicis } from './support.js';

/** Some versions have them. */
type Interceptors = Partial<
  Record<'responseError' | 'decompress' | 'deduplicate', () => (dispatch: never) => never>
>;

const GLOBALS = ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'].map((name) => Symbol.for(name));

for (const [name, undici] of undicis) {
  describe(name, LIMIT, () => {
    it('request()', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (req, res) => {
        res.setHeader('x-method', req.method ?? '');
        res.setHeader('trailer', 'x-end');
        req.pipe(res, { end: false });
        req.on('end', () => {
          res.addTrailers({ 'x-end': 'last' });
          res.end('!');
        });
      });
      const infos: unknown[] = [];
      const { statusCode, headers, body, trailers } = await undici.request(server.url, {
        dispatcher: over as never,
        method: 'POST',
        body: Readable.from(['one', 'two']),
        onInfo: (info) => infos.push(info),
      });
      assert.deepEqual([statusCode, headers['x-method'], await body.text()], [200, 'POST', 'onetwo!']);
      assert.deepEqual({ ...trailers }, { 'x-end': 'last' });
      const json = await undici.request(server.url, {
        dispatcher: over as never,
        method: 'PUT',
        body: '{"a":1',
      });
      await assert.rejects(json.body.json(), SyntaxError);
      const dumped = await undici.request(server.url, {
        dispatcher: over as never,
        method: 'PUT',
        body: 'x',
      });
      await dumped.body.dump();
      assert.equal(server.connections(), 1);
    });

    it('request() with a signal, and a body that is not read', async (t) => {
      const { server, agent, dispatcher: over } = await setUp(t, (_req, res) => void res.write('some'));
      const controller = new AbortController();
      const { body } = await undici.request(server.url, {
        dispatcher: over as never,
        signal: controller.signal,
      });
      controller.abort();
      await assert.rejects(body.text(), { name: 'AbortError' });
      const other = await undici.request(server.url, { dispatcher: over as never });
      other.body.on('error', () => {}).destroy();
      await until(() => activeCount(agent) === 0);
    });

    it('stream() and pipeline()', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (req, res) => void req.pipe(res));
      let text = '';
      const sink = (): Writable =>
        new Writable({
          write(chunk, _encoding, callback) {
            text += String(chunk);
            callback();
          },
        });
      await undici.stream(server.url, { dispatcher: over as never, method: 'POST', body: 'streamed' }, sink);
      assert.equal(text, 'streamed');
      text = '';
      const through = undici.pipeline(server.url, { dispatcher: over as never, method: 'PUT' }, ({ body }) =>
        body.pipe(new PassThrough()),
      );
      await pipe(Readable.from(['through', ' and ', 'through']), through, sink());
      assert.equal(text, 'through and through');
    });

    it('interceptors: retry', async (t) => {
      let times = 0;
      const { server, dispatcher: over } = await setUp(t, (_req, res) => {
        times++;
        res.statusCode = times < 3 ? 503 : 200;
        res.end(`after ${times}`);
      });
      const retrying = over.compose(
        undici.interceptors.retry({ maxRetries: 3, minTimeout: 1, timeoutFactor: 1 }),
      );
      const { statusCode, body } = await undici.request(server.url, { dispatcher: retrying as never });
      assert.deepEqual([statusCode, await body.text()], [200, 'after 3']);
      assert.equal(server.requests(), 3);
    });

    it('interceptors: retry of a response that was cut short', async (t) => {
      let times = 0;
      const { server, dispatcher: over } = await setUp(t, (req, res) => {
        times++;
        if (req.headers.range) {
          const from = Number(/bytes=(\d+)-/.exec(req.headers.range)?.[1]);
          res.writeHead(206, {
            'content-range': `bytes ${from}-9/10`,
            etag: '"x"',
            'content-length': 10 - from,
          });
          res.end('0123456789'.slice(from));
          return;
        }
        res.writeHead(200, { 'content-length': 10, etag: '"x"' });
        res.write('01234');
        setTimeout(() => req.socket.destroy(), 20);
      });
      const retrying = over.compose([undici.interceptors.retry({ minTimeout: 1, timeoutFactor: 1 })]);
      const { body } = await undici.request(server.url, { dispatcher: retrying as never });
      assert.equal(await body.text(), '0123456789');
      assert.equal(times, 2);
    });

    it('interceptors: redirect, dump, dns', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (req, res) => {
        if (req.url === '/there') res.end('arrived');
        else res.writeHead(302, { location: '/there' }).end('moved');
      });
      const following = over.compose(undici.interceptors.redirect({ maxRedirections: 2 }));
      const { body } = await undici.request(`${server.url}/here`, { dispatcher: following as never });
      assert.equal(await body.text(), 'arrived');
      const dumping = over.compose(undici.interceptors.dump());
      const dumped = await undici.request(`${server.url}/there`, { dispatcher: dumping as never });
      assert.equal(dumped.statusCode, 200);
      assert.equal(await dumped.body.text(), '');
      const { dns } = undici.interceptors;
      if (dns) {
        const lookup = ((
          _origin: unknown,
          _options: unknown,
          done: (error: null, all: object[]) => void,
        ): void => done(null, [{ address: '127.0.0.1', family: 4 }])) as never;
        const resolving = over.compose(dns({ lookup, dualStack: false }));
        const resolved = await undici.request(`${server.url}/there`, { dispatcher: resolving as never });
        assert.equal(await resolved.body.text(), 'arrived');
      }
    });

    it('interceptors: cache', { skip: !undici.interceptors.cache }, async (t) => {
      const { server, dispatcher: over } = await setUp(t, (_req, res) => {
        res.setHeader('cache-control', 'public, max-age=60');
        res.end(`answer ${server.requests()}`);
      });
      const caching = over.compose(undici.interceptors.cache());
      for (let i = 0; i < 3; i++) {
        const { body } = await undici.request(server.url, { dispatcher: caching as never });
        assert.equal(await body.text(), 'answer 1');
      }
      assert.equal(server.requests(), 1);
    });

    it('interceptors: responseError, decompress, deduplicate; RetryAgent', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (req, res) => {
        if (req.url === '/busy') res.writeHead(503).end('busy');
        else if (req.url === '/packed') res.setHeader('content-encoding', 'gzip').end(gzipSync('unpacked'));
        else setTimeout(() => res.end(`answer ${server.requests()}`), 30);
      });
      const { responseError, decompress, deduplicate } = undici.interceptors as unknown as Interceptors;
      const get = async (path: string, dispatcher_: unknown): Promise<string> => {
        const { body } = await undici.request(`${server.url}${path}`, { dispatcher: dispatcher_ as never });
        return body.text();
      };
      if (responseError)
        await assert.rejects(get('/busy', over.compose(responseError())), { code: 'UND_ERR_RESPONSE' });
      if (decompress) assert.equal(await get('/packed', over.compose(decompress())), 'unpacked');
      if (deduplicate) {
        const once = over.compose(deduplicate());
        const before = server.requests();
        const [first, ...others] = await Promise.all([get('/x', once), get('/x', once), get('/x', once)]);
        assert.deepEqual(others, [first, first]);
        assert.equal(server.requests(), before + 1);
      }
      const retrying = new undici.RetryAgent(over as never, { maxRetries: 1, minTimeout: 1 });
      assert.match(await get('/y', retrying), /^answer/);
    });

    it('interceptors of one version, for the fetch of each', async (t) => {
      let count = 0;
      let held = 0;
      const { server, dispatcher: over } = await setUp(t, (req, res) => {
        if (req.url === '/held') held++;
        else if (count++ % 2 === 0) res.writeHead(503, { 'retry-after': '0' }).end();
        else if (req.url === '/there') res.setHeader('x-list', ['a', 'b']).end('x'.repeat(500_000));
        else res.writeHead(302, { location: '/there' }).end();
      });
      const { retry, redirect } = undici.interceptors;
      const both = over.compose(redirect({ maxRedirections: 1 }), retry({ minTimeout: 1 }));
      for (const [other, { fetch }] of fetches) {
        const got = await fetch(server.url, { dispatcher: both as never });
        const text = await got.text();
        assert.deepEqual([got.headers.get('x-list'), text.length], ['a, b', 500_000], other);
        const controller = new AbortController();
        const before = held;
        const { signal } = controller;
        const aborted = fetch(`${server.url}/held`, { dispatcher: both as never, signal });
        await until(() => held > before);
        controller.abort();
        await assert.rejects(aborted, { name: 'AbortError' });
      }
      await over.close();
    });

    it('composes what was composed', async (t) => {
      const { server, dispatcher: over } = await setUp(t);
      const order: string[] = [];
      const noting =
        (note: string) =>
        (dispatch: typeof over.dispatch): typeof over.dispatch =>
        (options, handler) => {
          order.push(note);
          return dispatch({ ...options, path: `${options.path}/${note}` }, handler);
        };
      const composed = over.compose(noting('first'), null as never).compose([noting('second')]);
      const told = await run(composed, { origin: server.url, path: '/x', method: 'GET' }, recorder('new'));
      assert.deepEqual([told.body, order], ['/x/second/first', ['second', 'first']]);
      assert.throws(() => over.compose(7 as never), { code: 'UND_ERR_INVALID_ARG' });
      assert.throws(() => over.compose(() => 7), { code: 'UND_ERR_INVALID_ARG' });
      assert.equal(
        composed.on('drain', () => {}),
        composed,
      );
      assert.equal(over.listenerCount('drain'), 1);
      await composed.close();
      assert.ok(over.closed);
    });

    it('setGlobalDispatcher()', async (t) => {
      const { server, dispatcher: over } = await setUp(t);
      const before = undici.getGlobalDispatcher();
      undici.setGlobalDispatcher(over as never);
      t.after(() => undici.setGlobalDispatcher(before));
      assert.equal(await (await undici.fetch(`${server.url}/x`)).text(), '/x');
      const { body } = await undici.request(`${server.url}/y`);
      assert.equal(await body.text(), '/y');
      assert.equal(server.connections(), 1);
    });
  });
}

describe('setGlobalDispatcher() of this package', LIMIT, () => {
  const before = GLOBALS.map((key) => Reflect.get(globalThis, key) as unknown);
  after(() => {
    for (const [i, key] of GLOBALS.entries()) Reflect.set(globalThis, key, before[i]);
  });

  it("is that of every fetch, Node's and each undici's", async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    setGlobalDispatcher(dispatcher(agent));
    for (const [name, { fetch }] of fetches)
      assert.equal(await (await fetch(`${server.url}/${name.length}`)).text(), `/${name.length}`, name);
    assert.equal(server.connections(), 1);
    assert.equal(agent.stats().requests, fetches.length);
  });

  it('takes dispatchers only', () => {
    for (const value of [undefined, null, {}, { dispatch: 1 }, 'x'])
      assert.throws(() => setGlobalDispatcher(value as never), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
