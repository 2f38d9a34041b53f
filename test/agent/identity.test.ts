/** Who may share a connection: the table of everything that keeps requests apart, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { kDriver } from '../../src/agent.js';
import { Identities } from '../../src/tls/identity.js';
import type { Options } from '../../src/tls/identity.js';
import { poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 30_000 };
const { cert, key } = await certificate();

/** A different value in each; what is equal to what, is up to the test. */
const DIFFERENT: Record<string, () => readonly [unknown, unknown]> = {
  host: () => ['a.test', 'b.test'],
  port: () => [443, 8443],
  servername: () => ['b.test', 'c.test'],
  localAddress: () => ['127.0.0.1', '127.0.0.2'],
  family: () => [4, 6],
  socketPath: () => ['/a', '/b'],
  ca: () => ['one', 'another'],
  cert: () => ['one', 'another'],
  key: () => [[{ pem: 'one' }], [{ pem: 'another' }]],
  pfx: () => [[{ buf: Buffer.from('one') }], [{ buf: Buffer.from('another') }]],
  passphrase: () => ['one', 'another'],
  crl: () => ['one', 'another'],
  rejectUnauthorized: () => [true, false],
  allowPartialTrustChain: () => [true, false],
  ALPNProtocols: () => [['http/1.1'], ['http/1.0']],
  ciphers: () => ['AES128-SHA', 'AES256-SHA'],
  ecdhCurve: () => ['P-256', 'P-384'],
  sigalgs: () => ['RSA-PSS+SHA256', 'ECDSA+SHA256'],
  dhparam: () => ['one', 'another'],
  minDHSize: () => [1024, 2048],
  honorCipherOrder: () => [true, false],
  minVersion: () => ['TLSv1.2', 'TLSv1.3'],
  maxVersion: () => ['TLSv1.2', 'TLSv1.3'],
  secureProtocol: () => ['TLSv1_2_method', 'TLS_method'],
  secureOptions: () => [1, 2],
  sessionIdContext: () => ['one', 'another'],
  clientCertEngine: () => ['one', 'another'],
  privateKeyEngine: () => ['one', 'another'],
  privateKeyIdentifier: () => ['one', 'another'],
  requestOCSP: () => [true, false],
  localPort: () => [1, 2],
  hints: () => [1, 2],
  autoSelectFamily: () => [true, false],
  autoSelectFamilyAttemptTimeout: () => [100, 200],
  session: () => [Buffer.from('one'), Buffer.from('another')],
  checkServerIdentity: () => [() => undefined, () => undefined],
  lookup: () => [() => undefined, () => undefined],
  pskCallback: () => [() => null, () => null],
  secureContext: () => [createSecureContext(), createSecureContext()],
};

/** Equal, and not the same. */
function twin(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(twin);
  if (typeof value === 'object' && value?.constructor === Object) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, twin(member)]));
  }
  return value;
}

function identities(): Identities<object> {
  return new Identities<object>(
    () => ({}),
    () => {},
  );
}

for (const [name, values] of Object.entries(DIFFERENT)) {
  test(`${name} keeps requests apart, and equal values do not`, () => {
    const [one, another] = values();
    for (const side of ['request', 'agent'] as const) {
      const all = identities();
      const of = (value: unknown) => {
        const options: Options = value === undefined ? {} : { [name]: value };
        const base = { host: 'a.test', port: 1 };
        return side === 'request'
          ? all.resolve({ ...base, ...options }, {}, undefined)
          : all.resolve(base, options, undefined);
      };
      assert.notEqual(of(one), of(another));
      assert.equal(of(one), of(one));
      assert.equal(of(one), of(twin(one)));
      if (name !== 'host' && name !== 'port') assert.notEqual(of(one), of(undefined));
      // Whatever came between.
      const first = of(one);
      of(another);
      assert.equal(of(one), first);
    }
  });
}

test('a buffer or an array that is changed in place is another value', () => {
  const all = identities();
  const ca = [Buffer.from('one')];
  const of = () => all.resolve({ host: 'a', ca }, {}, undefined);
  const first = of();
  ca.push(Buffer.from('another'));
  const second = of();
  assert.notEqual(second, first);
  ca.pop();
  assert.equal(of(), first);
});

test("the agent's value wins, and its `undefined` hides the request's", () => {
  const all = identities();
  const of = (options: Options, agentOptions: Options) =>
    all.resolve({ host: 'a', ...options }, agentOptions, undefined);
  assert.equal(of({ ca: 'theirs' }, { ca: 'ours' }), of({ ca: 'others' }, { ca: 'ours' }));
  assert.equal(of({ ca: 'theirs' }, { ca: undefined }), of({}, {}));
});

test('the server name comes from the Host header, else the host; an address has none', () => {
  const all = identities();
  const name = (host: string, header?: string) => all.resolve({ host }, {}, header).servername;
  assert.equal(name('a.test'), 'a.test');
  assert.equal(name('a.test', 'b.test:123'), 'b.test');
  assert.equal(name('127.0.0.1'), '');
  assert.equal(name('::1'), '');
  assert.equal(name('a.test', '[::1]:443'), '');
  assert.equal(name('127.0.0.1', 'b.test'), 'b.test');
  assert.throws(() => all.resolve({ host: 'a' }, {}, ['a', 'b']), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('100,000 closures leave nothing behind', () => {
  const all = identities();
  for (let i = 0; i < 100_000; i++) {
    const { profile } = all.resolve({ host: 'a', checkServerIdentity: () => undefined }, {}, undefined);
    assert.equal(profile.origins.size, 1);
  }
  assert.ok(all.size <= 300, `${all.size} profiles`);
});

test('100,000 values leave a bounded number of profiles', () => {
  const all = identities();
  for (let i = 0; i < 100_000; i++) all.resolve({ host: 'a', passphrase: `${i}` }, {}, undefined);
  assert.ok(all.size <= 300, `${all.size} profiles`);
});

test('over TLS: closures share with nobody, and hold neither connections nor profiles', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  for (let i = 0; i < 50; i++) await get(server, { agent, checkServerIdentity: () => undefined });
  assert.equal(server.connections(), 50);
  await until(() => agent.totalSocketCount <= 10);
  assert.ok(agent[kDriver].identities.size <= 10);
});

test('over TLS: one function shares', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const checkServerIdentity = (): undefined => undefined;
  for (let i = 0; i < 5; i++) await get(server, { agent, checkServerIdentity });
  assert.equal(server.connections(), 1);
});

test('over TLS: what was got without verification serves nobody who verifies', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  await get(server, { agent, ca: undefined, rejectUnauthorized: false });
  await assert.rejects(get(server, { agent, ca: undefined }), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});

test('over TLS: a client certificate is its own', LIMIT, async (t) => {
  const server = await httpsServer(
    t,
    (req, res) => {
      const peer = (req.socket as TLSSocket).getPeerCertificate();
      res.end(peer.subject ? 'known' : 'anonymous');
    },
    { requestCert: true, rejectUnauthorized: false },
  );
  const agent = poolingAgent(t, { ca: server.ca });
  for (let i = 0; i < 3; i++) {
    assert.equal((await get(server, { agent })).body, 'anonymous');
    assert.equal((await get(server, { agent, cert, key })).body, 'known');
  }
  assert.equal(server.connections(), 2);
});
