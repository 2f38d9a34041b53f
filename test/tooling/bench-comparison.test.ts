/** When a benchmark counts as slower than its baseline: not where that could be noise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from '../../bench/comparison.js';
import type { CaseResult } from '../../bench/results.js';

const resultOf = (rounds: Record<string, number[]>): CaseResult => ({
  case: 'overhead',
  settings: Object.entries(rounds).map(([setting, values]) => ({
    setting,
    rows: [{ contender: 'ours', stopped: false, rounds: values.map((ratio) => ({ ratio })) }],
  })),
});

const changeOf = (before: number[], now: number[]): string | undefined =>
  compare(resultOf({ a: before }), resultOf({ a: now }), { contender: 'ours', metric: 'ratio' })[0]?.change;

test('slower or faster is what lies apart in every round, by more than a little', () => {
  assert.equal(changeOf([1.1, 1.09, 1.11], [1.2, 1.19, 1.21]), 'slower');
  assert.equal(changeOf([1.2, 1.19, 1.21], [1.1, 1.09, 1.11]), 'faster');
  assert.equal(changeOf([1.1, 1.09, 1.11], [1.1, 1.09, 1.11]), 'noise');
  assert.equal(changeOf([1.1, 1.09, 1.11], [1.2, 1.3, 1.1]), 'noise', 'the ranges overlap');
  assert.equal(changeOf([1.2, 1.3, 1.1], [1.1, 1.09, 1.11]), 'noise', 'the other way round, too');
  assert.equal(changeOf([1.1, 1.1, 1.1], [1.115, 1.115, 1.115]), 'noise', 'too little to count');
  assert.equal(changeOf([1.115, 1.115, 1.115], [1.1, 1.1, 1.1]), 'noise');
});

test('only settings that both have are compared', () => {
  const of = { contender: 'ours', metric: 'ratio' } as const;
  const before = resultOf({ a: [1], gone: [1] });
  const comparisons = compare(before, resultOf({ a: [1], new: [2] }), of);
  assert.deepEqual(
    comparisons.map(({ setting }) => setting),
    ['a'],
  );
  assert.deepEqual(compare(before, resultOf({ a: [1] }), { ...of, contender: 'core' }), []);
});
