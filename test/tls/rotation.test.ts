/** Certificates that change while the agent works. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { PoolingAgent, SessionCache } from '../../src/index.js';
import type { TlsOptions } from '../../src/index.js';
import { send, untilIdle } from '../contract/support.js';
import { idleCount, poolingAgent, poolOf, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { authority } from './authority.js';
import type { Authority, Identity } from './authority.js';
import { byEffort } from '../support/effort.js';
import { warningsDuring } from '../support/warnings.js';

const LIMIT = { timeout: 120_000 };

let ca: Authority;
let serverIdentity: Identity;
let one: Identity;
let two: Identity;

before(async () => {
  ca = await authority('an authority');
  [serverIdentity, one, two] = (await Promise.all(
    ['localhost', 'one', 'two'].map((name) => ca.issue(name)),
  )) as [Identity, Identity, Identity];
});

function clientOf(req: IncomingMessage): string {
  return String((req.socket as TLSSocket).getPeerCertificate().subject.CN);
}

/** Mutual TLS: answers with the common name of the client's certificate. */
function mutualServer(
  t: TestContext,
  listener: (req: IncomingMessage, res: ServerResponse) => void = (req, res) => res.end(clientOf(req)),
): Promise<TestServer> {
  return httpsServer(t, listener, {
    ...serverIdentity,
    ca: ca.cert,
    requestCert: true,
    rejectUnauthorized: true,
  });
}

test('new connections use what is new, and idle ones of before close', LIMIT, async (t) => {
  const server = await mutualServer(t);
  const agent = poolingAgent(t, { ca: ca.cert, ...one });
  assert.equal((await get(server, { agent })).body, 'one');
  await untilIdle(agent);
  agent.updateTls(two);
  assert.equal(idleCount(agent), 0);
  assert.equal((await get(server, { agent })).body, 'two');
  assert.equal((await get(server, { agent })).body, 'two');
  await until(() => server.open() === 1);
  assert.equal(server.connections(), 2);
  agent.updateTls(one);
  for (let i = 0; i < 2; i++) assert.equal((await get(server, { agent })).body, 'one');
  assert.equal(server.connections(), 3, 'back to the first: a generation of its own, and pooled');
});

test('an active connection finishes its request and is not pooled again', LIMIT, async (t) => {
  const held: [IncomingMessage, ServerResponse][] = [];
  const server = await mutualServer(t, (req, res) => void held.push([req, res]));
  const agent = poolingAgent(t, { ca: ca.cert, ...one });
  const active = get(server, { agent });
  await until(() => held.length === 1);
  agent.updateTls(two);
  const [[req, res] = []] = held;
  assert.ok(req && res);
  res.end(clientOf(req));
  assert.equal((await active).body, 'one');
  await until(() => server.open() === 0);
  assert.equal(agent.totalSocketCount, 0);
});

for (const binding of ['eager', 'late'] as const) {
  test(`${binding} binding: waiting requests get a connection of the new kind`, LIMIT, async (t) => {
    const held: [IncomingMessage, ServerResponse][] = [];
    const server = await mutualServer(t, (req, res) => void held.push([req, res]));
    const agent = poolingAgent(t, { ca: ca.cert, ...one, binding, maxSockets: 1, maxTotalSockets: 1 });
    const order: string[] = [];
    const answers = ['/a', '/b', '/c'].map(async (path) => {
      const { body } = await get(server, { agent, path });
      order.push(path);
      return body;
    });
    await until(() => held.length === 1);
    assert.equal(waitingCount(agent), 2);
    agent.updateTls(two);
    assert.equal(waitingCount(agent), 2);
    for (let i = 0; i < 3; i++) {
      await until(() => held.length > i);
      const [req, res] = held[i] ?? [];
      assert.ok(req && res);
      res.end(clientOf(req));
    }
    assert.deepEqual(await Promise.all(answers), ['one', 'two', 'two']);
    assert.deepEqual(order, ['/a', '/b', '/c']);
    assert.equal(server.peak(), 1, 'the limit holds');
  });
}

test('sessions of before are forgotten, also those that come late', LIMIT, async (t) => {
  const server = await mutualServer(t);
  const sessionCache = new SessionCache();
  const agent = poolingAgent(t, { ca: ca.cert, ...one, sessionCache });
  await get(server, { agent });
  assert.equal(sessionCache.size, 1);
  agent.updateTls(two);
  assert.equal(sessionCache.size, 0);
  await get(server, { agent });
  assert.equal(server.resumed(), 0);
  const { socket } = (await get(server, { agent })).req;
  agent.updateTls({});
  (socket as TLSSocket).emit('session', Buffer.from('late'));
  assert.equal(sessionCache.size, 0);
});

test('bad material throws, and leaves everything as it was', LIMIT, async (t) => {
  const server = await mutualServer(t);
  const agent = poolingAgent(t, { ca: ca.cert, ...one });
  await get(server, { agent });
  await untilIdle(agent);
  const given = { ...agent.options };
  const refused = (options: TlsOptions, expected: object): void => {
    assert.throws(() => agent.updateTls(options), expected);
    assert.deepEqual({ ...agent.options }, given);
    assert.equal(idleCount(agent), 1);
  };
  refused({ cert: two.cert, key: one.key }, { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' });
  refused({ cert: 'rubbish' }, { code: /^ERR_OSSL/ });
  refused({ cert: two.cert, key: two.key, ca: 5 as never }, { code: 'ERR_INVALID_ARG_TYPE' });
  refused({ ciphers: 'no such cipher' }, { code: 'ERR_SSL_NO_CIPHER_MATCH' });
  refused({ cert: two.cert, key: two.key, host: 'elsewhere' } as never, { code: 'ERR_INVALID_ARG_VALUE' });
  refused({ checkServerIdentity: 'yes' as never }, { code: 'ERR_INVALID_ARG_TYPE' });
  refused({ rejectUnauthorized: 0 as never }, { code: 'ERR_INVALID_ARG_TYPE' });
  refused({ minDHSize: 0 }, { code: 'ERR_INVALID_ARG_VALUE' });
  refused({ ALPNProtocols: 5 as never }, { code: 'ERR_INVALID_ARG_TYPE' });
  refused({ secureContext: {} as never }, { code: 'ERR_INVALID_ARG_TYPE' });
  refused(null as never, { code: 'ERR_INVALID_ARG_TYPE' });
  refused(Promise.resolve(two) as never, { code: 'ERR_INVALID_ARG_TYPE' });
  assert.equal((await get(server, { agent })).body, 'one');
  assert.equal(server.connections(), 1);
});

test('undefined takes an option out; a secureContext hides material', LIMIT, async (t) => {
  const server = await mutualServer(t);
  const agent = poolingAgent(t, { secureContext: createSecureContext({ ca: ca.cert, ...one }) });
  assert.equal((await get(server, { agent })).body, 'one');
  assert.throws(() => agent.updateTls(two), { code: 'ERR_INVALID_ARG_VALUE' });
  agent.updateTls({ ca: ca.cert, ...two, secureContext: undefined });
  assert.equal((await get(server, { agent })).body, 'two');
  assert.ok(!Object.hasOwn(agent.options, 'secureContext'));
  agent.updateTls({ secureContext: createSecureContext({ ca: ca.cert, ...one }) });
  assert.equal((await get(server, { agent })).body, 'one');
});

test('the tls function is asked at construction, and before each connection', LIMIT, async (t) => {
  const server = await mutualServer(t);
  let asked = 0;
  let current = one;
  const agent = poolingAgent(t, {
    tls: () => {
      asked++;
      return { ca: ca.cert, ...current };
    },
  });
  assert.equal(asked, 1);
  const body = async (): Promise<string> => {
    const answer = await get(server, { agent });
    await untilIdle(agent);
    return answer.body;
  };
  assert.equal(await body(), 'one');
  assert.equal(asked, 2);
  current = two;
  assert.equal(await body(), 'one', 'a connection is there');
  assert.equal(asked, 2);
  for (const socket of Object.values(agent.freeSockets)[0] ?? []) socket.destroy();
  await until(() => agent.totalSocketCount === 0);
  assert.equal(await body(), 'two');
  assert.equal(await body(), 'two', 'pooled');
  assert.equal(server.connections(), 2);
});

for (const binding of ['eager', 'late'] as const) {
  test(`${binding} binding: a change that a dial finds concerns all who wait`, LIMIT, async (t) => {
    const server = await mutualServer(t);
    let current = one;
    const agent = poolingAgent(t, { tls: () => ({ ca: ca.cert, ...current }), binding, maxSockets: 3 });
    current = two;
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(server, { agent })));
    assert.deepEqual([...new Set(answers.map(({ body }) => body))], ['two']);
    assert.ok(server.peak() <= 3);
    await until(() => poolOf(agent).idle.size > 0 && poolOf(agent).idle.size === agent.totalSocketCount);
  });
}

test('a tls function that fails leaves what is there in use, and warns once', LIMIT, async (t) => {
  const server = await mutualServer(t);
  let give: () => TlsOptions = () => ({ ca: ca.cert, ...one });
  const agent = poolingAgent(t, { tls: () => give(), keepAlive: false });
  const warnings = warningsDuring(t);
  const told = (): number => warnings.filter(({ code }) => code === 'POOLING_AGENT_TLS').length;

  // The certificate was replaced, and the key not yet.
  give = () => ({ ca: ca.cert, cert: two.cert, key: one.key });
  for (let i = 0; i < 2; i++) assert.equal((await get(server, { agent })).body, 'one');
  await until(() => told() === 1);
  give = () => {
    throw new Error('No such file');
  };
  assert.equal((await get(server, { agent })).body, 'one');
  await until(() => told() === 2);
  give = () => ({ ca: ca.cert, ...two });
  assert.equal((await get(server, { agent })).body, 'two');
  assert.equal(told(), 2);
});

for (const binding of ['eager', 'late'] as const) {
  test(
    `${binding} binding: a tls function that gives something new each time still gives connections`,
    LIMIT,
    async (t) => {
      const server = await mutualServer(t);
      const tls = (): TlsOptions => ({ ca: ca.cert, ...one, checkServerIdentity: () => undefined });
      const agent = poolingAgent(t, { tls, binding, maxSockets: 3 });
      const answers = await Promise.all(Array.from({ length: 20 }, () => get(server, { agent })));
      assert.equal(answers.length, 20);
    },
  );
}

test('a tls function that gives nothing useful is refused at construction', () => {
  const refused = (tls: unknown, code: string): void => {
    assert.throws(() => new PoolingAgent({ tls: tls as () => TlsOptions }), { code });
  };
  refused({}, 'ERR_INVALID_ARG_TYPE');
  refused(() => undefined, 'ERR_INVALID_RETURN_VALUE');
  refused(async () => ({}), 'ERR_INVALID_RETURN_VALUE');
  refused(() => ({ host: 'elsewhere' }), 'ERR_INVALID_ARG_VALUE');
  assert.throws(() => new PoolingAgent({ tls: () => assert.fail('No such file') }), {
    message: 'No such file',
  });
});

test('what the tls function leaves out again is as given', LIMIT, async (t) => {
  const server = await mutualServer(t);
  let current: TlsOptions = two;
  const agent = poolingAgent(t, { ca: ca.cert, ...one, tls: () => current, keepAlive: false });
  assert.equal((await get(server, { agent })).body, 'two');
  current = {};
  assert.equal((await get(server, { agent })).body, 'one');
});

const LOADS = { updateTls: byEffort(600), 'tls function': byEffort(200) } as const;
/** Each one costs handshakes: on a slow machine no more of them. */
const MAX_ROTATIONS = 20;

for (const how of ['updateTls', 'tls function'] as const) {
  test(`no request fails while certificates change under load: ${how}`, { timeout: 120_000 }, async (t) => {
    const server = await mutualServer(t);
    let current = one;
    const options =
      how === 'updateTls' ? { ca: ca.cert, ...one } : { tls: () => ({ ca: ca.cert, ...current }) };
    const agent = poolingAgent(t, { ...options, maxSockets: 10 });
    const seen = new Set<string>();
    let done = 0;
    let rotations = 0;
    const goesOn = (): boolean => done < LOADS[how] || rotations < 8 || seen.size < 2;
    const worker = async (): Promise<void> => {
      while (goesOn()) {
        seen.add((await get(server, { agent })).body);
        done++;
      }
    };
    const rotate = async (): Promise<void> => {
      while (goesOn()) {
        await sleep(100);
        if (rotations === MAX_ROTATIONS && seen.size === 2) return;
        current = current === one ? two : one;
        rotations++;
        if (how === 'updateTls') {
          agent.updateTls(current);
        } else {
          // The function is asked when a connection is opened: let there be one.
          const [socket] = Object.values(agent.sockets).flat();
          socket?.once('free', () => socket.destroy());
        }
      }
    };
    await Promise.all([rotate(), ...Array.from({ length: 30 }, worker)]);
    t.diagnostic(`${done} requests, ${rotations} rotations, ${server.connections()} connections`);
    assert.deepEqual([...seen].toSorted(), ['one', 'two']);
    assert.ok(server.connections() > rotations);
  });
}

test('requests that end while certificates change end once', LIMIT, async (t) => {
  const server = await mutualServer(t, (req, res) => void setImmediate(() => res.end(clientOf(req))));
  const agent = poolingAgent(t, { ca: ca.cert, ...one, maxSockets: 2 });
  const sent = Array.from({ length: 60 }, (_, i) => {
    const request = send(server, { agent, ca: undefined } as never);
    if (i % 3 === 0) setImmediate(() => request.req.destroy());
    return request;
  });
  for (let i = 0; i < 10; i++) {
    agent.updateTls(i % 2 ? one : two);
    await sleep(2);
  }
  await Promise.all(sent.map(({ closed }) => closed));
  for (const { events } of sent) {
    assert.equal(events.filter((event) => event === 'close').length, 1);
    assert.ok(events.length <= 2, events.join(' '));
  }
  await until(() => waitingCount(agent) === 0);
});

test('values of the wrong kind are refused, and change nothing', LIMIT, async (t) => {
  const server = await mutualServer(t);
  const agent = poolingAgent(t, { ca: ca.cert, ...one });
  const WRONG: [code: string, options: object][] = [
    ['ERR_OUT_OF_RANGE', { ALPNProtocols: ['x'.repeat(256)] }],
    ['ERR_INVALID_ARG_TYPE', { ALPNProtocols: 'http/1.1' }],
    ['ERR_INVALID_ARG_TYPE', { minDHSize: '2048' }],
    ['ERR_INVALID_ARG_VALUE', { minDHSize: 0 }],
    ['ERR_INVALID_ARG_VALUE', { minDHSize: Number.NaN }],
    ['ERR_INVALID_ARG_TYPE', { secureContext: {} }],
    ['ERR_INVALID_ARG_TYPE', { rejectUnauthorized: 'no' }],
  ];
  for (const [code, options] of WRONG) {
    assert.throws(() => agent.updateTls({ ...two, ...options } as never), { code }, JSON.stringify(options));
    assert.equal((await get(server, { agent })).body, 'one');
  }
  agent.updateTls({ ...two, ALPNProtocols: ['http/1.1'], minDHSize: 1024 } as never);
  assert.equal((await get(server, { agent })).body, 'two');
  // As it is on the wire.
  agent.updateTls({ ALPNProtocols: Buffer.from('\x08http/1.1', 'latin1') });
  assert.equal((await get(server, { agent })).body, 'two');
});

test('a setter of the options that throws leaves all of them as they were', LIMIT, async (t) => {
  const server = await mutualServer(t);
  const agent = poolingAgent(t, { ca: ca.cert, ...one });
  const options = agent.options as Record<string, unknown>;
  Object.defineProperty(options, 'passphrase', {
    configurable: true,
    enumerable: true,
    get: () => undefined,
    set: () => {
      throw new Error('read only');
    },
  });
  const given = Object.getOwnPropertyDescriptors(options);
  assert.throws(
    () => agent.updateTls({ ciphers: 'ECDHE+AESGCM', ...two, ca: undefined, passphrase: 'any' } as never),
    /read only/,
  );
  assert.deepEqual(Object.getOwnPropertyDescriptors(options), given);
  assert.equal(Object.hasOwn(options, 'ciphers'), false);
  assert.equal((await get(server, { agent, ca: undefined } as never)).body, 'one');
});
