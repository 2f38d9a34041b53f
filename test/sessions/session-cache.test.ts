/** The cache by itself: which session is handed out, how often, and for how long. */
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from '../support/fast-check.js';
import { SessionCache } from '../../src/index.js';
import type { SessionCacheOptions } from '../../src/index.js';
import { makeNodeSession, makeSession } from './sessions.js';

const START = 1_700_000_000;
const KEY = 'a key of an export, for tests';

class Clock {
  seconds = START;
  readonly now = (): number => this.seconds * 1000;
}

function cacheOf(options: SessionCacheOptions = {}): { cache: SessionCache; clock: Clock } {
  const clock = new Clock();
  return { cache: new SessionCache({ now: clock.now, ...options }), clock };
}

function key(id: string): { id: string; portable: boolean; clientCertificate: boolean } {
  return { id, portable: true, clientCertificate: false };
}

function ticket(name: string, lifetimeHint = 300): Buffer {
  return makeSession({ issuedAt: START, lifetimeHint, ticket: name });
}

function oldSession(name: string, lifetimeHint = 300): Buffer {
  return makeSession({ version: 0x0303, issuedAt: START, lifetimeHint, ticket: name });
}

test('TLS 1.3: the newest first, each once, and the last again', () => {
  const { cache } = cacheOf();
  const [a, b, c] = [ticket('a'), ticket('b'), ticket('c')] as const;
  for (const session of [a, b, c]) cache.store(key('x'), session);
  assert.equal(cache.take('x'), c);
  assert.equal(cache.take('x'), b);
  assert.equal(cache.take('x'), a);
  assert.equal(cache.take('x'), a);
  const fresh = ticket('fresh');
  cache.store(key('x'), fresh);
  assert.equal(cache.take('x'), fresh, 'rather than the used one');
  assert.equal(cache.take('x'), fresh, 'the used one is gone');
});

test("ticketReuse: 'never' hands out each ticket once", () => {
  const { cache } = cacheOf({ ticketReuse: 'never' });
  const [a, b] = [ticket('a'), ticket('b')] as const;
  cache.store(key('x'), a);
  cache.store(key('x'), b);
  assert.equal(cache.take('x'), b);
  assert.equal(cache.take('x'), a);
  assert.equal(cache.take('x'), undefined);
  assert.equal(cache.size, 0);
  const old = oldSession('old');
  cache.store(key('x'), old);
  assert.equal(cache.take('x'), old);
  assert.equal(cache.take('x'), old, 'sessions before TLS 1.3 are made for reuse');
});

test('before TLS 1.3: the newest session, as often as it is asked for', () => {
  const { cache } = cacheOf();
  cache.store(key('x'), oldSession('a'));
  const b = oldSession('b');
  cache.store(key('x'), b);
  for (let i = 0; i < 3; i++) assert.equal(cache.take('x'), b);
  cache.fail('x', b, false);
  assert.equal(cache.take('x'), undefined, 'the one before it was replaced');
});

test('a ticket that was not sent is as good as new', () => {
  const { cache } = cacheOf({ ticketReuse: 'never' });
  const [a, b] = [ticket('a'), ticket('b')] as const;
  cache.store(key('x'), a);
  cache.store(key('x'), b);
  assert.equal(cache.take('x'), b);
  cache.putBack(key('x'), b);
  assert.equal(cache.take('x'), b);
  assert.equal(cache.take('x'), a);
  cache.putBack(key('x'), a);
  assert.equal(cache.take('x'), a, 'also when nothing else was left');
});

test('what has expired is never handed out', () => {
  const { cache, clock } = cacheOf();
  const [short, long] = [ticket('short', 100), ticket('long', 200)] as const;
  cache.store(key('x'), long);
  cache.store(key('x'), short);
  clock.seconds += 100;
  assert.equal(cache.take('x'), long);
  assert.equal(cache.stats.expired, 1);
  clock.seconds += 100;
  assert.equal(cache.take('x'), undefined);
  assert.deepEqual({ size: cache.size, expired: cache.stats.expired }, { size: 0, expired: 2 });
  cache.store(key('x'), ticket('late'));
  clock.seconds += 1000;
  cache.store(key('x'), ticket('too late', 300));
  assert.equal(cache.take('x'), undefined);
  cache.store(key('x'), makeSession({ issuedAt: clock.seconds, lifetimeHint: 0 }));
  assert.equal(cache.take('x'), undefined, 'RFC 8446: zero is "discard at once"');
});

test('a clock that was set back does not lengthen a life', () => {
  const { cache, clock } = cacheOf();
  const ahead = makeSession({ issuedAt: START + 1_000_000, lifetimeHint: 300 });
  cache.store(key('x'), ahead);
  assert.equal(cache.take('x'), ahead);
  clock.seconds += 300;
  assert.equal(cache.take('x'), undefined);
});

test('the least recently used identity goes first', () => {
  const { cache } = cacheOf({ maxCachedSessions: 2 });
  for (const id of ['a', 'b']) cache.store(key(id), ticket(id));
  cache.take('a');
  cache.store(key('c'), ticket('c'));
  assert.deepEqual(cache.ids, ['a', 'c']);
  assert.equal(cache.stats.evicted, 1);
  cache.maxCachedSessions = 1;
  assert.deepEqual(cache.ids, ['c']);
  cache.maxCachedSessions = 0;
  assert.equal(cache.size, 0);
  cache.store(key('d'), ticket('d'));
  assert.equal(cache.size, 0, '0 remembers nothing');
  cache.maxCachedSessions = Infinity;
  for (let i = 0; i < 1000; i++) cache.store(key(`${i}`), ticket('e'));
  assert.equal(cache.size, 1000);
});

test('tickets of one identity are bounded: the oldest goes', () => {
  const { cache } = cacheOf({ maxTicketsPerIdentity: 2 });
  const [a, b, c] = [ticket('a'), ticket('b'), ticket('c')] as const;
  for (const session of [a, b, c]) cache.store(key('x'), session);
  assert.equal(cache.stats.evicted, 1);
  assert.deepEqual([cache.take('x'), cache.take('x')], [c, b]);
  const byDefault = cacheOf().cache;
  for (let i = 0; i < 40; i++) byDefault.store(key('x'), ticket(`${i}`));
  assert.equal(byDefault.stats.evicted, 8);
});

test('what cannot be read is shown and never handed out', () => {
  const { cache } = cacheOf();
  const rubbish = Buffer.from('rubbish');
  cache.store(key('x'), rubbish);
  assert.equal(cache.peek('x'), rubbish);
  assert.equal(cache.take('x'), undefined);
  const good = ticket('good');
  cache.store(key('x'), good);
  cache.store(key('x'), rubbish);
  assert.equal(cache.take('x'), good);
});

test('a failed handshake costs its session, or all of the identity', () => {
  const { cache } = cacheOf();
  const sessions = ['a', 'b', 'c', 'd'].map((name) => ticket(name));
  for (const session of sessions) cache.store(key('x'), session);
  cache.store(key('y'), ticket('y'));
  const taken = cache.take('x');
  assert.ok(taken);
  cache.fail('x', taken, false);
  assert.equal(cache.stats.failed, 1);
  const next = cache.take('x');
  assert.ok(next);
  cache.fail('x', next, true);
  assert.equal(cache.stats.failed, 4);
  assert.deepEqual(cache.ids, ['y']);
});

test('options that make no sense are refused', () => {
  const refused = (options: unknown, code: string): void => {
    assert.throws(() => new SessionCache(options as SessionCacheOptions), { code });
  };
  refused('options', 'ERR_INVALID_ARG_TYPE');
  refused({ maxCachedSessions: -1 }, 'ERR_OUT_OF_RANGE');
  refused({ maxTicketsPerIdentity: 0 }, 'ERR_OUT_OF_RANGE');
  refused({ maxTicketsPerIdentity: ' 8' }, 'ERR_INVALID_ARG_TYPE');
  refused({ ticketReuse: 'sometimes' }, 'ERR_INVALID_ARG_VALUE');
  refused({ now: 0 }, 'ERR_INVALID_ARG_TYPE');
  const cache = new SessionCache();
  assert.throws(() => (cache.maxCachedSessions = Number.NaN), { code: 'ERR_OUT_OF_RANGE' });
  assert.equal(cache.maxCachedSessions, 100);
});

/** A simple cache, to compare with: all sessions of an identity in a list, no bound but the tickets'. */
test('random histories: no ticket twice while another is left, none after its time, the bounds hold', () => {
  const IDS = ['a', 'b', 'c', 'd'];
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('store' as const),
      id: fc.constantFrom(...IDS),
      life: fc.integer({ min: 1, max: 50 }),
    }),
    fc.record({ kind: fc.constant('take' as const), id: fc.constantFrom(...IDS) }),
    fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ kind: fc.constant('putBack' as const) }),
    fc.record({ kind: fc.constant('fail' as const), all: fc.boolean() }),
  );
  const reuse = fc.constantFrom('allow' as const, 'never' as const);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), reuse, (steps, ticketReuse) => {
      const clock = new Clock();
      const cache = new SessionCache({
        maxCachedSessions: 3,
        maxTicketsPerIdentity: 4,
        ticketReuse,
        now: clock.now,
      });
      const taken = new Map<Buffer, number>();
      const expiry = new Map<Buffer, number>();
      let last: { id: string; session: Buffer } | undefined;
      let serial = 0;
      for (const next of steps) {
        if (next.kind === 'store') {
          const session = makeSession({
            issuedAt: clock.seconds,
            lifetimeHint: next.life,
            ticket: `${serial++}`,
          });
          expiry.set(session, clock.seconds + next.life);
          cache.store(key(next.id), session);
        } else if (next.kind === 'take') {
          const session = cache.take(next.id);
          if (!session) continue;
          const times = (taken.get(session) ?? 0) + 1;
          taken.set(session, times);
          assert.ok((expiry.get(session) ?? 0) > clock.seconds, 'expired');
          if (times > 1) {
            assert.equal(ticketReuse, 'allow', 'used again');
            assert.equal(cache.peek(next.id), session, 'another one was left');
          }
          last = { id: next.id, session };
        } else if (next.kind === 'wait') {
          clock.seconds += next.seconds;
        } else if (last) {
          if (next.kind === 'fail') cache.fail(last.id, last.session, next.all);
          else if ((taken.get(last.session) ?? 0) === 1) {
            cache.putBack(key(last.id), last.session);
            taken.delete(last.session);
          }
          last = undefined;
        }
        assert.ok(cache.size <= 3);
      }
    }),
    { numRuns: 1000 },
  );
});

test('clear forgets everything, and nothing of what was counted', () => {
  const { cache } = cacheOf();
  for (const id of ['x', 'y']) cache.store(key(id), ticket(id));
  assert.equal(cache.size, 2);
  const before = cache.stats;
  cache.clear();
  assert.equal(cache.size, 0);
  assert.deepEqual(cache.stats, before);
  assert.equal(cache.take('x'), undefined);
  const fresh = ticket('fresh');
  cache.store(key('x'), fresh);
  assert.equal(cache.take('x'), fresh);
});

describe('A session whose key nobody has needed yet', () => {
  function later(options: SessionCacheOptions = {}) {
    const { cache, clock } = cacheOf(options);
    let keys = 0;
    const come = (id: string, session: Buffer, owner: object = {}): void => {
      const keyOf = () => {
        keys++;
        return key(id);
      };
      cache.storeLater(keyOf, session, owner);
    };
    return { cache, clock, come, keys: () => keys };
  }

  it('is filed when the cache is next asked for one, and its key is not computed before', () => {
    const { cache, come, keys } = later();
    const [a, b] = [ticket('a'), ticket('b')] as const;
    come('x', a);
    come('x', b);
    assert.equal(keys(), 0);
    assert.equal(
      cache.takeIfAny(() => 'x'),
      b,
    );
    assert.equal(cache.take('x'), a);
    assert.equal(keys(), 2);
  });

  const ask: [string, (cache: SessionCache, owner: object) => unknown, unknown][] = [
    ['size', (cache) => cache.size, 1],
    ['stats', (cache) => cache.stats.stored, 1],
    ['ids', (cache) => cache.ids, ['x']],
    ['peek', (cache) => cache.peek('x') !== undefined, true],
    ['take', (cache) => cache.take('x') !== undefined, true],
    ['export', (cache) => later().cache.import(cache.export({ key: KEY }), { key: KEY }), 1],
    ['clear', (cache) => (cache.clear(), cache.size), 0],
    ['delete', (cache) => (cache.delete('x'), cache.size), 0],
    ['deleteOf', (cache, owner) => (cache.deleteOf(owner), cache.size), 0],
    ['maxCachedSessions', (cache) => ((cache.maxCachedSessions = 0), cache.stats.evicted), 1],
    ['store', (cache) => (cache.store(key('y'), ticket('b')), cache.ids), ['x', 'y']],
    ['putBack', (cache) => (cache.putBack(key('y'), ticket('b')), cache.ids), ['x', 'y']],
  ];
  for (const [what, use, expected] of ask) {
    it(`is there for ${what}`, () => {
      const { cache, come } = later();
      const owner = {};
      come('x', makeNodeSession({ issuedAt: START, lifetimeHint: 300 }), owner);
      assert.deepEqual(use(cache, owner), expected);
    });
  }

  it('is as old as it was when it came', () => {
    const { cache, clock, come } = later();
    clock.seconds -= 100;
    come('x', ticket('issued by a clock that goes ahead', 100));
    clock.seconds += 100;
    assert.equal(
      cache.takeIfAny(() => 'x'),
      undefined,
    );
    assert.equal(cache.stats.expired, 1);
  });

  it('does not wait together with any number of others', () => {
    const { come, keys } = later();
    for (let i = 0; i < 100; i++) come('x', ticket(`${i}`));
    assert.ok(keys() > 60, `${keys()} filed`);
  });

  it('is not kept where none is', () => {
    const { cache, come, keys } = later({ maxCachedSessions: 0 });
    come('x', ticket('a'));
    cache.maxCachedSessions = 10;
    assert.equal(cache.size, 0);
    assert.equal(keys(), 0);
  });

  it('has no key as long as there is no session', () => {
    const { cache } = later();
    const fail = () => assert.fail('nothing can be under any key');
    assert.equal(cache.takeIfAny(fail), undefined);
    assert.equal(cache.stats.misses, 1);
  });
});

test('each thing that is counted is counted once', () => {
  const { cache, clock } = cacheOf({ maxCachedSessions: 2, ticketReuse: 'never' });
  for (const id of ['x', 'y']) for (const name of ['a', 'b']) cache.store(key(id), ticket(name, 100));
  assert.ok(cache.take('x'));
  assert.ok(cache.take('x'));
  assert.equal(cache.take('x'), undefined);
  assert.equal(cache.take('unknown'), undefined);
  for (const resumed of [true, false, true]) cache.countHandshake(resumed);
  for (const id of ['z', 'u']) cache.store(key(id), ticket('c', 100));
  assert.deepEqual(cache.ids, ['z', 'u'], 'y had been used least recently');
  clock.seconds += 100;
  assert.equal(cache.take('z'), undefined);
  assert.deepEqual(cache.stats, {
    hits: 2,
    misses: 3,
    resumed: 2,
    full: 1,
    stored: 6,
    expired: 1,
    evicted: 2,
    failed: 0,
  });
});

test('sessions go with the one who has stored the last of their identity', () => {
  const { cache } = cacheOf();
  const [one, other] = [{}, {}];
  for (const [id, owner] of [
    ['x', one],
    ['y', other],
    ['z', one],
    ['z', other],
    ['nobody’s', undefined],
  ] as const)
    cache.store(key(id), ticket(id), owner);
  cache.deleteOf(one);
  assert.deepEqual(cache.ids, ['y', 'z', 'nobody’s']);
  cache.delete('y');
  assert.deepEqual(cache.ids, ['z', 'nobody’s']);
  assert.equal(cache.peek('y'), undefined);
});

/** In the form in which this Node imports sessions. */
function ticketOfNode(name: string): Buffer {
  return makeNodeSession({ issuedAt: START, lifetimeHint: 300, ticket: name });
}

test('where nothing is remembered, nothing is put back or taken in, and a failure of what is not there is only counted', () => {
  const { cache } = cacheOf();
  cache.store(key('x'), ticketOfNode('a'));
  const blob = cache.export({ key: 'a passphrase' });
  const nothing = cacheOf({ maxCachedSessions: 0 }).cache;
  nothing.putBack(key('x'), ticket('a'));
  assert.equal(nothing.import(blob, { key: 'a passphrase' }), 0);
  nothing.fail('x', ticket('a'), true);
  assert.deepEqual([nothing.size, nothing.stats.failed, nothing.stats.evicted], [0, 1, 0]);
});

test('what was imported may be exported again, and belongs to the same identity', () => {
  const { cache } = cacheOf();
  for (const [id, clientCertificate] of [
    ['x', false],
    ['with a certificate', true],
  ] as const)
    cache.store({ id, portable: true, clientCertificate }, ticketOfNode(id));
  cache.store({ id: 'bound to this process', portable: false, clientCertificate: false }, ticketOfNode('b'));
  const all = { key: 'a passphrase', includeClientCertificates: true };
  const [second, third, fourth] = [cacheOf().cache, cacheOf().cache, cacheOf().cache];
  assert.equal(second.import(cache.export(all), all), 2);
  assert.deepEqual(second.ids, ['x', 'with a certificate']);
  assert.equal(third.import(second.export(all), all), 2);
  assert.equal(fourth.import(third.export({ key: 'a passphrase' }), all), 1);
  assert.deepEqual(fourth.ids, ['x']);
});
