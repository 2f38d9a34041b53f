/** Patterns of hosts, at random: what is taken has one form and matches what it says, what is refused is refused with a code. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from '../support/fast-check.js';
import { normalizeHost } from '../../src/limits/host-name.js';
import { keysFor, keysForAny, parsePattern } from '../../src/limits/pattern.js';

const keyOf = (pattern: string): string => parsePattern(pattern, 'pattern').key;

const port = fc.integer({ min: 1, max: 65_535 });
const upperOrLower = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => Array.from(text, (c, i) => (upper[i] ? c.toUpperCase() : c)).join(''));
/** Names that a host can have, the last label never a number. */
const name = fc.domain().filter((domain) => domain.length < 200);

describe('A name as pattern', () => {
  it('matches that host, in any case, with or without a dot at the end', () => {
    fc.assert(
      fc.property(
        name.chain((host) => fc.tuple(fc.constant(host), upperOrLower(host), fc.boolean())),
        port,
        ([host, written, dot], number) => {
          const key = keyOf(written + (dot ? '.' : ''));
          assert.equal(key, host);
          assert.ok([...keysFor(normalizeHost(host), number)].includes(key));
          assert.equal(keyOf(`${written}:${number}`), `${host}:${number}`);
        },
      ),
    );
  });

  it('with `*.` before it matches what is below it, at any depth, and not itself', () => {
    fc.assert(
      fc.property(
        name,
        fc.array(fc.constantFrom('a', 'b-c', '_x', '1'), { maxLength: 3 }),
        port,
        (host, below, number) => {
          const deep = [...below, host].join('.');
          const keys = [...keysFor(normalizeHost(deep), number)];
          assert.equal(keys.includes(keyOf(`*.${host}`)), below.length > 0);
          assert.equal(keys.includes(keyOf(`*.${host}:${number}`)), below.length > 0);
          assert.ok(keys.every((key) => !key.startsWith('*') || key.length > '*.'.length));
        },
      ),
    );
  });

  it('comes in the order of what is more specific', () => {
    assert.deepEqual(
      [...keysFor('a.b.c', 8443)],
      ['a.b.c:8443', 'a.b.c', '*.b.c:8443', '*.b.c', '*.c:8443', '*.c'],
    );
    assert.deepEqual([...keysFor('10.0.0.1', 443)], ['10.0.0.1:443', '10.0.0.1']);
    assert.deepEqual([...keysFor('::1', 443)], ['[::1]:443', '::1']);
    assert.deepEqual(keysForAny(443), ['*:443', '*']);
  });
});

describe('An address as pattern', () => {
  it('has one form, with brackets or without, and with a port', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (address, number) => {
        const key = keyOf(address);
        assert.notEqual(isIP(key), 0);
        assert.equal(keyOf(key), key);
        if (isIP(address) === 4) {
          assert.equal(keyOf(`${address}:${number}`), `${address}:${number}`);
          return;
        }
        assert.equal(keyOf(`[${address}]`), key);
        assert.equal(keyOf(`[${address}]:${number}`), `[${key}]:${number}`);
        assert.ok([...keysFor(normalizeHost(`${address}%eth0`), number)].includes(key), 'whatever the zone');
      }),
    );
  });

  it('as a network contains what has the same bits before, and no name', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
    const bitsOf = (address: readonly number[]): string =>
      address.map((octet) => octet.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(octets, octets, fc.nat(32), fc.boolean(), (net, other, prefix, near) => {
        // Half of them differ only somewhere behind.
        const host = near ? [...net.slice(0, 2), ...other.slice(2)] : other;
        const { network, key } = parsePattern(`${net.join('.')}/${prefix}`, 'pattern');
        assert.equal(key, `${net.join('.')}/${prefix}`);
        assert.equal(network?.prefix, prefix);
        const expected = bitsOf(net).slice(0, prefix) === bitsOf(host).slice(0, prefix);
        assert.equal(network?.contains(host.join('.')), expected);
        assert.equal(network?.contains('name.example'), false);
      }),
    );
    const { network } = parsePattern('2001:DB8::/32', 'pattern');
    assert.equal(network?.contains('2001:db8:1::1'), true);
    assert.equal(network?.contains('2001:db9::1'), false);
    assert.equal(network?.contains('10.0.0.1'), false);
    assert.equal(parsePattern('2001:DB8::/32', 'pattern').key, '2001:db8::/32');
    assert.equal(parsePattern('::1/128', 'pattern').network?.contains('::2'), false);
    for (const text of [
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/-1',
      '10.0.0.0/',
      '/8',
      '10.0.0.0/08x',
      '10.0.0.0/1e1',
    ]) {
      assert.throws(() => keyOf(text), { code: 'ERR_INVALID_ARG_VALUE' }, text);
    }
  });
});

/** Pieces that patterns are made of, and mistakes. */
const piece = fc.constantFrom(
  'a',
  'A',
  '-',
  '_',
  '.',
  '*',
  ':',
  '/',
  '[',
  ']',
  '0',
  '0x',
  '1',
  '255',
  '::',
  '%',
  ' ',
  '\0',
  'ä',
  '443',
  '8',
  'x'.repeat(64),
);

describe('A host in the one form', () => {
  it('is in ASCII and small letters, and nothing is made an address that is none', () => {
    const forms: Record<string, string> = {
      A: 'a',
      'a.': 'a',
      ä: 'xn--4ca',
      'Ä.a.': 'xn--4ca.a',
      '127.1': '127.1',
      '0X7F.1': '0x7f.1',
      '10.0.0.1': '10.0.0.1',
      '[::1]': '::1',
      '::FFFF:1.2.3.4': '::ffff:1.2.3.4',
      '[::1': '[::1',
      '::1]': '::1]',
    };
    for (const [host, form] of Object.entries(forms)) assert.equal(normalizeHost(host), form, host);
  });
});

describe('Any text as pattern', () => {
  it('is refused with a code and its name, or has one form', () => {
    let taken = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
          fc.string(),
        ),
        (text) => {
          let key;
          try {
            ({ key } = parsePattern(text, 'the pattern'));
          } catch (error) {
            assert.ok(error instanceof TypeError);
            assert.equal(Reflect.get(error, 'code'), 'ERR_INVALID_ARG_VALUE');
            assert.match(error.message, /the pattern/);
            return;
          }
          taken++;
          assert.equal(keyOf(key), key, 'the key is a pattern, too, and the same');
          assert.match(key, /^[a-z0-9_.*:[\]/-]+$/);
        },
      ),
      { numRuns: 3000 },
    );
    assert.ok(taken > 50, `only ${taken} were taken`);
  });

  it('that ends in a number but is no address is refused: it could be taken for one', () => {
    for (const text of [
      '127.1',
      '1',
      '0x7f.1',
      'a.0x1f',
      'a.0x',
      '0x',
      'a.b.0XFF',
      '*.0x1',
      '*.1',
      'a.1:443',
      '1.2.3.4.5',
      '256.1.1.1',
      'a.１',
    ]) {
      assert.throws(() => keyOf(text), { code: 'ERR_INVALID_ARG_VALUE' }, text);
    }
    for (const text of ['0x7f.a', 'a.0xg', 'x0', '1a', '0y1', 'a.x1f', '1.a', '*.0x1g']) {
      assert.equal(keyOf(text), text);
    }
  });

  it('is taken up to the lengths that DNS knows', () => {
    const longest = [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.');
    assert.equal(longest.length, 253);
    assert.equal(keyOf(longest), longest);
    assert.equal(keyOf(`${longest}.`), longest);
    assert.throws(() => keyOf(`${longest}a`), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => keyOf(`${'a'.repeat(64)}.b`), { code: 'ERR_INVALID_ARG_VALUE' });
    for (const text of [
      'a]',
      '[a',
      '[a]',
      'a[::1]',
      '[::1',
      '::1]',
      '[10.0.0.1',
      '[::1]1',
      '[::1]:',
      'x1.2.3.4]',
    ]) {
      assert.throws(() => keyOf(text), { code: 'ERR_INVALID_ARG_VALUE' }, text);
    }
    for (const text of ['-a.b', 'a-.b', 'a.-', 'a..b', '.a']) {
      assert.throws(() => keyOf(text), { code: 'ERR_INVALID_ARG_VALUE' }, text);
    }
    for (const text of ['_a.b', 'a_.b', 'a--b.c', 'a.b1']) assert.equal(keyOf(text), text);
  });
});
