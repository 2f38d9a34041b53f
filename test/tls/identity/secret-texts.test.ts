/** Removal of the secrets of options from texts and errors of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError, scrub, withoutSecrets } from '../../../src/identity/secrets.js';

const PEM = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\r\nIJabcdef\nxyz\n-----END EC PRIVATE KEY-----\n';

test('private keys go from every text, whole or cut off', () => {
  assert.equal(withoutSecrets(`before ${PEM}after`, {}), 'before [removed]\nafter');
  assert.equal(withoutSecrets(`${PEM}${PEM}`, {}), '[removed]\n[removed]\n');
  assert.equal(withoutSecrets(`before ${PEM.slice(0, 60)}`, {}), 'before [removed]');
  assert.equal(withoutSecrets('-----BEGIN PRIVATE KEY-----\nabc', {}), '[removed]');
  const cert = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----';
  assert.equal(withoutSecrets(cert, {}), cert);
});

test('each secret of the options goes, in the forms in which it may be quoted', () => {
  const bytes = Buffer.from([1, 2, 3, 250, 251, 252]);
  const secrets: [options: Record<string, unknown>, texts: string[]][] = [
    [{ passphrase: 'horse' }, ['horse']],
    [{ passphrase: 1234 }, ['1234']],
    [{ passphrase: 'four' }, ['four']],
    [{ key: PEM }, ['MHcCAQEE', 'IJabcdef']],
    [{ key: Buffer.from(PEM) }, ['MHcCAQEE', 'IJabcdef']],
    [{ key: [{ pem: PEM, passphrase: 'horse' }] }, ['horse', 'IJabcdef']],
    [{ pfx: [{ buf: bytes }] }, [bytes.toString('base64'), bytes.toString('hex'), bytes.toString('latin1')]],
    [{ ticketKeys: bytes.subarray(1) }, [bytes.subarray(1).toString('hex')]],
    [{ session: bytes }, [bytes.toString('base64')]],
    [{ passphrase: ['horse', { deep: ['mouse'] }] }, ['horse', 'mouse']],
  ];
  for (const [options, texts] of secrets)
    for (const text of texts)
      assert.equal(withoutSecrets(`<${text}>${text}`, options), '<[removed]>[removed]');
});

test('what is no secret, or too short to be one, stays', () => {
  const options = { passphrase: 'cat', key: '-----BEGIN X-----\nab\n', ca: 'certificate', nothing: null };
  for (const text of ['cat', 'ab', 'certificate', '-----BEGIN X-----'])
    assert.equal(withoutSecrets(text, options), text);
  assert.equal(withoutSecrets('null 0', { passphrase: null, key: undefined, pfx: true }), 'null 0');
});

test('of secrets that contain each other, the longest goes first', () => {
  const options = { passphrase: 'horse', key: 'horse-battery' };
  assert.equal(withoutSecrets('horse-battery, horse', options), '[removed], [removed]');
});

test('an error of any type is one line, of a bounded length', () => {
  const options = { passphrase: 'horse' };
  assert.equal(describeError(new TypeError('bad horse'), options), 'TypeError: bad [removed]');
  assert.equal(describeError('horse', options), '[removed]');
  assert.equal(describeError(undefined, options), 'undefined');
  assert.equal(describeError(new SyntaxError('unexpected: a whole file'), options), 'SyntaxError');
  assert.equal(describeError('x'.repeat(5000), options).length, 1000);
  const unreadable = {
    toString() {
      throw new Error('horse');
    },
  };
  assert.equal(describeError(unreadable, options), 'An error that cannot be printed');
});

test('an error is cleaned in place, with its causes and the errors in it', () => {
  const options = { passphrase: 'horse' };
  const cause = new Error('cause horse');
  const inner = new Error('inner horse', { cause: new Error('deep horse') });
  const error = Object.assign(new AggregateError([inner], 'horse', { cause }), { code: 'E_horse', count: 7 });
  assert.equal(scrub(error, options), error);
  assert.equal(error.message, '[removed]');
  assert.equal(error.code, 'E_[removed]');
  assert.equal(error.count, 7);
  assert.ok(!error.stack?.includes('horse'));
  assert.equal(cause.message, 'cause [removed]');
  assert.equal(inner.message, 'inner [removed]');
  assert.equal((inner.cause as Error).message, 'deep [removed]');
  assert.equal(scrub('a horse', options), 'a [removed]');
  for (const value of [null, undefined, 7]) assert.equal(scrub(value, options), value);
});

test('an error that cannot be changed is replaced by a plain one', () => {
  const options = { passphrase: 'horse' };
  const frozen = Object.freeze(Object.assign(new TypeError('bad horse'), { code: 'ERR_X' }));
  const inside = new Error('fine', { cause: frozen });
  for (const error of [frozen, inside]) {
    const clean = scrub(error, options) as Error & { code?: unknown };
    assert.notEqual(clean, error);
    assert.ok(clean instanceof Error);
    assert.ok(!clean.message.includes('horse'));
    assert.equal(clean.code, error === frozen ? 'ERR_X' : undefined);
  }
  const harmless = Object.freeze(new Error('fine'));
  assert.equal(scrub(harmless, options), harmless);
});

test('causes are cleaned down to a depth that ends', () => {
  const options = { passphrase: 'horse' };
  const chain = Array.from({ length: 8 }, (_, i) => new Error(`${i} horse`));
  for (const [i, error] of chain.entries()) error.cause = chain[i + 1] ?? chain[0];
  assert.equal(scrub(chain[0], options), chain[0]);
  assert.deepEqual(
    chain.map(({ message }) => message.includes('horse')),
    [false, false, false, false, false, false, true, true],
  );
});

test('an error that throws when it is read is left as it is', () => {
  const error = new Proxy(new Error('x'), {
    ownKeys() {
      throw new Error('read');
    },
  });
  assert.equal(scrub(error, {}), error);
});
