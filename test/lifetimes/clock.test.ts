/** The clock by which idle connections age, over clocks that do what a suspended machine's do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock, LOOK_EVERY, TOLERANCE } from '../../src/lifetimes/clock.js';

function clocks() {
  const at = { monotonic: 5000, wall: 1_800_000_000_000 };
  let jumps = 0;
  const clock = new Clock(() => jumps++, { monotonic: () => at.monotonic, wall: () => at.wall });
  return { at, clock, jumps: () => jumps };
}

test('it runs with the monotonic clock', () => {
  const { at, clock, jumps } = clocks();
  assert.equal(clock.now(), 5000);
  at.monotonic += 10_000;
  at.wall += 10_000;
  assert.equal(clock.now(), 15_000);
  assert.equal(clock.at(), 15_000);
  assert.equal(jumps(), 0);
});

test('time in which the machine slept is made up for', () => {
  const { at, clock, jumps } = clocks();
  clock.now();
  at.wall += 60_000;
  at.monotonic += 10;
  assert.equal(clock.at(), 5010, 'not seen before the next look');
  assert.equal(clock.now(), 5000 + 60_000);
  assert.equal(jumps(), 1);
  at.monotonic += 5;
  at.wall += 5;
  assert.equal(clock.now(), 5000 + 60_005);
  assert.equal(clock.at(), 5000 + 60_005);
  assert.equal(jumps(), 1, 'told once');
});

test('it looks once in a while: a sleep is seen soon after, if not at once', () => {
  const { at, clock, jumps } = clocks();
  clock.now();
  at.wall += 60_000;
  at.monotonic += LOOK_EVERY / 2;
  assert.equal(clock.now(), at.monotonic);
  assert.equal(jumps(), 0);
  at.monotonic += LOOK_EVERY / 2;
  assert.equal(clock.now(), at.monotonic + 60_000 - LOOK_EVERY);
  assert.equal(jumps(), 1);
});

test('a wall clock that is set back makes everything suspect, and nothing younger', () => {
  const { at, clock, jumps } = clocks();
  clock.now();
  at.wall -= 3_600_000;
  at.monotonic += 20;
  assert.equal(clock.now(), 5020);
  assert.equal(jumps(), 1);
});

test('a wall clock that is slewed is no jump, however long', () => {
  const { at, clock, jumps } = clocks();
  for (let i = 0; i < 1000; i++) {
    at.monotonic += 1000;
    at.wall += 1000 + (TOLERANCE / 2) * (i % 2 ? 1 : -1);
    clock.now();
  }
  for (let i = 0; i < 1000; i++) {
    at.monotonic += 1000;
    at.wall += 1010;
    clock.now();
  }
  assert.equal(jumps(), 0);
  assert.equal(clock.now(), at.monotonic);
});

test('a difference of as much as is tolerated is no jump, in either direction; a little more is', () => {
  for (const direction of [1, -1]) {
    const { at, clock, jumps } = clocks();
    clock.now();
    for (const [difference, expected] of [
      [TOLERANCE, 0],
      [TOLERANCE + 1, 1],
    ] as const) {
      at.monotonic += 10;
      at.wall += 10 + direction * difference;
      clock.now();
      assert.equal(jumps(), expected);
    }
  }
});

test('its times are told by the monotonic clock, and back', () => {
  const { at, clock } = clocks();
  clock.now();
  at.wall += 60_000;
  at.monotonic += 10;
  const now = clock.now();
  assert.equal(clock.monotonicAt(now), 5010);
  assert.equal(clock.at(5010), now);
});
