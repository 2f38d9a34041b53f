/**
 * Wrappers of `addRequest` (mocks, tracers) that call what they have wrapped: the pool works behind them as ever, and the views show
 * the truth. Here the wrapper is there before we are loaded; patching.test.ts has those that come later.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import type { ClientRequest } from 'node:http';
import type https from 'node:https';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { Agent, CONNECTED, isPlain, TLS_ONLY } from '../support/node-protocol.js';

type AddRequest = (this: https.Agent, ...args: unknown[]) => void;
interface Prototype {
  addRequest: AddRequest;
}

const core = http.Agent.prototype as unknown as Prototype;
const original = core.addRequest;
let seen = 0;

/** As nock 15 does: sockets that were opened before must not be used. */
function purging(this: https.Agent, ...args: unknown[]): void {
  seen++;
  for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  original.apply(this, args);
}

function passing(this: https.Agent, ...args: unknown[]): void {
  seen++;
  original.apply(this, args);
}

core.addRequest = purging;
const { PoolingAgent } = await import('../support/protocol.js');
const { poolingAgent, poolOf } = await import('../support/agent.js');
const { get, httpsServer } = await import('../support/server.js');
const { until } = await import('../support/until.js');
const { holdingServer, LIMIT, send, sizeOf } = await import('./support.js');

/** `wrapper` stands before Node's addRequest for the rest of the test. */
function intercept(t: TestContext, wrapper: AddRequest, prototype: object = core): () => void {
  core.addRequest = original;
  seen = 0;
  const before = Object.getOwnPropertyDescriptor(prototype, 'addRequest');
  Reflect.set(prototype, 'addRequest', wrapper);
  const restore = (): void => {
    if (before) Object.defineProperty(prototype, 'addRequest', before);
    else Reflect.deleteProperty(prototype, 'addRequest');
  };
  t.after(restore);
  return restore;
}

describe('a wrapper that was there before us', () => {
  it('sees requests and idle sockets; without it, the pool is as ever', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    await get(server, { agent });
    await until(() => sizeOf(agent.freeSockets) === 1);
    const [idle] = Object.values(agent.freeSockets).flat();
    await get(server, { agent });
    assert.equal(seen, 2);
    assert.equal(idle?.destroyed, true);
    assert.equal(server.connections(), 2);

    core.addRequest = original;
    await until(() => sizeOf(agent.freeSockets) === 1);
    assert.ok(
      Object.keys(agent.freeSockets)[0] ===
        agent.getName({ host: 'localhost', port: server.port, ca: server.ca }),
    );
    assert.equal((await get(server, { agent })).req.reusedSocket, true);
    assert.equal(seen, 2);
    assert.equal(server.connections(), 2);
  });
});

const PLACES = {
  'http.Agent.prototype': core,
  // Where that is the same class, it has the same place.
  ...(!isPlain && { 'https.Agent.prototype': Agent.prototype }),
};

for (const [place, prototype] of Object.entries(PLACES)) {
  describe(`a wrapper on ${place}`, () => {
    it('hosts take turns under maxTotalSockets', LIMIT, async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t, { ca: server.ca, maxTotalSockets: 1 });
      intercept(t, passing, prototype);
      for (let round = 0; round < 2; round++) {
        const answers = ['localhost', '127.0.0.1', 'localhost', '127.0.0.1'].map((host) =>
          get(server, { agent, host }),
        );
        for (const { body } of await Promise.all(answers)) assert.equal(body, '/');
      }
      assert.equal(seen, 8);
      // A server of plain TCP may accept a connection before it reads the end of the one before.
      if (!isPlain) assert.equal(server.peak(), 1);
      assert.equal(agent.totalSocketCount, 1);
    });

    it('the views show the truth, under keys that begin with host and port', LIMIT, async (t) => {
      const server = await holdingServer(t);
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
      const name = agent.getName({ host: 'localhost', port: server.port, ca: server.ca });
      const restore = intercept(t, passing, prototype);
      const answers = [get(server, { agent }), get(server, { agent })];
      await until(() => server.held.length === 1);
      assert.deepEqual([sizeOf(agent.sockets), sizeOf(agent.freeSockets), sizeOf(agent.requests)], [1, 0, 1]);
      assert.deepEqual([agent.totalSocketCount, poolOf(agent).size], [1, 1]);
      for (const view of [agent.sockets, agent.requests]) {
        const [key = ''] = Object.keys(view);
        assert.ok(key.startsWith(`localhost:${server.port}:`));
        assert.ok(key in view && view[key]?.length === 1);
        assert.notEqual(key, name);
        assert.equal(view[name], undefined);
        for (const inLoop in view) assert.equal(inLoop, key);
      }
      server.held[0]?.end();
      await until(() => server.held.length === 2);
      server.held[1]?.end();
      await Promise.all(answers);
      await until(() => sizeOf(agent.freeSockets) === 1);
      assert.deepEqual([sizeOf(agent.sockets), sizeOf(agent.requests), agent.totalSocketCount], [0, 0, 1]);
      restore();
      assert.deepEqual(Object.keys(agent.freeSockets), [name]);
    });

    it('requests that are destroyed while they wait keep their errors', LIMIT, async (t) => {
      const server = await holdingServer(t);
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
      intercept(t, passing, prototype);
      get(server, { agent }).catch(() => {});
      await until(() => server.held.length === 1);
      const [given, none] = [send(server, { agent }), send(server, { agent })];
      await until(() => sizeOf(agent.requests) === 2);
      given.req.destroy(Object.assign(new Error('mine'), { code: 'EMINE' }));
      none.req.destroy();
      await Promise.all([given.closed, none.closed]);
      assert.deepEqual([given.errors[0]?.code, none.errors[0]?.code], ['EMINE', 'ECONNRESET']);
      assert.equal(sizeOf(agent.requests), 0);
    });

    it('a request on a connection that was lost is sent again', LIMIT, async (t) => {
      const sockets: Socket[] = [];
      const server = await httpsServer(t, (req, res) => {
        if (req.url === '/lost' && sockets.length === 1) req.socket.destroy();
        else res.end(req.url);
      });
      server.server.on(CONNECTED, (socket: Socket) => sockets.push(socket));
      const agent = poolingAgent(t, { ca: server.ca });
      intercept(t, passing, prototype);
      await get(server, { agent });
      await until(() => sizeOf(agent.freeSockets) === 1);
      assert.equal((await get(server, { agent, path: '/lost' })).body, '/lost');
    });
  });
}

it('nobody waits in a paused host for ever, whenever the wrapper calls on', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const late: AddRequest = function later(this: https.Agent, ...args) {
    setImmediate(() => original.apply(this, args));
  };
  for (const wrapper of [passing, late]) {
    const restore = intercept(t, wrapper);
    agent.maxSockets = 0;
    const answers = [get(server, { agent }), get(server, { agent, path: '/another' })];
    await until(() => poolOf(agent).hosts.size === 1 && sizeOf(agent.requests) === 2);
    agent.maxSockets = 2;
    assert.deepEqual(
      (await Promise.all(answers)).map(({ body }) => body),
      ['/', '/another'],
    );
    restore();
  }
});

it('several wrappers, put on and taken off', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, maxTotalSockets: 1 });
  const order: string[] = [];
  for (let round = 0; round < 2; round++) {
    const restore = intercept(t, passing);
    const inner = core.addRequest;
    core.addRequest = function outer(this: https.Agent, ...args) {
      order.push('outer');
      inner.apply(this, args);
    };
    await Promise.all([get(server, { agent }), get(server, { agent })]);
    restore();
    await Promise.all([get(server, { agent }), get(server, { agent })]);
    assert.equal(seen, 2);
  }
  assert.equal(order.length, 4);
  assert.equal(server.peak(), 1);
});

for (const binding of ['eager', 'late'] as const) {
  for (const [what, change] of [
    ['is taken off', () => (core.addRequest = original)],
    ['gives way to another', (t: TestContext) => intercept(t, passing)],
  ] as const) {
    it(`${binding}: requests wait while the wrapper that they have passed ${what}`, LIMIT, async (t) => {
      const server = await holdingServer(t);
      const agent = poolingAgent(t, { ca: server.ca, binding, maxSockets: 1 });
      intercept(t, purging);
      const answers = [send(server, { agent, path: '/close' }), send(server, { agent })];
      await until(() => server.held.length === 1);
      change(t);
      answers.push(send(server, { agent }));
      // So that the next one needs a connection that was not there before.
      server.held[0]?.setHeader('connection', 'close').end();
      for (let i = 1; i < 3; i++) {
        await until(() => server.held.length === i + 1);
        server.held[i]?.end();
      }
      for (const { closed, errors } of answers) {
        await closed;
        assert.deepEqual(errors, []);
      }
      assert.ok(server.connections() <= 3, `${server.connections()}`);
    });
  }

  it(
    `${binding}: of connections that come free, older requests may have those from before`,
    LIMIT,
    async (t) => {
      const server = await holdingServer(t);
      const agent = poolingAgent(t, { ca: server.ca, binding, maxSockets: 2 });
      core.addRequest = original;
      const real = [send(server, { agent }), send(server, { agent })];
      await until(() => server.held.length === 2);
      const before = send(server, { agent });
      const sockets = new Set(real.map(({ req }) => req.socket));
      intercept(t, purging);
      const mocked = send(server, { agent });
      // Both in one turn: one is still being validated when it is decided about the other.
      for (const res of server.held.splice(0)) res.end();
      await until(() => server.held.length === 2);
      assert.ok(sockets.has(before.req.socket));
      assert.ok(!sockets.has(mocked.req.socket));
      for (const res of server.held) res.end();
      await Promise.all([before.closed, mocked.closed]);
      assert.deepEqual([before.errors, mocked.errors], [[], []]);
      assert.equal(server.peak(), 2);
    },
  );
}

it('a wrapper that is taken off while it keeps requests, and lets them pass then', LIMIT, async (t) => {
  for (const later of [process.nextTick, setImmediate]) {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, maxTotalSockets: 1 });
    await get(server, { agent });
    const restore = intercept(t, function keeping(this: https.Agent, ...args) {
      later(() => original.apply(this, args));
    });
    const answers = [get(server, { agent }), get(server, { agent, path: '/b' })];
    restore();
    answers.push(get(server, { agent, path: '/c' }));
    assert.deepEqual(
      (await Promise.all(answers)).map(({ body }) => body),
      ['/', '/b', '/c'],
    );
    assert.equal(server.peak(), 1);
    await until(() => sizeOf(agent.freeSockets) === 1);
    assert.ok(
      Object.keys(agent.freeSockets)[0] ===
        agent.getName({ host: 'localhost', port: server.port, ca: server.ca }),
    );
  }
});

it(
  'requests that a wrapper has answered, given up or refused change nothing when it is gone',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    await get(server, { agent });
    await until(() => sizeOf(agent.freeSockets) === 1);
    let mode = '';
    const restore = intercept(t, () => {
      if (mode === 'throws') throw new Error('refused');
    });
    const given = send(server, { agent });
    mode = 'throws';
    assert.throws(() => send(server, { agent }), /refused/);
    restore();
    given.req.destroy();
    assert.equal((await get(server, { agent })).req.reusedSocket, true);
    assert.ok(Object.keys(agent.freeSockets).every((key) => !key.endsWith('(intercepted)')));
  },
);

it('wrappers of our own class and of one agent', LIMIT, async (t) => {
  core.addRequest = original;
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxTotalSockets: 1 });
  for (const target of [PoolingAgent.prototype, agent]) {
    const ours = Reflect.get(target, 'addRequest') as AddRequest;
    let calls = 0;
    Reflect.set(target, 'addRequest', function wrapped(this: https.Agent, ...args: unknown[]) {
      calls++;
      ours.apply(this, args);
    });
    await Promise.all([get(server, { agent }), get(server, { agent, host: '127.0.0.1' })]);
    assert.ok(calls === 2);
    if (target === agent) Reflect.deleteProperty(agent, 'addRequest');
    else Reflect.set(target, 'addRequest', ours);
  }
});

it('wrappers that replace onSocket, as async-listener does, get socket and error', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const given: unknown[][] = [];
  intercept(t, function wrapped(this: https.Agent, ...args) {
    const req = args[0] as ClientRequest & { onSocket(...args: unknown[]): void };
    const { onSocket } = req;
    req.onSocket = (...values) => {
      given.push(values);
      req.onSocket = onSocket;
      onSocket.apply(req, values);
    };
    original.apply(this, args);
  });
  await get(server, { agent });
  await server.close();
  await assert.rejects(get(server, { agent }), { code: /ECONN/ });
  assert.ok(given.length >= 2);
});

const TITLE = 'a request that its wrapper leaves waiting ends with an error if it is no good';

it(TITLE, { ...LIMIT, ...TLS_ONLY }, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  agent.maxSockets = 0;
  intercept(t, passing);
  // Node's function names its host, and leaves it in `requests`: it is ours to find out.
  const wrong = send(server, { agent, servername: 5 as never });
  await wrong.closed;
  assert.deepEqual(wrong.events, ['error', 'close']);
  assert.equal(wrong.errors[0]?.code, 'ERR_INVALID_ARG_TYPE');
  assert.equal(sizeOf(agent.requests), 0);
  const good = get(server, { agent });
  agent.maxSockets = 1;
  assert.equal((await good).body, '/');
});

it('requests that a wrapper keeps for good are forgotten when they end', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const kept: ClientRequest[] = [];
  const restore = intercept(t, (...args) => void kept.push(args[0] as ClientRequest));
  for (let i = 0; i < 200; i++) {
    const { req } = send(server, { agent });
    req.destroy();
  }
  assert.equal(kept.length, 200);
  restore();
  await get(server, { agent });
  await until(() => sizeOf(agent.freeSockets) === 1);
  assert.ok(Object.keys(agent.freeSockets).every((key) => !key.endsWith('(intercepted)')));
});
