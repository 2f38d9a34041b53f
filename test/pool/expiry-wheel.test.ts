/** The wheel against a plain list of everything in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import { ExpiryWheel, GRAIN } from '../../src/pool/expiry-wheel.js';
import { Link } from '../../src/pool/list.js';

class Member {
  expiresAt = 0;
  readonly expiryLink: Link<Member> = new Link(this as Member);
  expirySlot = 0;
}

const delay = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 5000 }),
  fc.nat({ max: 400_000 }),
  fc.constant(Infinity),
);

const step = fc.oneof(
  { weight: 4, arbitrary: delay.map((ms) => ({ act: 'add' as const, ms })) },
  { weight: 2, arbitrary: fc.nat({ max: 100 }).map((ms) => ({ act: 'remove' as const, ms })) },
  { weight: 4, arbitrary: fc.nat({ max: 400_000 }).map((ms) => ({ act: 'again' as const, ms })) },
  { weight: 3, arbitrary: delay.map((ms) => ({ act: 'sweep' as const, ms: Math.min(ms, 500_000) })) },
);

test('whatever has expired is found within the grain, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), fc.nat({ max: 1e9 }), (steps, start) => {
      const wheel = new ExpiryWheel<Member>();
      const inside = new Set<Member>();
      let now = start;
      for (const { act, ms } of steps) {
        if (act === 'add') {
          const member = new Member();
          member.expiresAt = now + ms;
          wheel.add(member);
          if (ms !== Infinity) inside.add(member);
        } else if (act === 'again') {
          // Later or earlier than before.
          const member = [...inside][ms % inside.size];
          if (!member) continue;
          member.expiresAt = now + ms;
          wheel.add(member);
        } else if (act === 'remove') {
          const member = [...inside][ms % inside.size];
          if (!member) continue;
          wheel.remove(member);
          wheel.remove(member);
          inside.delete(member);
        } else {
          now += ms;
          wheel.sweep(now, (member) => {
            assert.ok(inside.delete(member), 'found once');
            assert.ok(member.expiresAt <= now, 'not before its time');
            assert.equal(member.expiryLink.list, undefined, 'taken out');
          });
          for (const member of inside) assert.ok(member.expiresAt > now - GRAIN, 'nobody is forgotten');
          const first = Math.min(...[...inside].map((member) => member.expiresAt));
          assert.ok(wheel.next <= first + GRAIN, 'the next sweep does not come too late');
          assert.ok(wheel.next > now || inside.size === 0, 'nor at once');
        }
        assert.equal(wheel.size, inside.size);
        assert.equal(wheel.next === Infinity, inside.size === 0);
      }
    }),
    { numRuns: 500 },
  );
});

test('members may be added and removed from within a sweep', () => {
  const wheel = new ExpiryWheel<Member>();
  const members = Array.from({ length: 10 }, () => new Member());
  for (const member of members) {
    member.expiresAt = 50;
    wheel.add(member);
  }
  const found: Member[] = [];
  wheel.sweep(1000, (member) => {
    found.push(member);
    for (const other of members.slice(5)) wheel.remove(other);
    const late = new Member();
    late.expiresAt = 2000;
    wheel.add(late);
  });
  assert.deepEqual(found, members.slice(0, 5));
  assert.equal(wheel.size, 5);
});

test('a sweep does not look at those whose time has not come', () => {
  const wheel = new ExpiryWheel<Member>();
  let looks = 0;
  for (let i = 0; i < 10_000; i++) {
    const member = new Member();
    wheel.add(Object.defineProperty(member, 'expiresAt', { get: () => (looks++, 60_000 + i) }));
  }
  looks = 0;
  for (let now = 0; now < 59_000; now += 100) wheel.sweep(now, () => assert.fail('too early'));
  assert.equal(looks, 0);
  let found = 0;
  wheel.sweep(60_100, () => found++);
  assert.equal(found, 101);
  assert.ok(looks < 400, `${looks} looks for ${found} that have expired`);
});

function memberAt(wheel: ExpiryWheel<Member>, expiresAt: number): Member {
  const member = new Member();
  member.expiresAt = expiresAt;
  wheel.add(member);
  return member;
}

test('after a busy loop, one sweep finds members in the order of their times', () => {
  const wheel = new ExpiryWheel<Member>();
  for (const time of [2500, 100, 90_000, 900, 101]) memberAt(wheel, time);
  const found: number[] = [];
  wheel.sweep(100_000, ({ expiresAt }) => found.push(expiresAt));
  assert.deepEqual(found, [100, 101, 900, 2500, 90_000]);
});

test('a member whose time is over already is found by the next sweep', () => {
  const wheel = new ExpiryWheel<Member>();
  wheel.sweep(1000, () => assert.fail('it is empty'));
  memberAt(wheel, 500);
  assert.equal(wheel.next, 1000 + GRAIN);
  let found = 0;
  wheel.sweep(1000 + GRAIN, () => found++);
  assert.equal(found, 1);
});

test('the next sweep is due when the first member expires, and not before', () => {
  const wheel = new ExpiryWheel<Member>();
  for (const time of [90_000, 60_000, 70_000]) memberAt(wheel, time);
  assert.equal(wheel.next, 60_000);
});

test('a member that is added again, to expire later, is not moved before the sweep comes by', () => {
  const wheel = new ExpiryWheel<Member>();
  const member = memberAt(wheel, 1000);
  const { expirySlot } = member;
  member.expiresAt = 5000;
  wheel.add(member);
  assert.equal(member.expirySlot, expirySlot);
  wheel.sweep(1000, () => assert.fail('too early'));
  assert.equal(wheel.next, 5000);
});
