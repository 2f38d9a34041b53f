/** Bodies of every kind on the wire: what is announced, what is sent, and that the two agree. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { activeCount, waitingCount } from '../support/agent.js';
import { until } from '../support/until.js';
import { fetches, LIMIT, recorder, run, setUp } from './support.js';
import type { Told } from './support.js';
import type { DispatchOptions } from '../../src/undici/index.js';

interface Received {
  method: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

async function receiving(t: TestContext) {
  const received: Received[] = [];
  const setup = await setUp(t, (req, res) => {
    let body = '';
    req.setEncoding('latin1');
    req.on('data', (chunk: string) => (body += chunk));
    req.on('end', () => {
      received.push({ method: req.method, headers: req.headers, body });
      res.end();
    });
  });
  const send = (options: Partial<DispatchOptions>): Promise<Told> =>
    run(
      setup.dispatcher,
      { origin: setup.server.url, path: '/', method: 'POST', ...options },
      recorder('new'),
    );
  /** Sends it, and tells what has come. */
  const sent = async (options: Partial<DispatchOptions>): Promise<Received> => {
    const { error } = await send(options);
    assert.equal(error, undefined);
    return received.at(-1) ?? assert.fail();
  };
  return { ...setup, received, send, sent };
}

const framing = ({ headers, body }: Received): unknown[] => [
  headers['content-length'],
  headers['transfer-encoding'],
  body,
];

async function* parts(...texts: unknown[]): AsyncGenerator<unknown> {
  for (const text of texts) {
    await sleep(1);
    yield text;
  }
}

describe('a body', LIMIT, () => {
  it('of bytes has a length', async (t) => {
    const { sent } = await receiving(t);
    const bytes = new Uint8Array([120, 97, 98, 99, 120]);
    const kinds: unknown[] = [
      'abc',
      Buffer.from('abc'),
      bytes.subarray(1, 4),
      new DataView(bytes.buffer, 1, 3),
      bytes.slice(1, 4).buffer,
      runInNewContext('Uint8Array.of(97, 98, 99).buffer'),
      new Blob(['a', 'bc']),
    ];
    for (const body of kinds) assert.deepEqual(framing(await sent({ body })), ['3', undefined, 'abc']);
    const wide = await sent({ body: '\u00e9' });
    assert.equal(wide.headers['content-length'], '2');
  });

  it('that comes in parts goes in chunks, whatever the method', async (t) => {
    const { sent } = await receiving(t);
    const kinds: (() => unknown)[] = [
      () => Readable.from([Buffer.from('a'), Buffer.from('bc')]),
      () => Readable.from(['ab', 'c']),
      () => parts('a', Buffer.from('b'), new Uint8Array([99])),
      () => ['a', '', 'bc'],
      () => new Set(['abc']),
      () => new Blob(['abc']).stream(),
      () => new PassThrough().end('abc'),
    ];
    for (const method of ['POST', 'PUT', 'DELETE', 'GET', 'REPORT']) {
      for (const make of kinds)
        assert.deepEqual(
          framing(await sent({ body: make(), method })),
          [undefined, 'chunked', 'abc'],
          method,
        );
    }
  });

  it('that comes in parts is read as `for await` reads', async (t) => {
    const { send, sent } = await receiving(t);
    const promised = [Promise.resolve('a'), 'b', Promise.resolve(Buffer.from('c'))];
    const noAsync = { [Symbol.asyncIterator]: undefined, [Symbol.iterator]: () => promised.values() };
    for (const body of [promised, noAsync]) assert.equal((await sent({ body })).body, 'abc');
    const failure = new Error('no more');
    let isLeft = false;
    const failing = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(failure),
        return: () => {
          isLeft = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    assert.equal((await send({ body: failing })).error, failure);
    assert.equal(isLeft, false, 'what has failed is not told to clean up');
  });

  it('that comes in parts has the length that its headers say', async (t) => {
    const { sent } = await receiving(t);
    for (const headers of [{ 'content-length': '3' }, { 'Content-Length': 3 }, ['content-length', '3']])
      assert.deepEqual(framing(await sent({ body: parts('a', 'bc'), headers })), ['3', undefined, 'abc']);
  });

  it('that is empty is none: with a length where the method mostly has one', async (t) => {
    const { sent } = await receiving(t);
    for (const body of [undefined, null, '', Buffer.alloc(0), new Uint8Array()]) {
      assert.deepEqual(framing(await sent({ body })), ['0', undefined, '']);
      for (const method of ['GET', 'DELETE', 'OPTIONS'])
        assert.deepEqual(framing(await sent({ body, method })), [undefined, undefined, ''], method);
    }
    assert.deepEqual(framing(await sent({ body: parts() })), ['0', undefined, '']);
    assert.deepEqual(framing(await sent({ body: new Blob([]) })), ['0', undefined, '']);
  });

  it('that a server expects none of, is the last on its connection', async (t) => {
    const { sent, server } = await receiving(t);
    for (const [i, method] of ['GET', 'HEAD', 'get', 'Head'].entries()) {
      const { headers } = await sent({ method, body: 'x' });
      assert.equal(headers.connection, 'close');
      assert.equal(server.connections(), i + 1);
    }
    const kept = await sent({ method: 'GET', body: 'x', reset: false });
    assert.equal(kept.headers.connection, 'keep-alive');
  });

  it('that is a form is multipart, with its length', async (t) => {
    const { sent } = await receiving(t);
    for (const [name, { FormData }] of fetches) {
      const form = new FormData();
      form.append('a"\r\nb', 'one\ntwo\r\nthree');
      form.append('file', new Blob(['content'], { type: 'text/x' }) as never, 'n"ame');
      form.append('blob', new Blob(['more']) as never);
      const { headers, body } = await sent({ body: form });
      const [, boundary] = /boundary=(.*)/.exec(headers['content-type'] ?? '') ?? [];
      assert.equal(
        body,
        [
          `--${boundary}`,
          'Content-Disposition: form-data; name="a%22%0D%0Ab"',
          '',
          'one\r\ntwo\r\nthree',
          `--${boundary}`,
          'Content-Disposition: form-data; name="file"; filename="n%22ame"',
          'Content-Type: text/x',
          '',
          'content',
          `--${boundary}`,
          'Content-Disposition: form-data; name="blob"; filename="blob"',
          'Content-Type: application/octet-stream',
          '',
          'more',
          `--${boundary}--`,
          '',
        ].join('\r\n'),
        name,
      );
      assert.equal(headers['content-length'], String(body.length));
    }
  });

  it('brings its type, unless headers have one', async (t) => {
    const { sent } = await receiving(t);
    const body = new Blob(['x'], { type: 'text/x' });
    assert.equal((await sent({ body })).headers['content-type'], 'text/x');
    assert.equal((await sent({ body, headers: { 'Content-Type': 'y/z' } })).headers['content-type'], 'y/z');
  });

  it('that is not as long as announced ends its request, and its connection if it has begun', async (t) => {
    const { send, received, agent } = await receiving(t);
    const cases: Partial<DispatchOptions>[] = [
      { body: 'abc', headers: { 'content-length': '4' } },
      { body: new Blob(['abc']), headers: { 'content-length': '2' } },
      { body: parts('abc'), headers: { 'content-length': '4' } },
      { body: parts('ab', 'cd'), headers: { 'content-length': '3' } },
      { body: parts(), headers: { 'content-length': '3' } },
      { body: Readable.from([Buffer.from('abcd')]), headers: { 'content-length': '3' } },
      { body: Readable.from([Buffer.from('ab')]), headers: { 'content-length': '3' } },
    ];
    for (const options of cases) {
      const { error } = await send(options);
      assert.equal(error?.code, 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH');
    }
    await until(() => activeCount(agent) === 0);
    assert.deepEqual(received, []);
  });

  it('that fails ends its request with its own error, and is told of no more', async (t) => {
    const { send, server, dispatcher, agent } = await receiving(t);
    const failure = new Error('no more');
    async function* failing(): AsyncGenerator<unknown> {
      yield 'some';
      throw failure;
    }
    assert.equal((await send({ body: failing() })).error, failure);
    const stream = new PassThrough();
    stream.write('some');
    const told = recorder('old');
    dispatcher.dispatch({ origin: server.url, path: '/', method: 'POST', body: stream }, told.handler);
    await until(() => told.bodySent === 4);
    stream.destroy(failure);
    await told.over;
    assert.equal(told.error, failure);
    const closed = new PassThrough();
    closed.destroy();
    assert.equal((await send({ body: closed })).error?.code, 'UND_ERR_ABORTED');
    const failed = new PassThrough();
    failed.on('error', () => {}).destroy(failure);
    await new Promise((resolve) => failed.once('close', resolve));
    assert.equal((await send({ body: failed })).error, failure);
    assert.equal((await send({ body: parts({}) })).error?.code, 'UND_ERR_INVALID_ARG');
    await until(() => activeCount(agent) === 0);
  });

  it('that fails while its request waits, ends that', async (t) => {
    const held = await setUp(t, () => {}, { maxSockets: 1 });
    const first = recorder('new');
    const options = { origin: held.server.url, path: '/', method: 'POST' };
    held.dispatcher.dispatch(options, first.handler);
    await until(() => activeCount(held.agent) === 1);
    const body = new PassThrough();
    const told = recorder('old');
    held.dispatcher.dispatch({ ...options, body }, told.handler);
    await until(() => waitingCount(held.agent) === 1);
    const failure = new Error('no more');
    body.destroy(failure);
    await told.over;
    assert.equal(told.error, failure);
    await until(() => waitingCount(held.agent) === 0);
  });

  it('is not touched before its request has a connection, and is free for another try', async (t) => {
    const { server, dispatcher } = await receiving(t);
    const { port } = server;
    await server.close();
    const body = new PassThrough().end('abc');
    const told = recorder('new');
    await run(dispatcher, { origin: `https://localhost:${port}`, path: '/', method: 'POST', body }, told);
    assert.ok(told.error);
    assert.deepEqual([body.destroyed, body.readableDidRead, body.listenerCount('error')], [false, false, 0]);
  });

  it('is let go when the request is aborted', async (t) => {
    const { server, dispatcher } = await receiving(t);
    const options = { origin: server.url, path: '/', method: 'POST' };
    let isLeft = false;
    async function* endless(): AsyncGenerator<unknown> {
      try {
        for (;;) {
          yield 'x';
          await sleep(1);
        }
      } finally {
        isLeft = true;
      }
    }
    const inParts = recorder('new');
    dispatcher.dispatch({ ...options, body: endless() }, inParts.handler);
    await until(() => inParts.bodySent > 0);
    inParts.controls.abort();
    await until(() => isLeft);
    const stream = new PassThrough();
    stream.write('x');
    const streamed = recorder('new');
    dispatcher.dispatch({ ...options, body: stream }, streamed.handler);
    await until(() => streamed.bodySent > 0);
    streamed.controls.abort();
    await until(() => stream.destroyed);
  });

  it('of an early answer is not sent to its end', async (t) => {
    const { server, dispatcher, agent } = await setUp(t, (_req, res) => {
      res.statusCode = 413;
      res.end('too much');
    });
    const stream = new PassThrough();
    stream.write('some');
    const told = recorder('new');
    await run(dispatcher, { origin: server.url, path: '/', method: 'POST', body: stream }, told);
    assert.deepEqual(told.events.slice(-3), ['headers 413', 'data', 'end']);
    assert.ok(stream.destroyed);
    await until(() => agent.totalSocketCount === 0);
  });

  it('is no emitter that cannot be read', async (t) => {
    const { send } = await receiving(t);
    for (const body of [7, true, {}, new EventEmitter(), () => {}, Symbol('x')])
      assert.equal((await send({ body })).error?.code, 'UND_ERR_INVALID_ARG');
  });
});
