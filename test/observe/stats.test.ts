/** `agent.stats()`: what it counts, that it adds up, and what it remembers of hosts. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { createServer } from 'node:http';
import type { ClientRequest } from 'node:http';
import { connect as connectTcp } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { PoolingAgent } from '../../src/index.js';
import type { AgentStats, PoolingAgentOptions } from '../../src/index.js';
import { HostRecords } from '../../src/observe/host-records.js';
import { statsOf } from '../../src/observe/agent-stats.js';
import { Recorder } from '../../src/observe/recorder.js';
import { poolingAgent } from '../support/agent.js';
import { BareDriver } from '../support/bare-driver.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { losingServer } from './losing-server.js';
import { silentServer } from './support.js';
import { addsUp } from '../../src/observe/stats.js';

const LIMIT = { timeout: 120_000 };

function ended(req: ClientRequest): Promise<string | undefined> {
  return new Promise((resolve) => {
    let code: string | undefined;
    req.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? error.name));
    req.on('close', () => resolve(code));
  });
}

/** The counters that are not zero, without distributions and hosts. */
function nonZero(stats: object): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(stats)) {
    if (typeof value === 'number' && value !== 0) found[key] = value;
    else if (typeof value === 'object' && key !== 'hosts' && !('p50' in value)) {
      const inner = nonZero(value);
      if (Object.keys(inner).length > 0) found[key] = inner;
    }
  }
  return found;
}

test('an agent that has done nothing has zeros, and they are numbers', () => {
  const stats = new PoolingAgent().stats();
  assert.deepEqual(nonZero(stats), {});
  const none = { count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };
  assert.deepEqual(stats.timeInQueue, none);
  assert.deepEqual(stats.connectTime, none);
  assert.deepEqual(stats.connectionAge, none);
  assert.deepEqual(stats.hosts, {});
  assert.deepEqual(JSON.parse(JSON.stringify(stats)), stats);
  assert.ok(!('name' in stats));
});

test('wrong arguments are refused', () => {
  const agent = new PoolingAgent();
  for (const options of [true, 'hosts', 1, [], () => {}]) {
    assert.throws(() => agent.stats(options as never), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const hosts of [1, 'no', {}]) {
    assert.throws(() => agent.stats({ hosts } as never), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const options of [undefined, null, {}, { hosts: undefined }, { hosts: null }]) {
    assert.deepEqual(agent.stats(options as never).hosts, {});
  }
  assert.ok(!('hosts' in agent.stats({ hosts: false })));
});

test('without hosts no host is read, however many there are', (t) => {
  const recorder = new Recorder('one');
  const { pool } = new BareDriver({});
  recorder.attach(pool as never);
  const { capacity, counters, idle } = pool;
  const view = {
    capacity,
    counters,
    idle,
    get hosts() {
      return assert.fail('hosts were read');
    },
  };
  const agentPool = { observer: recorder, view, addresses: () => new Map() };
  const shown = t.mock.method(HostRecords.prototype, 'shown');
  assert.equal(statsOf(agentPool as never, { hosts: false }).hosts, undefined);
  assert.equal(shown.mock.callCount(), 0);
  assert.throws(() => statsOf(agentPool as never, {}), /hosts were read/);
});

test('requests in turn: one connection, the second one reuses it', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, name: 'egress' });
  await get(server, { agent });
  await get(server, { agent });
  await until(() => agent.stats().idle === 1);
  const { hosts, ...stats } = agent.stats();
  const expected = { idle: 1, requests: 2, reused: 1, opened: 1, handshakes: { full: 1 } };
  assert.deepEqual(nonZero(stats), expected);
  assert.equal(stats.name, 'egress');
  assert.deepEqual(Object.keys(hosts ?? {}), [`localhost:${server.port}`]);
  const { addresses, ...ofHost } = hosts?.[`localhost:${server.port}`] ?? {};
  assert.deepEqual(nonZero(ofHost), expected);
  assert.ok(addresses?.some(({ address, connections }) => address === '127.0.0.1' && connections === 1));
  assert.equal(stats.connectTime.count, 1);
  assert.ok(stats.connectTime.min > 0 && stats.connectTime.p99 >= stats.connectTime.min);
  assert.equal(stats.connectionAge.count, 0);

  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
  const after = agent.stats();
  assert.deepEqual(nonZero(after), {
    requests: 2,
    reused: 1,
    opened: 1,
    closed: { destroyed: 1 },
    handshakes: { full: 1 },
  });
  assert.equal(after.connectionAge.count, 1);
  assert.equal(Object.keys(after.hosts ?? {}).length, 1, 'a host that was used of late is shown');
});

test('a session that is resumed is counted as such', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, keepAlive: false });
  await get(server, { agent });
  await get(server, { agent });
  await until(() => agent.totalSocketCount === 0);
  const { closed, handshakes, opened, reused } = agent.stats();
  assert.deepEqual({ ...handshakes }, { full: 1, resumed: 1 });
  assert.deepEqual([opened, reused, closed.surplus + closed.closed], [2, 0, 2]);
});

test('what is going on is told by what it is', LIMIT, async (t) => {
  const release: (() => void)[] = [];
  const server = await httpsServer(t, (_req, res) => void release.push(() => res.end()));
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const all = [get(server, { agent }), get(server, { agent }), get(server, { agent })];
  // Their handshake is not over.
  const { active, connecting, opened, waiting } = agent.stats();
  assert.deepEqual([active, connecting, opened, waiting], [0, 1, 1, 2]);
  await until(() => release.length === 1);
  const then = agent.stats();
  assert.deepEqual([then.active, then.connecting, then.queued, then.timeInQueue.count], [1, 0, 2, 0]);
  for (let i = 0; i < 3; i++) {
    await until(() => release.length > i);
    release[i]?.();
  }
  await Promise.all(all);
  const { queued, reused, timeInQueue, waiting: left } = agent.stats();
  assert.deepEqual([queued, reused, timeInQueue.count, left], [2, 2, 2, 0]);
  assert.ok(timeInQueue.min > 0);
  const host = agent.stats().hosts?.[`localhost:${server.port}`];
  assert.equal(host?.timeInQueue?.count, 2);
});

test('late binding: requests that wait for the handshake are queued', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, binding: 'late' });
  await Promise.all([get(server, { agent }), get(server, { agent })]);
  await until(() => agent.stats().connecting === 0);
  const { handshakes, opened, queued, requests, timeInQueue } = agent.stats();
  assert.equal(requests, 2);
  assert.equal(queued, timeInQueue.count);
  assert.ok(queued >= 1);
  assert.equal(handshakes.full + handshakes.resumed, opened);
});

for (const binding of ['eager', 'late'] as const) {
  const failing: [string, PoolingAgentOptions & { host?: string }, Partial<AgentStats['failed']>][] = [
    [
      'a look-up that fails',
      { lookup: (_host, _options, cb) => cb(new Error('none'), '', 0) },
      { lookup: 1 },
    ],
    [
      'a look-up that fails later',
      { lookup: (_host, _options, cb) => void setImmediate(() => cb(new Error('none'), '', 0)) },
      { lookup: 1 },
    ],
    ['a port where nobody listens', { port: 1 }, { connect: 1 }],
    ['the same by its address', { port: 1, host: '127.0.0.1' }, { connect: 1 }],
    ['a certificate that is not trusted', { ca: [] }, { secureConnect: 1 }],
  ];
  for (const [what, options, expected] of failing) {
    test(`${binding} binding: ${what}: a dial that fails is counted by its phase`, LIMIT, async (t) => {
      const server = await httpsServer(t);
      const { host = 'localhost', ...rest } = options;
      const agent = poolingAgent(t, { port: server.port, binding, ...rest });
      const code = await ended(request({ host, agent }).end());
      assert.ok(code);
      await until(() => agent.totalSocketCount === 0);
      const stats = agent.stats();
      assert.deepEqual(nonZero(stats)['failed'], expected);
      assert.deepEqual(nonZero(stats)['closed'], undefined);
      assert.equal(stats.connectTime.count, 0);
      assert.equal(stats.connectionAge.count, 0);
      assert.ok(addsUp(stats));
    });
  }

  test(`${binding} binding: a createConnection that throws, or calls back an error`, LIMIT, async (t) => {
    const agent = poolingAgent(t, { binding });
    agent.createConnection = () => {
      throw new Error('thrown');
    };
    await ended(request({ host: 'localhost', agent }).end());
    agent.createConnection = ((_options: object, cb: (error: Error) => void) => {
      setImmediate(cb, new Error('called back'));
    }) as never;
    await ended(request({ host: 'localhost', agent }).end());
    assert.deepEqual(nonZero(agent.stats())['failed'], { createConnection: 2 });
  });

  test(`${binding} binding: a server that does not answer`, LIMIT, async (t) => {
    const port = await silentServer(t);
    const agent = poolingAgent(t, { binding, connectTimeout: 50 });
    const code = await ended(request({ host: 'localhost', port, agent }).end());
    assert.equal(code, 'ETIMEDOUT');
    await until(() => agent.totalSocketCount === 0);
    assert.deepEqual(nonZero(agent.stats())['failed'], { secureConnect: 1 });
  });
}

test('a dial that its user gives up has not failed', LIMIT, async (t) => {
  const port = await silentServer(t);
  const agent = poolingAgent(t);
  const req = request({ host: 'localhost', port, agent });
  req.on('socket', (socket) => socket.on('connect', () => req.destroy(new Error('given up'))));
  await ended(req.end());
  await until(() => agent.totalSocketCount === 0);
  const { closed, failed } = nonZero(agent.stats());
  assert.deepEqual([closed, failed], [{ closed: 1 }, undefined]);
});

test('refused and aborted requests', LIMIT, async (t) => {
  const server = await httpsServer(t, () => {});
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, maxQueueSize: 2, acquireTimeout: 30 });
  const first = request({ host: 'localhost', port: server.port, agent }).end();
  void ended(first);
  await until(() => agent.stats().active === 1);
  const waiting = [1, 2].map(() => request({ host: 'localhost', port: server.port, agent }).end());
  const [aborted, late] = waiting.map(ended);
  const full = ended(request({ host: 'localhost', port: server.port, agent }).end());
  waiting[0]?.destroy(new Error('aborted'));
  assert.equal(await full, 'ERR_POOL_QUEUE_FULL');
  await aborted;
  assert.equal(await late, 'ERR_POOL_ACQUIRE_TIMEOUT');
  const { queued, refused, requests, timeInQueue, waiting: left } = agent.stats();
  assert.deepEqual({ ...refused }, { queueFull: 1, acquireTimeout: 1, closed: 0 });
  assert.deepEqual([requests, queued, timeInQueue.count, left], [4, 2, 2, 0]);
  first.destroy();
});

test('a closed agent counts the requests that it refuses', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  await agent.close();
  const code = await ended(request({ host: 'localhost', port: server.port, agent }).end());
  assert.equal(code, 'ERR_AGENT_CLOSED');
  assert.deepEqual(nonZero(agent.stats()), {
    requests: 2,
    opened: 1,
    closed: { shutdown: 1 },
    refused: { closed: 1 },
    handshakes: { full: 1 },
  });
});

test('identities of one host add up, however it is written', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  await get(server, { agent, servername: 'other', rejectUnauthorized: false });
  await get(server, { agent, host: 'LOCALHOST' });
  await until(() => agent.stats().idle === 3);
  const { hosts } = agent.stats();
  assert.deepEqual(Object.keys(hosts ?? {}), [`localhost:${server.port}`]);
  const { idle, opened, requests } = hosts?.[`localhost:${server.port}`] ?? {};
  assert.deepEqual([idle, opened, requests], [3, 3, 3]);
});

test('an IPv6 host has its brackets, the default port is written', LIMIT, async (t) => {
  const agent = poolingAgent(t, { connectTimeout: 5000 });
  const req = request({ host: '0:0:0:0:0:0:0:1', agent }).end();
  await ended(req);
  assert.deepEqual(Object.keys(agent.stats().hosts ?? {}), ['[::1]:443']);
});

test('a host that holds nothing is forgotten after trimInterval, and stays in the sums', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, keepAlive: false, trimInterval: 30 });
  await get(server, { agent });
  await until(() => agent.totalSocketCount === 0);
  await until(() => Object.keys(agent.stats().hosts ?? {}).length === 0);
  assert.equal(agent.stats().requests, 1);
  agent.trimInterval = 60_000;
  await get(server, { agent });
  const { hosts, requests } = agent.stats();
  assert.deepEqual([requests, hosts?.[`localhost:${server.port}`]?.requests], [2, 1]);
});

test('an upgraded connection is detached, and counts no more', LIMIT, async (t) => {
  const server = await httpsServer(t);
  server.server.on('upgrade', (_req, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  });
  const agent = poolingAgent(t, { ca: server.ca });
  const headers = { connection: 'Upgrade', upgrade: 'x' };
  const req = request({ host: 'localhost', port: server.port, agent, headers }).end();
  const socket = await new Promise<Socket>((resolve) => req.on('upgrade', (_res, s) => resolve(s)));
  const stats = agent.stats();
  assert.deepEqual(nonZero(stats), {
    requests: 1,
    opened: 1,
    closed: { detached: 1 },
    handshakes: { full: 1 },
  });
  assert.equal(stats.connectionAge.count, 1);
  socket.destroy();
});

test('a request that is sent again is counted once, and its replay', LIMIT, async (t) => {
  const server = await losingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  await get(server, { agent });
  const { opened, replayed, requests, reused } = agent.stats();
  assert.deepEqual([requests, reused, replayed, opened], [2, 1, 1, 2]);
});

test(
  'a request that is sent again on a used connection is not counted as reused once more',
  LIMIT,
  async (t) => {
    const sockets: Socket[] = [];
    let isBroken = false;
    const server = await httpsServer(t, (req, res) => {
      if (isBroken) req.socket.destroy();
      else res.end();
      isBroken = false;
    });
    server.server.on('secureConnection', (socket: Socket) => void sockets.push(socket));
    const agent = poolingAgent(t, { ca: server.ca });
    await Promise.all([get(server, { agent }), get(server, { agent })]);
    await until(() => agent.stats().idle === sockets.length && sockets.length === 2);
    isBroken = true;
    const { req } = await get(server, { agent });
    assert.ok(req.reusedSocket);
    const { opened, replayed, requests, reused } = agent.stats();
    assert.deepEqual([requests, reused, replayed, opened], [3, 1, 1, 2]);
  },
);

test('a socket from outside is opened, and no handshake of ours', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const options = { host: 'localhost', port: server.port, servername: 'localhost', ca: server.ca };
  const socket: Socket = connect(options);
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  agent.emit('free', socket, options);
  await until(() => agent.stats().idle === 1);
  const { idle, opened, requests, connectTime, handshakes } = agent.stats();
  assert.deepEqual([idle, opened, requests, connectTime.count], [1, 1, 0, 0]);
  assert.deepEqual({ ...handshakes }, { full: 0, resumed: 0 });
});

test('a stream that never tells that it is ready is so when an answer has come', LIMIT, async (t) => {
  const server = createServer((_req, res) => res.end());
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const agent = poolingAgent(t);
  agent.createConnection = () => Object.assign(connectTcp(port), { secureConnecting: true });
  await get({ port, ca: '' }, { agent });
  await until(() => agent.stats().idle === 1);
  const { connectTime, connecting, handshakes } = agent.stats();
  assert.deepEqual([connecting, connectTime.count, { ...handshakes }], [0, 1, { full: 0, resumed: 0 }]);
});

test('a copy of an agent counts for itself, under the same name', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, name: 'one' });
  await get(server, { agent });
  const copy = Object.assign(Object.create(Object.getPrototypeOf(agent) as object), agent) as PoolingAgent;
  t.after(() => copy.destroy());
  assert.equal(copy.stats().requests, 0);
  await get(server, { agent: copy });
  assert.deepEqual([copy.stats().requests, agent.stats().requests], [1, 1]);
  assert.deepEqual([copy.stats().name, copy.name], ['one', 'one']);
});

test('a name is a string that can be printed', () => {
  assert.equal(new PoolingAgent({ name: 'x' }).name, 'x');
  assert.equal(new PoolingAgent({ name: undefined }).name, undefined);
  assert.equal(new PoolingAgent({ name: null as never }).name, undefined);
  for (const name of [1, {}, Symbol('x'), true])
    assert.throws(() => new PoolingAgent({ name: name as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  for (const name of ['', 'a\nb', '\u0000'])
    assert.throws(() => new PoolingAgent({ name }), { code: 'ERR_INVALID_ARG_VALUE' });
});

test('what stands before an @ in a host is told nowhere', LIMIT, async (t) => {
  const port = await silentServer(t);
  const agent = poolingAgent(t, { connectTimeout: 200, maxSockets: 1, acquireTimeout: 20 });
  const host = 'user:se@cret@localhost';
  const lookup = (_host: string, options: { all?: boolean }, done: (...args: unknown[]) => void): void =>
    options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
  const errors = await Promise.all(
    [1, 2].map(() => {
      const req = request({ host, servername: 'localhost', port, agent, lookup: lookup as never }).end();
      return new Promise<NodeJS.ErrnoException>((resolve) => req.on('error', resolve));
    }),
  );
  assert.deepEqual(errors.map(({ code }) => code).toSorted(), ['ERR_POOL_ACQUIRE_TIMEOUT', 'ETIMEDOUT']);
  assert.deepEqual(Object.keys(agent.stats().hosts ?? {}), [`localhost:${port}`]);
  for (const error of errors)
    assert.doesNotMatch(JSON.stringify({ ...error, text: String(error) }), /user|cret/);
});
