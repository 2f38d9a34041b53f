/** Polls of the event loop, by the figures of a fake Node. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type * as PollCount from '../../src/node/poll-count.js';

let copies = 0;

/** @returns the module as a new process loads it, on a loop with these figures */
async function setUp(t: TestContext, metrics: unknown = { loopCount: 1, events: 10 }) {
  const { nodeTiming } = performance;
  const shown = { uvMetricsInfo: metrics, idleTime: 0 };
  for (const name of ['uvMetricsInfo', 'idleTime'] as const) {
    const own = Object.getOwnPropertyDescriptor(nodeTiming, name);
    Object.defineProperty(nodeTiming, name, { configurable: true, get: () => shown[name] });
    t.after(() => {
      if (own) Object.defineProperty(nodeTiming, name, own);
      else Reflect.deleteProperty(nodeTiming, name);
    });
  }
  const url = new URL(`../../src/node/poll-count.js?copy=${copies++}`, import.meta.url);
  const module = (await import(url.href)) as typeof PollCount;
  const at = (loopCount: number, events: number): PollCount.Poll => {
    const poll = { loopCount, events };
    shown.uvMetricsInfo = poll;
    return poll;
  };
  return { ...module, at, shown };
}

/** Warnings are for users. */
function silenced(t: TestContext): void {
  t.mock.method(process, 'emitWarning', () => {});
}

test('a loop without these figures, or with others, is not relied on', async (t) => {
  silenced(t);
  for (const metrics of [
    null,
    {},
    { loopCount: 1 },
    { events: 1 },
    { loopCount: '1', events: 1 },
    { loopCount: 1, events: '1' },
  ]) {
    const { pollCount, isPollCountOpen, currentPoll } = await setUp(t, metrics);
    assert.equal(pollCount.holds, false, JSON.stringify(metrics));
    assert.equal(pollCount.isKnown, true);
    assert.equal(isPollCountOpen(), false);
    assert.equal(currentPoll(), undefined);
  }
});

test('that the figures go up with polls is shown by bytes that are read, and relied on only then', async (t) => {
  const { pollCount, isPollCountOpen, checkPollCount, currentPoll, at } = await setUp(t);
  assert.equal(isPollCountOpen(), true);
  assert.equal(currentPoll(), undefined);
  checkPollCount();
  at(1, 10);
  checkPollCount();
  assert.equal(pollCount.isKnown, false, 'one turn may poll twice: that shows nothing');
  const now = at(2, 12);
  checkPollCount();
  assert.equal(pollCount.isKnown, true);
  assert.equal(pollCount.holds, true);
  assert.deepEqual(currentPoll(), now);
  assert.equal(isPollCountOpen(), false, 'it is known');
  at(3, 5);
  checkPollCount();
  assert.equal(pollCount.holds, true, 'the first finding counts');
});

test('a loop whose events do not go up is not relied on', async (t) => {
  silenced(t);
  for (const metrics of [{ loopCount: 2, events: 10 }, { loopCount: 2, events: 9 }, undefined]) {
    const { pollCount, isPollCountOpen, checkPollCount, shown, currentPoll } = await setUp(t);
    assert.equal(isPollCountOpen(), true);
    checkPollCount();
    shown.uvMetricsInfo = metrics;
    checkPollCount();
    assert.equal(pollCount.isKnown, metrics === undefined, 'the first bytes may have waited');
    checkPollCount();
    assert.equal(pollCount.holds, false);
    assert.equal(currentPoll(), undefined);
  }
});

test('it is the same poll while neither turn nor events have gone on', async (t) => {
  const { isStillIn, at, shown } = await setUp(t);
  const poll = at(5, 50);
  assert.equal(isStillIn({ ...poll }), true);
  for (const [turn, events] of [
    [6, 50],
    [5, 51],
    [6, 51],
  ] as const) {
    at(turn, events);
    assert.equal(isStillIn(poll), false);
  }
  shown.uvMetricsInfo = undefined;
  assert.equal(isStillIn(poll), false);
});

test('the poll of a turn was no earlier than the last call before it, and the time spent waiting since', async (t) => {
  const { polledSince, at, shown } = await setUp(t);
  assert.equal(polledSince(at(1, 1), 1000), -Infinity, 'nothing is known of the time before');
  assert.equal(polledSince(at(1, 2), 1005), -Infinity);
  shown.idleTime = 20;
  assert.equal(polledSince(at(2, 3), 1040), 1025);
  assert.equal(polledSince(at(2, 4), 1050), 1025, 'still that turn');
  shown.idleTime = 25;
  assert.equal(polledSince(at(3, 5), 1070), 1055);
});
