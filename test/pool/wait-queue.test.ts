/** The queue and the heap, each against a list that is searched and sorted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import { Entry, Heap } from '../../src/pool/heap.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Kinds } from '../../src/pool/kinds.js';
import { MAX_PASSED_OVER, WaitQueue } from '../../src/pool/wait-queue.js';
import { limitsWith } from '../support/limits.js';

const host = new HostPool<Kinds>(undefined, limitsWith());

function waiterOf(arrival: number, priority: number, since = 0): Waiter<Kinds> {
  const waiter = new Waiter<Kinds>(host, undefined, 'replayable', since, priority);
  waiter.arrival = arrival;
  return waiter;
}

const isEven = ({ arrival }: Waiter<Kinds>): boolean => arrival % 2 === 0;

/** @returns the first one of the most urgent priority */
function mostUrgent(waiters: readonly Waiter<Kinds>[]): Waiter<Kinds> | undefined {
  const urgent = Math.min(...waiters.map((waiter) => waiter.priority));
  return waiters.find((waiter) => waiter.priority === urgent);
}

const priority = fc.nat({ max: 7 });
const n = fc.nat({ max: 1000 });
const operations = fc.oneof(
  { weight: 4, arbitrary: fc.record({ push: priority, since: fc.constantFrom(0, 0, 0, Infinity) }) },
  { weight: 3, arbitrary: fc.constant({ take: true }) },
  { weight: 1, arbitrary: fc.record({ remove: n }) },
  { weight: 2, arbitrary: fc.record({ move: n, to: priority }) },
  { weight: 2, arbitrary: fc.record({ back: n }) },
);

test('by priority, then first in, first out; moved ones keep their position by arrival; nobody starves', () => {
  let aged = 0;
  fc.assert(
    fc.property(fc.array(operations, { maxLength: 600, size: 'max' }), (run) => {
      const queue = new WaitQueue<Waiter<Kinds>>();
      let expected: Waiter<Kinds>[] = [];
      let arrivals = 0;
      let passedOver = 0;
      for (const operation of run) {
        if ('push' in operation) {
          const waiter = waiterOf(arrivals++, operation.push, operation.since);
          queue.push(waiter);
          expected.push(waiter);
        } else if ('take' in operation) {
          const [oldest] = expected;
          const urgent = Math.min(...expected.map((waiter) => waiter.priority));
          let next = expected.find((waiter) => waiter.priority === urgent);
          if (passedOver === MAX_PASSED_OVER && next !== oldest) {
            aged++;
            next = oldest;
          }
          assert.equal(queue.next, next);
          if (!next) continue;
          queue.take(next);
          passedOver = next === oldest ? 0 : passedOver + 1;
          assert.ok(passedOver <= MAX_PASSED_OVER);
          expected = expected.filter((waiter) => waiter !== next);
        } else if ('remove' in operation) {
          const waiter = expected[operation.remove % expected.length];
          if (!waiter) continue;
          assert.equal(queue.remove(waiter), true);
          assert.equal(queue.remove(waiter), false);
          expected = expected.filter((one) => one !== waiter);
        } else if ('back' in operation) {
          const waiter = expected[operation.back % expected.length];
          if (!waiter) continue;
          queue.remove(waiter);
          queue.insert(waiter);
        } else {
          const waiter = expected[operation.move % expected.length];
          if (waiter) queue.move(waiter, operation.to);
        }
        assert.equal(queue.size, expected.length);
        assert.equal(queue.oldest, expected[0]);
        assert.equal(queue.firstThat(isEven), mostUrgent(expected.filter(isEven)));
        assert.equal(
          queue.firstThat(() => true),
          mostUrgent(expected),
        );
        assert.deepEqual([...queue], expected);
        assert.equal(
          queue.nextToExpire,
          expected.find(({ since }) => since !== Infinity),
        );
        const inTurn = expected.toSorted((a, b) => a.priority - b.priority || a.arrival - b.arrival);
        const some = inTurn[run.length % inTurn.length];
        if (some) assert.equal(queue.placeOf(some), inTurn.indexOf(some) + 1);
      }
    }),
    { numRuns: 150 },
  );
  assert.ok(aged > 0, 'it came to that');
});

test('one of low priority is passed over a bounded number of times', () => {
  const queue = new WaitQueue<Waiter<Kinds>>();
  const patient = waiterOf(0, 7);
  queue.push(patient);
  let served = 0;
  for (let arrival = 1; arrival < 1000; arrival++) {
    queue.push(waiterOf(arrival, 0));
    const { next } = queue;
    assert.ok(next);
    queue.take(next);
    if (next === patient) break;
    served++;
  }
  assert.equal(served, MAX_PASSED_OVER);
});

test('the top of the heap comes before all others', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ key: fc.nat({ max: 20 }), at: n, what: fc.nat({ max: 3 }) })), (run) => {
      const heap = new Heap<{ key: number }>((a, b) => a.key < b.key);
      const entries: Entry<{ key: number }>[] = [];
      for (const { key, at, what } of run) {
        const entry = entries[at % entries.length];
        if (what < 2 || !entry) {
          const added = new Entry({ key });
          entries.push(added);
          heap.add(added);
        } else if (what === 2) {
          assert.equal(heap.remove(entry), true);
          assert.equal(heap.remove(entry), false);
          entries.splice(at % entries.length, 1);
        } else {
          entry.value.key = key;
          heap.update(entry);
        }
        assert.equal(heap.size, entries.length);
        assert.equal([...heap].length, entries.length);
        assert.equal(
          heap.top?.key,
          entries.length ? Math.min(...entries.map(({ value }) => value.key)) : undefined,
        );
      }
    }),
  );
});
