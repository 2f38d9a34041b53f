/** Handlers of both kinds: what they hear, in which order, and that they hear of one end, whenever they abort or throw. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { rawServer } from '../support/server.js';
import { activeCount, poolingAgent, waitingCount } from '../support/agent.js';
import { until } from '../support/until.js';
import { dispatcher } from '../../src/undici/index.js';
import { KINDS, LIMIT, recorder, run, setUp } from './support.js';
import type { Hooks } from './support.js';

for (const kind of KINDS) {
  describe(`a handler of the ${kind} kind`, LIMIT, () => {
    it('hears of a response from start to end', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (_req, res) => {
        res.writeHead(200, 'Fine', [
          'X-One',
          '1',
          'Set-Cookie',
          'a',
          'Set-Cookie',
          'b',
          'Set-Cookie',
          'c',
          'Trailer',
          'x-end',
        ]);
        res.write('body');
        res.addTrailers({ 'X-End': 'last' });
        res.end();
      });
      const told = await run(over, { origin: server.url, path: '/', method: 'GET' }, recorder(kind));
      assert.deepEqual(told.events, ['start', 'sent', 'headers 200', 'data', 'end']);
      assert.equal(told.body, 'body');
      assert.equal(told.headers['x-one'], '1');
      assert.ok(told.rawHeaders.includes('X-One'), 'as they came');
      assert.equal(told.rawHeaders.filter((text) => text === 'Set-Cookie').length, 3);
      assert.deepEqual(told.trailers, { 'x-end': 'last' });
      if (kind === 'new') assert.deepEqual(told.headers['set-cookie'], ['a', 'b', 'c']);
    });

    it('hears of informational responses, and not of 100', async (t) => {
      const server = await rawServer(t, (socket) =>
        socket.on('data', () =>
          socket.write(
            'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n' +
              'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
          ),
        ),
      );
      const over = dispatcher(poolingAgent(t, { ca: server.ca }));
      const told = await run(over, { origin: server.url, path: '/', method: 'GET' }, recorder(kind));
      assert.deepEqual(told.events, ['start', 'sent', 'info 103', 'info 102', 'headers 200', 'data', 'end']);
      assert.deepEqual(told.info, [{ link: '</a.css>' }, {}]);
    });

    it('pauses and resumes', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (_req, res) => {
        res.write('1');
        setTimeout(() => res.end('2'), 10);
      });
      const told = recorder(kind, {
        headers: (_status, controls) => controls.pause(),
        data: (_chunk, controls) => controls.pause(),
      });
      const over_ = run(over, { origin: server.url, path: '/', method: 'GET' }, told);
      await until(() => told.events.includes('headers 200'));
      await sleep(50);
      assert.equal(told.body, '');
      told.controls.resume();
      await until(() => told.body === '1');
      await sleep(50);
      assert.equal(told.body, '1');
      told.controls.resume();
      await until(() => told.body === '12');
      assert.ok(!told.events.includes('end'));
      told.controls.resume();
      await over_;
      assert.equal(told.events.at(-1), 'end');
    });

    it('aborts at any moment, and hears why, once', async (t) => {
      const reason = new Error('enough');
      const moments: Record<string, Hooks> = {
        start: { started: (controls) => controls.abort(reason) },
        headers: { headers: (_status, controls) => controls.abort(reason) },
        data: { data: (_chunk, controls) => controls.abort(reason) },
      };
      for (const [moment, hooks] of Object.entries(moments)) {
        const { server, agent, dispatcher: over } = await setUp(t, (_req, res) => void res.write('some'));
        const told = await run(over, { origin: server.url, path: '/', method: 'GET' }, recorder(kind, hooks));
        assert.equal(told.error, reason, moment);
        await until(() => agent.totalSocketCount === 0);
        if (moment === 'start') assert.equal(server.connections(), 0);
        told.controls.abort(new Error('again'));
        assert.equal(told.ends, 1);
      }
    });

    it('aborts while it connects, while it waits, and when it is over', async (t) => {
      const {
        server,
        agent,
        dispatcher: over,
      } = await setUp(t, (req, res) => void (req.url === '/hold' || res.end()), { maxSockets: 1 });
      const options = { origin: server.url, path: '/hold', method: 'GET' };
      const connecting = recorder(kind);
      over.dispatch(options, connecting.handler);
      connecting.controls.abort();
      await connecting.over;
      assert.equal(connecting.error?.code, 'UND_ERR_ABORTED');
      assert.equal(connecting.error?.name, 'AbortError');

      const holding = recorder(kind);
      over.dispatch(options, holding.handler);
      const waiting = recorder(kind);
      over.dispatch(options, waiting.handler);
      await until(() => waitingCount(agent) === 1);
      waiting.controls.abort();
      await waiting.over;
      assert.equal(waitingCount(agent), 0);
      await until(() => activeCount(agent) === 1);
      holding.controls.abort();
      await holding.over;

      const told = await run(over, { ...options, path: '/' }, recorder(kind));
      told.controls.abort();
      told.controls.pause();
      told.controls.resume();
      await setImmediate();
      assert.deepEqual([told.ends, told.error], [1, undefined]);
    });

    it('throws, and that is the end of its request', async (t) => {
      const error = new Error('thrown');
      const fail = (): never => {
        throw error;
      };
      const moments: Record<string, Hooks> = {
        start: { started: fail },
        headers: { headers: fail },
        data: { data: fail },
        end: { ended: fail },
      };
      for (const [moment, hooks] of Object.entries(moments)) {
        const { server, dispatcher: over } = await setUp(t);
        const told = recorder(kind, hooks);
        over.dispatch({ origin: server.url, path: '/', method: 'GET' }, told.handler);
        await until(() => told.error);
        assert.equal(told.error, error, moment);
        // With 'end', undici tells of both.
        assert.equal(told.ends, moment === 'end' ? 2 : 1);
      }
    });

    it('hears of each part of a body that is sent', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (req, res) => {
        req.resume();
        req.on('end', () => res.end());
      });
      const options = { origin: server.url, path: '/', method: 'POST' };
      const bytes = await run(over, { ...options, body: 'four' }, recorder(kind));
      assert.equal(bytes.bodySent, 4);
      const parts = await run(over, { ...options, body: ['one', 'four'] }, recorder(kind));
      assert.equal(parts.bodySent, 7);
      assert.ok(parts.events.includes('sent'));
    });
  });
}

describe('the controller of a request', LIMIT, () => {
  it('tells how things stand', async (t) => {
    const { server, dispatcher: over } = await setUp(t, (_req, res) => void res.write('some'));
    const told = recorder('new', { data: (_chunk, controls) => controls.pause() });
    over.dispatch({ origin: server.url, path: '/', method: 'GET' }, told.handler);
    const { controller } = told;
    assert.deepEqual([controller?.aborted, controller?.paused, controller?.reason], [false, false, null]);
    assert.equal(controller?.rawHeaders, null);
    await until(() => told.body);
    assert.equal(controller?.paused, true);
    const reason = new Error('enough');
    controller?.abort(reason);
    await told.over;
    assert.deepEqual([controller?.aborted, controller?.reason], [true, reason]);
  });

  it('takes other headers from interceptors', async (t) => {
    const { server, dispatcher: over } = await setUp(t);
    const told = recorder('new');
    await run(over, { origin: server.url, path: '/', method: 'GET' }, told);
    if (told.controller) told.controller.rawHeaders = ['x', 'y'];
    assert.deepEqual(told.controller?.rawHeaders, ['x', 'y']);
    assert.deepEqual(told.controller?.rawTrailers, []);
  });
});

describe('an interceptor of the new kind', LIMIT, () => {
  it('may change headers and trailers for a handler of the old kind', async (t) => {
    const { server, dispatcher: over } = await setUp(t, (_req, res) => {
      res.writeHead(200, { 'x-was': 'there', 'x-list': ['a', 'b'], trailer: 'x-end' });
      res.addTrailers({ 'x-end': 'there' });
      res.end();
    });
    const changing =
      (dispatch: typeof over.dispatch): typeof over.dispatch =>
      (options, handler) =>
        dispatch(options, {
          onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
          onResponseStart(controller, status, headers, message) {
            const others = { ...headers, 'x-was': undefined, 'x-new': 'here' };
            handler.onResponseStart?.(controller, status, others, message);
          },
          onResponseEnd: (controller) => handler.onResponseEnd?.(controller, { 'x-end': 'changed' }),
          onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
        });
    const told = recorder('old');
    await run(over.compose(changing), { origin: server.url, path: '/', method: 'GET' }, told);
    const { rawHeaders, trailers } = told;
    assert.deepEqual(rawHeaders.slice(rawHeaders.indexOf('x-list'), 4), ['x-list', 'a', 'x-list', 'b']);
    assert.deepEqual([told.headers['x-was'], told.headers['x-new']], [undefined, 'here']);
    assert.deepEqual(trailers, { 'x-end': 'changed' });
  });
});
