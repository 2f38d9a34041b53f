/** Options as environment variables and configuration files have them: digits for counts, `null` for what is not given. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionCache } from '../../src/index.js';
import type { HostLimitOptions, PoolingAgentOptions } from '../../src/index.js';
import { likelyName, warnOfNames } from '../../src/options/option-names.js';
import { AGENT_OPTIONS, KNOWN_OPTIONS } from '../../src/options/known-options.js';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { isPlain, PoolingAgent, PROTOCOL } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { warningsDuring } from '../support/warnings.js';
import { holdingServer, LIMIT } from './support.js';

/** Options whose types are as loose as a file or the environment. */
function loose(options: Record<string, unknown>): PoolingAgentOptions {
  return options as PoolingAgentOptions;
}

const COUNTS = [
  'maxSockets',
  'maxTotalSockets',
  'maxFreeSockets',
  'maxTotalFreeSockets',
  'maxQueueSize',
  'maxTotalQueueSize',
  ...(isPlain ? [] : (['maxCachedSessions'] as const)),
] as const;

test('digits are counts, at construction and on the live agent', LIMIT, () => {
  for (const name of COUNTS) {
    const agent = new PoolingAgent(loose({ [name]: '5' }));
    assert.equal(agent[name], 5, name);
    Reflect.set(agent, name, '007');
    assert.equal(agent[name], 7, name);
    assert.equal(
      Reflect.get(agent.options, name),
      '5',
      'readers find what was given, as with the agent of Node',
    );
    assert.throws(() => Reflect.set(agent, name, '7 '), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.equal(agent[name], 7, name);
  }
  for (const name of ['maxRequestsPerSocket', 'maxSecureContexts']) {
    assert.ok(new PoolingAgent(loose({ [name]: '1' })), name);
    assert.throws(() => new PoolingAgent(loose({ [name]: '0' })), { code: 'ERR_OUT_OF_RANGE' });
  }
  assert.throws(() => new PoolingAgent(loose({ maxSockets: '0' })), { code: 'ERR_OUT_OF_RANGE' });
  assert.throws(() => new PoolingAgent(loose({ maxSockets: '9'.repeat(400) })), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
});

test('digits are counts in host rules, in replay and in a session cache', LIMIT, () => {
  const rule = { maxSockets: '2', maxQueueSize: '3', reserve: '1', weight: '2', maxRequestsPerSocket: '9' };
  const hosts = { 'a.test': loose(rule) as HostLimitOptions };
  const agent = new PoolingAgent({ hosts, maxTotalSockets: 10, ...loose({ replay: { max: '2' } }) });
  agent.setHostLimits('b.test', loose({ maxSockets: '0' }) as HostLimitOptions);
  assert.throws(() => agent.setHostLimits('b.test', loose({ weight: '-1' }) as HostLimitOptions), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  const cache = new SessionCache(loose({ maxCachedSessions: '3', maxTicketsPerIdentity: '1' }));
  assert.equal(cache.maxCachedSessions, 3);
  Reflect.set(cache, 'maxCachedSessions', '4');
  assert.equal(cache.maxCachedSessions, 4);
});

for (const [name, options] of [
  ['maxSockets', { maxSockets: '1' }],
  ['maxTotalSockets', { maxTotalSockets: '1' }],
  ['a rule', { hosts: { '*': { maxSockets: '1', acquireTimeout: null } } }],
  ['a function', { hosts: () => ({ maxSockets: '1', maxQueueSize: null }) }],
] as const) {
  test(`digits in ${name} are obeyed`, LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, ...loose(options) });
    const answers = [get(server, { agent }), get(server, { agent })];
    await until(() => server.held.length === 1);
    assert.equal(waitingCount(agent), 1);
    server.held[0]?.end();
    await until(() => server.held.length === 2);
    server.held[1]?.end();
    await Promise.all(answers);
    assert.equal(server.connections(), 1);
  });
}

test('null is not given, in place of the options and of each of them', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const usual = new PoolingAgent();
  for (const agent of [
    new PoolingAgent(null),
    ...AGENT_OPTIONS.map((name) => new PoolingAgent(loose({ [name]: null }))),
  ]) {
    for (const name of [
      ...COUNTS,
      'keepAlive',
      'keepAliveMsecs',
      'scheduling',
      'defaultPort',
      'protocol',
    ] as const) {
      assert.equal(Reflect.get(agent, name), Reflect.get(usual, name), name);
    }
    assert.deepEqual(Object.keys(agent.options), Object.keys(usual.options));
  }
  const nothing = loose(Object.fromEntries(AGENT_OPTIONS.map((name) => [name, null])));
  const agent = poolingAgent(t, { ...nothing, ca: server.ca });
  assert.equal((await get(server, { agent })).status, 200);
  assert.equal(Reflect.get(agent.options, 'noDelay'), true);
  assert.equal(
    (await get(server, { agent: poolingAgent(t, loose({ ca: null })), ca: server.ca })).status,
    200,
  );
});

test('what is not an option of ours keeps its null: it may mean something to a subclass', LIMIT, () => {
  const agent = new PoolingAgent(loose({ tenant: null }));
  assert.equal(Reflect.get(agent.options, 'tenant'), null);
});

test(
  'null is not given in host rules, replay, a session cache, a priority and changes of TLS options',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, {
      ca: server.ca,
      ...loose({
        replay: { max: null },
        sessionCache: new SessionCache(loose({ maxCachedSessions: null, ticketReuse: null, now: null })),
        maxCachedSessions: null,
        ticketReuse: null,
        hosts: {
          a: null,
          b: { maxSockets: null, scheduling: null, idleTimeout: null, weight: null, reserve: null },
        },
      }),
    });
    assert.equal(new SessionCache(null).maxCachedSessions, 100);
    const urgent = { agent, priority: null } as object;
    assert.equal((await get(server, urgent)).status, 200);
    agent.setHostLimits('*', { maxSockets: 0 });
    const paused = get(server, { agent });
    await until(() => waitingCount(agent) === 1);
    agent.setHostLimits('*', null);
    assert.equal((await paused).status, 200);
    if (!isPlain)
      agent.updateTls(loose({ checkServerIdentity: null, minDHSize: null, ciphers: null }) as never);
    assert.equal((await get(server, { agent })).status, 200);
    const byFunction = poolingAgent(
      t,
      loose({ hosts: () => null, tls: () => ({ ca: server.ca, cert: null }) }),
    );
    assert.equal((await get(server, { agent: byFunction })).status, 200);
  },
);

test('null and undefined bring back the default of a live property', LIMIT, () => {
  const usual = new PoolingAgent();
  const agent = new PoolingAgent({
    maxSockets: 1,
    maxTotalSockets: 2,
    maxFreeSockets: 3,
    keepAliveMsecs: 9,
    scheduling: 'fifo',
  });
  for (const nothing of [null, undefined]) {
    for (const name of [
      ...COUNTS,
      'acquireTimeout',
      'trimInterval',
      'keepAliveMsecs',
      'agentKeepAliveTimeoutBuffer',
      'scheduling',
      'keepAlive',
    ] as const) {
      Reflect.set(agent, name, nothing);
      assert.equal(agent[name], usual[name], name);
      Reflect.set(agent, name, name === 'scheduling' ? 'fifo' : 4);
    }
  }
});

test('keepAliveMsecs: Infinity leaves the delay to the system', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, keepAliveMsecs: Infinity });
  assert.equal(agent.keepAliveMsecs, Infinity);
  await get(server, { agent });
  assert.equal((await get(server, { agent })).status, 200);
  agent.keepAliveMsecs = 5;
  agent.keepAliveMsecs = Infinity;
});

test('defaultPort and protocol are those of requests that say nothing else', LIMIT, async (t) => {
  const server = await httpsServer(t, (req, res) => res.end(req.headers.host));
  const agent = poolingAgent(
    t,
    loose({ ca: server.ca, defaultPort: String(server.port), protocol: PROTOCOL }),
  );
  assert.equal(agent.defaultPort, server.port);
  const { body } = await get(server, { agent, port: undefined });
  assert.equal(body, 'localhost', 'the default port is not told');
});

test('proxyEnv: the error says what is wrong with it', LIMIT, () => {
  assert.throws(() => new PoolingAgent(loose({ proxyEnv: 'http://proxy.test' })), {
    code: 'ERR_INVALID_ARG_TYPE',
    message: /"proxyEnv" argument must be of type object/,
  });
  const { options } = new PoolingAgent(loose({ proxyEnv: { HTTPS_PROXY: 'http://127.0.0.1:9' } }));
  assert.ok('proxyEnv' in options);
  assert.ok(!('proxyEnv' in new PoolingAgent().options), 'only where it was given');
  assert.ok(new PoolingAgent(loose({ proxyEnv: false })));
});

const SLIPS: Record<string, string> = {
  maxsockets: 'maxSockets',
  keepalive: 'keepAlive',
  maxSocket: 'maxSockets',
  maxSokets: 'maxSockets',
  maxSocketss: 'maxSockets',
  maxScokets: 'maxSockets',
  max_sockets: 'maxSockets',
  MAX_TOTAL_SOCKETS: 'maxTotalSockets',
  keepAliveMsec: 'keepAliveMsecs',
  keepAliveMsecS: 'keepAliveMsecs',
  timeOut: 'timeout',
  sheduling: 'scheduling',
  rejectUnauthorised: 'rejectUnauthorized',
  serverName: 'servername',
  certs: 'cert',
  CA: 'ca',
  keey: 'key',
  kye: 'key',
  alpnProtocols: 'ALPNProtocols',
  idleTimout: 'idleTimeout',
  freeSocketTimeout: 'idleTimeout',
  freeSocketKeepAliveTimeout: 'idleTimeout',
  socketActiveTTL: 'maxSocketAge',
  keepAliveTimeout: 'idleTimeout',
  keepAliveMaxTimeout: 'maxIdleTimeout',
  connections: 'maxSockets',
  MaxIdleConnsPerHost: 'maxFreeSockets',
};

test('a name that is a slip, or the word of another library, has a likely one', LIMIT, () => {
  for (const [slip, name] of Object.entries(SLIPS)) assert.equal(likelyName(slip), name, slip);
  for (const other of [
    'tenant',
    'debug',
    'logger',
    'url',
    'ttl',
    'cache',
    'keys',
    'cas',
    'post',
    'retry',
    '',
    'x'.repeat(1e6),
  ]) {
    assert.equal(likelyName(other), undefined, other.slice(0, 20));
  }
});

test('one warning for each such name, and none for a name that Node knows', LIMIT, async (t) => {
  const warnings = warningsDuring(t);
  const emitted = async (): Promise<number> => {
    await new Promise(setImmediate);
    return warnings.length;
  };
  assert.ok(new PoolingAgent(loose({ maxFreeSocket: 5, tenant: 1, freeSocketTimeout: 1 })));
  assert.ok(new PoolingAgent(loose({ maxFreeSocket: 5, freeSocketTimeout: null })));
  assert.equal(await emitted(), 2);
  for (const { code, name } of warnings) assert.deepEqual([code, name], ['POOLING_AGENT_OPTION', 'Warning']);
  assert.match(String(warnings[0]), /"maxFreeSocket".*"maxFreeSockets"/);
  assert.match(String(warnings[1]), /"freeSocketTimeout".*"idleTimeout"/);
  warnOfNames(Object.fromEntries(Array.from(KNOWN_OPTIONS, (name) => [name, 1])));
  warnOfNames({ ...new PoolingAgent() });
  assert.equal(await emitted(), 2);
});
