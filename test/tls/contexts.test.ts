/** Secure contexts: made once for the same material, made anew when it is another, and never stale. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import tls from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { PoolingAgent } from '../../src/index.js';
import { holdingServer } from '../contract/support.js';
import { partsOf, poolingAgent, waitingCount } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { authority } from './authority.js';

const LIMIT = { timeout: 120_000 };

/** Every request has a connection of its own. */
function closingServer(t: TestContext, options: object = {}): Promise<TestServer> {
  return httpsServer(t, (_req, res) => res.setHeader('connection', 'close').end(), options);
}

/** @returns a function that tells how many contexts were made since */
function countContexts(t: TestContext): () => number {
  const original = tls.createSecureContext;
  let count = 0;
  const counting = (...args: Parameters<typeof original>): tls.SecureContext => {
    count++;
    return original(...args);
  };
  // It only looks on.
  tls.createSecureContext = Object.assign(counting, { [Symbol.for('pooling-https-agent.harmless')]: true });
  t.after(() => (tls.createSecureContext = original));
  return () => count;
}

test('one context for the same material, whatever else differs', LIMIT, async (t) => {
  const server = await closingServer(t);
  const other = await closingServer(t);
  const agent = poolingAgent(t);
  const made = countContexts(t);
  const ca = (): Buffer[] => [Buffer.from(server.ca)];
  for (const { port } of [server, other, server]) {
    await get({ port, ca: ca() as never }, { agent });
    await get({ port, ca: ca() as never }, { agent, checkServerIdentity: () => undefined });
    await get({ port, ca: ca() as never }, { agent, servername: 'localhost' });
  }
  assert.equal(made(), 1);
});

test('hosts in turn, with nothing open in between, have each their context', LIMIT, async (t) => {
  const server = await closingServer(t);
  const agent = poolingAgent(t, { keepAlive: false });
  const made = countContexts(t);
  for (let i = 0; i < 5; i++) {
    await get(server, { agent });
    await get(server, { agent, minVersion: 'TLSv1.2' });
    await until(() => agent.totalSocketCount === 0);
  }
  assert.equal(made(), 2);
});

test('another protocol, another context', LIMIT, async (t) => {
  const server = await closingServer(t);
  const agent = poolingAgent(t);
  const protocols: (string | null)[] = [];
  for (const options of [{}, { maxVersion: 'TLSv1.2' }, { secureProtocol: 'TLSv1_2_method' }, {}] as const) {
    const { req } = await get(server, { agent, ...options });
    protocols.push((req.socket as TLSSocket).getProtocol());
  }
  assert.deepEqual(protocols, ['TLSv1.3', 'TLSv1.2', 'TLSv1.2', 'TLSv1.3']);
});

test('maxSecureContexts bounds them, and may be Infinity', LIMIT, async (t) => {
  const server = await closingServer(t);
  const made = countContexts(t);
  const agent = poolingAgent(t, { maxSecureContexts: 1 });
  for (let i = 0; i < 2; i++) {
    await get(server, { agent });
    await get(server, { agent, maxVersion: 'TLSv1.2' });
  }
  assert.equal(made(), 4);
  assert.equal(partsOf(agent).tls?.contexts.size, 1);
  const boundless = poolingAgent(t, { maxSecureContexts: Infinity });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    await get(server, { agent: boundless, maxVersion });
  assert.equal(partsOf(boundless).tls?.contexts.size, 2);
});

test('bad material: the error of Node, for whoever asked, each time', LIMIT, async (t) => {
  const server = await closingServer(t);
  const { key } = await (await authority('another')).issue('one');
  const { cert } = await certificate();
  const agent = poolingAgent(t);
  const expected = { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' };
  for (let i = 0; i < 2; i++) {
    const [bad, good] = await Promise.allSettled([get(server, { agent, key, cert }), get(server, { agent })]);
    assert.equal(bad.status === 'rejected' && (bad.reason as { code: string }).code, expected.code);
    assert.equal(good.status, 'fulfilled');
  }
  await assert.rejects(get(server, { agent: poolingAgent(t, { key, cert }) }), expected);
  assert.throws(() => new PoolingAgent({ key, cert, eagerContext: true }), expected);
  assert.throws(() => new PoolingAgent({ tls: () => ({ key, cert }), eagerContext: true }), expected);
});

test('eagerContext makes the one that connections use', LIMIT, async (t) => {
  const server = await closingServer(t);
  const made = countContexts(t);
  const agent = poolingAgent(t, { ca: server.ca, eagerContext: true });
  assert.equal(made(), 1);
  for (let i = 0; i < 2; i++) await get(server, { agent });
  assert.equal(made(), 1);
  agent.updateTls({ minVersion: 'TLSv1.2' });
  assert.equal(made(), 2, 'the check makes it');
  for (let i = 0; i < 2; i++) await get(server, { agent });
  assert.equal(made(), 2);
});

test("a secureContext of the user's is used, and none is made", LIMIT, async (t) => {
  const server = await closingServer(t);
  const secureContext = tls.createSecureContext({ ca: server.ca });
  const made = countContexts(t);
  const agent = poolingAgent(t, { secureContext, eagerContext: true });
  await get({ ...server, ca: undefined as never }, { agent });
  assert.equal(made(), 0);
});

test(
  'options that change on the live agent: new requests have the new ones, a request that waits has those that it came with',
  LIMIT,
  async (t) => {
    const server = await holdingServer(t);
    const stranger = await authority('nobody that signed anything here');
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const first = get(server, { agent });
    await until(() => server.held.length === 1);
    const second = get(server, { agent });
    assert.equal(waitingCount(agent), 1);
    agent.options.ca = stranger.cert;
    const third = assert.rejects(get(server, { agent }), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    // Closed, so that the second has to dial.
    server.held[0]?.setHeader('connection', 'close').end();
    await until(() => server.held.length === 2);
    server.held[1]?.setHeader('connection', 'close').end();
    await Promise.all([first, second]);
    await third;
    agent.options.ca = server.ca;
    const fourth = get(server, { agent });
    await until(() => server.held.length === 3);
    server.held[2]?.end();
    await fourth;
  },
);

test("Node's defaults that change are heeded by new connections", LIMIT, async (t) => {
  const server = await closingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const protocol = async (): Promise<string | null> =>
    ((await get(server, { agent })).req.socket as TLSSocket).getProtocol();
  const before = tls.DEFAULT_MAX_VERSION;
  t.after(() => (tls.DEFAULT_MAX_VERSION = before));
  assert.equal(await protocol(), 'TLSv1.3');
  tls.DEFAULT_MAX_VERSION = 'TLSv1.2';
  assert.equal(await protocol(), 'TLSv1.2');
  tls.DEFAULT_MAX_VERSION = before;
  assert.equal(await protocol(), 'TLSv1.3');
});

type Authorities = readonly string[];
const { getCACertificates, setDefaultCACertificates } = tls as {
  getCACertificates?: (type: 'default') => Authorities;
  setDefaultCACertificates?: (certificates: Authorities) => void;
};

test('so are the certificates that Node trusts by default', LIMIT, async (t) => {
  if (!getCACertificates || !setDefaultCACertificates) {
    t.skip('This Node cannot change them');
    return;
  }
  const before = getCACertificates('default');
  t.after(() => setDefaultCACertificates(before));
  const server = await closingServer(t);
  const made = countContexts(t);
  const agent = poolingAgent(t);
  const request = (): Promise<unknown> => get({ ...server, ca: undefined as never }, { agent });
  const code = 'DEPTH_ZERO_SELF_SIGNED_CERT';
  await assert.rejects(request(), { code });
  setDefaultCACertificates([...before, server.ca]);
  for (let i = 0; i < 3; i++) await request();
  assert.equal(server.resumed(), 2);
  assert.equal(made(), 2);
  setDefaultCACertificates(before);
  await assert.rejects(request(), { code }, 'nor is a session of before resumed');
  assert.equal(server.resumed(), 2);
});
