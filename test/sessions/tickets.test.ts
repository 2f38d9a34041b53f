/** The sessions of one identity, by themselves: which are taken in, which is handed out, and which count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shelf } from '../../src/sessions/tickets.js';
import { makeSession } from './sessions.js';

const START = 1_700_000_000;
const NOW = START * 1000;
/** When sessions are over that live for 300 seconds. */
const LATER = NOW + 300_000;

const ticket = (name: string, lifetimeHint = 300): Buffer =>
  makeSession({ issuedAt: START, lifetimeHint, ticket: name });
/** TLS 1.2: made to be used again. */
const reusable = (name: string): Buffer =>
  makeSession({ version: 0x0303, issuedAt: START, lifetimeHint: 300, ticket: name });
const unreadable = (name: string): Buffer => Buffer.from(`no session ${name}`);

test('one that has expired is not taken in, and goes when it expires', () => {
  const shelf = new Shelf();
  assert.equal(shelf.newest, undefined);
  assert.equal(shelf.add(ticket('late'), LATER), false);
  assert.equal(shelf.size, 0);
  assert.equal(shelf.add(ticket('in time'), LATER - 1), true);
  assert.equal(shelf.add(ticket('lives on', 600), LATER - 1), true);
  assert.equal(shelf.expire(LATER - 1), 0);
  assert.equal(shelf.size, 2);
  assert.equal(shelf.expire(LATER), 1);
  assert.equal(shelf.size, 1);
});

test('one that cannot be read is shown and never offered', () => {
  const shelf = new Shelf();
  const [strange, known] = [unreadable('a'), ticket('b')];
  shelf.add(known, NOW);
  shelf.add(strange, NOW);
  assert.equal(shelf.newest, strange);
  assert.deepEqual(shelf.sessions, [known]);
  assert.equal(shelf.take('allow'), known);
  assert.equal(shelf.take('allow'), undefined);
  assert.equal(shelf.size, 1);
  assert.equal(shelf.expire(Infinity), 0, 'nobody knows when');
});

test('a newer one takes the place of one that is as reusable, of one that was used, and of itself', () => {
  const shelf = new Shelf();
  const [old, newer] = [reusable('old'), reusable('newer')];
  shelf.add(old, NOW);
  shelf.add(newer, NOW);
  assert.deepEqual(shelf.sessions, [newer]);
  // It may be used again, so that it is not used up.
  assert.equal(shelf.take('never'), newer);
  const [a, b] = [ticket('a'), ticket('b')];
  shelf.add(a, NOW);
  assert.deepEqual(shelf.sessions, [newer, a]);
  shelf.add(a, NOW);
  assert.deepEqual(shelf.sessions, [newer, a], 'once');
  assert.equal(shelf.take('never'), a);
  const alone = new Shelf();
  alone.add(a, NOW);
  assert.equal(alone.take('allow'), a, 'the last one stays');
  alone.add(b, NOW);
  assert.deepEqual(alone.sessions, [b]);
});

test('one that was taken and not sent comes back once, unless it has expired', () => {
  const shelf = new Shelf();
  const [a, b] = [ticket('a'), ticket('b')];
  for (const session of [a, b]) shelf.add(session, NOW);
  assert.equal(shelf.take('never'), b);
  shelf.putBack(b, NOW);
  shelf.putBack(b, NOW);
  assert.deepEqual(shelf.sessions, [a, b]);
  shelf.take('never');
  shelf.putBack(b, LATER);
  assert.deepEqual(shelf.sessions, [a]);
});

test('one that is removed was there', () => {
  const shelf = new Shelf();
  const [a, b, c] = [ticket('a'), ticket('b'), ticket('c')];
  for (const session of [a, b, c]) shelf.add(session, NOW);
  assert.equal(shelf.remove(b), true);
  assert.deepEqual(shelf.sessions, [a, c]);
  assert.equal(shelf.remove(b), false);
  assert.equal(shelf.remove(a), true, 'also the first');
  assert.deepEqual(shelf.sessions, [c]);
});

test('those from elsewhere come below, the newest of them, as many as there is room for', () => {
  const shelf = new Shelf();
  const own = ticket('own');
  shelf.add(own, NOW);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => ticket(name)) as [Buffer, Buffer, Buffer, Buffer];
  assert.equal(shelf.addBelow([a, unreadable('x'), b, ticket('short', 1), c], NOW + 2000, 3), 2);
  assert.deepEqual(shelf.sessions, [b, c, own]);
  assert.equal(shelf.addBelow([d], NOW, 3), 0);
  assert.equal(shelf.addBelow([d], NOW, 4), 1);
  assert.deepEqual(shelf.sessions, [d, b, c, own]);
  assert.equal(shelf.trim(2), 2);
  assert.deepEqual(shelf.sessions, [c, own]);
  assert.equal(shelf.trim(2), 0);
});
