/** The order in which addresses are tried: case by case, and against what must always hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import {
  AddressMemory,
  FIRST_PENALTY,
  MAX_ADDRESSES,
  MAX_PENALTY,
  TRIAL,
} from '../../src/egress/dns/address-memory.js';
import { answerOf, canonical } from '../../src/egress/dns/addresses.js';
import type { Answer } from '../../src/egress/dns/addresses.js';
import { Destination } from '../../src/egress/dns/destination.js';
import { rotated } from '../../src/egress/dns/rotation.js';
import type { Load } from '../../src/egress/dns/rotation.js';
import { addressOf } from './support.js';

const A = '10.0.0.1';
const B = '10.0.0.2';
const C = '10.0.0.3';
const ALL = [A, B, C].map(addressOf);

function order(memory: AddressMemory, now: number, answer: Answer = ALL): string[] {
  return memory.order(answer, now).map(({ address }) => address);
}

test('while none has failed, the order is that of the resolver', () => {
  const memory = new AddressMemory();
  memory.worked(C);
  assert.equal(memory.order(ALL, 0), ALL);
});

test('an address that has failed comes last for a while, and the one that last worked comes first', () => {
  const memory = new AddressMemory();
  memory.failed(A, 'ECONNREFUSED', 0);
  assert.deepEqual(order(memory, 0), [B, C, A]);
  memory.worked(C);
  assert.deepEqual(order(memory, 0), [C, B, A]);
  assert.deepEqual(memory.failureOf(A), { code: 'ECONNREFUSED', at: 0 });
});

test('of those that have failed, the one that did so longest ago comes first', () => {
  const memory = new AddressMemory();
  memory.failed(B, '', 0);
  memory.failed(A, '', 10);
  memory.failed(C, '', 20);
  assert.deepEqual(order(memory, 20), [B, A, C]);
});

test('when its time is over one dial tries it, and the next ones wait for what comes of that', () => {
  const memory = new AddressMemory();
  memory.worked(B);
  memory.failed(A, '', 0);
  assert.deepEqual(order(memory, FIRST_PENALTY - 1), [B, C, A]);
  assert.deepEqual(order(memory, FIRST_PENALTY), [A, B, C], 'this one tries it');
  assert.deepEqual(order(memory, FIRST_PENALTY + 1), [B, C, A]);
  assert.deepEqual(order(memory, FIRST_PENALTY + TRIAL), [A, B, C], 'nothing was heard of it');
  memory.worked(A);
  assert.deepEqual(order(memory, FIRST_PENALTY + TRIAL), [A, B, C]);
  assert.equal(memory.failureOf(A), undefined);
});

test('each further failure doubles the time, up to a limit', () => {
  const memory = new AddressMemory();
  let now = 0;
  for (let penalty = FIRST_PENALTY; penalty < 4 * MAX_PENALTY; penalty *= 2) {
    memory.failed(A, '', now);
    const least = Math.min(penalty, MAX_PENALTY);
    assert.deepEqual(order(memory, now + least - 1), [B, C, A]);
    now += least;
    assert.deepEqual(order(memory, now), [A, B, C]);
  }
  memory.worked(A);
  memory.failed(A, '', now);
  assert.deepEqual(order(memory, now + FIRST_PENALTY), [A, B, C], 'it begins anew after a success');
});

test('an address is the same however it is written', () => {
  const memory = new AddressMemory();
  memory.failed('::1', '', 0);
  assert.deepEqual(order(memory, 0, [addressOf('0:0:0:0:0:0:0:1'), addressOf(A)]), [A, '0:0:0:0:0:0:0:1']);
  assert.equal(canonical('2001:DB8:0::1'), '2001:db8::1');
  assert.equal(canonical('fe80::1%eth0'), 'fe80::1%eth0');
  assert.equal(canonical('::ffff:127.0.0.1'), canonical('::ffff:7f00:1'));
  assert.equal(canonical('127.0.0.1'), '127.0.0.1');
  assert.equal(canonical('no:address'), 'no:address');
});

test('it does not grow without end', () => {
  const memory = new AddressMemory();
  for (let i = 0; i < MAX_ADDRESSES + 1; i++) memory.failed(`10.0.${i >> 8}.${i & 255}`, '', i);
  assert.equal(memory.failureOf('10.0.0.0'), undefined);
  assert.notEqual(memory.failureOf('10.0.0.1'), undefined);
});

test('answers are read in each of their shapes, and only valid addresses count', () => {
  const both = [addressOf('127.0.0.1'), addressOf('::1')];
  assert.deepEqual(answerOf(both, undefined), both);
  assert.deepEqual(answerOf('127.0.0.1', 4), [addressOf('127.0.0.1')]);
  assert.deepEqual(answerOf('::1', undefined), [addressOf('::1')]);
  const mixed = [null, 'x', {}, { address: 1 }, { address: 'no' }, { address: '127.0.0.1', family: 'IPv4' }];
  assert.deepEqual(answerOf(mixed, undefined), [addressOf('127.0.0.1')]);
  for (const wrong of [undefined, null, '', 'localhost', 4, [], {}, [undefined], ['127.0.0.1']])
    assert.equal(answerOf(wrong, 4), undefined);
});

test('rotation: the fewest connections first, then the one whose turn is longest ago, then the order of the resolver', () => {
  const loads = new Map<string, Load>([
    [A, { connections: 1, turn: 3 }],
    [B, { connections: 1, turn: 2 }],
  ]);
  const names = (): string[] => rotated(ALL, (address) => loads.get(address)).map(({ address }) => address);
  assert.deepEqual(names(), [C, B, A]);
  loads.set(C, { connections: 1, turn: 9 });
  assert.deepEqual(names(), [B, A, C]);
  loads.set(B, { connections: 2, turn: 0 });
  assert.deepEqual(names(), [A, C, B]);
});

const ADDRESSES = Array.from({ length: 6 }, (_, i) => addressOf(`10.0.0.${i}`));
const someAddress = fc.constantFrom(...ADDRESSES.map(({ address }) => address));
const step = fc.record({
  wait: fc.oneof(fc.nat({ max: 1000 }), fc.nat({ max: MAX_PENALTY })),
  act: fc.constantFrom('worked', 'failed', 'order', 'rotate'),
  address: someAddress,
  answer: fc.shuffledSubarray(ADDRESSES, { minLength: 1 }),
});

test('whatever happens, every address is tried, and one that has just failed only when there is no other', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const memory = new AddressMemory();
      const failedAt = new Map<string, number>();
      let now = 0;
      for (const { wait, act, address, answer } of steps) {
        now += wait;
        if (act === 'worked') {
          memory.worked(address);
          failedAt.delete(address);
        } else if (act === 'failed') {
          memory.failed(address, '', now);
          failedAt.set(address, now);
        } else {
          const tried = memory.order(answer, now, act === 'rotate' ? (good) => good.toReversed() : undefined);
          assert.deepEqual(new Set(tried), new Set(answer), 'all of them');
          assert.equal(tried.length, answer.length, 'each once');
          const isBad = (one: (typeof tried)[number] | undefined): boolean =>
            one !== undefined && now - (failedAt.get(one.address) ?? -Infinity) < FIRST_PENALTY;
          const firstBad = tried.findIndex(isBad);
          if (firstBad !== -1)
            for (const one of tried.slice(firstBad))
              assert.ok(failedAt.has(one.address), 'none that works comes behind one that has just failed');
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('rotation is even: whatever opens and closes, no address gets a connection while another has two fewer', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 200 }), (history) => {
      const destination = new Destination('x:443');
      const question = { hostname: 'x', options: {}, key: 'x' };
      const open: string[] = [];
      destination.heard(question, ADDRESSES);
      for (const closes of history) {
        if (closes !== undefined && open.length > 0) {
          const [address] = open.splice(closes % open.length, 1);
          destination.letGo(address as string);
          continue;
        }
        const counts = new Map(ADDRESSES.map(({ address }) => [address, 0]));
        for (const address of open) counts.set(address, (counts.get(address) ?? 0) + 1);
        const [first] = destination.order(ADDRESSES, 0, true);
        assert.ok(first);
        assert.equal(counts.get(first.address), Math.min(...counts.values()));
        destination.hold(first.address);
        destination.takeTurn(first.address);
        open.push(first.address);
      }
      for (const { address, connections } of destination.addresses())
        assert.equal(connections, open.filter((one) => one === address).length);
    }),
    { numRuns: 200 },
  );
});
