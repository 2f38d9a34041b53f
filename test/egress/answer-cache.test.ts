/** The memory for answers, and its times: case by case, and against a model. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import { AnswerCache, FAILURE_TTL } from '../../src/egress/dns/answer-cache.js';
import type { CachePolicy, State } from '../../src/egress/dns/answer-cache.js';

const A = [{ address: '127.0.0.2', family: 4 }];
const GONE = new Error('gone');

function cacheOf(policy: Partial<CachePolicy> = {}): AnswerCache<never> {
  return new AnswerCache<never>({ ttl: 1000, maxStale: 0, maxEntries: 1000, ...policy });
}

function stateAt(cache: AnswerCache<never>, now: number, key = 'a'): State {
  return cache.stateOf(cache.use(key), now);
}

test('an answer is as good as new for the ttl, and serves for as long again while a new one is fetched', () => {
  const cache = cacheOf();
  assert.equal(stateAt(cache, 0), 'unknown');
  cache.answered('a', A, 0);
  assert.equal(stateAt(cache, 0), 'fresh');
  assert.equal(stateAt(cache, 999), 'fresh');
  assert.equal(stateAt(cache, 1000), 'renew');
  assert.equal(stateAt(cache, 1999), 'renew');
  assert.equal(stateAt(cache, 2000), 'unknown');
});

test('without a ttl, nothing is kept', () => {
  const cache = cacheOf({ ttl: 0 });
  cache.answered('a', A, 0);
  assert.equal(cache.size, 0);
  assert.equal(stateAt(cache, 0), 'unknown');
  assert.equal(cache.failed('a', GONE, true, 0), undefined);
  assert.equal(cache.size, 0);
});

test('where the resolver fails, an old answer counts for maxStale', () => {
  const cache = cacheOf({ maxStale: 5000 });
  cache.answered('a', A, 0);
  assert.equal(stateAt(cache, 2000), 'stale');
  assert.equal(cache.failed('a', GONE, false, 2100), A);
  assert.equal(stateAt(cache, 2100 + FAILURE_TTL - 1), 'fresh', 'the resolver is left alone for a moment');
  assert.equal(stateAt(cache, 2100 + FAILURE_TTL), 'renew', 'and asked again, while the old answer serves');
  assert.equal(stateAt(cache, 5999), 'renew');
  assert.equal(stateAt(cache, 6000), 'unknown');
  assert.equal(cache.failed('a', GONE, false, 6000), undefined);
  const eternal = cacheOf({ maxStale: Infinity });
  eternal.answered('a', A, 0);
  assert.equal(eternal.failed('a', GONE, true, 1e9), A);
});

test('a name that does not exist is remembered for a second at most, other failures are not', () => {
  for (const [ttl, kept] of [
    [1000, 1000],
    [300, 300],
    [60_000, 1000],
  ] as const) {
    const cache = cacheOf({ ttl });
    assert.equal(cache.failed('a', GONE, true, 0), undefined);
    assert.equal(stateAt(cache, kept - 1), 'failed');
    assert.equal(cache.use('a').failure?.error, GONE);
    assert.equal(stateAt(cache, kept), 'unknown');
  }
  const cache = cacheOf();
  cache.failed('a', GONE, false, 0);
  assert.equal(stateAt(cache, 0), 'unknown');
});

test('a failure ends what was known, unless maxStale lets it serve', () => {
  const cache = cacheOf();
  cache.answered('a', A, 0);
  assert.equal(cache.failed('a', GONE, true, 1500), undefined);
  assert.equal(stateAt(cache, 1500), 'failed');
  cache.answered('a', A, 1600);
  assert.equal(stateAt(cache, 1600), 'fresh');
  assert.equal(cache.failed('a', GONE, false, 1700), undefined);
  assert.equal(stateAt(cache, 1700), 'unknown');
});

test('the names that were asked for longest ago are forgotten', () => {
  const cache = cacheOf({ maxEntries: 2 });
  cache.answered('a', A, 0);
  cache.answered('b', A, 0);
  cache.use('a');
  cache.answered('c', A, 0);
  assert.equal(cache.size, 2);
  assert.equal(stateAt(cache, 0, 'a'), 'fresh');
  assert.equal(stateAt(cache, 0, 'c'), 'fresh');
  assert.equal(stateAt(cache, 0, 'b'), 'unknown');
});

const step = fc.record({
  wait: fc.nat({ max: 1500 }),
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  act: fc.constantFrom('look', 'answer', 'missing', 'broken'),
});

test('no history makes it serve an answer that is too old, or forget one that counts', () => {
  const policy = fc.record({
    ttl: fc.constantFrom(0, 300, 1000, 5000),
    maxStale: fc.constantFrom(0, 1000, 20_000),
    maxEntries: fc.constantFrom(2, 1000),
  });
  fc.assert(
    fc.property(policy, fc.array(step, { maxLength: 60 }), (given, steps) => {
      const cache = cacheOf(given);
      const { ttl, maxStale, maxEntries } = given;
      /** When each name was answered last, and whether the look-up after that has failed. */
      const answered = new Map<string, number>();
      let now = 0;
      for (const { wait, key, act } of steps) {
        now += wait;
        if (act === 'answer') {
          cache.answered(key, A, now);
          answered.set(key, now);
        } else if (act !== 'look') {
          const at = answered.get(key) ?? -Infinity;
          const serves = cache.failed(key, GONE, act === 'missing', now) !== undefined;
          if (serves)
            assert.ok(maxStale > 0 && now - at < ttl + maxStale, 'an old answer counts in its time');
          else answered.delete(key);
        }
        const age = now - (answered.get(key) ?? -Infinity);
        const state = stateAt(cache, now, key);
        if (state === 'fresh' || state === 'renew' || state === 'stale')
          assert.ok(age < Math.max(2 * ttl, ttl + maxStale), `${state} at ${age}`);
        if (maxEntries === 1000 && age < ttl) assert.equal(state, 'fresh');
        assert.ok(cache.size <= maxEntries);
      }
    }),
    { numRuns: 500 },
  );
});
