/** Distributions of durations: zeros where there is nothing, milliseconds, and exact enough. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Durations } from '../../src/observe/durations.js';

const NONE = { count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };

/** To 0.1 %. */
function isAbout(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= expected / 500, `${actual} is not about ${expected}`);
}

test('an empty one has zeros, each time', () => {
  const durations = new Durations();
  assert.deepEqual(durations.stats(), NONE);
  durations.record(1);
  assert.equal(durations.stats().count, 1);
});

test('what is less than a microsecond counts as one', () => {
  const durations = new Durations();
  for (const value of [0, 0.0001, -1]) durations.record(value);
  const { count, max, mean, min } = durations.stats();
  assert.deepEqual([count, min, max, mean], [3, 0.001, 0.001, 0.001]);
});

test('a few, and many, whenever somebody looks', () => {
  for (const many of [1, 10, 63, 64, 65, 1000]) {
    const durations = new Durations();
    for (let i = 1; i <= many; i++) {
      durations.record(i);
      if (i === 40) isAbout(durations.stats().max, 40);
    }
    const { count, max, mean, min, p50, p90, p99 } = durations.stats();
    assert.equal(count, many);
    assert.equal(durations.count, many);
    isAbout(min, 1);
    isAbout(max, many);
    isAbout(mean, (many + 1) / 2);
    const rank = (percentile: number): number => Math.max(1, Math.round((percentile / 100) * many));
    isAbout(p50, rank(50));
    isAbout(p90, rank(90));
    isAbout(p99, rank(99));
  }
});

test('a whole day', () => {
  const durations = new Durations();
  durations.record(86_400_000);
  isAbout(durations.stats().max, 86_400_000);
});
