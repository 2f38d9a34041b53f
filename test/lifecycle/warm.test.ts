/** `minFreeSockets`: this number of connections is free at any time, beside those in use. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PoolingAgent, PoolingAgentOptions } from '../../src/index.js';
import { activeCount, idleCount, poolingAgent, poolOf } from '../support/agent.js';
import { findsReady, Lag } from '../support/bursts.js';
import { closeWhenIdle, IDLE_TIME } from '../support/idle-closing.js';
import { DEFAULT_PORT, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer, rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { fate, holdingServer, LIMIT } from './support.js';

/** Milliseconds for which the event loop, which is the server's, too, was held at most, and in all, where a try counts in full. */
const QUIET = { most: 60, sum: 100 };

function isQuietSince(lag: Lag): boolean {
  const { most, sum } = lag.take();
  return most < QUIET.most && sum < QUIET.sum;
}

/** Dials that may begin in one turn of the event loop, or two. */
const FEW = 8;

/** For as long as a lack would be noticed. */
const A_WHILE = 150;

/** Everything is still as `condition` says after a while. */
async function stays(condition: () => boolean): Promise<void> {
  assert.ok(condition());
  await sleep(A_WHILE);
  assert.ok(condition());
}

test(
  'a host with a rule is kept ready from the beginning, and a burst takes what is there',
  LIMIT,
  async (t) => {
    const server = await holdingServer(t);
    const hosts = { [`localhost:${server.port}`]: { minFreeSockets: 5 } };
    const agent = poolingAgent(t, { ca: server.ca, hosts });
    await until(() => idleCount(agent) === 5);
    await until(() => server.connections() === 5);
    await stays(() => idleCount(agent) === 5 && server.connections() === 5);
    const fates = Array.from({ length: 5 }, (_, i) => fate(get(server, { agent, path: `/${i}` })));
    await until(() => server.held.size === 5 && idleCount(agent) === 5);
    await until(() => server.connections() === 10);
    server.answer();
    await Promise.all(fates);
    await until(() => idleCount(agent) === 10);
    assert.equal((await get(server, { agent, path: '/quick', ca: undefined as never })).body, '/quick');
    await stays(() => server.connections() === 10);
  },
);

test(
  'a rule that names no port means that of the protocol; patterns for many hosts wait for a request',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const dialled: unknown[] = [];
    const agent = poolingAgent(t, {
      hosts: {
        localhost: { minFreeSockets: 1 },
        '*.test.localhost': { minFreeSockets: 2 },
        '10.0.0.0/8': { minFreeSockets: 1 },
      },
    });
    const { createConnection } = agent;
    agent.createConnection = function create(this: PoolingAgent, options, callback) {
      dialled.push((options as { port?: unknown }).port);
      if ((options as { port?: unknown }).port === DEFAULT_PORT) throw new Error('nobody there');
      return createConnection.call(this, options, callback);
    };
    await until(() => dialled.length > 0);
    assert.deepEqual(new Set(dialled), new Set([DEFAULT_PORT]));
    // A function counts when it comes a second time: until then it may be a closure for one request.
    await get(server, { agent, host: 'a.test.localhost', lookup: toLoopback });
    await stays(() => idleCount(agent) <= 1);
    await get(server, { agent, host: 'a.test.localhost', lookup: toLoopback });
    await until(() => idleCount(agent) >= 2);
    await stays(() => idleCount(agent) <= 3);
  },
);

function toLoopback(...args: unknown[]): void {
  const callback = args.at(-1) as (error: null, addresses: unknown, family?: number) => void;
  const { all } = args[1] as { all?: boolean };
  if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
}

test('on the agent: each identity, until it was not used for a while', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { minFreeSockets: 2, trimInterval: 300, idleTimeout: 200 });
  await sleep(20);
  assert.equal(agent.totalSocketCount, 0, 'nothing before the first request');
  await get(server, { agent });
  await until(() => idleCount(agent) >= 2);
  await until(() => agent.totalSocketCount === 0);
  const { size } = poolOf(agent).hosts;
  await stays(() => agent.totalSocketCount === 0);
  assert.equal(size, 0, 'nothing of it is left');
});

test(
  'connections are replaced before they have been idle for too long, the new ones first',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const hosts = { [`localhost:${server.port}`]: { minFreeSockets: 3, idleTimeout: 2000 } };
    const agent = poolingAgent(t, { ca: server.ca, hosts });
    await until(() => idleCount(agent) === 3);
    let least = Infinity;
    const watch = setInterval(() => (least = Math.min(least, idleCount(agent))), 5);
    t.after(() => clearInterval(watch));
    await until(() => server.connections() >= 9);
    assert.ok(least >= 3, `${least} were free`);
  },
);

test('as many as a limit allows are replaced one by one', LIMIT, async (t) => {
  const server = await httpsServer(t);
  for (const limits of [{ maxFreeSockets: 2 }, { maxSockets: 2 }, { maxTotalSockets: 2 }]) {
    const agent = poolingAgent(t, { ca: server.ca, minFreeSockets: 2, idleTimeout: 300, ...limits });
    const before = server.connections();
    await get(server, { agent });
    await until(() => server.connections() >= before + 5);
    assert.ok(agent.totalSocketCount <= 4);
    agent.destroy();
  }
});

test('a server that closes idle connections after a second: a burst of 5 finds 5', LIMIT, async (t) => {
  // A handshake takes its time, and bursts come at many points of a cycle.
  const server = await rawServer(t, closeWhenIdle, {
    SNICallback: (_name, done) => setTimeout(done, 150, null, undefined),
  });
  const betweenBursts = [0.9, 1.1, 1, 1.2, 1.4].map((part) => part * IDLE_TIME);
  const hosts = { [`localhost:${server.port}`]: { minFreeSockets: 5 } };
  const agent = poolingAgent(t, { ca: server.ca, hosts });
  // The first cycle: the server teaches what it does.
  await until(() => idleCount(agent) >= 5);
  await until(() => server.connections() >= 10);
  await sleep(1.5 * IDLE_TIME);
  const lag = new Lag();
  t.after(() => lag.stop());
  let [tries, quiet, found, foundQuiet] = [0, 0, 0, 0];
  let wasQuiet = false;
  while (tries < 12 && quiet < 5) {
    const wasQuietBefore = wasQuiet;
    wasQuiet = isQuietSince(lag);
    const isFound = await findsReady(agent, server.port, 5);
    wasQuiet = isQuietSince(lag) && wasQuiet;
    // Connections that were ready may have been opened before the burst before this one.
    const isQuiet = wasQuiet && wasQuietBefore;
    tries++;
    found += Number(isFound);
    quiet += Number(isQuiet);
    foundQuiet += Number(isFound && isQuiet);
    await sleep(betweenBursts[tries % betweenBursts.length]);
  }
  t.diagnostic(
    `${found} of ${tries} bursts found 5; of ${quiet} around which the loop was not held, ${foundQuiet}`,
  );
  assert.equal(foundQuiet, quiet);
  // On a machine that is busy all the time. Without what is kept ready it would be none.
  assert.ok(found >= 1, `${found} of ${tries} bursts found 5`);
});

test('dials that fail are tried again, ever more seldom, and nothing is uncaught', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const times: number[] = [];
  const agent = poolingAgent(t, {
    ca: server.ca,
    hosts: { [`localhost:${server.port}`]: { minFreeSockets: 3 } },
  });
  const { createConnection } = agent;
  let fails = true;
  agent.createConnection = function create(this: PoolingAgent, options, callback) {
    times.push(performance.now());
    if (fails) throw new Error('not now');
    return createConnection.call(this, options, callback);
  };
  await until(() => times.length >= 3);
  assert.ok(Number(times[1]) - Number(times[0]) >= 90);
  assert.ok(Number(times[2]) - Number(times[1]) >= 190);
  fails = false;
  await until(() => idleCount(agent) === 3);
});

test('a server that closes each connection at once is not dialled without end', LIMIT, async (t) => {
  const server = await rawServer(t, (socket) => socket.destroy());
  poolingAgent(t, { ca: server.ca, hosts: { [`localhost:${server.port}`]: { minFreeSockets: 2 } } });
  await until(() => server.connections() >= 4);
  const before = server.connections();
  await sleep(300);
  assert.ok(server.connections() - before <= 8);
});

for (const [what, keeps] of [
  ['fail later', true],
  ['bring what is not kept', false],
] as const) {
  test(`dials that ${what} are tried ever more seldom`, LIMIT, async (t) => {
    const server = await (keeps ? refusingServer(t) : httpsServer(t));
    const hosts = { [`localhost:${server.port}`]: { minFreeSockets: 2 } };
    const agent = poolingAgent(t, { ca: server.ca, hosts });
    agent.keepSocketAlive = () => keeps;
    const times: number[] = [];
    const { createConnection } = agent;
    agent.createConnection = function create(this: PoolingAgent, options, callback) {
      times.push(performance.now());
      return createConnection.call(this, options, callback);
    };
    // Two at a time: the sixth time is 200, 400, 800, 1600 and 3200 ms after the first, or half of all that at least.
    await until(() => times.length >= 12);
    assert.ok(Number(times[11]) - Number(times[0]) >= 3000);
  });
}

/** A server that ends each handshake. */
async function refusingServer(t: TestContext): Promise<{ port: number; ca: string }> {
  const { port, server, ca } = await rawServer(t, () => {});
  server.prependListener('connection', (socket: Socket) => socket.end());
  return { port, ca };
}

test('hundreds of hosts: few dials begin in one turn of the event loop', LIMIT, async (t) => {
  const hosts = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`host-${i}.test.localhost`, { minFreeSockets: 1 }]),
  );
  const agent = poolingAgent(t, { hosts });
  const dialled = new Set<unknown>();
  let [inTurn, most] = [0, 0];
  agent.createConnection = function create({ host }: { host?: string | null }) {
    dialled.add(host);
    most = Math.max(most, ++inTurn);
    if (inTurn === 1) setImmediate(() => (inTurn = 0));
    throw new Error('nobody there');
  } as never;
  await until(() => dialled.size === 300);
  assert.ok(most <= FEW, `${most} dials began in one turn`);
});

test('limits that change: more, fewer, none, paused', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent, path: '/quick', ca: undefined as never });
  await stays(() => agent.totalSocketCount === 1);
  agent.minFreeSockets = 3;
  await get(server, { agent, path: '/quick', ca: undefined as never });
  agent.setHostLimits(`localhost:${server.port}`, { minFreeSockets: 4 });
  await until(() => idleCount(agent) === 4);
  agent.setHostLimits(`localhost:${server.port}`, { minFreeSockets: 4, maxSockets: 0 });
  await until(() => agent.totalSocketCount === 0);
  await stays(() => agent.totalSocketCount === 0);
  agent.setHostLimits(`localhost:${server.port}`, { minFreeSockets: 1 });
  await until(() => idleCount(agent) === 1);
  agent.setHostLimits(`localhost:${server.port}`, { minFreeSockets: 3 });
  await until(() => idleCount(agent) === 3);
  agent.maxSockets = 2;
  agent.setHostLimits(`localhost:${server.port}`, null);
  await until(() => agent.totalSocketCount <= 2);
  await stays(() => agent.totalSocketCount <= 2);
});

test('not while others wait for slots, and never at their cost', LIMIT, async (t) => {
  const [server, other] = [await holdingServer(t), await holdingServer(t)];
  const agent = poolingAgent(t, {
    ca: server.ca,
    maxTotalSockets: 2,
    hosts: { [`localhost:${other.port}`]: { minFreeSockets: 2 } },
  });
  await until(() => idleCount(agent) === 2);
  const fates = ['/1', '/2', '/3'].map((path) => fate(get(server, { agent, path, ca: undefined as never })));
  await until(() => server.held.size === 2);
  await stays(() => server.held.size === 2 && idleCount(agent) === 0);
  server.answer();
  await until(() => server.held.size === 1);
  server.answer();
  assert.deepEqual(await Promise.all(fates), ['/1', '/2', '/3']);
});

test('trimming leaves them alone', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const hosts = { [`localhost:${server.port}`]: { minFreeSockets: 3 } };
  const agent = poolingAgent(t, { ca: server.ca, hosts, trimInterval: 100, idleTimeout: 60_000 });
  await until(() => idleCount(agent) === 3);
  const end = performance.now() + 500;
  while (performance.now() < end) await get(server, { agent, ca: undefined as never });
  await until(() => activeCount(agent) === 0);
  assert.ok(idleCount(agent) >= 3);
  assert.ok(server.connections() <= 6);
});

test('after updateTls() they are opened with what is new', { ...LIMIT, ...TLS_ONLY }, async (t) => {
  const server = await httpsServer(t);
  const hosts = { [`localhost:${server.port}`]: { minFreeSockets: 2 } };
  const agent = poolingAgent(t, { ca: server.ca, hosts });
  await until(() => idleCount(agent) === 2);
  const before = server.connections();
  agent.updateTls({ ca: [server.ca] });
  await until(() => idleCount(agent) === 2 && server.connections() >= before + 2);
  await get(server, { agent, ca: undefined as never });
  await stays(() => server.connections() <= before + 4);
});

test('close() ends it; destroy() does until the next request', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const hosts = { [`localhost:${server.port}`]: { minFreeSockets: 2 } };
  const closed = poolingAgent(t, { ca: server.ca, hosts });
  await until(() => idleCount(closed) === 2);
  await closed.close();
  await stays(() => closed.totalSocketCount === 0);
  const destroyed = poolingAgent(t, { ca: server.ca, hosts });
  await until(() => idleCount(destroyed) === 2);
  destroyed.destroy();
  await until(() => destroyed.totalSocketCount === 0);
  await stays(() => destroyed.totalSocketCount === 0);
  await get(server, { agent: destroyed, ca: undefined as never });
  await until(() => idleCount(destroyed) >= 2);
});

test('closed from outside, they are replaced', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const hosts = { [`localhost:${server.port}`]: { minFreeSockets: 2 } };
  const agent = poolingAgent(t, { ca: server.ca, hosts });
  await until(() => idleCount(agent) === 2);
  agent.closeIdleConnections();
  assert.equal(idleCount(agent), 0);
  await until(() => idleCount(agent) === 2);
});

test('options of one request alone are not kept', LIMIT, async (t: TestContext) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { minFreeSockets: 1 });
  const abort = new AbortController();
  await get(server, { agent, signal: abort.signal, headers: { host: 'a.test.localhost' } });
  await until(() => idleCount(agent) >= 1);
  abort.abort();
  await stays(() => idleCount(agent) >= 1);
});

const child = fileURLToPath(new URL('warm-child.js', import.meta.url));
for (const what of ['nothing', 'request'] as const) {
  test(`the process ends by itself (${what})`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const args = [child, String(server.port), server.ca, what];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 100_000 });
    assert.equal(stdout.trim(), what === 'request' ? '/' : '');
  });
}

const plainChild = fileURLToPath(new URL('plain-child.js', import.meta.url));
for (const how of ['minFreeSockets', 'preconnect'] as const) {
  test(`the process ends by itself over http: (${how})`, LIMIT, async (t) => {
    const server = createServer((_req, res) => res.end()).listen(0, '127.0.0.1');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    server.keepAliveTimeout = 0;
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await promisify(execFile)(process.execPath, [plainChild, String(port), how], { timeout: 100_000 });
  });
}

test('more than can be kept ready is refused, where it is set', LIMIT, async (t) => {
  const refused: [PoolingAgentOptions, string][] = [
    [{ minFreeSockets: 3, maxFreeSockets: 2 }, 'ERR_OUT_OF_RANGE'],
    [{ minFreeSockets: 3, maxSockets: 2 }, 'ERR_OUT_OF_RANGE'],
    [{ minFreeSockets: 3, maxTotalSockets: 2 }, 'ERR_OUT_OF_RANGE'],
    [{ minFreeSockets: 3, maxTotalFreeSockets: 2 }, 'ERR_OUT_OF_RANGE'],
    [{ minFreeSockets: 257 }, 'ERR_OUT_OF_RANGE'],
    [{ minFreeSockets: Infinity }, 'ERR_OUT_OF_RANGE'],
    [{ minFreeSockets: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ minFreeSockets: true as never }, 'ERR_INVALID_ARG_TYPE'],
    [{ minFreeSockets: 1, keepAlive: false }, 'ERR_INVALID_ARG_VALUE'],
    [{ hosts: { localhost: { minFreeSockets: 3, maxSockets: 2 } } }, 'ERR_OUT_OF_RANGE'],
    [{ maxFreeSockets: 2, hosts: { '*': { minFreeSockets: 3 } } }, 'ERR_OUT_OF_RANGE'],
  ];
  for (const [options, code] of refused)
    assert.throws(() => poolingAgent(t, options), { code }, JSON.stringify(options));
  const agent = poolingAgent(t, { maxFreeSockets: 2, minFreeSockets: '2' as never });
  assert.throws(() => (agent.minFreeSockets = 3), { code: 'ERR_OUT_OF_RANGE' });
  assert.equal(agent.minFreeSockets, 2);
  assert.throws(() => agent.setHostLimits('localhost', { minFreeSockets: 3 }), { code: 'ERR_OUT_OF_RANGE' });
  agent.setHostLimits('localhost', { maxSockets: 1 });
});
