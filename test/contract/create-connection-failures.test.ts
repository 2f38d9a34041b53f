/** `createConnection` that fails, answers rubbish, or never answers: its request ends, and nothing is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { connect } from '../support/protocol.js';
import type { ConnectionOptions } from 'node:tls';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { forBoth, LIMIT, replaceCreateConnection, send } from './support.js';
import { until } from '../support/until.js';
import type { Callback, Options } from './support.js';

const SERVER = { port: 443, ca: '' };
const failure = (): Error => Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

forBoth('an error from the callback is the request’s', async ({ agent: make }) => {
  const agent = make();
  const error = failure();
  replaceCreateConnection(agent, (_options, callback) => void globalThis.setImmediate(callback, error));
  const sent = send(SERVER, { agent });
  await sent.closed;
  assert.deepEqual(sent.events, ['error', 'close']);
  assert.equal(sent.errors[0], error);
  assert.equal(agent.totalSocketCount, 0);
});

/** Ways to fail at once, and the code that the request gets. */
const FAILURES: Record<string, [code: string, (callback: Callback) => unknown]> = {
  throws: [
    'ECONNREFUSED',
    () => {
      throw failure();
    },
  ],
  'calls back with an error at once': ['ECONNREFUSED', (callback) => callback(failure())],
  'calls back with an error, then throws': [
    'ECONNREFUSED',
    (callback) => {
      callback(failure());
      throw new Error('late');
    },
  ],
  'returns a number': ['ERR_INVALID_ARG_TYPE', () => 42],
  'returns a string': ['ERR_INVALID_ARG_TYPE', () => 'socket'],
  'returns an object that is no stream': ['ERR_INVALID_ARG_TYPE', () => ({ on() {} })],
  'returns a promise': ['ERR_INVALID_ARG_TYPE', () => Promise.resolve()],
  'calls back with nothing': ['ERR_INVALID_ARG_TYPE', (callback) => callback(null)],
  'calls back with rubbish': ['ERR_INVALID_ARG_TYPE', (callback) => callback(null, {})],
};

for (const [title, [code, create]] of Object.entries(FAILURES)) {
  test(`it ${title}: one error, one close, and the next request goes`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { maxSockets: 1, maxTotalSockets: 1 });
    let calls = 0;
    replaceCreateConnection(agent, (options, callback) =>
      ++calls === 1 ? create(callback) : connect(options as ConnectionOptions),
    );
    const sent = send(server, { agent });
    const next = get(server, { agent, path: '/next' });
    await sent.closed;
    assert.deepEqual(sent.events, ['error', 'close']);
    assert.equal(sent.errors[0]?.code, code);
    assert.equal((await next).body, '/next');
    assert.equal(agent.totalSocketCount, 1);
  });
}

/** An agent with one slot, and what its `createConnection` was asked and never answered. */
interface Pending {
  readonly options: Options;
  readonly callback: Callback;
}

test('it counts against maxSockets from the call on', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 2 });
  const pending: Pending[] = [];
  replaceCreateConnection(agent, (options, callback) => void pending.push({ options, callback }));
  const answers = [1, 2, 3].map((i) => get(server, { agent, path: `/${i}` }));
  await until(() => pending.length === 2);
  assert.equal(agent.totalSocketCount, 2);
  assert.equal(waitingCount(agent), 1);
  for (const { options, callback } of pending) callback(null, connect(options as ConnectionOptions));
  assert.deepEqual(
    (await Promise.all(answers)).map(({ body }) => body),
    ['/1', '/2', '/3'],
  );
  assert.equal(server.connections(), 2);
});

test('it never answers: the request can be aborted, and a late answer serves the next', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const pending: Pending[] = [];
  replaceCreateConnection(agent, (options, callback) => void pending.push({ options, callback }));
  const sent = send(server, { agent });
  sent.req.destroy();
  await sent.closed;
  assert.deepEqual(sent.events, ['error', 'close']);
  assert.equal(sent.errors[0]?.code, 'ECONNRESET');

  const next = get(server, { agent, path: '/next' });
  await setImmediate();
  assert.equal(pending.length, 1, 'what is being opened is waited for');
  pending[0]?.callback(null, connect(pending[0].options as ConnectionOptions));
  assert.equal((await next).body, '/next');
});

test('it never answers: destroy() ends the request, and a late socket is closed', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const pending: Pending[] = [];
  replaceCreateConnection(agent, (options, callback) => void pending.push({ options, callback }));
  const sent = send(server, { agent });
  agent.destroy();
  await sent.closed;
  assert.deepEqual(sent.events, ['error', 'close']);
  assert.equal(agent.totalSocketCount, 0);
  const socket = connect(pending[0]?.options as ConnectionOptions);
  pending[0]?.callback(null, socket);
  await until(() => socket.destroyed);
  assert.equal(agent.totalSocketCount, 0);
});

for (const isTimeout of [true, false]) {
  test(
    `an error of a proxy tunnel ends the request once, ${isTimeout ? 'with' : 'without'} a timeout`,
    LIMIT,
    async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
      const error = Object.assign(new Error('the proxy refuses'), {
        code: 'ERR_PROXY_TUNNEL',
        proxyTunnelTimeout: isTimeout,
      });
      let calls = 0;
      replaceCreateConnection(agent, (options, callback) => {
        if (++calls > 1) return connect(options as ConnectionOptions);
        process.nextTick(callback, error);
        return undefined;
      });
      const sent = send(server, { agent });
      sent.req.on('timeout', () => sent.events.push('timeout'));
      const next = get(server, { agent, path: '/next' });
      await sent.closed;
      assert.deepEqual(sent.events, isTimeout ? ['timeout', 'error', 'close'] : ['error', 'close']);
      assert.deepEqual(sent.errors, [error]);
      assert.equal((await next).body, '/next');
    },
  );
}
