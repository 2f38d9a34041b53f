/**
 * Others put functions of their own in the place of Node's, and what these demand holds: for each of the functions by which
 * connections are opened. Everything here is put back after its test, and a file of tests has a process of its own.
 */
import assert from 'node:assert/strict';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { before, test } from 'node:test';
import type { TestContext } from 'node:test';
import tls from 'node:tls';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { SessionCache } from '../../src/index.js';
import type { PoolingAgent, PoolingAgentOptions } from '../../src/index.js';
import { areConnectFunctionsOwn } from '../../src/node/connect-functions.js';
import { untilIdle } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import type { Answer, TestServer } from '../support/server.js';
import { authority } from './authority.js';
import type { Authority, Identity } from './authority.js';

const LIMIT = { timeout: 120_000 };

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** The object that has each of them. */
const PLACES: readonly (readonly [object, string])[] = [
  [https.Agent.prototype, 'createConnection'],
  [tls, 'connect'],
  [tls, 'createSecureContext'],
];

let ca: Authority;
let stranger: Authority;
let own: Identity;
let alice: Identity;

before(async () => {
  [ca, stranger] = await Promise.all([authority('an authority'), authority('another one')]);
  [own, alice] = (await Promise.all(['localhost', 'alice'].map((name) => ca.issue(name)))) as [
    Identity,
    Identity,
  ];
});

/** Has `target[name]` called with `added` among its options. Returns what takes that away. */
function addTo(t: TestContext, target: object, name: string, added: object): () => void {
  const original = Reflect.get(target, name) as Method;
  Reflect.set(target, name, function adding(this: unknown, options: object, ...rest: unknown[]) {
    return original.call(this, { ...options, ...added }, ...rest);
  });
  const undo = (): void => void Reflect.set(target, name, original);
  t.after(undo);
  return undo;
}

/** Each request has a connection of its own, and answers with the name of its client. */
function server(t: TestContext, options: object = {}): Promise<TestServer> {
  return httpsServer(
    t,
    (req, res) => {
      const { CN = 'nobody' } = (req.socket as TLSSocket).getPeerCertificate().subject ?? {};
      res.setHeader('connection', 'close').end(CN);
    },
    { ...own, ca: ca.cert, requestCert: true, rejectUnauthorized: false, ...options },
  );
}

function ask({ port }: TestServer, agent: PoolingAgent): Promise<Answer> {
  return get({ port, ca: undefined as never }, { agent });
}

/** Its own material has been used before, and there are sessions of it. */
async function usedAgent(
  t: TestContext,
  to: TestServer,
  options: PoolingAgentOptions,
): Promise<PoolingAgent> {
  const agent = poolingAgent(t, options);
  for (let i = 0; i < 2; i++) await ask(to, agent);
  return agent;
}

const UNTRUSTED = { code: /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/ };

for (const [target, name] of PLACES) {
  test(
    `${name}: certificates that it adds are trusted and shown, and not when it is gone`,
    LIMIT,
    async (t) => {
      const to = await server(t);
      const agent = poolingAgent(t);
      await assert.rejects(ask(to, agent), UNTRUSTED);
      const undo = addTo(t, target, name, { ca: ca.cert, ...alice });
      for (let i = 0; i < 3; i++) assert.equal((await ask(to, agent)).body, 'alice');
      undo();
      await assert.rejects(ask(to, agent), UNTRUSTED);
    },
  );

  test(`${name}: it demands a newer protocol`, LIMIT, async (t) => {
    const to = await server(t, { maxVersion: 'TLSv1.2' });
    const agent = await usedAgent(t, to, { ca: ca.cert });
    const undo = addTo(t, target, name, { minVersion: 'TLSv1.3' });
    await assert.rejects(ask(to, agent), { code: /^(ERR_SSL_|EPROTO)/ });
    undo();
    assert.equal((await ask(to, agent)).body, 'nobody');
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(
      `${name}, ${maxVersion}: it trusts others, and no session of before is resumed`,
      LIMIT,
      async (t) => {
        const to = await server(t, { maxVersion });
        const sessionCache = new SessionCache();
        const agent = await usedAgent(t, to, { ca: ca.cert, sessionCache });
        const undo = addTo(t, target, name, { ca: stranger.cert });
        await assert.rejects(ask(to, agent), UNTRUSTED);
        await assert.rejects(ask(to, poolingAgent(t, { ca: ca.cert, sessionCache })), UNTRUSTED);
        undo();
        assert.equal((await ask(to, agent)).body, 'nobody');
      },
    );

    test(`${name}, ${maxVersion}: what it trusted is resumed by nobody when it is gone`, LIMIT, async (t) => {
      const to = await server(t, { maxVersion });
      const sessionCache = new SessionCache();
      const agent = poolingAgent(t, { sessionCache });
      const undo = addTo(t, target, name, { ca: ca.cert });
      for (let i = 0; i < 2; i++) await ask(to, agent);
      const exported = sessionCache.export({ key: 'a key of more than 16 bytes' });
      undo();
      await assert.rejects(ask(to, agent), UNTRUSTED);
      const imported = new SessionCache();
      assert.equal(imported.import(exported, { key: 'a key of more than 16 bytes' }), 0);
    });
  }

  test(`${name}: contexts made beforehand while it is there are not kept`, LIMIT, async (t) => {
    const to = await server(t);
    const undo = addTo(t, target, name, { ca: ca.cert, ...alice });
    const early = poolingAgent(t, { eagerContext: true });
    const rotated = poolingAgent(t);
    rotated.updateTls({ minVersion: 'TLSv1.2' });
    undo();
    for (const agent of [early, rotated]) await assert.rejects(ask(to, agent), UNTRUSTED);
  });

  test(`${name}: marked as harmless, it leaves the context shared`, LIMIT, async (t) => {
    const to = await server(t);
    const original = Reflect.get(target, name) as Method;
    const contexts = new Set<unknown>();
    const looking = function looking(this: unknown, ...args: unknown[]): unknown {
      return original.apply(this, args);
    };
    Reflect.set(target, name, looking);
    t.after(() => void Reflect.set(target, name, original));
    const agent = poolingAgent(t, { ca: ca.cert });
    const { createConnection } = agent;
    const count = async (): Promise<number> => {
      contexts.clear();
      const connect = tls.connect as Method;
      const spy = function spy(
        this: unknown,
        options: { secureContext?: unknown },
        ...rest: unknown[]
      ): unknown {
        contexts.add(options.secureContext);
        return connect.call(this, options, ...rest);
      };
      Reflect.set(tls, 'connect', Object.assign(spy, { [Symbol.for('pooling-https-agent.harmless')]: true }));
      try {
        for (let i = 0; i < 3; i++) await ask(to, agent);
      } finally {
        Reflect.set(tls, 'connect', connect);
      }
      return contexts.has(undefined) ? 0 : contexts.size;
    };
    assert.equal(agent.createConnection, createConnection);
    if (name !== 'connect') assert.equal(await count(), 0);
    Object.assign(looking, { [Symbol.for('pooling-https-agent.harmless')]: true });
    assert.equal(await count(), 1);
  });

  test(`${name}: it was there before this package`, LIMIT, async (t) => {
    const undo = addTo(t, target, name, {});
    const path = `../../src/node/connect-functions.js?${name}`;
    const again = (await import(path)) as { areConnectFunctionsOwn: typeof areConnectFunctionsOwn };
    assert.equal(again.areConnectFunctionsOwn(), false);
    undo();
    assert.equal(again.areConnectFunctionsOwn(), true);
    assert.equal(areConnectFunctionsOwn(), true);
  });

  test(`${name}: a bound function, and a proxy, are not Node's`, LIMIT, async (t) => {
    const original = Reflect.get(target, name) as Method;
    t.after(() => void Reflect.set(target, name, original));
    for (const [i, other] of [original.bind(undefined), new Proxy(original, {})].entries()) {
      Reflect.set(target, name, other);
      assert.equal(areConnectFunctionsOwn(), false);
      const path = `../../src/node/connect-functions.js?${name}${i}`;
      const again = (await import(path)) as { areConnectFunctionsOwn: typeof areConnectFunctionsOwn };
      assert.equal(again.areConnectFunctionsOwn(), false);
    }
  });
}

test('a change that ES modules see, too', LIMIT, async (t) => {
  const to = await server(t);
  const agent = await usedAgent(t, to, { ca: ca.cert });
  const undo = addTo(t, tls, 'connect', { ...alice });
  syncBuiltinESMExports();
  t.after(() => syncBuiltinESMExports());
  assert.equal((await ask(to, agent)).body, 'alice');
  undo();
});

test(
  'a context that is changed after it was made: what programs do that add certificates',
  LIMIT,
  async (t) => {
    const to = await server(t);
    const agent = poolingAgent(t);
    await assert.rejects(ask(to, agent), UNTRUSTED);
    const original = tls.createSecureContext;
    t.after(() => (tls.createSecureContext = original));
    tls.createSecureContext = (options?: SecureContextOptions) => {
      const made = original(options);
      (made.context as { addCACert(certificate: string): void }).addCACert(ca.cert);
      return made;
    };
    assert.equal((await ask(to, agent)).body, 'nobody');
  },
);

test('a stricter checkServerIdentity is asked, also where a session of before is there', LIMIT, async (t) => {
  const to = await server(t);
  const agent = await usedAgent(t, to, { ca: ca.cert });
  const original = tls.checkServerIdentity;
  t.after(() => (tls.checkServerIdentity = original));
  tls.checkServerIdentity = () => Object.assign(new Error('Not this one'), { code: 'PINNED' });
  await assert.rejects(ask(to, agent), { code: 'PINNED' });
});

test('connections that are open already stay, as with an agent of Node', LIMIT, async (t) => {
  const to = await httpsServer(t, undefined, own);
  const agent = poolingAgent(t, { ca: ca.cert });
  await ask(to, agent);
  const socket = await untilIdle(agent);
  addTo(t, tls, 'connect', { ca: stranger.cert });
  assert.equal((await ask(to, agent)).req.socket, socket);
  await untilIdle(agent);
  agent.updateTls({});
  await assert.rejects(ask(to, agent), UNTRUSTED);
});
