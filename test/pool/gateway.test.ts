/** The limit that hosts behind one proxy share: whose turn it is, and when a host gives up its slot to the others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gateway } from '../../src/pool/gateway.js';
import { Link } from '../../src/pool/list.js';

class Host {
  readonly name: string;
  readonly gatewayLink: Link<Host> = new Link(this as Host);

  constructor(name: string) {
    this.name = name;
  }
}

function gatewayOf(maxSockets: number, size: number) {
  const gateway = new Gateway<object, Host>({ maxSockets });
  gateway.size = size;
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Host(name)) as [Host, Host, Host];
  return { gateway, a, b, c, line: () => Array.from(gateway.blocked, ({ name }) => name).join('') };
}

test('a slot is for the host that is next; others enter where there is one more for each host before them', () => {
  const { gateway, a, b, c } = gatewayOf(3, 2);
  assert.equal(gateway.left, 1);
  assert.equal(gateway.mayEnter(a), true);
  gateway.wait(a);
  gateway.wait(b);
  const mayEnter = (): boolean[] => [a, b, c].map((host) => gateway.mayEnter(host));
  assert.deepEqual(mayEnter(), [true, false, false]);
  gateway.size = 1;
  assert.deepEqual(mayEnter(), [true, true, false]);
  gateway.size = 0;
  assert.deepEqual(mayEnter(), [true, true, true]);
  gateway.size = 3;
  assert.deepEqual(mayEnter(), [false, false, false]);
});

test('a host waits once, and leaves from anywhere', () => {
  const { gateway, a, b, c, line } = gatewayOf(1, 1);
  for (const host of [a, b, a, c]) gateway.wait(host);
  assert.equal(line(), 'abc');
  gateway.leave(b);
  gateway.leave(b);
  assert.equal(line(), 'ac');
});

test('connections that are closing are no surplus, and are slots to come', () => {
  const { gateway, a, b } = gatewayOf(2, 2);
  assert.equal(gateway.isSurplus, false);
  gateway.size = 3;
  assert.equal(gateway.isSurplus, true);
  gateway.closing = 1;
  assert.equal(gateway.isSurplus, false);
  gateway.wait(a);
  assert.equal(gateway.lacksSlots, false);
  gateway.wait(b);
  assert.equal(gateway.lacksSlots, true);
});

test('in its turn a host has one slot, and the others come next', () => {
  const { gateway, a, b, c, line } = gatewayOf(1, 0);
  for (const host of [a, b]) gateway.wait(host);
  gateway.takeTurn(a);
  assert.equal(line(), 'ba');
  gateway.takeTurn(c);
  assert.equal(line(), 'ba', 'one that does not wait is not put in line');
});

test('a host serves some requests of its own before it gives up its slot', () => {
  const { gateway, a, b } = gatewayOf(1, 1);
  const yields = (host: Host, times: number): boolean[] =>
    Array.from({ length: times }, () => gateway.decideYield(host, 2));
  assert.deepEqual(yields(a, 5), [false, false, false, false, false], 'nobody waits');
  gateway.wait(b);
  assert.deepEqual(yields(a, 6), [false, false, true, false, false, true]);
  yields(a, 2);
  gateway.takeTurn(b);
  assert.deepEqual(yields(a, 3), [false, false, true], 'counted since the last turn');
  gateway.closing = 1;
  assert.deepEqual(yields(a, 5), [false, false, false, false, false], 'a slot comes free without it');
});

test('a host whose turn it is keeps the slot that it would get, and goes to the end of the line', () => {
  const { gateway, a, b, line } = gatewayOf(1, 1);
  gateway.wait(a);
  assert.equal(gateway.decideYield(a, 0), false, 'it waits alone');
  gateway.wait(b);
  assert.equal(gateway.decideYield(a, 0), false);
  assert.equal(line(), 'ba');
  assert.equal(gateway.decideYield(a, 0), true);
});
