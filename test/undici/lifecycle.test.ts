/** The end of a dispatcher, its events, and what several of them over one agent have to do with each other: nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatcher } from '../../src/undici/index.js';
import type { AgentDispatcher } from '../../src/undici/index.js';
import { idleCount, poolingAgent, waitingCount } from '../support/agent.js';
import { proxyServer } from '../support/proxy-server.js';
import { httpsServer, rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { KINDS, LIMIT, recorder, run, setUp, undicis } from './support.js';

for (const kind of KINDS) {
  describe(`the end of a dispatcher, for a handler of the ${kind} kind`, LIMIT, () => {
    it('close() lets requests end, and takes no more', async (t) => {
      const {
        server,
        agent,
        dispatcher: over,
      } = await setUp(t, (_req, res) => void setTimeout(() => res.end(), 50));
      const options = { origin: server.url, path: '/', method: 'GET' };
      const told = recorder(kind);
      over.dispatch(options, told.handler);
      let isClosed = false;
      const closed = over.close().then(() => (isClosed = true));
      assert.deepEqual([over.closed, over.destroyed], [true, false]);
      const late = await run(over, options, recorder(kind));
      assert.deepEqual([late.error?.code, late.error?.name], ['UND_ERR_CLOSED', 'ClientClosedError']);
      assert.equal(isClosed, false);
      await closed;
      assert.equal(told.events.at(-1), 'end');
      assert.deepEqual([over.closed, over.destroyed], [true, true]);
      await assert.rejects(over.close(), { code: 'UND_ERR_DESTROYED' });
      // The agent is its owner's.
      await until(() => idleCount(agent) === 1);
      const other = await run(dispatcher(agent), options, recorder(kind));
      assert.equal(other.events.at(-1), 'end');
      assert.equal(server.connections(), 1);
    });

    it('destroy() ends requests, those that wait too, and takes no more', async (t) => {
      const { server, agent, dispatcher: over } = await setUp(t, () => {}, { maxSockets: 1 });
      const options = { origin: server.url, path: '/', method: 'GET' };
      const told = [recorder(kind), recorder(kind)];
      for (const { handler } of told) over.dispatch(options, handler);
      await until(() => waitingCount(agent) === 1 && server.requests() === 1);
      const error = new Error('over');
      await over.destroy(error);
      for (const one of told) assert.deepEqual([one.error, one.ends], [error, 1]);
      assert.deepEqual([over.closed, over.destroyed], [true, true]);
      const late = await run(over, options, recorder(kind));
      assert.equal(late.error?.code, 'UND_ERR_DESTROYED');
      await until(() => agent.totalSocketCount === 0);
      await over.destroy();
    });
  });
}

describe('a dispatcher', LIMIT, () => {
  it('tells of its end by a callback, too', async (t) => {
    const { dispatcher: over } = await setUp(t);
    await new Promise<void>((resolve) => over.close(resolve));
    const { dispatcher: other, server } = await setUp(t, () => {});
    const told = recorder('new');
    other.dispatch({ origin: server.url, path: '/', method: 'GET' }, told.handler);
    await new Promise<void>((resolve) => other.destroy(null, resolve));
    assert.equal(told.error?.code, 'UND_ERR_DESTROYED');
    await new Promise<void>((resolve) => other.destroy(resolve));
    assert.throws(() => over.close('x' as never), { code: 'UND_ERR_INVALID_ARG' });
    assert.throws(() => over.destroy(null, 'x' as never), { code: 'UND_ERR_INVALID_ARG' });
  });

  it('takes the end of its agent for its own, for each request', async (t) => {
    const { server, agent, dispatcher: over } = await setUp(t, () => {}, { maxSockets: 1 });
    const options = { origin: server.url, path: '/', method: 'GET' };
    const waiting = recorder('new');
    over.dispatch(options, recorder('new').handler);
    over.dispatch(options, waiting.handler);
    await until(() => waitingCount(agent) === 1);
    agent.destroy();
    await waiting.over;
    assert.equal(waiting.error?.code, 'UND_ERR_DESTROYED');
    assert.equal((waiting.error?.cause as { code?: string }).code, 'ERR_AGENT_DESTROYED');
    await agent.close();
    const late = await run(over, options, recorder('new'));
    assert.equal(late.error?.code, 'UND_ERR_CLOSED');
    assert.equal((late.error?.cause as { code?: string }).code, 'ERR_AGENT_CLOSED');
  });

  it('says false while a host has more requests than connections, and emits drain', async (t) => {
    const {
      server,
      agent,
      dispatcher: over,
    } = await setUp(t, (_req, res) => void setTimeout(() => res.end(), 20), { maxSockets: 1 });
    const drained: unknown[] = [];
    over.on('drain', (origin) => drained.push(String(origin)));
    const all = [recorder('new'), recorder('new'), recorder('new')] as const;
    const options = { origin: server.url, path: '/', method: 'GET' };
    assert.equal(over.dispatch(options, all[0].handler), true);
    over.dispatch(options, all[1].handler);
    await once(agent, 'saturated');
    assert.equal(over.dispatch(options, all[2].handler), false);
    await Promise.all(all.map((told) => told.over));
    await until(() => drained.length === 1);
    assert.deepEqual(drained, [`${server.url}/`]);
    const again = recorder('new');
    assert.equal(over.dispatch(options, again.handler), true);
    await again.over;
    await over.close();
    assert.equal(agent.listenerCount('saturated') + agent.listenerCount('drained'), 0);
  });

  it('may be one of very many over one agent', async (t) => {
    const { server, agent } = await setUp(t, (_req, res) => void setTimeout(() => res.end(), 5), {
      maxSockets: 1,
    });
    const options = { origin: server.url, path: '/', method: 'GET' };
    const all = Array.from({ length: 20 }, () => dispatcher(agent));
    const running = [recorder('new'), ...all.map(() => recorder('new'))];
    all.map((over, i) => over.dispatch(options, (running[i] ?? assert.fail()).handler));
    await once(agent, 'saturated');
    // `once` has one listener more.
    assert.deepEqual([agent.listenerCount('saturated'), agent.listenerCount('drained')], [1, 1]);
    const drained: AgentDispatcher[] = [];
    for (const over of all) over.on('drain', () => drained.push(over));
    const [first, second, third] = all as [AgentDispatcher, AgentDispatcher, AgentDispatcher];
    assert.equal(first.dispatch(options, recorder('new').handler), false);
    assert.equal(second.dispatch(options, recorder('new').handler), false);
    assert.equal(third.dispatch(options, recorder('new').handler), false);
    await third.destroy();
    await until(() => drained.length > 0);
    assert.deepEqual(drained, [first, second]);
    await Promise.all(all.map((over) => (over === third ? undefined : over.close())));
    assert.deepEqual([agent.listenerCount('saturated'), agent.listenerCount('drained')], [0, 0]);
  });

  it('ends what comes after close() with UND_ERR_CLOSED, with nothing under way, too', async (t) => {
    const { server, dispatcher: over } = await setUp(t);
    const closing = over.close();
    const told = await run(over, { origin: server.url, path: '/', method: 'GET' }, recorder('new'));
    assert.equal(told.error?.code, 'UND_ERR_CLOSED');
    await closing;
    assert.equal(over.destroyed, true);
  });

  it('emits connect, disconnect and connectionError', async (t) => {
    const { server, dispatcher: over } = await setUp(t);
    const events: string[] = [];
    for (const name of ['connect', 'disconnect', 'connectionError'] as const) {
      over.on(name, (origin: URL, targets: unknown[], error?: Error) => {
        assert.deepEqual(targets, [over]);
        events.push(`${name} ${origin.port === String(server.port)} ${error !== undefined}`);
      });
    }
    const options = { origin: server.url, path: '/', method: 'GET' };
    await run(over, options, recorder('new'));
    await run(over, options, recorder('new'));
    assert.deepEqual(events, ['connect true false']);
    await server.close();
    await until(() => events.length === 2);
    assert.equal(events[1], 'disconnect true true');
    await run(over, options, recorder('new'));
    assert.deepEqual(events.slice(2), ['connectionError true true']);
  });

  it('leaves the requests of another one alone', async (t) => {
    const server = await httpsServer(t, (_req, res) => void setTimeout(() => res.end('answer'), 30));
    const agent = poolingAgent(t, { ca: server.ca });
    const [one, other] = [dispatcher(agent), dispatcher(agent)];
    const options = { origin: server.url, path: '/', method: 'GET' };
    const [ended, answered] = [recorder('new'), recorder('new')];
    one.dispatch(options, ended.handler);
    other.dispatch(options, answered.handler);
    await one.destroy();
    await answered.over;
    assert.deepEqual([ended.error?.code, answered.body], ['UND_ERR_DESTROYED', 'answer']);
  });
});

describe('an error', LIMIT, () => {
  it('of the pool or of the system stays what it is', async (t) => {
    const { server, dispatcher: over } = await setUp(t, () => {}, { maxSockets: 1, maxQueueSize: 0 });
    const options = { origin: server.url, path: '/', method: 'GET' };
    over.dispatch(options, recorder('new').handler);
    await until(() => server.requests() === 1);
    const full = await run(over, options, recorder('new'));
    assert.equal(full.error?.code, 'ERR_POOL_QUEUE_FULL');
    const untrusted = dispatcher(poolingAgent(t));
    assert.equal((await run(untrusted, options, recorder('new'))).error?.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it('of a connection that is not ready in time has the code of undici, and its own as cause', async (t) => {
    const server = await rawServer(t, () => {}, { SNICallback: () => {} });
    const agent = poolingAgent(t, { ca: server.ca, connectTimeout: 50 });
    const told = await run(
      dispatcher(agent),
      { origin: server.url, path: '/', method: 'GET' },
      recorder('old'),
    );
    assert.deepEqual(
      [told.error?.code, told.error?.name],
      ['UND_ERR_CONNECT_TIMEOUT', 'ConnectTimeoutError'],
    );
    assert.equal((told.error?.cause as { code?: string; phase?: string }).phase, 'secureConnect');
    for (const [, { errors }] of undicis) {
      assert.ok(told.error instanceof errors.ConnectTimeoutError);
      assert.ok(told.error instanceof errors.UndiciError);
      assert.ok(!(told.error instanceof errors.SocketError));
    }
  });

  it('of a tunnel that is not open in time has that code, too, whoever has set the time', async (t) => {
    const { url } = await proxyServer(t, { answer: () => {} });
    for (const options of [{ connectTimeout: 50, proxy: url }, { proxy: { url, connectTimeout: 50 } }]) {
      const over = dispatcher(poolingAgent(t, options));
      const { error } = await run(
        over,
        { origin: 'https://a.test', path: '/', method: 'GET' },
        recorder('new'),
      );
      assert.equal(error?.code, 'UND_ERR_CONNECT_TIMEOUT');
      assert.equal((error?.cause as { phase?: string }).phase, 'tunnel');
    }
  });

  it('of a lost connection says which one it was', async (t) => {
    const server = await rawServer(t, (socket) => socket.on('data', () => socket.end()));
    const told = await run(
      dispatcher(poolingAgent(t, { ca: server.ca })),
      { origin: server.url, path: '/', method: 'POST', body: 'x' },
      recorder('old'),
    );
    assert.deepEqual([told.error?.code, told.error?.message], ['UND_ERR_SOCKET', 'other side closed']);
    assert.equal((told.error?.cause as { code?: string }).code, 'ECONNRESET');
    const { socket } = told.error as unknown as { socket: { bytesWritten: number } };
    assert.ok(socket.bytesWritten > 0);
  });

  it('of a response that is cut short tells so', async (t) => {
    const server = await rawServer(t, (socket) =>
      socket.on('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nsome'),
      ),
    );
    const told = await run(
      dispatcher(poolingAgent(t, { ca: server.ca })),
      { origin: server.url, path: '/', method: 'GET' },
      recorder('new'),
    );
    assert.equal(told.error?.code, 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH');
    assert.equal(told.body, 'some');
  });

  it('of what is no HTTP keeps its code', async (t) => {
    const server = await rawServer(t, (socket) => socket.on('data', () => socket.write('nonsense\r\n\r\n')));
    const told = await run(
      dispatcher(poolingAgent(t, { ca: server.ca })),
      { origin: server.url, path: '/', method: 'GET' },
      recorder('new'),
    );
    assert.match(told.error?.code ?? '', /^HPE_/);
    await sleep(5);
    assert.equal(told.ends, 1);
  });
});
