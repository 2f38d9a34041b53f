/** `req.setTimeout` and `timeout` of requests that wait, however and whenever they are given. */
import assert from 'node:assert/strict';
import http from 'node:http';
import type { ClientRequest } from 'node:http';
import type { Agent, RequestOptions } from 'node:https';
import { it } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { asNode, forBoth, holdingServer, LIMIT, replaceCreateConnection } from '../contract/support.js';
import { poolingAgent, poolOf, waitingCount } from '../support/agent.js';
import { request } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const TOO_LONG = 2 ** 32;

function ask(server: TestServer, agent: Agent, options: RequestOptions = {}): ClientRequest {
  const req = request({ host: 'localhost', port: server.port, ca: server.ca, agent, ...options });
  req.on('error', () => {});
  req.end();
  return req;
}

it('a timeout set in the tick of the request runs while it waits', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { maxSockets: 2 });
  const timedOut = new Set<ClientRequest>();
  const reqs = Array.from({ length: 5 }, () => ask(server, agent));
  for (const req of reqs) req.setTimeout(60_000).setTimeout(50, () => timedOut.add(req));
  await until(() => timedOut.size === reqs.length);
  assert.equal(waitingCount(agent), 3);
});

it('a timeout of 0, set in the tick of the request, turns that of the agent off', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { maxSockets: 2, timeout: 20 });
  let timeouts = 0;
  // Those that dial have the agent's timeout until they are connected, as with Node's agent.
  ask(server, agent);
  ask(server, agent);
  for (let i = 0; i < 3; i++) ask(server, agent).setTimeout(0, () => timeouts++);
  await until(() => waitingCount(agent) === 3);
  await setTimeout(60);
  assert.equal(timeouts, 0);
});

it('longer than a timer can be: no timeout at once', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const own = poolingAgent(t, { maxSockets: 1 });
  const agents = [own, poolingAgent(t, { maxSockets: 1, timeout: TOO_LONG })];
  let timeouts = 0;
  for (const agent of agents) {
    for (let i = 0; i < 3; i++) {
      const req = ask(server, agent).on('timeout', () => timeouts++);
      if (agent !== own) continue;
      if (i === 2) await setImmediate();
      req.setTimeout(TOO_LONG);
    }
  }
  await until(() => server.held.length === 2);
  await setTimeout(20);
  assert.equal(timeouts, 0);
});

/** How callers end a request that has timed out, and what it tells them: the same as on a socket. */
const ENDS: Record<string, [(req: ClientRequest) => unknown, string[]]> = {
  'abort()': [(req) => req.abort(), ['timeout', 'abort', 'ECONNRESET socket hang up', 'close']],
  'destroy()': [(req) => req.destroy(), ['timeout', 'ECONNRESET socket hang up', 'close']],
  'destroy(error)': [(req) => req.destroy(new Error('too slow')), ['timeout', 'undefined too slow', 'close']],
};

/** Everything that a caller hears of a request, to its end. */
async function storyOf(req: ClientRequest): Promise<string[]> {
  const events: string[] = [];
  for (const event of ['timeout', 'abort', 'response', 'close']) req.on(event, () => events.push(event));
  req.on('error', (error: NodeJS.ErrnoException) => events.push(`${error.code} ${error.message}`));
  await new Promise((resolve) => req.on('close', resolve));
  return events;
}

for (const [how, [end, story]] of Object.entries(ENDS)) {
  for (const [when, later] of Object.entries({ 'at once': undefined, 'a moment later': setTimeout })) {
    forBoth(`a timeout that is answered with ${how} ${when}: on a socket`, async ({ t, agent: make }) => {
      const server = await holdingServer(t);
      const req = ask(server, make(), { timeout: 50 });
      req.on('timeout', () => void (later ? later(5).then(() => end(req)) : end(req)));
      assert.deepEqual(await storyOf(req), story);
    });

    it(`a timeout that is answered with ${how} ${when}: in the queue`, LIMIT, async (t) => {
      const server = await holdingServer(t);
      for (const binding of ['eager', 'late'] as const) {
        const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, binding });
        ask(server, agent);
        const asked: [string, ClientRequest][] = [
          ['its option', ask(server, agent, { timeout: 50 })],
          ['set at once', ask(server, agent).setTimeout(50)],
          ['set later', ask(server, agent)],
        ];
        // At once: on a busy machine the first ones may have timed out when the last one is known to wait.
        for (const [, req] of asked)
          req.on('timeout', () => void (later ? later(5).then(() => end(req)) : end(req)));
        const stories = Promise.all(asked.map(async ([name, req]) => [name, await storyOf(req)]));
        await until(() => waitingCount(agent) > 0);
        asked[2]?.[1].setTimeout(50);
        assert.deepEqual(
          await stories,
          asked.map(([name]) => [name, story]),
        );
        // With late binding the first one waits, too, until its connection is there.
        await until(() => waitingCount(agent) === 0);
      }
    });
  }
}

it('one that no socket was brought for in time ends so, too', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  replaceCreateConnection(asNode(agent), () => undefined);
  const req = ask(server, agent, { timeout: 50 });
  req.on('timeout', () => req.abort());
  assert.deepEqual(await storyOf(req), ENDS['abort()']?.[1]);
});

it(
  'before it has timed out, a waiting request that is aborted ends without an error, as over Node',
  LIMIT,
  async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    ask(server, agent);
    const req = ask(server, agent, { timeout: 60_000 });
    await until(() => waitingCount(agent) === 1);
    globalThis.setImmediate(() => req.abort());
    assert.deepEqual(await storyOf(req), ['abort', 'close']);
  },
);

it('a timeout that nobody acts upon: the request is sent later', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  ask(server, agent);
  const req = ask(server, agent);
  let timeouts = 0;
  req.setTimeout(50, () => timeouts++);
  await until(() => timeouts === 1 && server.held.length === 1);
  server.held[0]?.end();
  await until(() => server.held.length === 2);
  assert.equal(req.reusedSocket, true);
});

for (const when of ['in the same turn', 'later']) {
  it(`one that is destroyed ${when} ends with that error, whoever waits for its socket`, LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    ask(server, agent);
    await until(() => server.held.length === 1);
    // As clients do that are put before Node's `addRequest` (nock), with a request that they let pass.
    const { addRequest } = http.Agent.prototype as unknown as ReturnType<typeof asNode>;
    t.after(() => Reflect.set(http.Agent.prototype, 'addRequest', addRequest));
    Reflect.set(
      http.Agent.prototype,
      'addRequest',
      function wait(this: object, req: ClientRequest, options: object) {
        asNode(agent).createSocket(req, options, (error, socket) => {
          Reflect.apply(Reflect.get(req, 'onSocket') as () => void, req, [socket ?? null, error]);
        });
      },
    );
    const reason = new Error('not any more');
    const req = ask(server, agent);
    if (when === 'later') await until(() => [...poolOf(agent).hosts].some(({ waiting }) => waiting.size > 0));
    queueMicrotask(() => req.destroy(reason));
    assert.deepEqual(await storyOf(req), ['undefined not any more', 'close']);

    const silent = ask(server, agent);
    if (when === 'later') await until(() => [...poolOf(agent).hosts].some(({ waiting }) => waiting.size > 0));
    queueMicrotask(() => silent.destroy());
    assert.deepEqual(await storyOf(silent), ['ECONNRESET socket hang up', 'close']);
  });
}

it('one that is destroyed just before its agent is ends with its own error', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  ask(server, agent);
  const req = ask(server, agent);
  const story = storyOf(req);
  req.destroy(new Error('mine'));
  agent.destroy();
  assert.deepEqual(await story, ['undefined mine', 'close']);
});

it('nonsense written to `agent.options.timeout` costs no connection', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { maxSockets: 1 });
  await get(server, { agent });
  for (const nonsense of [-1, NaN, 'soon', {}, 5n, Symbol('soon')]) {
    Reflect.set(agent.options, 'timeout', nonsense);
    await Promise.all([get(server, { agent }), get(server, { agent })]);
  }
  assert.equal(server.connections(), 1);
});

it('nonsense written to a duration of the agent itself is refused', LIMIT, (t) => {
  const agent = poolingAgent(t);
  for (const name of ['keepAliveMsecs', 'agentKeepAliveTimeoutBuffer'] as const) {
    for (const nonsense of [-1, NaN, -Infinity, 'soon', '5', {}, 5n, Symbol('soon')]) {
      assert.throws(() => Reflect.set(agent, name, nonsense), {
        code: typeof nonsense === 'number' ? 'ERR_OUT_OF_RANGE' : 'ERR_INVALID_ARG_TYPE',
      });
    }
    assert.equal(agent[name], 1000);
    Reflect.set(agent, name, null);
    assert.equal(agent[name], 1000, 'the default');
    agent[name] = 5;
    assert.equal(agent[name], 5);
  }
});
