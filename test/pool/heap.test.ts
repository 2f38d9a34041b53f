/** The heap against a plain list of everything in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import { Entry, Heap } from '../../src/pool/heap.js';

interface Item {
  key: number;
  readonly entry: Entry<Item>;
}

function itemOf(key: number): Item {
  const item = { key } as { key: number; entry: Entry<Item> };
  item.entry = new Entry<Item>(item);
  return item;
}

const byKey = (a: Item, b: Item): boolean => a.key < b.key;

const step = fc.record({
  act: fc.constantFrom('add', 'add', 'add', 'remove', 'update', 'shift'),
  key: fc.nat(99),
  at: fc.nat(999),
});

test('the least is on top, whatever is added, removed and changed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const heap = new Heap<Item>(byKey);
      const inside: Item[] = [];
      for (const { act, key, at } of steps) {
        const index = at % Math.max(1, inside.length);
        const item = inside[index];
        if (act === 'add') {
          const added = itemOf(key);
          heap.add(added.entry);
          inside.push(added);
        } else if (item && act === 'update') {
          item.key = key;
          heap.update(item.entry);
        } else if (item) {
          const gone = act === 'remove' ? item : (heap.top as Item);
          assert.equal(heap.remove(gone.entry), true);
          assert.equal(heap.remove(gone.entry), false, 'it is in no heap any more');
          assert.equal(gone.entry.heap, undefined);
          inside.splice(inside.indexOf(gone), 1);
        }
        assert.equal(heap.size, inside.length);
        assert.equal(
          heap.top?.key,
          inside.length > 0 ? Math.min(...inside.map((one) => one.key)) : undefined,
        );
      }
      assert.deepEqual(new Set(heap), new Set(inside));
      for (const one of inside) assert.equal(one.entry.heap, heap);
    }),
    { numRuns: 200 },
  );
});

test('a member of another heap is left alone', () => {
  const [one, other] = [new Heap<Item>(byKey), new Heap<Item>(byKey)];
  const item = itemOf(1);
  other.add(item.entry);
  assert.equal(one.remove(item.entry), false);
  assert.deepEqual([one.size, other.size], [0, 1]);
  assert.equal(other.top, item);
});

test('finding the first takes time that grows with the logarithm of the number', () => {
  let looks = 0;
  const heap = new Heap<Item>((a, b) => (looks++, a.key < b.key));
  const items = Array.from({ length: 1024 }, (_, i) => itemOf((i * 389) % 1024));
  for (const { entry } of items) heap.add(entry);
  looks = 0;
  for (let key = 0; key < 1024; key++) {
    assert.equal(heap.top?.key, key);
    heap.remove((heap.top as Item).entry);
  }
  assert.ok(looks < 1024 * 25, `${looks} comparisons`);
});
