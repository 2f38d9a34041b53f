/** `getName()`: Node's string for ordinary options, and never one string for two identities. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import fc from '../../support/fast-check.js';
import { rememberProfile } from '../../../src/identity/agent-name.js';
import { profileValues } from '../../../src/identity/profile.js';
import { poolingAgent } from '../../support/agent.js';
import { get, httpsServer } from '../../support/server.js';
import { pem } from '../options/support.js';
import { identities, optionSets } from './support.js';
import type { Options } from './support.js';

const LIMIT = { timeout: 120_000 };
const core = new Agent();
const DIGEST = /#[0-9a-f]{16}/g;
const ANY_DIGEST = `#${'0'.repeat(16)}`;

/** Node's string if digests replace the values that a name must not hold. */
function coreName(options: Options): string {
  const printed = Object.entries(options).map(([name, value]) => {
    const isSecret = name === 'key' || name === 'pfx' || name === 'passphrase';
    return [name, isSecret || JSON.stringify(value)?.length > 100 ? ANY_DIGEST : value];
  });
  return core.getName(Object.fromEntries(printed) as RequestOptions);
}

function withoutDigests(name: string): string {
  return name.replaceAll(DIGEST, ANY_DIGEST);
}

const ca = pem('ca.pem');
const cert = pem('server.pem') + pem('intermediate.pem');
const key = pem('server.key');

const ORDINARY: readonly Options[] = [
  { key: [{ pem: key, passphrase: 'secret' }] },
  { pfx: [{ buf: Buffer.from('pfx'), passphrase: 'secret' }] },
  { host: 'a.test', port: 443, ca },
  { host: 'a.test', port: 443, ca: [ca, pem('other-ca.pem')], cert, key },
  { host: 'a.test', port: 443, ca: Buffer.from(ca), cert: Buffer.from(cert), key: Buffer.from(key) },
  { host: '::1', port: 443, family: 6, servername: 'a.test', rejectUnauthorized: false },
  {
    host: 'a.test',
    ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:!aNULL',
    ecdhCurve: 'X25519:P-256',
    sigalgs: 'ed25519:ed448',
  },
  { host: 'a.test', crl: pem('crl.pem'), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', secureOptions: 4 },
  { host: '127.0.0.1', servername: '', localAddress: '127.0.0.2', dhparam: 'auto', honorCipherOrder: true },
  // Options that keep nothing apart.
  {
    host: 'a.test',
    headers: { a: 'b' },
    agent: false,
    timeout: 1,
    keepAlive: true,
    noDelay: true,
    path: '/a',
  },
];

test('ordinary options are named as by Node, but for digests of material', LIMIT, (t) => {
  const agent = poolingAgent(t);
  for (const options of ORDINARY) {
    const name = agent.getName(options);
    assert.equal(withoutDigests(name), coreName(options));
    assert.doesNotMatch(name, /BEGIN|\n/);
    assert.ok(name.length < 250, name);
  }
});

test('a digest tells what it stands for from anything else, and text from bytes by nothing', LIMIT, (t) => {
  const agent = poolingAgent(t);
  const other = pem('another-client.key');
  const triples: [RequestOptions, RequestOptions, RequestOptions][] = [
    [{ key }, { key: Buffer.from(key) }, { key: other }],
    [{ key }, { key: [key] }, { key: [key, other] }],
    [{ ca }, { ca: Buffer.from(ca) }, { ca: ca + cert }],
    [{ key: 'a' }, { key: 'a' }, { key: 'b' }],
    [{ passphrase: 'a' }, { passphrase: 'a' }, { passphrase: 'b' }],
  ];
  for (const [one, same, another] of triples) {
    assert.equal(agent.getName(one), agent.getName(same));
    assert.notEqual(agent.getName(one), agent.getName(another));
  }
  // A value that looks like a digest is not taken for one.
  const [digest] = DIGEST.exec(agent.getName({ ca })) ?? [];
  assert.notEqual(agent.getName({ ca: digest }), agent.getName({ ca }));
});

const WEIRD: readonly Options[] = [
  { passphrase: 'secret', ALPNProtocols: ['a'] },
  { ALPNProtocols: ['http/1.1'] },
  { secureContext: createSecureContext() },
  { checkServerIdentity: () => undefined },
  { lookup: () => undefined },
  { servername: '' },
];

test('others have a token behind, the same for equal ones, and it tells nothing', LIMIT, (t) => {
  const agent = poolingAgent(t);
  const names = WEIRD.map((weird) => {
    const options = { host: 'a.test', port: 443, ca, ...weird };
    const name = agent.getName(options);
    assert.match(name, /:#[0-9a-f]{16}$/);
    assert.equal(name, agent.getName({ ...options }));
    assert.equal(withoutDigests(name.slice(0, -':#0123456789abcdef'.length)), coreName(options));
    return name;
  });
  assert.equal(new Set(names).size, names.length);
});

test('what is remembered of a profile gives every host of it the name that it has otherwise', LIMIT, (t) => {
  const agent = poolingAgent(t);
  const hosts: readonly Options[] = [
    { host: 'b.test', port: 8443 },
    { host: '::1', port: '443', family: 6, localAddress: '::1' },
    { host: '127.0.0.1', servername: '', family: 4 },
    { host: 'b.test', servername: 'b.test' },
    { host: 'b.test', servername: 'c.test' },
    { host: 'b.test', servername: '' },
    { host: 'b.test', socketPath: '/tmp/socket', family: 0 },
    {},
  ];
  for (const options of [...ORDINARY, ...WEIRD]) {
    const values = profileValues(options);
    for (const host of [options, ...hosts]) {
      const known = { ...options, ...host };
      const name = agent.getName({ ...known });
      rememberProfile(known, values);
      assert.equal(agent.getName(known), name);
    }
  }
});

test('one function has one name for all requests', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const checkServerIdentity = (): undefined => undefined;
  const names = new Set<string | undefined>();
  for (let i = 0; i < 3; i++) {
    await get(server, { agent, checkServerIdentity });
    names.add(Object.keys(agent.freeSockets)[0]);
  }
  assert.equal(names.size, 1);
  const held: string[] = [];
  // Node stamps each of them with a number of its own, and prints it.
  agent.getName = (options) => {
    const name = Object.getPrototypeOf(agent).getName.call(agent, options) as string;
    held.push(name);
    return name;
  };
  for (let i = 0; i < 2; i++) {
    const req = request({ host: 'localhost', port: server.port, agent, checkServerIdentity });
    agent.getName({ ...Reflect.get(req, 'agent').options, host: 'x', checkServerIdentity });
    req.on('error', () => {}).destroy();
  }
  assert.equal(new Set(held).size, 1);
});

test('the views never merge two identities', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const asked = [
    {},
    { ALPNProtocols: ['http/1.1'] },
    { checkServerIdentity: () => undefined },
    { checkServerIdentity: () => undefined },
    { servername: '', checkServerIdentity: () => undefined },
    { secureContext: createSecureContext({ ca: server.ca }) },
  ];
  for (const options of asked) await get(server, { agent, ...options });
  assert.equal(Object.keys(agent.freeSockets).length, asked.length);
  for (const name of Object.keys(agent.freeSockets)) assert.ok(name.startsWith(`localhost:${server.port}:`));
});

test('two sets of options have one name exactly if they have one identity', LIMIT, (t) => {
  const agent = poolingAgent(t);
  fc.assert(
    fc.property(optionSets, ([one, another]) => {
      const all = identities();
      const sameIdentity = all.resolve(one, {}, undefined) === all.resolve(another, {}, undefined);
      const [name, anotherName] = [one, another].map((options) => agent.getName(options));
      if (sameIdentity) assert.equal(name, anotherName);
      else assert.notEqual(name, anotherName);
    }),
    { numRuns: 1500 },
  );
});

test(
  'text and all bytes that spell it have one name, short or long, alone, in a list or in an object',
  LIMIT,
  (t) => {
    const agent = poolingAgent(t);
    const forms = (text: string): unknown[] => [
      text,
      Buffer.from(text),
      new Uint8Array(Buffer.from(text)),
      [text],
    ];
    for (const text of ['#', 'a', 'a'.repeat(100)]) {
      for (const option of ['ca', 'cert', 'crl']) {
        const names = forms(text).map((value) => agent.getName({ [option]: value }));
        assert.equal(new Set(names).size, 1, names.join('\n'));
      }
      for (const option of ['dhparam', 'session', 'ticketKeys']) {
        const names = forms(text)
          .slice(0, 3)
          .map((value) => agent.getName({ [option]: value }));
        assert.equal(new Set(names).size, 1, names.join('\n'));
      }
      const lists = forms(text)
        .slice(0, 3)
        .map((value) => agent.getName({ ALPNProtocols: ['b', value] } as Options));
      assert.equal(new Set(lists).size, 1, lists.join('\n'));
    }
    // Node numbers objects.
    const objects = [1, 2].map(() =>
      agent.getName({ certificateCompression: [{ name: 'zlib' }] } as Options),
    );
    assert.equal(new Set(objects).size, 1, objects.join('\n'));
  },
);
