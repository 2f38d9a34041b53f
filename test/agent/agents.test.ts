/** `createAgents()`: two agents over one pool. Shared values read the same on both; the end of one is its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { ClientRequest, IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createAgents, PoolingAgent, PoolingHttpAgent } from '../../src/index.js';
import type { AgentsOptions, PoolingAgents } from '../../src/index.js';
import { checkInvariants } from '../../src/pool/invariants.js';
import { poolOf } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { until } from '../support/until.js';
import '../support/audit.js';

const LIMIT = { timeout: 120_000 };

interface Bench extends PoolingAgents {
  readonly ports: { readonly http: number; readonly https: number };
  /** Answers that the test has to give, with `hold`. */
  readonly held: ServerResponse[];
  send(protocol: 'http' | 'https', path?: string): Sent;
}

interface Sent {
  readonly req: ClientRequest;
  /** The body, or the code of the error. */
  readonly outcome: Promise<string>;
}

async function bench(t: TestContext, options: AgentsOptions = {}, hold = false): Promise<Bench> {
  const { key, cert } = await certificate();
  const held: ServerResponse[] = [];
  const listener: RequestListener = (req, res) => void (hold ? held.push(res) : res.end(req.url));
  const servers = { http: http.createServer(listener), https: https.createServer({ key, cert }, listener) };
  for (const server of Object.values(servers) as Server[]) {
    server.keepAliveTimeout = 0;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
  }
  const agents = createAgents({ ca: cert, ...options });
  t.after(() => {
    for (const agent of [agents.http, agents.https]) agent.destroy();
    checkInvariants(poolOf(agents.https));
    assert.equal(agents.http.stats().waiting, 0);
  });
  const ports = {
    http: (servers.http.address() as AddressInfo).port,
    https: (servers.https.address() as AddressInfo).port,
  };
  const send = (protocol: 'http' | 'https', path = '/'): Sent => {
    const agent = agents[protocol];
    const module = protocol === 'http' ? http : https;
    const req = module.get({ agent, host: 'localhost', port: ports[protocol], path });
    const outcome = new Promise<string>((resolve) => {
      req.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
      req.on('response', (res: IncomingMessage) => {
        let text = '';
        res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        res.on('end', () => resolve(text)).on('error', () => {});
      });
    });
    return { req, outcome };
  };
  return { ...agents, ports, held, send };
}

function countOf(view: NodeJS.ReadOnlyDict<unknown[]>): number {
  return Object.values(view).reduce((sum, members = []) => sum + members.length, 0);
}

test('each is of its kind, and options hold for both', () => {
  const agents = createAgents({ name: 'pair', maxSockets: 7, maxTotalSockets: '9' as unknown as number });
  assert.ok(agents.http instanceof PoolingHttpAgent && agents.https instanceof PoolingAgent);
  assert.deepEqual([agents.http.protocol, agents.https.protocol], ['http:', 'https:']);
  assert.deepEqual([agents.http.defaultPort, agents.https.defaultPort], [80, 443]);
  for (const agent of [agents.http, agents.https]) {
    assert.equal(agent.name, 'pair');
    assert.equal(agent.maxSockets, 7);
    assert.equal(agent.maxTotalSockets, 9);
    assert.equal(Object.getOwnPropertySymbols(agent.options).length, 0);
  }
  agents.http.maxSockets = 3;
  assert.equal(agents.https.maxSockets, 3);
  agents.https.keepAliveMsecs = 5;
  assert.equal(agents.http.keepAliveMsecs, 5);
  for (const wrong of [{ protocol: 'http:' }, { defaultPort: 1 }])
    assert.throws(() => createAgents(wrong as AgentsOptions), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.throws(() => createAgents(5 as never), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => createAgents({ maxSockets: -1 }), { code: 'ERR_OUT_OF_RANGE' });
  assert.throws(() => createAgents({ hosts: { 'ftp://a': {} } }), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.doesNotThrow(() => createAgents(null));
  assert.doesNotThrow(() => createAgents({ protocol: null, defaultPort: null } as AgentsOptions));
});

test('`maxTotalSockets` bounds both together, and both take turns', LIMIT, async (t) => {
  const b = await bench(t, { maxTotalSockets: 1 });
  const sent = Array.from({ length: 6 }, (_, i) => b.send(i % 2 ? 'http' : 'https', `/${i}`));
  assert.deepEqual(
    await Promise.all(sent.map(({ outcome }) => outcome)),
    sent.map((_, i) => `/${i}`),
  );
  assert.equal(poolOf(b.https), poolOf(b.http as unknown as PoolingAgent));
  const { opened, requests } = b.http.stats();
  assert.equal(requests, 6);
  assert.ok(opened >= 2);
  assert.equal(b.http.totalSocketCount, 1);
});

test('the total queue is one, and `setPriority` works on either', LIMIT, async (t) => {
  const b = await bench(t, { maxTotalSockets: 1, maxTotalQueueSize: 1 }, true);
  const first = b.send('https');
  await until(() => b.held.length === 1);
  const second = b.send('http');
  const third = b.send('https');
  assert.equal(await third.outcome, 'ERR_POOL_QUEUE_FULL');
  await until(() => countOf(b.http.requests) === 1);
  assert.equal(b.http.explain(second.req).limitedBy, 'maxTotalSockets');
  assert.equal(b.http.setPriority(second.req, 1), true);
  assert.equal(countOf(b.https.requests), 0);
  b.held.shift()?.end('one');
  assert.equal(await first.outcome, 'one');
  await until(() => b.held.length === 1);
  b.held.shift()?.end('two');
  assert.equal(await second.outcome, 'two');
});

test('views are about one half, statistics about both, by names with the protocol', LIMIT, async (t) => {
  const b = await bench(t);
  await Promise.all([b.send('http').outcome, b.send('https').outcome]);
  await until(() => b.http.stats().idle === 2);
  assert.deepEqual([countOf(b.http.freeSockets), countOf(b.https.freeSockets)], [1, 1]);
  assert.deepEqual(Object.keys(b.http.freeSockets), [`localhost:${b.ports.http}:`]);
  assert.deepEqual(b.http.stats(), b.https.stats());
  assert.deepEqual(
    new Set(Object.keys(b.http.stats().hosts ?? {})),
    new Set([`http://localhost:${b.ports.http}`, `https://localhost:${b.ports.https}`]),
  );
  assert.deepEqual(JSON.parse(JSON.stringify(b.http)), JSON.parse(JSON.stringify(b.https)));
  const addresses = Object.values(b.http.stats().hosts ?? {}).map((host) => host.addresses?.length);
  assert.deepEqual(addresses, [1, 1]);
});

test('rules may name a protocol, which comes before one that names none', LIMIT, async (t) => {
  const seen: unknown[] = [];
  const b = await bench(t, {
    hosts: { localhost: { maxSockets: 5 }, 'HTTP://localhost': { maxSockets: 1 }, 'https://10.0.0.0/8': {} },
    proxy: (...args: unknown[]) => void seen.push(args),
  });
  await Promise.all(['http', 'https', 'http', 'https'].map((protocol) => b.send(protocol as 'http').outcome));
  const plain = [...poolOf(b.https).hosts].find(({ origin }) => origin.protocol.name === 'http:');
  const secure = [...poolOf(b.https).hosts].find(({ origin }) => origin.protocol.name === 'https:');
  assert.deepEqual([plain?.limits.maxSockets, secure?.limits.maxSockets], [1, 5]);
  assert.deepEqual(new Set(seen.map((args) => (args as unknown[])[2])), new Set(['http:', 'https:']));
  b.http.setHostLimits('https://localhost', { maxSockets: 2 });
  assert.equal(secure?.limits.maxSockets, 2);
  assert.throws(() => b.http.setHostLimits('https://localhost/', { maxSockets: 2 }), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
  assert.throws(() => new PoolingAgent().setHostLimits('https://localhost', {}), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
});

for (const [ended, other] of [
  ['http', 'https'],
  ['https', 'http'],
] as const) {
  test(`destroy() of ${ended} is about its own half`, LIMIT, async (t) => {
    const b = await bench(t, { maxSockets: 1 }, true);
    const mine = [b.send(ended), b.send(ended)];
    const others = [b.send(other), b.send(other)];
    await until(() => b.held.length === 2);
    b[ended].destroy();
    assert.deepEqual(
      new Set(await Promise.all(mine.map(({ outcome }) => outcome))),
      new Set(['ECONNRESET', 'ERR_AGENT_DESTROYED']),
    );
    for (let answered = 0; answered < 2;) {
      const res = b.held.shift();
      if (!res) await new Promise((resolve) => setImmediate(resolve));
      else if (!res.destroyed) {
        res.end('on');
        answered++;
      }
    }
    assert.deepEqual(await Promise.all(others.map(({ outcome }) => outcome)), ['on', 'on']);
    assert.equal(b[ended].closed, false);
  });

  test(
    `close() of ${ended}: the other one goes on, and it resolves when its own half is empty`,
    LIMIT,
    async (t) => {
      const b = await bench(t, {}, true);
      const sent = [b.send(ended), b.send(other)];
      await until(() => b.held.length === 2);
      let isClosed = false;
      const closed = b[ended].close().then(() => (isClosed = true));
      assert.equal(await b.send(ended).outcome, 'ERR_AGENT_CLOSED');
      assert.deepEqual([b[ended].closed, b[other].closed], [true, false]);
      assert.equal(isClosed, false);
      for (const res of b.held.splice(0)) res.end('done');
      assert.deepEqual(await Promise.all(sent.map(({ outcome }) => outcome)), ['done', 'done']);
      await closed;
      await until(() => b[other].stats().idle === 1);
      const again = b.send(other);
      await until(() => b.held.length === 1);
      b.held.shift()?.end('again');
      assert.equal(await again.outcome, 'again');
      assert.equal((await b[ended].preconnect(`${ended}://localhost:${b.ports[ended]}`)).failed, 1);
      assert.equal((await b[other].preconnect(`${other}://localhost:${b.ports[other]}`)).opened, 1);
      await b[other].close();
      assert.equal(b.http.totalSocketCount, 0);
    },
  );
}

test('close() closes idle connections of its own half alone', LIMIT, async (t) => {
  const b = await bench(t);
  await Promise.all([b.send('http').outcome, b.send('https').outcome, b.send('http').outcome]);
  await until(() => countOf(b.http.freeSockets) > 0 && countOf(b.https.freeSockets) === 1);
  await b.http.close();
  assert.deepEqual([countOf(b.http.freeSockets), countOf(b.https.freeSockets)], [0, 1]);
  b.https.closeIdleConnections();
  await until(() => b.https.totalSocketCount === 0);
});

test('a timeout of a request that waits is its own, and keeps nobody else’s process', LIMIT, async (t) => {
  const b = await bench(t, { maxTotalSockets: 1, acquireTimeout: 50 }, true);
  const first = b.send('http');
  await until(() => b.held.length === 1);
  assert.equal(await b.send('https').outcome, 'ERR_POOL_ACQUIRE_TIMEOUT');
  b.held.shift()?.end('one');
  assert.equal(await first.outcome, 'one');
});

test('rotation of TLS options leaves the other half alone', LIMIT, async (t) => {
  const b = await bench(t, { maxTotalSockets: 1 }, true);
  const first = b.send('http');
  const waiting = b.send('https');
  const alsoWaiting = b.send('http');
  await until(() => b.held.length === 1);
  b.https.updateTls({});
  for (const sent of [first, waiting, alsoWaiting]) {
    await until(() => b.held.length === 1 || sent !== first);
    while (b.held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    b.held.shift()?.end('ok');
  }
  assert.deepEqual(await Promise.all([first, waiting, alsoWaiting].map(({ outcome }) => outcome)), [
    'ok',
    'ok',
    'ok',
  ]);
});

test('a listener of keys on one changes nothing for the other', LIMIT, async (t) => {
  const b = await bench(t);
  const lines: string[] = [];
  b.https.on('keylog', (line) => void lines.push(String(line)));
  const { req, outcome } = b.send('https');
  await once(req, 'socket');
  (b.http as http.Agent).on('keylog', () => {});
  assert.equal(await outcome, '/');
  assert.ok(lines.length > 0);
  assert.equal(lines.length, new Set(lines).size);
});

test('a copy of one of the two is an agent of its own, by the rules for its protocol', LIMIT, async (t) => {
  const b = await bench(t, {
    hosts: {
      'http://localhost': { maxSockets: 1, minFreeSockets: 1 },
      'https://localhost': { maxSockets: 2 },
      '127.0.0.1': { maxSockets: 3 },
    },
  });
  for (const [protocol, maxSockets] of [
    ['http', 1],
    ['https', 2],
  ] as const) {
    const original = b[protocol];
    const copy = Object.assign(Object.create(Object.getPrototypeOf(original) as object), original) as
      PoolingAgent | PoolingHttpAgent;
    t.after(() => copy.destroy());
    const module = protocol === 'http' ? http : https;
    for (const [host, expected] of [
      ['localhost', maxSockets],
      ['127.0.0.1', 3],
    ] as const) {
      const req = module.get({ agent: copy, host, port: b.ports[protocol], path: '/copy' });
      const [res] = (await once(req, 'response')) as [IncomingMessage];
      await once(res.resume(), 'end');
      const held = [...poolOf(copy as PoolingAgent).hosts].find(({ origin }) => origin.host === host);
      assert.equal(held?.limits.maxSockets, expected);
    }
    copy.setHostLimits(`${protocol}://127.0.0.1`, { maxSockets: 4 });
    assert.throws(() => copy.setHostLimits('ftp://127.0.0.1', {}), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.notEqual(poolOf(copy as PoolingAgent), poolOf(b.https));
  }
});
