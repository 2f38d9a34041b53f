/** NO_PROXY: the table of docs/proxies.md, entry by entry, and lists at random against a plain second opinion. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from '../support/fast-check.js';
import { NoProxy } from '../../src/egress/no-proxy.js';
import { isBypassed } from '../../src/egress/proxy-env.js';

type Row = readonly [list: string, covered: readonly string[], others: readonly string[]];

function split(target: string): [host: string, port: number] {
  const [, host = target, port = '443'] = /^(\[.*\]|[^:]*):(\d+)$/.exec(target) ?? [];
  return [host, Number(port)];
}

const CURL: readonly Row[] = [
  ['', [], ['a.test']],
  ['*', ['a.test', '10.0.0.1', '::1'], []],
  ['a.test,*', ['b.test'], []],
  [
    'example.com',
    ['example.com', 'a.example.com', 'a.b.example.com', 'EXAMPLE.com', 'example.com.'],
    ['notexample.com', 'example.com.au', 'com'],
  ],
  ['.example.com', ['example.com', 'a.example.com'], ['notexample.com']],
  ['*.example.com', ['a.example.com', 'a.b.example.com'], ['example.com', 'notexample.com']],
  ['Example.COM.', ['example.com'], []],
  ['mülle.test', ['mülle.test', 'MÜLLE.test', 'a.xn--mlle-0ra.test'], ['mlle.test']],
  ['xn--mlle-0ra.test', ['mülle.test', 'xn--mlle-0ra.test'], ['mulle.test']],
  ['a.test b.test,\tc.test', ['a.test', 'b.test', 'x.c.test'], ['d.test']],
  [' , ,', [], ['a.test']],
  ['example.com:8443', ['example.com:8443', 'a.example.com:8443'], ['example.com', 'example.com:443']],
  ['*:8443', ['a.test:8443'], ['a.test']],
  ['10.0.0.1', ['10.0.0.1', '10.0.0.1:80'], ['10.0.0.10', '110.0.0.1', 'x.10.0.0.1']],
  ['10.0.0.1:80', ['10.0.0.1:80'], ['10.0.0.1:81']],
  ['10.0.0.0/8', ['10.255.0.1', '::ffff:10.1.1.1'], ['11.0.0.1', 'a.10.0.0.0']],
  ['192.168.1.0/24,10.0.0.0/33', ['192.168.1.77'], ['10.0.0.0', '192.168.2.1']],
  ['0.0.0.0/0', ['8.8.8.8'], ['a.test']],
  ['::1', ['::1', '[::1]', '0:0:0:0:0:0:0:1', '[::1]:80'], ['::2']],
  ['[::1]', ['::1'], ['::2']],
  ['[::1]:8443', ['[::1]:8443'], ['[::1]:443']],
  ['fd00::/8', ['fd12::1', 'fd12::1%eth0'], ['fe00::1']],
  ['[fd00::]/8', ['fd12::1'], []],
  ['a*.test', [], ['ab.test', 'a.test']],
  ['http://example.com', [], ['example.com']],
];

const NODES: readonly Row[] = [
  ['', [], ['a.test']],
  ['*', ['a.test'], []],
  ['example.com', ['example.com', 'EXAMPLE.com'], ['a.example.com']],
  ['.example.com', ['example.com', 'a.example.com'], ['notexample.com']],
  ['*.example.com', ['a.example.com'], ['example.com']],
  ['example.com:8443', ['example.com:8443'], ['example.com']],
  ['a.test b.test', [], ['a.test']],
  ['a.test, b.test', ['b.test'], []],
  ['10.0.0.1', ['10.0.0.1'], ['10.0.0.2']],
  ['10.0.0.0/8', [], ['10.0.0.1']],
  ['10.0.0.1-10.0.0.9', ['10.0.0.1', '10.0.0.5', '10.0.0.9'], ['10.0.0.10', '10.0.0.0']],
  ['10.0.0.9-x', [], ['10.0.0.9']],
];

for (const [whose, rows, covers] of [
  ["'env'", CURL, (list: string, host: string, port: number) => new NoProxy(list).covers(host, port)],
  ['proxyEnv', NODES, isBypassed],
] as const) {
  describe(whose, () => {
    for (const [list, covered, others] of rows) {
      it(JSON.stringify(list), () => {
        for (const target of covered) assert.ok(covers(list, ...split(target)), target);
        for (const target of others) assert.ok(!covers(list, ...split(target)), target);
      });
    }
  });
}

describe('at random', () => {
  const label = fc.constantFrom('a', 'b', 'ab', 'example');
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const byte = fc.constantFrom(0, 1, 9, 10, 127, 128, 255);
  const address = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
  const port = fc.constantFrom(443, 8443);

  it('names: as curl compares them, label by label', () => {
    const entry = fc.tuple(fc.constantFrom('', '.', '*.'), name, fc.option(port));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), name, port, (entries, host, at) => {
        const list = entries
          .map(([dots, one, on]) => `${dots}${one}${on === null ? '' : `:${on}`}`)
          .join(',');
        const labels = host.split('.');
        const expected = entries.some(([dots, one, on]) => {
          const wanted = one.split('.');
          const isBelow = labels.length > wanted.length && labels.slice(-wanted.length).join('.') === one;
          return (on === null || on === at) && (isBelow || (dots !== '*.' && host === one));
        });
        assert.equal(new NoProxy(list).covers(host, at), expected, list);
      }),
      { numRuns: 2000 },
    );
  });

  it('networks: bit by bit', () => {
    const bitsOf = (text: string): string =>
      text
        .split('.')
        .map((one) => Number(one).toString(2).padStart(8, '0'))
        .join('');
    fc.assert(
      fc.property(address, fc.nat({ max: 32 }), address, (network, bits, host) => {
        const expected = bitsOf(network).slice(0, bits) === bitsOf(host).slice(0, bits);
        assert.equal(new NoProxy(`${network}/${bits}`).covers(host, 443), expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('whatever stands there: an answer, and none that depends on the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 12, unit: 'binary-ascii' })),
        name,
        port,
        (entries, host, at) => {
          const answer = new NoProxy(entries.join(',')).covers(host, at);
          assert.equal(new NoProxy(entries.toReversed().join(' ')).covers(host, at), answer);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
