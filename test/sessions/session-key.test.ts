/**
 * The content of a session's key, without a connection: two sessions with different trust never share one, and it says truly whether it means the
 * same in another process, and whether we have shown who we are.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import tls from 'node:tls';
import { isVerified } from '../../src/sessions/key-terms.js';
import { presentKey } from './sessions.js';
import type { SessionKey } from '../../src/sessions/session-key.js';
import { identities } from '../tls/identity/support.js';
import type { Options } from '../tls/identity/support.js';

/** @returns the key that a new agent gives, which remembers nothing */
function keyOf(options: Options): SessionKey {
  const all = { host: 'a', ...options };
  return presentKey(identities().resolve(all, {}, undefined), all);
}

class Thing {
  readonly value = 1;
}

describe('Two keys are the same', () => {
  const alike: [string, Options, Options][] = [
    ['for equal values', { ca: ['x', 'y'], port: 1 }, { ca: ['x', 'y'], port: 1 }],
    ['for a port and its digits', { port: 1 }, { port: '1' }],
    ['for equal bytes', { pfx: Buffer.from([255, 1]) }, { pfx: new Uint8Array([255, 1]) }],
    [
      'for objects whose properties come in another order',
      { pfx: [{ buf: Buffer.from('b'), passphrase: 'p' }] },
      { pfx: [{ passphrase: 'p', buf: Buffer.from('b') }] },
    ],
    ['for options that come in another order', { ca: 'x', cert: 'y' }, { cert: 'y', ca: 'x' }],
  ];
  for (const [why, one, other] of alike) {
    it(why, () => assert.equal(keyOf(one).id, keyOf(other).id));
  }
});

describe('Two keys differ', () => {
  const different: [string, Options, Options][] = [
    ['for two hosts', { host: 'a' }, { host: 'b' }],
    ['with and without verification', { rejectUnauthorized: true }, { rejectUnauthorized: false }],
    ['where a list has its border elsewhere', { ca: ['ab', 'c'] }, { ca: ['a', 'bc'] }],
    ['where a list has members that another has in one', { pfx: ['a', 'b'] }, { pfx: [['a', 'b']] }],
    ['for a list and its longer twin', { ca: ['a', 'b'] }, { ca: ['a', 'b', 'a'] }],
    ['where a value is under another name', { cert: 'x' }, { key: 'x' }],
    ['for bytes that differ', { pfx: Buffer.from([255, 1]) }, { pfx: Buffer.from([255, 2]) }],
    ['for a number and its digits', { minDHSize: 1024 }, { minDHSize: '1024' }],
    [
      'for objects with another name in them',
      { pfx: [{ buf: 'b', passphrase: 'p' }] },
      { pfx: [{ buf: 'b', password: 'p' }] },
    ],
    [
      'for objects with another value in them',
      { pfx: [{ buf: 'b', passphrase: 'p' }] },
      { pfx: [{ buf: 'b', passphrase: 'q' }] },
    ],
    ['for two functions', { checkServerIdentity: () => undefined }, { checkServerIdentity: () => undefined }],
    ['for two objects of a class', { pfx: new Thing() }, { pfx: new Thing() }],
  ];
  for (const [why, one, other] of different) {
    it(why, () => assert.notEqual(keyOf(one).id, keyOf(other).id));
  }

  it('for one identity before and after the environment has switched verification off', (t) => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    t.after(() => {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    });
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    const options = { host: 'a' };
    const origin = identities().resolve(options, {}, undefined);
    const verified = presentKey(origin, options);
    assert.equal(presentKey(origin, options), verified, 'one and the same, as long as nothing changes');
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    assert.equal(isVerified({}), false);
    assert.equal(isVerified({ rejectUnauthorized: true }), true);
    // As tls.connect takes it: whatever is not `false`, if it is there.
    assert.equal(isVerified({ rejectUnauthorized: undefined }), true);
    assert.equal(isVerified({ rejectUnauthorized: 0 }), true);
    assert.equal(isVerified({ rejectUnauthorized: false }), false);
    assert.notEqual(presentKey(origin, options).id, verified.id);
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '1';
    assert.equal(isVerified({}), true);
    assert.equal(presentKey(origin, options).id, verified.id);
  });

  it("for one identity before and after somebody has put another function in the place of Node's", (t) => {
    const own = tls.checkServerIdentity;
    t.after(() => void (tls.checkServerIdentity = own));
    const options = { host: 'a' };
    const origin = identities().resolve(options, {}, undefined);
    const before = presentKey(origin, options);
    assert.equal(before.portable, true);
    const others = [() => undefined, () => undefined].map((checkServerIdentity) => {
      tls.checkServerIdentity = checkServerIdentity;
      return presentKey(origin, options);
    });
    assert.equal(new Set([before, ...others].map(({ id }) => id)).size, 3);
    assert.deepEqual(
      others.map(({ portable }) => portable),
      [false, false],
    );
    tls.checkServerIdentity = own;
    assert.equal(presentKey(origin, options).id, before.id);
  });
});

describe('The authorities that Node trusts by itself', () => {
  const { setDefaultCACertificates, getCACertificates } = tls as {
    setDefaultCACertificates?: (certificates: readonly string[]) => void;
    getCACertificates?: (type: 'default') => readonly string[];
  };
  const skip = (!setDefaultCACertificates || !getCACertificates) && 'they cannot change in this Node';

  it('are part of the key where they are what is trusted, and nowhere else', { skip }, (t) => {
    const before = getCACertificates?.('default') ?? [];
    t.after(() => setDefaultCACertificates?.(before));
    const secureContext = tls.createSecureContext();
    const kinds: [boolean, Options][] = [
      [true, { host: 'a' }],
      [false, { host: 'a', ca: 'x' }],
      [false, { host: 'a', secureContext }],
    ];
    const all = identities();
    const keys = (): string[] =>
      kinds.map(([, options]) => presentKey(all.resolve(options, {}, undefined), options).id);
    const first = keys();
    setDefaultCACertificates?.(before.slice(1));
    const second = keys();
    for (const [i, [isTheirs]] of kinds.entries()) assert.equal(first[i] !== second[i], isTheirs, `${i}`);
  });
});

describe('A key is portable', () => {
  const cases: [boolean, Options][] = [
    [true, {}],
    [true, { ca: ['x', Buffer.from('y')], minDHSize: 1024, rejectUnauthorized: false }],
    [true, { pfx: [{ buf: Buffer.from('b'), passphrase: 'p' }] }],
    [true, { pfx: Object.assign(Object.create(null) as object, { buf: 'b' }) }],
    [true, { pfx: ['x', null] }],
    [false, { checkServerIdentity: () => undefined }],
    [false, { checkServerIdentity: () => undefined, ca: 'x' }],
    [false, { secureContext: tls.createSecureContext() }],
    // Whatever comes after it.
    [false, { pfx: [new Thing(), 'x'] }],
    [false, { pfx: ['x', new Thing()] }],
    [false, { pfx: [{ buf: new Thing(), passphrase: 'p' }] }],
    [false, { pfx: [{ buf: 'b', passphrase: new Thing() }] }],
    [false, { ciphers: Symbol('ciphers') }],
  ];
  for (const [i, [portable, options]] of cases.entries()) {
    it(`${portable ? 'with' : 'not with'} ${Object.keys(options).join(', ') || 'nothing'} (${i})`, () => {
      assert.equal(keyOf(options).portable, portable);
    });
  }
});

describe('A key tells of a client certificate', () => {
  const cases: [boolean, Options][] = [
    [false, {}],
    [false, { ca: 'x', passphrase: 'p' }],
    ...['cert', 'key', 'pfx', 'clientCertEngine', 'privateKeyIdentifier'].map((name): [boolean, Options] => [
      true,
      { [name]: 'x' },
    ]),
  ];
  for (const [expected, options] of cases) {
    it(`${expected ? 'with' : 'not with'} ${Object.keys(options).join(', ') || 'nothing'}`, () => {
      assert.equal(keyOf(options).clientCertificate, expected);
    });
  }
});
