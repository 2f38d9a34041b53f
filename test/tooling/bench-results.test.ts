/** The ratios of contenders that take their samples at the same time, where the floor or one of them may have been stopped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valuesAt, withRatios } from '../../bench/results.js';
import type { CaseResult, Row } from '../../bench/results.js';

test('the CPU of each is divided by that of the floor at the same time', () => {
  const floor = { cpu: 200, p50: 1 };
  assert.deepEqual(withRatios([floor, undefined, { cpu: 250, p50: 2 }], floor), [
    { cpu: 200, p50: 1, ratio: 1 },
    undefined,
    { cpu: 250, p50: 2, ratio: 1.25 },
  ]);
});

test('without the floor no sample has a ratio', () => {
  assert.deepEqual(withRatios([{ cpu: 250 }], undefined), [{ cpu: 250 }]);
});

test('a metric that was not measured has no values', () => {
  const rounds = [{ cpu: 250, ratio: 1.25 }, { cpu: 260 }];
  const rows: Row[] = [{ contender: 'ours', rounds, stopped: false }];
  const result: CaseResult = { case: 'pace', settings: [{ setting: 'a', rows }] };
  const place = { setting: 'a', contender: 'ours' } as const;
  assert.deepEqual(valuesAt(result, { ...place, metric: 'ratio' }), [1.25]);
  assert.deepEqual(valuesAt(result, { ...place, metric: 'cpu' }), [250, 260]);
  assert.deepEqual(valuesAt(result, { ...place, metric: 'p50' }), []);
});
