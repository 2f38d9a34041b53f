/** How long a connection may be idle, by what is known: the arithmetic, and what is learned. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import { lastIdleTime, safeIdleTime } from '../../src/lifetimes/idle-policy.js';
import {
  FIRST_DISTRUST,
  LearnedIdle,
  MAX_DISTRUST,
  MAX_MARGIN,
  MIN_MARGIN,
  SURVIVALS,
} from '../../src/lifetimes/learned-idle.js';
import { AGE_JITTER, retireTime } from '../../src/lifetimes/socket-age.js';

const RULES = { idleTimeout: 4000, maxIdleTimeout: 60_000 };
const hint = (timeout: number | undefined, max?: number) => ({ timeout, max });

test('the safe age is the time announced, less the buffer, or ours', () => {
  const safe = (seconds: number | undefined, buffer = 1000, rules = RULES, learned = Infinity) =>
    safeIdleTime(hint(seconds), rules, buffer, learned);
  assert.equal(safeIdleTime(undefined, RULES, 1000, Infinity), 4000);
  assert.equal(safe(undefined), 4000);
  assert.equal(safe(5), 4000);
  assert.equal(safe(3), 2000);
  assert.equal(safe(30), 29_000, 'longer than ours');
  assert.equal(safe(600), 60_000, 'up to maxIdleTimeout');
  assert.equal(safe(1), 0, 'nothing left');
  assert.equal(safe(0), 0);
  assert.equal(safe(5, 0), 5000);
  assert.equal(safe(5, 1000, { idleTimeout: 4000, maxIdleTimeout: 0 }), 0);
  assert.equal(safe(undefined, 1000, { idleTimeout: Infinity, maxIdleTimeout: Infinity }), Infinity);
  assert.equal(safe(30, 1000, RULES, 75), 75, 'what it does counts more than what it says');
  assert.equal(safe(undefined, 1000, RULES, 75), 75);
});

test('the last age goes beyond the safe one where the buffer would take more than half, or the host teaches less', () => {
  const last = (seconds: number | undefined, buffer = 1000, rules = RULES) =>
    lastIdleTime(hint(seconds), rules, buffer);
  assert.equal(lastIdleTime(undefined, RULES, 1000), 4000);
  assert.equal(last(5), 4000);
  assert.equal(last(2), 1000);
  assert.equal(last(1), 500);
  assert.equal(last(0), 0);
  assert.equal(last(600), 60_000);
  assert.equal(last(5, 4900), 2500);
});

test('the safe age is never beyond the last one', () => {
  const ms = fc.oneof(fc.nat({ max: 200_000 }), fc.constant(Infinity));
  const seconds = fc.option(fc.nat({ max: 1000 }), { nil: undefined });
  fc.assert(
    fc.property(seconds, ms, ms, fc.nat({ max: 20_000 }), ms, (timeout, idle, max, buffer, learned) => {
      const rules = { idleTimeout: idle, maxIdleTimeout: max };
      const safe = safeIdleTime(hint(timeout), rules, buffer, learned);
      const last = lastIdleTime(hint(timeout), rules, buffer);
      assert.ok(safe >= 0 && safe <= last && last <= max);
      if (timeout !== undefined) assert.ok(last <= timeout * 1000, 'never beyond what the server says');
    }),
  );
});

test('a host that closes at some age teaches a shorter one, with a margin', () => {
  const learned = new LearnedIdle();
  assert.equal(learned.safeAge, Infinity);
  learned.closedAt(100);
  assert.equal(learned.limit, 100);
  assert.equal(learned.safeAge, 75);
  learned.closedAt(140);
  assert.equal(learned.limit, 100, 'the least counts');
  learned.closedAt(20);
  assert.equal(learned.safeAge, 20 - MIN_MARGIN);
  learned.closedAt(5);
  assert.equal(learned.safeAge, 0, 'no age is safe');
  const long = new LearnedIdle();
  long.closedAt(30_000);
  assert.equal(long.safeAge, 30_000 - MAX_MARGIN);
});

test('connections that outlive the limit raise it, slowly, and only in a row', () => {
  const learned = new LearnedIdle();
  learned.closedAt(100);
  const survive = (age: number, times: number) => {
    for (let i = 0; i < times; i++) learned.survived(age);
  };
  survive(100, 100);
  assert.equal(learned.limit, 100, 'not older: nothing is proved');
  survive(2000, SURVIVALS - 1);
  assert.equal(learned.limit, 100);
  learned.closedAt(3000);
  survive(2000, SURVIVALS - 1);
  assert.equal(learned.limit, 100, 'it still closes connections: from the start');
  survive(2000, 1);
  assert.equal(learned.limit, 150);
  survive(160, SURVIVALS);
  assert.equal(learned.limit, 160, 'never beyond what was seen');
});

test('an age that was learned from a restart is forgotten', () => {
  const learned = new LearnedIdle();
  learned.closedAt(0);
  let connections = 0;
  while (learned.limit < 3900) {
    learned.survived(4000);
    connections++;
  }
  assert.ok(connections > 5 * SURVIVALS && connections < 30 * SURVIVALS, `after ${connections} connections`);
});

test('the same history teaches the same', () => {
  const event = fc.tuple(fc.boolean(), fc.nat({ max: 5000 }));
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const pupils = [new LearnedIdle(), new LearnedIdle()];
      let least = Infinity;
      for (const [closed, age] of events) {
        if (closed) least = Math.min(least, age);
        for (const pupil of pupils) {
          const before = pupil.limit;
          if (closed) pupil.closedAt(age);
          else pupil.survived(age);
          if (closed) assert.ok(pupil.limit <= age, 'not safe at an age at which one was just closed');
          else assert.ok(pupil.limit >= before && pupil.limit >= least, 'surviving never shortens it');
          assert.ok(pupil.safeAge === Infinity || pupil.safeAge < Math.max(1, pupil.limit));
        }
      }
      assert.deepEqual(pupils[0], pupils[1]);
    }),
  );
});

test('connections retire within the jitter before their age, never after it', () => {
  assert.equal(
    retireTime(500, 10_000, () => 0),
    10_500,
  );
  assert.equal(
    retireTime(500, 10_000, () => 0.5),
    500 + 10_000 * (1 - AGE_JITTER / 2),
  );
  assert.equal(retireTime(500, Infinity), Infinity);
  const times = Array.from({ length: 200 }, () => retireTime(0, 1000));
  assert.ok(times.every((time) => time > 1000 * (1 - AGE_JITTER) && time <= 1000));
  assert.ok(new Set(times).size > 100, 'they do not go together');
});

test('a host that closes right after an answer is distrusted for a while, longer with each relapse', () => {
  const learned = new LearnedIdle();
  assert.equal(learned.isDistrusted(0), false);
  let now = 5;
  for (let time = FIRST_DISTRUST; time < 4 * MAX_DISTRUST; time *= 2) {
    learned.closedAtOnce(now);
    // Whatever else is lost within that time.
    learned.closedAtOnce(now + 1);
    const end = now + Math.min(time, MAX_DISTRUST);
    assert.equal(learned.isDistrusted(end - 1), true);
    assert.equal(learned.isDistrusted(end), false);
    now = end;
  }
});

test('whatever happens, a healthy host is trusted again after a time, and after some answers', () => {
  const events = fc.array(fc.oneof(fc.constant('lost' as const), fc.nat({ max: 700_000 })));
  fc.assert(
    fc.property(events, (history) => {
      const learned = new LearnedIdle();
      let now = 0;
      let losses = 0;
      for (const event of history) {
        if (event !== 'lost') now += event;
        else {
          learned.closedAtOnce(now);
          losses++;
          assert.equal(learned.isDistrusted(now), true);
        }
      }
      if (losses === 0) assert.equal(learned.isDistrusted(now), false);
      assert.equal(learned.isDistrusted(now + MAX_DISTRUST), false);
      for (let i = 0; i < SURVIVALS; i++) learned.servedAgain();
      assert.equal(learned.isDistrusted(now), false);
      learned.closedAtOnce(now);
      assert.equal(learned.isDistrusted(now + FIRST_DISTRUST), false, 'a relapse long after is a first one');
    }),
  );
});
