/** Code of others that throws: handlers, listeners, callbacks, streams. Its exception is uncaught, and each request has its one end all the same. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { DispatchHandler, DispatchOptions } from '../../src/undici/index.js';
import { activeCount } from '../support/agent.js';
import { collectUncaught } from '../support/uncaught.js';
import { until } from '../support/until.js';
import { KINDS, LIMIT, recorder, run, setUp, undicis } from './support.js';
import type { Hooks, Told } from './support.js';

const failure = new Error('thrown');
const fail = (): never => {
  throw failure;
};

/** `told`, whose handler throws when it hears of its error, too. */
function deaf(told: Told): Told {
  for (const name of ['onError', 'onResponseError'] as const) {
    const { [name]: tell } = told.handler;
    if (!tell) continue;
    told.handler[name] = (...args: unknown[]): never => {
      Reflect.apply(tell, told.handler, args);
      return fail();
    };
  }
  return told;
}

for (const kind of KINDS) {
  describe(`a handler of the ${kind} kind that throws`, LIMIT, () => {
    it('when it hears of its error, at whatever moment, hears of that once', async (t) => {
      const uncaught = collectUncaught(t);
      const { server, agent, dispatcher: over } = await setUp(t);
      const options = { origin: server.url, path: '/', method: 'POST', body: 'x' };
      const moments: [Hooks, DispatchHandler][] = [
        [{ started: fail }, {}],
        [{ headers: fail }, {}],
        [{ data: fail }, {}],
        [{ started: (controls) => controls.abort(failure) }, {}],
        [{}, { onBodySent: fail }],
        [{}, { onRequestSent: fail }],
      ];
      for (const [hooks, also] of moments) {
        const told = deaf(recorder(kind, hooks));
        Object.assign(told.handler, also);
        await run(over, options, told);
        assert.equal(told.error, failure);
        await until(() => uncaught.length === 1);
        assert.equal(uncaught.pop(), failure);
      }
      await until(() => activeCount(agent) === 0);
      await over.close();
    });

    it('is told of nothing after its error', async (t) => {
      const { server, dispatcher: over } = await setUp(t);
      for (const method of ['onBodySent', 'onResponseStarted'] as const) {
        const told = recorder(kind);
        told.handler[method] = fail;
        await run(over, { origin: server.url, path: '/', method: 'POST', body: 'x' }, told);
        assert.deepEqual(
          told.events.filter((event) => event !== 'sent'),
          ['start', 'error'],
        );
      }
    });

    it('leaves no timer behind that would keep the process alive', async (t) => {
      const { agent, server, dispatcher: over } = await setUp(t);
      const timers = (): number =>
        process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
      const options = { origin: server.url, path: '/', method: 'POST' };
      const before = timers();
      const failing = { [Symbol.asyncIterator]: fail };
      for (const [body, also] of [
        [failing, {}],
        [['x'], { onBodySent: fail }],
        ['x', { onResponseStarted: fail }],
      ] as const) {
        // The second one is sent on a connection that is ready.
        for (let i = 0; i < 2; i++) {
          const told = recorder(kind);
          Object.assign(told.handler, also);
          await run(over, { ...options, body }, told);
          assert.equal(told.error, failure);
        }
      }
      await until(() => activeCount(agent) === 0);
      assert.equal(timers(), before);
    });
  });
}

for (const kind of KINDS) {
  it(`a handler of the ${kind} kind never hears of something falsy for an error`, LIMIT, async (t) => {
    const { agent, server, dispatcher: over } = await setUp(t);
    const options = { origin: server.url, path: '/', method: 'POST' };
    for (const value of [undefined, null, 0, '', false]) {
      const failFalsely = (): never => {
        throw value;
      };
      const requests: [DispatchOptions, Hooks][] = [
        [{ ...options, body: { [Symbol.asyncIterator]: failFalsely } }, {}],
        [{ ...options, body: { [Symbol.asyncIterator]: () => ({ next: failFalsely }) } }, {}],
        [{ ...options, body: new PassThrough({ autoDestroy: false, read: () => {} }) }, {}],
        [Object.defineProperty({ ...options }, 'headers', { get: failFalsely }), {}],
        [options, { ended: failFalsely }],
      ];
      for (const [request, hooks] of requests) {
        const told = recorder(kind, hooks);
        over.dispatch(request, told.handler);
        if (request.body instanceof PassThrough) request.body.emit('error', value);
        await until(() => told.error !== undefined);
        assert.equal(told.error?.code, 'UND_ERR_ABORTED');
      }
    }
    await until(() => activeCount(agent) === 0);
  });
}

it("undici's functions reject where the body throws something falsy", LIMIT, async (t) => {
  const { server, dispatcher: over } = await setUp(t);
  for (const [, undici] of undicis) {
    const parts = async function* (): AsyncGenerator<string> {
      yield 'a';
      // oxlint-disable-next-line no-throw-literal -- code of others throws anything
      throw undefined;
    };
    const sent = undici.request(server.url, {
      method: 'POST',
      body: parts() as never,
      dispatcher: over as never,
    });
    await assert.rejects(sent, { code: 'UND_ERR_ABORTED' });
  }
});

describe('one that throws stops no other:', LIMIT, () => {
  it('handlers whose requests are destroyed, and callbacks', async (t) => {
    const uncaught = collectUncaught(t);
    const { server, dispatcher: over } = await setUp(t, () => {});
    const all = [deaf(recorder('new')), deaf(recorder('old')), recorder('new')];
    for (const told of all) over.dispatch({ origin: server.url, path: '/', method: 'GET' }, told.handler);
    over.close(fail);
    const isClosed = new Promise<void>((resolve) => over.close(resolve));
    await over.destroy();
    await isClosed;
    for (const { ends, error } of all) assert.deepEqual([ends, error?.code], [1, 'UND_ERR_DESTROYED']);
    await until(() => uncaught.length === 3);
  });

  it('listeners of a dispatcher', async (t) => {
    const uncaught = collectUncaught(t);
    const { server, dispatcher: over } = await setUp(t);
    for (const event of ['connect', 'disconnect', 'connectionError']) over.on(event, fail);
    const options = { origin: server.url, path: '/', method: 'GET' };
    assert.equal((await run(over, options, recorder('new'))).error, undefined);
    await server.close();
    await until(() => uncaught.length === 2);
    assert.ok((await run(over, options, recorder('new'))).error);
    await until(() => uncaught.length === 3);
    await over.close();
  });
});

describe('a stream that throws', LIMIT, () => {
  const moments: Record<string, (stream: PassThrough) => void> = {
    on: (stream) => (stream.on = fail),
    pause: (stream) => (stream.pause = fail),
    resume: (stream) => {
      const { pause } = stream;
      stream.pause = () => {
        stream.resume = fail;
        return pause.call(stream);
      };
    },
    destroy: (stream) => {
      stream.destroy = fail;
      stream.emit('error', failure);
    },
  };
  for (const [method, spoil] of Object.entries(moments)) {
    it(`in ${method}() has its request end`, async (t) => {
      const uncaught = collectUncaught(t);
      const {
        server,
        agent,
        dispatcher: over,
      } = await setUp(t, (req, res) => {
        req.on('end', () => res.end()).resume();
      });
      const stream = new PassThrough({ highWaterMark: 1 << 22 });
      stream.on('error', () => {});
      // More than a connection takes at once.
      stream.write(Buffer.alloc(1 << 22));
      stream.write('x');
      const options: DispatchOptions = { origin: server.url, path: '/', method: 'POST', body: stream };
      const told = recorder('new');
      if (method === 'destroy') over.dispatch(options, told.handler);
      spoil(stream);
      if (method === 'destroy') await told.over;
      else await run(over, options, told);
      assert.equal(told.error, failure);
      await setImmediate();
      assert.ok(uncaught.every((error) => error === failure));
      await until(() => activeCount(agent) === 0);
      await over.close();
    });
  }
});

describe('headers that Node’s client refuses only when it sends them', LIMIT, () => {
  it('end their request, which lets its connection go', async (t) => {
    const { server, agent, dispatcher: over } = await setUp(t, undefined, {}, { headersTimeout: 50 });
    const options = { origin: server.url, path: '/', method: 'GET' };
    const told = await run(over, { ...options, headers: { trailer: 'x' } }, recorder('new'));
    assert.equal(told.error?.code, 'UND_ERR_INVALID_ARG');
    await over.close();
    await until(() => activeCount(agent) === 0);
    assert.equal(told.ends, 1);
  });
});
