/** The order in which hosts get slots, and whether one that is served comes before its turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BareKinds } from '../support/bare-driver.js';
import { hostLimitsWith } from '../support/limits.js';
import { OldestFirst, RoundRobin } from '../../src/pool/fairness.js';
import type { Turns } from '../../src/pool/fairness.js';
import { HostPool, Waiter } from '../../src/pool/records.js';

type Host = HostPool<BareKinds>;

function hostOf(origin: number, weight = 1): Host {
  return new HostPool<BareKinds>(origin, hostLimitsWith({ weight }));
}

/** A request of `host` that is the `arrival`th of all. */
function wait(host: Host, arrival: number): Waiter<BareKinds> {
  const waiter = new Waiter<BareKinds>(host, arrival);
  waiter.arrival = arrival;
  host.waiting.push(waiter);
  return waiter;
}

function grants(turns: Turns<BareKinds>, count: number): string {
  return Array.from({ length: count }, () => {
    const { next } = turns;
    assert.ok(next);
    turns.granted(next);
    return next.origin;
  }).join('');
}

test('in turn, each host gets as many slots as its weight says', () => {
  const turns = new RoundRobin<BareKinds>();
  const [a, b, c] = [hostOf(1, 2), hostOf(2), hostOf(3, 3)];
  for (const host of [a, b, c]) turns.add(host);
  assert.equal(turns.size, 3);
  assert.equal(grants(turns, 13), '1123331123331');
  turns.remove(a);
  turns.add(a);
  assert.equal(grants(turns, 6), '233311', 'one that comes again comes last, with all its slots');
  assert.deepEqual([...turns].length, 3);
});

test('by age, the host is next whose oldest request has waited longest', () => {
  const turns = new OldestFirst<BareKinds>();
  const [a, b, c] = [hostOf(1), hostOf(2), hostOf(3)];
  const oldest = wait(b, 1);
  wait(a, 2);
  wait(c, 3);
  wait(b, 4);
  for (const host of [a, b, c]) turns.add(host);
  assert.equal(turns.next, b);
  b.waiting.remove(oldest);
  assert.equal(turns.next, a, 'its oldest request has gone');
  turns.remove(a);
  assert.equal(turns.next, c);
  turns.remove(a);
  assert.deepEqual([turns.size, new Set(turns)], [2, new Set([b, c])]);
});

test('by age, a host comes before its turn only if an older request of another one waits', () => {
  const turns = new OldestFirst<BareKinds>();
  const [a, b, idle] = [hostOf(1), hostOf(2), hostOf(3)];
  wait(a, 1);
  wait(b, 2);
  assert.equal(turns.isOvertaking(a), false, 'no host waits');
  turns.add(b);
  assert.equal(turns.isOvertaking(a), false);
  assert.equal(turns.isOvertaking(b), false, 'nor does it overtake itself');
  assert.equal(turns.isOvertaking(idle), true);
  turns.add(a);
  assert.equal(turns.isOvertaking(b), true);
});
