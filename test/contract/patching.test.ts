/**
 * Libraries that patch Node after we were loaded: mocks (nock) and tracers (New Relic, OpenTelemetry). Everything here
 * is put back after its test, and a file of tests has a process of its own.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { createRequire } from 'node:module';
import https from 'node:https';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { idleCount, poolingAgent } from '../support/agent.js';
import { Agent, isPlain, PoolingAgent } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { asNode, forBoth, LIMIT, send, untilIdle } from './support.js';
import type { NodeAgent } from './support.js';

type Method = (this: object, ...args: unknown[]) => unknown;

/** Puts `wrap(original)` in the place of `target[name]` for the rest of the test. */
function patch(t: TestContext, target: object, name: string, wrap: (original: Method) => Method): void {
  const original = Reflect.get(target, name) as Method;
  Reflect.set(target, name, wrap(original));
  t.after(() => Reflect.set(target, name, original));
}

const core = http.Agent.prototype;

forBoth('a patched addRequest gets the request, with its arguments', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  await get(server, { agent });
  await untilIdle(agent);

  const calls: unknown[][] = [];
  patch(
    t,
    core,
    'addRequest',
    () =>
      function mocked(this: object, ...args) {
        calls.push([this, ...args]);
      },
  );
  const { req } = send(server, { agent, path: '/mocked' });
  assert.equal(calls.length, 1);
  assert.equal(calls[0]?.[0], agent);
  assert.equal(calls[0]?.[1], req);
  assert.equal((calls[0]?.[2] as { path?: string }).path, '/mocked');
  agent.addRequest(req, 'localhost', 443, '127.0.0.1');
  assert.deepEqual(calls[1]?.slice(2), ['localhost', 443, '127.0.0.1']);
  // The idle connection was not touched.
  assert.equal(server.requests(), 1);
  await untilIdle(agent);
});

test('a mock answers, and no real connection is used', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  const idle = await untilIdle(agent);
  patch(t, core, 'addRequest', () => (...args) => {
    const [req] = args as [http.ClientRequest];
    const res = Object.assign(new PassThrough(), { statusCode: 418 });
    res.end('mocked');
    setImmediate(() => req.emit('response', res));
  });
  const { status, body } = await get(server, { agent });
  assert.equal(status, 418);
  assert.equal(body, 'mocked');
  assert.equal(server.requests(), 1);
  assert.equal(idle.destroyed, false);
});

test('what a patched addRequest lets pass is served, within the limits', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 2 });
  await get(server, { agent });
  await untilIdle(agent);
  let passed = 0;
  patch(
    t,
    core,
    'addRequest',
    (original) =>
      function pass(this: object, ...args) {
        passed++;
        return original.apply(this, args);
      },
  );
  for (let round = 0; round < 3; round++) {
    const paths = ['/1', '/2', '/3', '/4', '/5'];
    const answers = await Promise.all(paths.map((path) => get(server, { agent, path })));
    assert.deepEqual(
      answers.map(({ body }) => body),
      paths,
    );
  }
  assert.equal(passed, 15);
  assert.ok(server.peak() <= 2, `${server.peak()} connections at once`);
});

test('when the patch is gone, all is as before', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const before = Reflect.get(core, 'addRequest') as Method;
  patch(
    t,
    core,
    'addRequest',
    (original) =>
      function pass(this: object, ...args) {
        return original.apply(this, args);
      },
  );
  await get(server, { agent });
  Reflect.set(core, 'addRequest', before);
  await untilIdle(agent);
  assert.equal(idleCount(agent), 1);
  assert.equal((await get(server, { agent })).req.reusedSocket, true);
  assert.equal(server.connections(), 1);
});

for (const [title, prototype] of [
  ['http.Agent.prototype', http.Agent.prototype],
  ['https.Agent.prototype', https.Agent.prototype],
] as const) {
  forBoth(`a wrapped ${title}.createConnection`, async ({ t, agent: make }) => {
    const server = await httpsServer(t);
    const agent = make({ ca: server.ca });
    const seen: unknown[] = [];
    patch(
      t,
      prototype,
      'createConnection',
      (original) =>
        function wrapped(this: object, ...args) {
          seen.push(this);
          return original.apply(this, args);
        },
    );
    assert.equal((await get(server, { agent, path: '/wrapped' })).body, '/wrapped');
    assert.equal((await get(server, { agent, path: '/again' })).body, '/again');
    // https.Agent has its own, that does not call the other.
    assert.deepEqual(seen, prototype === Agent.prototype ? [agent] : []);
  });
}

forBoth('a wrapped `request` of Node’s module', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent: NodeAgent = asNode(make({ ca: server.ca }));
  // ES modules see a copy of it; tracers replace both.
  const cjs = createRequire(import.meta.url)(isPlain ? 'node:http' : 'node:https') as typeof https;
  const events: string[] = [];
  patch(
    t,
    cjs,
    'request',
    (original) =>
      function traced(this: object, ...args) {
        const req = original.apply(this, args) as http.ClientRequest;
        req.once('socket', () => events.push('socket'));
        req.prependOnceListener('response', () => events.push('response'));
        req.once('close', () => events.push('close'));
        return req;
      },
  );
  const req = cjs.request({ host: 'localhost', port: server.port, agent }, (res) => res.resume()).end();
  await new Promise((resolve) => req.once('close', resolve));
  assert.deepEqual(events, ['socket', 'response', 'close']);
  await untilIdle(agent);
});

const METHODS = ['reuseSocket', 'keepSocketAlive', ...(isPlain ? [] : ['_getSession', '_cacheSession'])];

for (const name of METHODS) {
  test(`a patched ${name} of the class is called, also by an agent made before`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    let calls = 0;
    patch(
      t,
      PoolingAgent.prototype,
      name,
      (original) =>
        function patched(this: object, ...args) {
          calls++;
          return original.apply(this, args);
        },
    );
    await get(server, { agent });
    await untilIdle(agent);
    await get(server, { agent });
    await untilIdle(agent);
    assert.ok(calls > 0);
  });
}
