/** Limits that end a request which takes too long or brings too much; and a body that waits until the server asks for it. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatcher } from '../../src/undici/index.js';
import { activeCount, poolingAgent } from '../support/agent.js';
import { rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { KINDS, LIMIT, recorder, run, setUp } from './support.js';

for (const kind of KINDS) {
  describe(`a request with a handler of the ${kind} kind`, LIMIT, () => {
    it('ends when no response begins within headersTimeout', async (t) => {
      const { server, agent, dispatcher: over } = await setUp(t, () => {}, {}, { headersTimeout: 30 });
      const options = { origin: server.url, path: '/', method: 'GET' };
      const told = await run(over, options, recorder(kind));
      assert.deepEqual(
        [told.error?.code, told.error?.name],
        ['UND_ERR_HEADERS_TIMEOUT', 'HeadersTimeoutError'],
      );
      const own = dispatcher(agent);
      const again = await run(own, { ...options, headersTimeout: 20 }, recorder(kind));
      assert.equal(again.error?.code, 'UND_ERR_HEADERS_TIMEOUT');
      await until(() => agent.totalSocketCount === 0);
    });

    it('ends when nothing more of the body comes within bodyTimeout', async (t) => {
      const { server, agent, dispatcher: over } = await setUp(t, (_req, res) => void res.write('some'));
      const options = { origin: server.url, path: '/', method: 'GET', bodyTimeout: 30 };
      const told = await run(over, options, recorder(kind));
      assert.deepEqual([told.error?.code, told.error?.name], ['UND_ERR_BODY_TIMEOUT', 'BodyTimeoutError']);
      assert.equal(told.body, 'some');
      await until(() => agent.totalSocketCount === 0);
    });

    it('may pause for longer than bodyTimeout', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (_req, res) => {
        res.write('1');
        setTimeout(() => res.end('2'), 5);
      });
      const told = recorder(kind, { headers: (_status, controls) => controls.pause() });
      const options = { origin: server.url, path: '/', method: 'GET', bodyTimeout: 1000 };
      const running = run(over, options, told);
      await until(() => told.events.includes('headers 200'));
      await sleep(1200);
      told.controls.resume();
      await running;
      assert.deepEqual([told.error, told.body], [undefined, '12']);
    });

    it('ends when the body is larger than maxResponseSize', async (t) => {
      const {
        server,
        agent,
        dispatcher: over,
      } = await setUp(
        t,
        (req, res) => res.end('x'.repeat(Number(req.url?.slice(1)))),
        {},
        { maxResponseSize: 10 },
      );
      const options = { origin: server.url, method: 'GET' };
      const right = await run(over, { ...options, path: '/10' }, recorder(kind));
      assert.equal(right.body.length, 10);
      const large = await run(over, { ...options, path: '/11' }, recorder(kind));
      assert.equal(large.error?.code, 'UND_ERR_RES_EXCEEDED_MAX_SIZE');
      assert.equal(large.error?.name, 'ResponseExceededMaxSizeError');
      assert.equal(large.body, '');
      await until(() => activeCount(agent) === 0);
    });

    it('ends when the headers are larger than maxHeaderSize', async (t) => {
      const { server, dispatcher: over } = await setUp(
        t,
        (_req, res) => res.setHeader('x-large', 'x'.repeat(3000)).end(),
        {},
        { maxHeaderSize: 2000 },
      );
      const told = await run(over, { origin: server.url, path: '/', method: 'GET' }, recorder(kind));
      assert.equal(told.error?.code, 'UND_ERR_HEADERS_OVERFLOW');
      assert.equal((told.error?.cause as { code?: string }).code, 'HPE_HEADER_OVERFLOW');
    });
  });
}

describe('headersTimeout', LIMIT, () => {
  it('does not count the wait for a connection', async (t) => {
    const { server, dispatcher: over } = await setUp(
      t,
      (_req, res) => void setTimeout(() => res.end(), 700),
      { maxSockets: 1 },
    );
    const options = { origin: server.url, path: '/', method: 'GET', headersTimeout: 2000 };
    const all = await Promise.all(Array.from({ length: 4 }, () => run(over, options, recorder('new'))));
    for (const { error } of all) assert.equal(error, undefined);
  });

  it('does not count the time in which the caller has no more of the body', async (t) => {
    const { server, dispatcher: over } = await setUp(t, (req, res) => {
      req.resume();
      req.on('end', () => res.end());
    });
    const body = new PassThrough();
    body.write('some');
    const told = recorder('new');
    const options = { origin: server.url, path: '/', method: 'POST', body, headersTimeout: 200 };
    const running = run(over, options, told);
    await until(() => told.bodySent > 0);
    await sleep(700);
    body.end();
    assert.equal((await running).error, undefined);
  });

  it('counts when the server does not read the body', async (t) => {
    const { server, dispatcher: over } = await setUp(t, () => {});
    const body = new PassThrough();
    const fill = (): void => {
      while (body.write(Buffer.alloc(65_536)));
    };
    body.on('drain', fill);
    fill();
    const options = { origin: server.url, path: '/', method: 'POST', body, headersTimeout: 100 };
    const told = await run(over, options, recorder('new'));
    assert.equal(told.error?.code, 'UND_ERR_HEADERS_TIMEOUT');
    assert.ok(body.destroyed);
  });

  it('counts when the handler has paused before the response has begun', async (t) => {
    const { server, dispatcher: over } = await setUp(t, () => {});
    const options = { origin: server.url, path: '/', method: 'GET', headersTimeout: 50 };
    const told = await run(over, options, recorder('new', { started: (controls) => controls.pause() }));
    assert.equal(told.error?.code, 'UND_ERR_HEADERS_TIMEOUT');
  });

  it('is not over while the event loop stood still, and the answer is there', async (t) => {
    const { server, dispatcher: over } = await setUp(t, (_req, res) => res.end());
    const options = { origin: server.url, path: '/', method: 'GET', headersTimeout: 400 };
    await run(over, { ...options, headersTimeout: 5000 }, recorder('new'));
    const told = recorder('new');
    const running = run(over, options, told);
    await until(() => server.requests() === 2);
    const end = Date.now() + 600;
    while (Date.now() < end);
    assert.equal((await running).error, undefined);
  });

  it('has no end with 0', async (t) => {
    const { server, dispatcher: over } = await setUp(t, (_req, res) => void setTimeout(() => res.end(), 50));
    const options = { origin: server.url, path: '/', method: 'GET', headersTimeout: 0, bodyTimeout: 0 };
    assert.equal((await run(over, options, recorder('new'))).error, undefined);
  });
});

describe('a body that waits for "100 Continue"', LIMIT, () => {
  const expecting = { path: '/', method: 'POST', body: 'body', expectContinue: true };

  it('is sent when the server asks for it', async (t) => {
    const order: string[] = [];
    const { server, dispatcher: over } = await setUp(t, (req, res) => {
      req.on('data', () => order.push('data'));
      req.on('end', () => res.end(req.headers.expect));
    });
    server.server.on('checkContinue', (req, res) => {
      order.push('asked');
      setTimeout(() => {
        order.push('continued');
        res.writeContinue();
        server.server.emit('request', req, res);
      }, 20);
    });
    for (const more of [{}, { expectContinue: false, headers: { Expect: '100-continue' } }]) {
      order.length = 0;
      const told = await run(over, { origin: server.url, ...expecting, ...more }, recorder('new'));
      assert.equal(told.body, '100-continue');
      assert.deepEqual(order, ['asked', 'continued', 'data']);
    }
  });

  it('is not sent after an answer', async (t) => {
    const { server, agent, dispatcher: over } = await setUp(t);
    let hasData = false;
    server.server.on('checkContinue', (req, res) => {
      req.on('data', () => (hasData = true));
      res.statusCode = 417;
      res.end();
    });
    const told = await run(over, { origin: server.url, ...expecting }, recorder('new'));
    assert.ok(told.events.includes('headers 417'));
    await until(() => agent.totalSocketCount === 0);
    assert.equal(hasData, false);
  });

  it('is sent in the end to a server that says nothing', async (t) => {
    const server = await rawServer(t, (socket: TLSSocket) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.endsWith('\r\n\r\nbody')) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      });
    });
    const over = dispatcher(poolingAgent(t, { ca: server.ca }));
    const told = await run(over, { origin: server.url, ...expecting }, recorder('new'));
    assert.ok(told.events.includes('headers 204'));
  });
});
