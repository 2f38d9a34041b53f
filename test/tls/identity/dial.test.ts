/** The options of a dial: they get every value that an identity stands for, and an identity sees whether one of these was changed since. */
import assert from 'node:assert/strict';
import { createSecureContext } from 'node:tls';
import { describe, it } from 'node:test';
import { isUnaffected } from '../../../src/identity/identity.js';
import { HTTPS } from '../../../src/identity/protocol.js';
import { CONTEXT_OPTIONS, contextValuesOf, PROFILE_OPTIONS } from '../../../src/identity/profile.js';
import { identities } from './support.js';
import type { Options } from './support.js';

const HOST = {
  host: 'a',
  port: 1,
  servername: 's',
  localAddress: '127.0.0.2',
  family: 4,
  socketPath: '/p',
} satisfies Options;
const TLS = { ca: ['x', 'y'], minVersion: 'TLSv1.2', rejectUnauthorized: false } satisfies Options;
/** One value of each option that makes a profile. */
const STRANGE: Options = Object.fromEntries(PROFILE_OPTIONS.map((name) => [name, `strange ${name}`]));

const originOf = (options: Options) => identities().resolve(options, {}, undefined);

describe('A dial', () => {
  it('gets all that its identity stands for', () => {
    const dial: Options = { timeout: 7 };
    originOf({ ...HOST, ...TLS }).applyTo(dial);
    assert.deepEqual(dial, { timeout: 7, ...HOST, ...TLS });
  });

  it('loses each value that its identity does not stand for', () => {
    const dial: Options = { timeout: 7, ...HOST, ...STRANGE };
    originOf({ host: 'b' }).applyTo(dial);
    assert.deepEqual(dial, { timeout: 7, host: 'b', servername: 'b' });
  });

  it('is given no property in the place of one that is not there', () => {
    const dial: Options = {};
    originOf({ host: 'b' }).applyTo(dial);
    assert.deepEqual(Object.keys(dial).toSorted(), ['host', 'servername']);
  });

  it('keeps a value of its own that is equal', () => {
    const ca = ['x', Buffer.from('y')];
    const dial: Options = { ca, key: 'other' };
    originOf({ host: 'a', ca: ['x', 'y'], key: 'k' }).applyTo(dial);
    assert.equal(dial['ca'], ca);
    assert.equal(dial['key'], 'k');
  });

  const changes: [string, unknown][] = [
    ...Object.keys(HOST).map((name): [string, unknown] => [name, 'other']),
    ...PROFILE_OPTIONS.map((name): [string, unknown] => [name, 'other']),
  ];
  for (const [name, value] of changes) {
    it(`is not its identity's any more when ${name} is changed, comes, or goes`, () => {
      const full = originOf({ ...STRANGE, ...HOST });
      const dial: Options = {};
      full.applyTo(dial);
      assert.equal(full.isOf(dial), true);
      assert.equal(full.isOf({ ...dial, [name]: value }), false, 'changed');
      assert.equal(full.isOf({ ...dial, [name]: undefined }), false, 'gone');
      if (name === 'host' || name === 'servername') return;
      const bare = originOf({ host: 'a' });
      const bareDial: Options = {};
      bare.applyTo(bareDial);
      assert.equal(bare.isOf(bareDial), true);
      assert.equal(bare.isOf({ ...bareDial, [name]: value }), false, 'come');
    });
  }
});

describe('Only what makes a context goes into one', () => {
  const context: readonly string[] = CONTEXT_OPTIONS;

  it('of a profile', () => {
    const { contextOptions } = originOf({ host: 'a', ...STRANGE }).profile;
    assert.deepEqual(Object.keys(contextOptions).toSorted(), context.toSorted());
  });

  it('of options, which may change later', () => {
    const buf = Buffer.from('b');
    const values = contextValuesOf({ ...STRANGE, ...HOST, pfx: buf });
    buf.write('c');
    assert.deepEqual([...values.keys()].toSorted(), context.toSorted());
    assert.equal(String(values.get('pfx')), 'b');
    assert.equal(values.get('ciphers'), 'strange ciphers');
  });
});

describe('A list of one is its value', () => {
  const same = (one: Options, other: Options): boolean => {
    const all = identities();
    return (
      all.resolve({ host: 'a', ...one }, {}, undefined) ===
      all.resolve({ host: 'a', ...other }, {}, undefined)
    );
  };

  it('and null is none, where Node takes it so', () => {
    for (const name of ['ca', 'cert', 'key', 'crl']) {
      assert.equal(same({ [name]: ['x'] }, { [name]: 'x' }), true, name);
      assert.equal(same({ [name]: null }, {}), true, name);
    }
  });

  it('and nowhere else', () => {
    for (const name of ['pfx', 'ALPNProtocols', 'sigalgs', 'ciphers']) {
      assert.equal(same({ [name]: ['x'] }, { [name]: 'x' }), false, name);
      assert.equal(same({ [name]: null }, {}), false, name);
    }
    assert.equal(
      same({ key: [{ pem: 'k', passphrase: 'p' }] }, { key: { pem: 'k', passphrase: 'p' } }),
      false,
    );
  });
});

describe('Options of an agent change nothing', () => {
  const cases: [boolean, Options, Options][] = [
    [true, { ...HOST, ...TLS }, {}],
    [true, { ...HOST, ...TLS }, { timeout: 7, headers: {} }],
    [true, { ...HOST, ...TLS }, { ...HOST, ...TLS }],
    [true, { host: 'a' }, { servername: 'a' }],
    [true, { host: 'a', ca: 'x' }, { ca: ['x'] }],
    [false, { host: 'a' }, { ca: 'x' }],
    [false, { host: 'a', ca: 'x' }, { ca: undefined }],
    [false, { host: 'a' }, { secureContext: createSecureContext() }],
    [false, { host: 'a' }, { servername: 'b' }],
    ...Object.keys(HOST).map((name): [boolean, Options, Options] => [false, HOST, { [name]: 'other' }]),
  ];
  for (const [i, [expected, options, agentOptions]] of cases.entries()) {
    it(`${expected ? 'with' : 'not with'} ${Object.keys(agentOptions).join(', ') || 'nothing'} (${i})`, () => {
      assert.equal(isUnaffected(options, agentOptions, HTTPS), expected);
    });
  }
});

it('Requests that differ in the host part only are told apart, whichever came before', () => {
  const all = identities();
  for (const name of Object.keys(HOST)) {
    const [one, other] = [HOST, { ...HOST, [name]: 'other' }].map((options) =>
      all.resolve(options, {}, undefined),
    );
    assert.notEqual(one, other, name);
    assert.equal(all.resolve({ ...HOST }, {}, undefined), one, name);
  }
  const [named, unnamed] = ['b', undefined].map((hostHeader) => all.resolve({ host: 'a' }, {}, hostHeader));
  assert.notEqual(named, unnamed, 'the Host header');
  assert.equal(named?.servername, 'b');
});

it('A dial is lent its lists: what is added to one is not added to the identity', () => {
  const origin = originOf({ host: 'a', ca: ['x', 'y'] });
  const dial: Options = {};
  origin.applyTo(dial);
  (dial['ca'] as string[]).push('z');
  assert.deepEqual(origin.profile.values.get('ca'), ['x', 'y']);
  assert.equal(origin.isOf(dial), false);
});
