/** `agent.close()`: nothing new begins, everything that has begun ends as ever, and the promise tells when. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { fickleServer } from '../connections/fickle-server.js';
import { send, untilIdle } from '../contract/support.js';
import { activeCount, idleCount, poolingAgent, poolOf, waitingCount } from '../support/agent.js';
import { PoolingAgent, READY, request, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { fate, holdingServer, isSettled, LIMIT } from './support.js';

test('idle connections close at once, and no new request is taken', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  await Promise.all([get(server, { agent }), get(server, { agent })]);
  await until(() => idleCount(agent) === 2);
  assert.equal(agent.closed, false);
  const promise = agent.close();
  assert.equal(agent.closed, true);
  assert.equal(idleCount(agent), 0);
  await assert.rejects(get(server, { agent }), {
    code: 'ERR_AGENT_CLOSED',
    message: `The agent is closed and takes no new request to localhost:${server.port}: stop sending before close()`,
  });
  await promise;
  assert.equal(agent.totalSocketCount, 0);
  assert.equal(agent.close(), promise, 'always the same promise');
  await until(() => server.open() === 0);
  await assert.rejects(get(server, { agent }), { code: 'ERR_AGENT_CLOSED' });
  assert.equal(poolOf(agent).hosts.size, 0, 'what is refused leaves nothing behind');
});

test(
  'a socket that has closed, or has left, keeps the shape of its properties that V8 is quick with',
  LIMIT,
  async (t) => {
    setFlagsFromString('--allow-natives-syntax');
    const isQuick = runInThisContext('(socket) => %HasFastProperties(socket)') as (socket: object) => boolean;
    const server = await httpsServer(t);
    server.server.on('upgrade', (_req, socket: Socket) => {
      socket.write('HTTP/1.1 101 Ok\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    });
    const agent = poolingAgent(t);
    const options = { agent, ca: server.ca, host: 'localhost', port: server.port };
    const headers = { Connection: 'Upgrade', Upgrade: 'x' };
    const [, left] = (await once(request({ ...options, headers }).end(), 'upgrade')) as [unknown, Socket];
    assert.ok(isQuick(left));
    const req = request(options).end();
    const [socket] = (await once(req, 'socket')) as [Socket];
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    res.resume();
    await once(socket, 'free');
    await agent.close();
    assert.ok(socket.destroyed && isQuick(socket));
  },
);

test('an agent that was never used is closed at once', LIMIT, async (t) => {
  await poolingAgent(t).close();
});

test('requests in use and requests that wait finish', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { maxSockets: 2 });
  const paths = ['/1', '/2', '/3', '/4', '/5', '/6'];
  const answers = paths.map((path) => get(server, { agent, path }));
  await until(() => server.held.size === 2 && waitingCount(agent) === 4);
  const promise = agent.close();
  for (let answered = 0; answered < paths.length;) {
    await until(() => server.held.size > 0);
    assert.ok(!(await isSettled(promise)));
    answered += server.held.size;
    server.answer();
  }
  assert.deepEqual(
    (await Promise.all(answers)).map(({ body }) => body),
    paths,
  );
  await promise;
  assert.equal(server.connections(), 2, 'those that waited got the connections of the others');
  assert.equal(agent.totalSocketCount, 0);
});

for (const binding of ['eager', 'late'] as const) {
  test(`connections are opened for requests that wait (${binding} binding)`, LIMIT, async (t) => {
    const server = await httpsServer(t, (req, res) => res.setHeader('connection', 'close').end(req.url));
    const agent = poolingAgent(t, { maxSockets: 1, binding });
    const paths = ['/1', '/2', '/3'];
    const answers = paths.map((path) => get(server, { agent, path }));
    const promise = agent.close();
    assert.deepEqual(
      (await Promise.all(answers)).map(({ body }) => body),
      paths,
    );
    assert.equal(server.connections(), 3);
    await promise;
  });
}

test('a request whose connection is lost is sent again', LIMIT, async (t) => {
  const server = await fickleServer(t, (received) => {
    const { connection, place } = received;
    // On the first connection only the first request is answered.
    if (connection.id > 0 || place === 0) connection.answer(received);
    else connection.end();
  });
  const agent = poolingAgent(t);
  await get(server, { agent });
  await untilIdle(agent);
  const answer = get(server, { agent, path: '/again' });
  await until(() => activeCount(agent) === 1);
  const promise = agent.close();
  assert.equal((await answer).body, '/again');
  assert.equal(server.all.length, 2);
  await promise;
});

for (const [how, code, end] of [
  ['close()', 'ERR_AGENT_CLOSED', (agent: PoolingAgent) => agent.close({ timeout: 0 })],
  ['destroy()', 'ERR_AGENT_DESTROYED', (agent: PoolingAgent) => agent.destroy()],
] as const) {
  test(`${how} never says of a request that was sent and lost that it was not sent`, LIMIT, async (t) => {
    const server = await fickleServer(t, (received) => {
      if (received.place === 0) received.connection.answer(received);
    });
    const agent = poolingAgent(t);
    await get(server, { agent });
    await untilIdle(agent);
    const ended = get(server, { agent, path: '/again' });
    await until(() => server.received.length === 2);
    agent.maxSockets = 0;
    server.all[0]?.end();
    const isSentAgain = assert.rejects(ended, (error: NodeJS.ErrnoException) => {
      assert.equal(error.code, 'ECONNRESET');
      assert.equal((error.cause as NodeJS.ErrnoException).code, code);
      return true;
    });
    await until(() => waitingCount(agent) === 1);
    await end(agent);
    await isSentAgain;
  });
}

test('what a client asks for in answer to an old response is a new request', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t);
  const followed = get(server, { agent, path: '/redirect' }).then(() => get(server, { agent }));
  await until(() => server.held.size === 1);
  const promise = agent.close();
  server.answer();
  await assert.rejects(followed, { code: 'ERR_AGENT_CLOSED' });
  await promise;
});

test('after its time what is left is destroyed, and the promise resolves', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { maxSockets: 1 });
  const inUse = fate(get(server, { agent, path: '/1' }));
  const waiting = assert.rejects(get(server, { agent, path: '/2' }), {
    code: 'ERR_AGENT_CLOSED',
    message: `The agent was closed while the request to localhost:${server.port} waited for a connection`,
  });
  await until(() => server.held.size === 1);
  const promise = agent.close({ timeout: 50 });
  assert.equal(await inUse, 'ECONNRESET');
  await waiting;
  await promise;
  assert.equal(agent.totalSocketCount, 0);
  assert.equal(server.requests(), 1);
});

test('a time of 0, or a signal that was aborted, ends everything at once', LIMIT, async (t) => {
  for (const options of [{ timeout: 0 }, { signal: AbortSignal.abort() }]) {
    const server = await holdingServer(t);
    const agent = poolingAgent(t);
    const inUse = fate(get(server, { agent }));
    await until(() => server.held.size === 1);
    const promise = agent.close(options);
    assert.equal(activeCount(agent), 0);
    assert.equal(await inUse, 'ECONNRESET');
    await promise;
  }
});

test('each call may set an end, the earliest counts, and no listener stays on a signal', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t);
  const inUse = fate(get(server, { agent }));
  await until(() => server.held.size === 1);
  const abort = new AbortController();
  const another = new AbortController();
  const added = t.mock.method(abort.signal, 'addEventListener');
  const removed = t.mock.method(another.signal, 'removeEventListener');
  const promise = agent.close({ signal: abort.signal, timeout: 600_000 });
  assert.equal(agent.close({ signal: another.signal, timeout: 700_000 }), promise);
  assert.equal(agent.close({ signal: abort.signal }), promise);
  assert.equal(added.mock.callCount(), 1);
  assert.ok(!(await isSettled(promise)));
  abort.abort();
  assert.equal(await inUse, 'ECONNRESET');
  await promise;
  assert.equal(removed.mock.callCount(), 1);
});

test('requests of a paused host wait until their time is over', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  agent.setHostLimits('localhost', { maxSockets: 0 });
  const waiting = fate(get(server, { agent }));
  const abort = new AbortController();
  const promise = agent.close({ signal: abort.signal });
  await setImmediate();
  await setImmediate();
  assert.equal(waitingCount(agent), 1);
  abort.abort();
  assert.equal(await waiting, 'ERR_AGENT_CLOSED');
  await promise;
});

test('requests of a paused host are served when it goes on', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  agent.setHostLimits('localhost', { maxSockets: 0 });
  const waiting = get(server, { agent });
  const promise = agent.close();
  agent.setHostLimits('localhost', null);
  assert.equal((await waiting).body, '/');
  await promise;
});

test('destroy() ends it at once, and the agent stays closed', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { maxSockets: 1 });
  const fates = ['/1', '/2'].map((path) => fate(get(server, { agent, path })));
  await until(() => server.held.size === 1);
  const promise = agent.close();
  agent.destroy();
  assert.deepEqual(await Promise.all(fates), ['ECONNRESET', 'ERR_AGENT_DESTROYED']);
  await promise;
  assert.equal(agent.closed, true);
  await assert.rejects(get(server, { agent }), { code: 'ERR_AGENT_CLOSED' });
});

test('destroy() without close() leaves the agent open', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  agent.destroy();
  assert.equal(agent.closed, false);
  assert.equal((await get(server, { agent })).body, '/');
});

test('options that are not valid reject, and nothing happens', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const wrong: [unknown, string][] = [
    [5000, 'ERR_INVALID_ARG_TYPE'],
    [{ timeout: '5000' }, 'ERR_INVALID_ARG_TYPE'],
    [{ timeout: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ timeout: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ signal: 'abort' }, 'ERR_INVALID_ARG_TYPE'],
    [{ signal: new AbortController() }, 'ERR_INVALID_ARG_TYPE'],
    [{ signal: { aborted: false } }, 'ERR_INVALID_ARG_TYPE'],
    [{ signal: { aborted: false, addEventListener() {} } }, 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [options, code] of wrong) await assert.rejects(agent.close(options as object), { code });
  assert.equal(agent.closed, false);
  assert.equal((await get(server, { agent })).body, '/');
  await agent.close({ timeout: Infinity, signal: undefined });
});

test('`await using` closes', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  await get(server, { agent });
  await agent[Symbol.asyncDispose]();
  assert.equal(agent.closed, true);
  assert.equal(agent.totalSocketCount, 0);
});

for (const method of ['on', 'prependListener'] as const) {
  test(`in a 'free' listener (${method}), nothing of the connection is left`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t);
    const closed = new Promise<void>((resolve) => {
      agent[method]('free', () => resolve(agent.close()));
    });
    await get(server, { agent });
    await closed;
    assert.equal(agent.totalSocketCount, 0);
    await until(() => server.open() === 0);
  });
}

test('a socket that has left HTTP is its owner’s', LIMIT, async (t) => {
  const server = await httpsServer(t);
  server.server.on('upgrade', (_req, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  const agent = poolingAgent(t);
  const headers = { connection: 'upgrade', upgrade: 'echo' };
  const { req } = send(server, { agent, headers });
  const [, socket] = (await once(req, 'upgrade')) as [unknown, Socket];
  await agent.close({ timeout: 0 });
  socket.write('still there');
  assert.equal(String((await once(socket, 'data'))[0]), 'still there');
  socket.destroy();
});

for (const binding of ['eager', 'late'] as const) {
  test(`a dial that no request waits for any more is given up (${binding} binding)`, LIMIT, async (t) => {
    const silent = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const agent = poolingAgent(t, { binding, connectTimeout: 0 });
    for (const abortsFirst of [true, false]) {
      if (agent.closed) break;
      const req = request({ host: '127.0.0.1', port, agent }).on('error', () => {});
      await until(() => agent.totalSocketCount === 1);
      await setImmediate();
      if (abortsFirst && binding === 'late') req.destroy();
      const promise = agent.close();
      req.destroy();
      await promise;
      assert.equal(agent.totalSocketCount, 0);
    }
  });
}

test('a request that waits while TLS options change is waited for', { ...LIMIT, ...TLS_ONLY }, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, maxTotalSockets: 1 });
  const inUse = get(server, { agent, path: '/1' });
  await until(() => server.held.size === 1);
  agent.maxSockets = 0;
  server.answer();
  await inUse;
  const waiting = get(server, { agent, path: '/quick' });
  await until(() => waitingCount(agent) === 1 && agent.totalSocketCount === 0);
  const promise = agent.close();
  agent.updateTls({});
  await setImmediate();
  assert.ok(!(await isSettled(promise)));
  agent.maxSockets = 1;
  assert.equal((await waiting).body, '/quick');
  await promise;
});

test('sockets from outside: none is adopted, and none is opened', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const other = poolingAgent(t, { keepAlive: false });
  const { req } = await get(server, { agent: other });
  await agent.close();
  const socket = new PoolingAgent().createConnection({ host: 'localhost', port: server.port, ca: server.ca });
  if (!socket) assert.fail('no socket');
  await once(socket, READY);
  agent.emit('free', socket, { host: 'localhost', port: server.port, ca: server.ca });
  await once(socket, 'close');
  const error = await new Promise((resolve) => {
    agent.createSocket(req as never, { host: 'localhost', port: server.port }, resolve);
  });
  assert.equal((error as NodeJS.ErrnoException).code, 'ERR_AGENT_CLOSED');
});

test('hundreds of waiting requests end in pieces, each once', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { maxSockets: 1 });
  const fates = Array.from({ length: 500 }, (_, i) => fate(get(server, { agent, path: `/${i}` })));
  await until(() => server.held.size === 1);
  await agent.close({ timeout: 0 });
  const [first, ...others] = await Promise.all(fates);
  assert.equal(first, 'ECONNRESET');
  assert.deepEqual(new Set(others), new Set(['ERR_AGENT_CLOSED']));
  assert.equal(server.requests(), 1);
});

for (const way of ['close', 'destroy'] as const) {
  test(
    `a time that is set after the end by ${way}() keeps nobody waiting for a stream that never closes`,
    LIMIT,
    async (t) => {
      const agent = poolingAgent(t);
      let stream: Duplex | undefined;
      agent.createConnection = () =>
        (stream = new Duplex({
          read() {},
          write: (_chunk, _encoding, done) => done(),
          destroy() {},
        })) as Socket;
      request({ host: 'localhost', agent }).on('error', () => {});
      await until(() => stream);
      const promise = agent.close(way === 'close' ? { timeout: 0 } : {});
      if (way === 'destroy') agent.destroy();
      agent.close({ timeout: 600_000, signal: new AbortController().signal });
      await promise;
      assert.ok(stream?.destroyed);
    },
  );
}
