/** The timer of requests that wait, by itself: it wakes for the first of all moments, for nobody else, and not at all where nobody waits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '../../src/pool/heap.js';
import { MAX_DELAY, monotonicNow } from '../../src/node/timers.js';
import { QueueTimer } from '../../src/requests/queue-timer.js';
import type { Timed } from '../../src/requests/queue-timer.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

class Waiting implements Timed {
  timesOutAt = Infinity;
  timeoutEntry: Entry<Timed> | undefined = undefined;
  timedOutAt = 0;

  timeOut(): void {
    this.timedOutAt = monotonicNow();
  }

  get isTimedOut(): boolean {
    return this.timedOutAt > 0;
  }
}

/** The pool's deadlines, each of which is seen to once. */
class Deadlines {
  all: number[] = [];
  /** The arguments of `expire`, in turn. */
  readonly expired: number[] = [];

  get nextDeadline(): number {
    return Math.min(...this.all);
  }

  expire(now: number): number {
    this.expired.push(now);
    this.all = this.all.filter((deadline) => deadline > now);
    return this.nextDeadline;
  }
}

function setUp(): { timer: QueueTimer; pool: Deadlines } {
  const pool = new Deadlines();
  return { timer: new QueueTimer(pool), pool };
}

/** Timers that keep the process alive, beside those of the test runner. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

test('each is told when its time is over, and no sooner', LIMIT, async () => {
  const { timer } = setUp();
  const begun = monotonicNow();
  const waiting = [60, 20, 40].map((timeout) => {
    const one = new Waiting();
    timer.start(one, timeout);
    return { one, timeout };
  });
  await until(() => waiting.every(({ one }) => one.isTimedOut));
  for (const { one, timeout } of waiting) {
    assert.ok(one.timesOutAt >= begun + timeout);
    assert.ok(one.timedOutAt >= one.timesOutAt, 'not too early');
  }
  const ones = waiting.map(({ one }) => one);
  assert.deepEqual(
    ones.toSorted((a, b) => a.timedOutAt - b.timedOutAt),
    ones.toSorted((a, b) => a.timesOutAt - b.timesOutAt),
  );
});

test(
  'a time that is given anew counts from then on; 0 takes it back, and so does an end of the wait',
  LIMIT,
  async () => {
    const { timer } = setUp();
    const [longer, none, stopped, last] = [new Waiting(), new Waiting(), new Waiting(), new Waiting()];
    for (const one of [longer, none, stopped]) timer.start(one, 10);
    timer.start(longer, 10_000);
    timer.start(none, 0);
    timer.stop(stopped);
    timer.start(last, 30);
    await until(() => last.isTimedOut);
    assert.deepEqual(
      [longer, none, stopped].map(({ isTimedOut }) => isTimedOut),
      [false, false, false],
    );
    timer.stop(longer);
    // One that never had any, and one that has had it.
    timer.stop(new Waiting());
    timer.stop(last);
  },
);

test('a time that is longer than timers take is not over at once', LIMIT, async () => {
  const { timer } = setUp();
  const [longest, infinite, soon] = [new Waiting(), new Waiting(), new Waiting()];
  const before = monotonicNow();
  timer.start(longest, 2 * MAX_DELAY);
  timer.start(infinite, Number.MAX_VALUE);
  assert.ok(longest.timesOutAt >= before + MAX_DELAY && longest.timesOutAt <= monotonicNow() + MAX_DELAY);
  timer.start(soon, 10);
  await until(() => soon.isTimedOut);
  assert.deepEqual([longest.isTimedOut, infinite.isTimedOut], [false, false]);
  for (const one of [longest, infinite]) timer.stop(one);
});

test(
  'it runs while somebody waits for a moment, and keeps the process alive then; else it does not',
  LIMIT,
  () => {
    const { timer, pool } = setUp();
    const before = timers();
    const [one, other] = [new Waiting(), new Waiting()];
    timer.start(one, 0);
    assert.equal(timers(), before, 'nobody has a timeout');
    timer.start(one, 5000);
    timer.start(other, 3000);
    assert.equal(timers(), before + 1);
    timer.stop(other);
    assert.equal(timers(), before + 1);
    timer.stop(one);
    assert.equal(timers(), before);
    pool.all = [monotonicNow() + 5000];
    timer.adjust();
    assert.equal(timers(), before + 1);
    pool.all = [];
    timer.adjust();
    assert.equal(timers(), before);
  },
);

test(
  'deadlines of the pool are seen to when they are there, in the order of time with those of requests',
  LIMIT,
  async () => {
    const { timer, pool } = setUp();
    const one = new Waiting();
    const now = monotonicNow();
    pool.all = [now + 30, now + 90];
    timer.adjust();
    timer.start(one, 60);
    // The first moment comes sooner than what it was set for.
    await until(() => pool.all.length === 0 && one.isTimedOut);
    const { expired } = pool;
    assert.ok(expired.length >= 3, `${expired.length}`);
    // Node's timers may come a moment early: then it wakes once more.
    assert.ok((expired[0] ?? 0) > now + 25);
    assert.ok(expired.includes(one.timesOutAt), 'those before it come before it');
    assert.deepEqual(
      expired.toSorted((a, b) => a - b),
      expired,
    );
    const count = expired.length;
    await new Promise(setImmediate);
    assert.equal(expired.length, count, 'and then it is still');
  },
);

test('one that is taken away by the pool while the times are looked through is not told', LIMIT, async () => {
  const { timer, pool } = setUp();
  const [refused, other] = [new Waiting(), new Waiting()];
  timer.start(refused, 10);
  timer.start(other, 20);
  pool.expire = (now) => {
    pool.expired.push(now);
    timer.stop(refused);
    return Infinity;
  };
  await until(() => other.isTimedOut);
  assert.equal(refused.isTimedOut, false);
});
