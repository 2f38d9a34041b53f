/** Values of an option that count as the same, and how the last options are recognised. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '../../../src/identity/description.js';
import { copy, isReference, lend, same } from '../../../src/identity/option-value.js';
import { placesOf, RecentOptions } from '../../../src/identity/recent-options.js';
import type { Options } from '../../../src/identity/option-value.js';

class Own {
  a = 1;
}
const own = new Own();
const fn = (): void => {};
const deep = [[[['a']]]];
const deepObject = { a: { a: { a: { a: 1 } } } };

/** Functions that make values: a new one each time where it counts by content. No two of them count as the same. */
const DIFFERENT: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => 'null',
  () => '',
  () => 'a',
  () => 'a,b',
  () => 'é',
  () => Buffer.from('é'),
  () => Buffer.from('é', 'latin1'),
  () => Buffer.from([0xff, 0xfe]),
  () => 'c3a9',
  () => '1',
  () => 1,
  () => 1n,
  () => NaN,
  () => 'NaN',
  () => true,
  () => false,
  () => 'true',
  () => [],
  () => [[]],
  () => ['a'],
  () => ['a', 'b'],
  () => ['a', 'c'],
  () => ['c', 'b'],
  () => ['a,b'],
  () => [['a'], 'b'],
  () => ['a', ['b']],
  () => [undefined],
  () => [1, Buffer.from('x')],
  () => [1, Buffer.from('y')],
  () => ({}),
  () => ({ a: 1 }),
  () => ({ a: 2 }),
  () => ({ b: 1 }),
  () => ({ a: 1, b: 2 }),
  () => ({ a: 1, b: 3 }),
  () => ({ a: 2, b: 2 }),
  () => ({ a: 1, b: undefined }),
  () => ({ a: 1, c: undefined }),
  () => ({ 0: 'a' }),
  () => ({ a: { a: { a: 1 } } }),
  () => ({ a: { a: { a: 2 } } }),
  () => [[['a']]],
  () => [[['b']]],
  () => own,
  () => fn,
  () => deep,
  () => deepObject,
];

test('two values are the same, and are described alike, exactly if their content is', () => {
  for (const [i, one] of DIFFERENT.entries()) {
    for (const [j, other] of DIFFERENT.entries()) {
      const [a, b] = [one(), other()];
      const what = `${describe(a)} and ${describe(b)}`;
      assert.equal(same(a, b), i === j, what);
      assert.equal(describe(a) === describe(b), i === j, what);
    }
  }
});

test('text is the same as its bytes, of whatever type, and order of names means nothing', () => {
  const pairs: [unknown, unknown][] = [
    ['abc', Buffer.from('abc')],
    ['abc', new Uint8Array([97, 98, 99])],
    [Buffer.from('é'), new Uint8Array(Buffer.from('é'))],
    [Buffer.from('xabcx').subarray(1, 4), 'abc'],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1 }, Object.assign(Object.create(null) as object, { a: 1 })],
    [['abc'], [Buffer.from('abc')]],
  ];
  for (const [one, other] of pairs) {
    assert.equal(same(one, other), true, describe(one));
    assert.equal(same(other, one), true, describe(one));
    assert.equal(describe(one), describe(other));
  }
});

test('what lies deeper than any option of Node’s counts by identity, and so do objects of a class', () => {
  for (const make of [() => new Own(), () => [[[['a']]]], () => ({ a: { a: { a: { a: 1 } } } })]) {
    const [one, other] = [make(), make()];
    assert.equal(same(one, other), false);
    assert.notEqual(describe(one), describe(other));
    assert.equal(describe(one), describe(one));
  }
  for (const value of [own, fn, new Map()]) assert.equal(isReference(value), true);
  for (const value of [null, undefined, 'a', 1, {}, [], Buffer.alloc(1), Object.create(null)])
    assert.equal(isReference(value), false);
});

test('a copy does not change with the original, and what counts by identity is not copied', () => {
  const bytes = Buffer.from('abc');
  const original = { list: [{ bytes, own, fn }], text: 'a' };
  const copied = copy(original) as typeof original;
  assert.deepEqual(copied, original);
  bytes.write('xyz');
  original.list.push({ bytes, own, fn });
  original.text = 'b';
  assert.equal(copied.list.length, 1);
  assert.equal(String(copied.list[0]?.bytes), 'abc');
  assert.equal(copied.list[0]?.own, own);
  assert.equal(copied.text, 'a');
  const tooDeep = [[[['a']]]] as const;
  assert.equal((copy(tooDeep) as unknown[][][])[0]?.[0]?.[0], tooDeep[0][0][0]);
});

test('what is lent may be changed: lists and objects are copied, bytes and the rest are shared', () => {
  const member = { pem: Buffer.from('a') };
  const list = [member, 'b'];
  const lent = lend(list) as typeof list;
  assert.deepEqual(lent, list);
  assert.notEqual(lent, list);
  assert.notEqual(lent[0], member);
  assert.equal((lent[0] as typeof member).pem, member.pem);
  assert.equal(lend(own), own);
});

const PLACES = placesOf(['ca', 'key', 'servername']);

test('the last options are recognised by the very same values, whatever else is beside them', () => {
  const key = { pem: 'k', passphrase: 'p' };
  const list = [key, 'x'];
  const recent = new RecentOptions({ ca: 'a', key: list, other: 1 }, PLACES, false);
  const recognised: readonly Options[] = [
    { ca: 'a', key: list },
    { key: list, ca: 'a', other: 2, another: 3 },
    { ca: 'a', key: list, servername: undefined },
  ];
  const notRecognised: readonly Options[] = [
    {},
    { ca: 'a' },
    { key: list },
    { ca: 'b', key: list },
    { ca: 'a', key: list, servername: 's' },
    { ca: 'a', key: 'x' },
    { ca: 'a', key: [...list] },
  ];
  for (const options of recognised) {
    assert.equal(recent.recognises(options), true, JSON.stringify(options));
    for (const other of notRecognised) assert.equal(recent.recognises(other), false, JSON.stringify(other));
  }
});

test('what has changed in place is not recognised', () => {
  const changes: Record<string, (list: unknown[], member: Record<string, unknown>) => void> = {
    'a member more': (list) => list.push('y'),
    'a member less': (list) => list.pop(),
    'another member': (list) => (list[1] = 'y'),
    'another value in a member': (_, member) => (member['passphrase'] = 'q'),
    'a value more in a member': (_, member) => (member['extra'] = 1),
    'a value less in a member': (_, member) => delete member['passphrase'],
  };
  for (const [name, change] of Object.entries(changes)) {
    const member: Record<string, unknown> = { pem: 'k', passphrase: 'p' };
    const list = [member, 'x'];
    const options = { key: list };
    const recent = new RecentOptions(options, PLACES, false);
    assert.equal(recent.recognises(options), true);
    change(list, member);
    assert.equal(recent.recognises(options), false, name);
  }
});

test("an agent's `undefined` counts, a request's does not", () => {
  for (const counts of [true, false]) {
    const recent = new RecentOptions({ ca: undefined, key: 'k' }, PLACES, counts);
    assert.equal(recent.recognises({ ca: undefined, key: 'k' }), true);
    assert.equal(recent.recognises({ key: 'k' }), !counts);
    assert.equal(recent.recognises({ key: 'k', servername: undefined }), !counts);
    assert.equal(
      new RecentOptions({ key: 'k' }, PLACES, counts).recognises({ key: 'k', ca: undefined }),
      !counts,
    );
  }
});
