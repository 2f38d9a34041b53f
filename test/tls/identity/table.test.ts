/** Requests that may share a connection: the table of all options, with those that keep requests apart. */
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { presentKey } from '../../sessions/sessions.js';
import { HOST_OPTIONS } from '../../../src/identity/identity.js';
import { PROFILE_OPTIONS, Profile } from '../../../src/identity/profile.js';
import { poolingAgent } from '../../support/agent.js';
import { certificate } from '../../support/certificate.js';
import { get, httpsServer } from '../../support/server.js';
import { identities, twin } from './support.js';
import type { Options } from './support.js';

const LIMIT = { timeout: 120_000 };
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
  sessionTimeout: () => [100, 200],
  ticketKeys: () => [Buffer.alloc(48, 1), Buffer.alloc(48, 2)],
  certificateCompression: () => [['zlib'], ['brotli']],
  enableTrace: () => [true, false],
  socket: () => [new Socket(), new Socket()],
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

test('the table has every option that keeps requests apart', () => {
  assert.deepEqual(Object.keys(DIFFERENT).toSorted(), [...PROFILE_OPTIONS, ...HOST_OPTIONS].toSorted());
});

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

test('a list that is changed in place is another value', () => {
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

test('so is an object in a list', () => {
  const all = identities();
  const one: Options = { pem: 'one' };
  const keys = [one];
  const of = () => all.resolve({ host: 'a', key: keys }, {}, undefined);
  const first = of();
  one['pem'] = 'another';
  assert.notEqual(of(), first);
  one['pem'] = 'one';
  assert.equal(of(), first);
  one['passphrase'] = 'secret';
  assert.notEqual(of(), first);
});

test('a buffer stands for what it held when it was first seen', () => {
  const all = identities();
  const ca = Buffer.from('one');
  const first = all.resolve({ host: 'a', ca }, {}, undefined);
  ca.fill(0);
  const dial: Options = {};
  first.applyTo(dial);
  assert.deepEqual(dial['ca'], Buffer.from('one'));
  assert.equal(all.resolve({ host: 'a', ca }, {}, undefined), first);
  assert.equal(all.resolve({ host: 'a', ca: Buffer.from('one') }, {}, undefined), first);
});

test('what a dial does to its options changes no identity', () => {
  const all = identities();
  const given = { host: 'a', ca: ['one', 'another'], key: [{ pem: 'one' }] };
  const origin = all.resolve(given, {}, undefined);
  const dial: { ca?: string[]; key?: { pem: string }[] } & Options = {};
  origin.applyTo(dial);
  assert.ok(origin.isOf(dial));
  dial.ca?.push('third');
  assert.ok(!origin.isOf(dial));
  Object.assign(dial.key?.[0] ?? {}, { pem: 'another' });
  const again: Options = {};
  origin.applyTo(again);
  assert.deepEqual(again['ca'], given.ca);
  assert.deepEqual(again['key'], given.key);
});

test('what is equal in meaning is equal', () => {
  const all = identities();
  const of = (options: Options) => all.resolve({ host: 'a', ...options }, {}, undefined);
  assert.equal(of({ ca: 'one' }), of({ ca: ['one'] }));
  assert.equal(of({ ca: 'one' }), of({ ca: Buffer.from('one') }));
  assert.equal(of({ ca: ['one'] }), of({ ca: new Uint8Array(Buffer.from('one')) }));
  assert.equal(of({ ca: 'one' }), of({ ca: new DataView(new Uint8Array(Buffer.from('one')).buffer) }));
  assert.equal(of({ ca: null }), of({}));
  assert.equal(of({ port: 443 }), of({ port: '443' }));
  assert.notEqual(of({ key: 'one' }), of({ key: [{ pem: 'one' }] }));
  assert.notEqual(of({ ca: ['one', 'two'] }), of({ ca: 'one,two' }));
  assert.notEqual(of({ ca: 'ä' }), of({ ca: Buffer.from([228]) }));
});

test('a host counts as it is written', () => {
  const all = identities();
  const hosts = ['localhost', 'LOCALHOST', 'localhost.', '[::1]', '::1', '127.0.0.1', 'local\0host'];
  const origins = hosts.map((host) => all.resolve({ host, port: 1 }, {}, undefined));
  assert.equal(new Set(origins).size, hosts.length);
  assert.equal(all.resolve({ port: 1 }, {}, undefined), origins[0]);
});

test('no part of a host part passes for another', () => {
  const all = identities();
  const of = (options: Options) => all.resolve(options, {}, undefined);
  const split = [
    { host: 'a', port: 'b\0c' },
    { host: 'a\0b', port: 'c' },
    { host: 'a', socketPath: '\0abstract' },
    { host: 'a', family: '\0abstract' },
    { host: 'a', servername: 'x y', socketPath: '/s' },
    { host: 'a', servername: 'x', localAddress: 'y', socketPath: ' /s' },
  ];
  assert.equal(new Set(split.map(of)).size, split.length);
  assert.equal(new Set(split.map((options) => presentKey(of(options), options).id)).size, split.length);
});

test('a server name that is no string is refused', () => {
  for (const servername of [1, ['a'], {}, true]) {
    const resolve = () => identities().resolve({ host: 'a', servername }, {}, undefined);
    assert.throws(resolve, { code: 'ERR_INVALID_ARG_TYPE' });
  }
  // As in Node's agent: as if there were none.
  for (const servername of [undefined, null, false, 0]) {
    assert.equal(identities().resolve({ host: 'a', servername }, {}, undefined).servername, 'a');
  }
});

test('a list within a list within itself does no harm', () => {
  const ca: unknown[] = [];
  ca.push(ca, 'one');
  const all = identities();
  assert.equal(all.resolve({ host: 'a', ca }, {}, undefined), all.resolve({ host: 'a', ca }, {}, undefined));
});

test('150 certificates per request are compared once', (t) => {
  const matches = t.mock.method(Profile.prototype, 'matches');
  const all = identities();
  const ca = Array.from({ length: 150 }, (_, i) => Buffer.alloc(1000, i));
  const origins = Array.from({ length: 100 }, () => all.resolve({ host: 'a', ca }, {}, undefined));
  assert.equal(new Set(origins).size, 1);
  // The first one came when there was none to compare with.
  assert.equal(matches.mock.callCount(), 0);
  all.resolve({ host: 'a', ca: twin(ca) }, {}, undefined);
  assert.equal(matches.mock.callCount(), 1);
});

test('nor are those of a few kinds of requests in turn compared again', (t) => {
  const all = identities();
  const lists = [1, 2, 3, 4].map((kind) =>
    Array.from({ length: 150 }, (_, i) => Buffer.alloc(1000, i * kind)),
  );
  const of = (ca: unknown) => all.resolve({ host: 'a', ca }, {}, undefined);
  const first = lists.map(of);
  const matches = t.mock.method(Profile.prototype, 'matches');
  for (let i = 0; i < 10; i++) assert.deepEqual(lists.map(of), first);
  assert.equal(matches.mock.callCount(), 0);
  // An origin that was retired meanwhile is not handed out.
  for (const origin of first) all.retire(origin);
  const second = lists.map(of);
  for (const [i, origin] of second.entries()) {
    assert.notEqual(origin, first[i]);
    assert.equal(origin.profile, first[i]?.profile);
  }
  // Nor a profile that others have pushed out.
  const profile = second[0]?.profile;
  for (let i = 0; i < 300; i++) of(`${i}`);
  assert.notEqual(of(lists[0]).profile, profile);
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
