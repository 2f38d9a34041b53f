/** When 'saturated' and 'drained' are worth telling, by a clock of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Saturation } from '../../src/limits/saturation.js';

test('a host is told of at once, then once a second while requests come', () => {
  const saturation = new Saturation();
  const told = [0, 1, 500, 999, 1000, 1001, 1999, 2000, 5000].filter((now) => saturation.begin('a', now));
  assert.deepEqual(told, [0, 1000, 2000, 5000]);
  assert.equal(saturation.begin('b', 1), true, 'each host for itself');
});

test('that it is drained is told once, and only of a host that was told of before', () => {
  const saturation = new Saturation();
  assert.equal(saturation.end('a'), false);
  saturation.begin('a', 0);
  assert.equal(saturation.end('a'), true);
  assert.equal(saturation.end('a'), false);
  // Within the interval: neither its beginning nor its end is told again.
  assert.equal(saturation.begin('a', 10), false);
  assert.equal(saturation.end('a'), false);
  assert.equal(saturation.begin('a', 1000), true);
  assert.equal(saturation.end('a'), true);
});
