/**
 * Options that make no sense are refused at construction, with Node's codes; zero means zero. Values that are to be taken all the same (digits,
 * `null`) are in lenient-options.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PoolingAgentOptions } from '../../src/index.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { isPlain, PoolingAgent } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { LIMIT, spyOnDials, untilIdle } from './support.js';
import { until } from '../support/until.js';

const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';
const VALUE = 'ERR_INVALID_ARG_VALUE';

const NO_COUNTS = [
  '',
  ' 5',
  '5 ',
  '5px',
  '-1',
  '+1',
  '1.5',
  '1e3',
  '0x10',
  '1_000',
  '٣',
  true,
  {},
  [],
  ['5'],
  1n,
  () => 1,
];
const NO_NUMBERS = ['1', ...NO_COUNTS];
const NO_FLAGS = ['true', 0, 1, {}];
const NO_WORDS = ['', 'newest', 0, {}];
const REFUSED: Record<string, readonly [code: string, values: readonly unknown[]][]> = {
  keepAlive: [[TYPE, NO_FLAGS]],
  noDelay: [[TYPE, NO_FLAGS]],
  keepAliveMsecs: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, -Infinity]],
  ],
  timeout: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, Infinity]],
  ],
  agentKeepAliveTimeoutBuffer: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, Infinity]],
  ],
  keepAliveTimeoutBuffer: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, Infinity]],
  ],
  idleTimeout: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, -Infinity]],
  ],
  maxIdleTimeout: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, -Infinity]],
  ],
  validateAfterIdle: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, -Infinity]],
  ],
  maxSocketAge: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, 0, -Infinity]],
  ],
  maxRequestsPerSocket: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0, 0.5, -Infinity]],
  ],
  maxSockets: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0, 0.5, 1.5, -Infinity]],
  ],
  maxTotalSockets: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0, 0.5, 1.5, -Infinity]],
  ],
  maxFreeSockets: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0.5, 1.5, -Infinity]],
  ],
  maxCachedSessions: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0.5, 1.5, -Infinity]],
  ],
  maxSecureContexts: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0, 0.5, 1.5, -Infinity]],
  ],
  maxQueueSize: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0.5, -Infinity]],
  ],
  maxTotalQueueSize: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0.5, -Infinity]],
  ],
  maxTotalFreeSockets: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0.5, -Infinity]],
  ],
  defaultPort: [
    [TYPE, NO_COUNTS],
    [RANGE, [NaN, -1, 0, '0', 1.5, 65_536, '65536', Infinity]],
  ],
  protocol: [
    [TYPE, [0, true, {}, ['https:']]],
    [VALUE, ['', 'https', 'https://', ':', 'HTTPS:', 'http', 'HTTP:']],
  ],
  proxyEnv: [[TYPE, ['http://proxy.test', '', true, 0, () => ({})]]],
  eagerContext: [[TYPE, NO_FLAGS]],
  sessionCache: [[TYPE, [true, 0, '', {}, new Map()]]],
  ticketReuse: [[VALUE, NO_WORDS]],
  tls: [[TYPE, [true, 0, '', {}]]],
  connectTimeout: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, Infinity]],
  ],
  socketTimeout: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, Infinity]],
  ],
  leakDetectionThreshold: [
    [TYPE, NO_NUMBERS],
    [RANGE, [NaN, -1, Infinity]],
  ],
  replay: [
    [TYPE, ['true', [], () => true]],
    [TYPE, NO_COUNTS.map((max) => ({ max }))],
    [RANGE, [NaN, -1, 0.5].map((max) => ({ max }))],
  ],
  dns: [
    [TYPE, [true, 'verbatim', 0, [], () => ({})]],
    [TYPE, NO_NUMBERS.map((ttl) => ({ ttl }))],
    [RANGE, [NaN, -1, Infinity].map((ttl) => ({ ttl }))],
    [TYPE, NO_NUMBERS.map((maxStale) => ({ maxStale }))],
    [RANGE, [NaN, -1].map((maxStale) => ({ maxStale }))],
    [TYPE, NO_COUNTS.map((maxEntries) => ({ maxEntries }))],
    [RANGE, [NaN, -1, 0, 0.5].map((maxEntries) => ({ maxEntries }))],
    [TYPE, NO_FLAGS.map((rotate) => ({ rotate }))],
    [TYPE, NO_FLAGS.map((follow) => ({ follow }))],
    [VALUE, [{ TTL: 1 }, { cache: true }, { ttl: 1, servers: [] }]],
  ],
  scheduling: [[VALUE, NO_WORDS]],
  binding: [[VALUE, NO_WORDS]],
  priorityHeader: [[TYPE, NO_FLAGS]],
};

/** The options of TLS alone: over plain TCP they mean nothing, whatever they are. */
const OF_TLS: ReadonlySet<string> = new Set([
  'eagerContext',
  'maxCachedSessions',
  'sessionCache',
  'ticketReuse',
  'tls',
]);

for (const [name, cases] of Object.entries(REFUSED)) {
  test(`${name}: nonsense is refused, undefined is the default`, LIMIT, () => {
    if (isPlain && OF_TLS.has(name)) {
      for (const [, values] of cases)
        for (const value of values) assert.ok(new PoolingAgent({ [name]: value }));
      return;
    }
    for (const [code, values] of cases) {
      for (const value of values) {
        const attempt = (): unknown => new PoolingAgent({ [name]: value });
        assert.throws(attempt, (error: Error) => {
          assert.equal(Reflect.get(error, 'code'), code, String(value));
          assert.match(error.message, new RegExp(`"${name}(\\.\\w+)?"`));
          return true;
        });
      }
    }
    const read = (agent: PoolingAgent): unknown => Reflect.get(agent, name);
    assert.equal(read(new PoolingAgent({ [name]: undefined })), read(new PoolingAgent()));
  });
}

test('one option by two names has one value', LIMIT, () => {
  const both = { keepAliveTimeoutBuffer: 500, agentKeepAliveTimeoutBuffer: 600 };
  assert.throws(() => new PoolingAgent(both), { code: VALUE });
  for (const name of ['keepAliveTimeoutBuffer', 'agentKeepAliveTimeoutBuffer']) {
    assert.equal(new PoolingAgent({ [name]: 500 }).agentKeepAliveTimeoutBuffer, 500);
  }
  const same = { keepAliveTimeoutBuffer: 0, agentKeepAliveTimeoutBuffer: 0 };
  assert.equal(new PoolingAgent(same).agentKeepAliveTimeoutBuffer, 0);
});

test('the options themselves are an object', LIMIT, () => {
  for (const value of ['options', 1, true]) {
    assert.throws(() => new PoolingAgent(value as never), { code: TYPE });
  }
});

test('the same values are refused by the live properties', LIMIT, () => {
  for (const name of ['maxSockets', 'maxTotalSockets', 'maxFreeSockets', 'scheduling'] as const) {
    const agent = new PoolingAgent();
    const before = agent[name];
    for (const [code, values] of REFUSED[name] ?? []) {
      for (const value of values) {
        if (value === 0) continue; // Taken: nobody gets a new connection until it is raised.
        assert.throws(() => Reflect.set(agent, name, value), { code }, `${name} = ${String(value)}`);
      }
    }
    assert.equal(agent[name], before);
  }
});

test('what makes sense is taken', LIMIT, () => {
  const options: Required<Pick<PoolingAgentOptions, 'maxSockets' | 'maxTotalSockets' | 'maxFreeSockets'>> = {
    maxSockets: 1,
    maxTotalSockets: 2,
    maxFreeSockets: 3,
  };
  const agent = new PoolingAgent({ ...options, scheduling: 'fifo', keepAlive: false });
  assert.equal(agent.maxSockets, 1);
  assert.equal(agent.maxTotalSockets, 2);
  assert.equal(agent.maxFreeSockets, 3);
  assert.equal(agent.scheduling, 'fifo');
  assert.equal(agent.keepAlive, false);
  assert.equal(new PoolingAgent({ maxSockets: Infinity }).maxSockets, Infinity);
});

test('maxFreeSockets: 0 keeps no connection', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxFreeSockets: 0 });
  assert.equal(agent.maxFreeSockets, 0);
  await get(server, { agent });
  await until(() => agent.totalSocketCount === 0);
  assert.equal(idleCount(agent), 0);
});

test("keepAliveMsecs: 0 leaves the first probe's delay to the system", LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, keepAliveMsecs: 0 });
  assert.equal(agent.keepAliveMsecs, 0);
  const [dials, armed] = [spyOnDials(agent), [] as unknown[]];
  agent.on('free', (socket: { setKeepAlive: unknown }) => {
    socket.setKeepAlive = (...args: unknown[]) => armed.push(args);
  });
  await get(server, { agent });
  await get(server, { agent });
  await until(() => armed.length > 0);
  assert.equal(dials[0]?.['keepAliveInitialDelay'], 0);
  assert.deepEqual(armed[0], [true, 0]);
});

test('timeout: 0 is none', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, timeout: 0 });
  const { req } = await get(server, { agent });
  assert.equal(req.socket?.timeout ?? 0, 0);
  await untilIdle(agent);
});

test('agentKeepAliveTimeoutBuffer: 0 trusts the server to the last moment', LIMIT, async (t) => {
  const server = await httpsServer(t, (_req, res) => res.setHeader('keep-alive', 'timeout=1').end());
  const careful = poolingAgent(t, { ca: server.ca });
  assert.equal(careful.agentKeepAliveTimeoutBuffer, 1000);
  await get(server, { agent: careful });
  await until(() => careful.totalSocketCount === 0);
  const bold = poolingAgent(t, { ca: server.ca, agentKeepAliveTimeoutBuffer: 0 });
  assert.equal(bold.agentKeepAliveTimeoutBuffer, 0);
  await get(server, { agent: bold });
  await untilIdle(bold);
});
