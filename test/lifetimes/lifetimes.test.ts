/** The moments of a connection's life, and what a host teaches, for a pool that does nothing itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_DISTRUST, LearnedIdle, SURVIVALS } from '../../src/lifetimes/learned-idle.js';
import { Lifetimes } from '../../src/lifetimes/lifetimes.js';
import { Reaper } from '../../src/lifetimes/reaper.js';
import { AGE_JITTER } from '../../src/lifetimes/socket-age.js';
import type { Durations } from '../../src/options/live-options.js';
import type { HostLimits } from '../../src/pool/limits.js';
import type { Pool } from '../../src/pool/pool.js';
import { Connection, HostPool } from '../../src/pool/records.js';
import { limitsWith } from '../support/limits.js';
import { until } from '../support/until.js';

interface LivingKinds {
  origin: {
    readonly key: string;
    readonly host: string;
    readonly port: number;
    readonly defaultPort: number;
  };
  pooled: { readonly polledAt: number };
  request: undefined;
  learned: LearnedIdle;
  route: undefined;
}
type Conn = Connection<LivingKinds>;

/** Lifetimes over a pool that notes their questions, and answers them. */
function setUp(t: { after: (fn: () => void) => void }, some: Partial<HostLimits> = {}, trimInterval = 0) {
  const limits = limitsWith({ idleTimeout: 4000, maxIdleTimeout: 60_000, trimInterval, ...some });
  const asked: string[] = [];
  const pool = {
    limits,
    idle: { size: 1 },
    trimEnds: 5_000_000,
    upkeep: {
      reap: () => (asked.push('reap'), Infinity),
      trim: () => (asked.push('trim'), pool.trimEnds),
      beginTrim: () => (asked.push('beginTrim'), pool.trimEnds),
      suspect: () => {},
    },
  };
  const agent = { options: {} as { timeout?: unknown } };
  const durations = { agentKeepAliveTimeoutBuffer: 1000 } as Durations;
  const lifetimes = new Lifetimes<LivingKinds>(() => agent, pool as unknown as Pool<LivingKinds>, durations);
  t.after(() => lifetimes.stop());
  const hostOf = (key: string): HostPool<LivingKinds> =>
    new HostPool<LivingKinds>({ key, host: 'a.test', port: 443, defaultPort: 443 }, limits);
  const host = hostOf('a');
  return { lifetimes, pool, agent, asked, host, hostOf, connection: new Connection<LivingKinds>(host) };
}

test('a connection is opened with the requests and the time that its host allows', (t) => {
  const { lifetimes, connection } = setUp(t, { maxRequestsPerSocket: 7, maxSocketAge: 10_000 });
  const before = lifetimes.now();
  lifetimes.opened(connection);
  assert.equal(connection.requestsLeft, 7);
  assert.ok(connection.retireAt >= before + 10_000 * (1 - AGE_JITTER), String(connection.retireAt - before));
  assert.ok(connection.retireAt <= lifetimes.now() + 10_000);
  const endless = setUp(t, { maxSocketAge: Infinity });
  endless.lifetimes.opened(endless.connection);
  assert.equal(endless.connection.retireAt, Infinity);
});

test('the moments count from the last read, or, where nothing was read, from now', (t) => {
  for (const [readAt, since] of [
    [0, 5000],
    [4000, 4000],
  ] as const) {
    const { lifetimes, connection } = setUp(t, { validateAfterIdle: 300, idleTimeout: 4000 });
    assert.equal(lifetimes.prepareIdle(connection, undefined, readAt, 5000), true);
    assert.deepEqual(
      [connection.idleSince, connection.expiresAt, connection.safeUntil, connection.validateAt],
      [since, since + 4000, since + 4000, since + 300],
    );
    lifetimes.prepareIdle(connection, undefined, 0, 6000);
    assert.equal(connection.idleSince, since, 'it was validated meanwhile: its idle time goes on');
  }
});

test('a connection at whose age nothing is left is not kept, nor one of a host that closes right after answers', (t) => {
  const { lifetimes, connection, host } = setUp(t);
  connection.retireAt = 5000;
  assert.equal(lifetimes.prepareIdle(connection, undefined, 0, 5000), false);
  connection.idleSince = -1;
  connection.retireAt = 5001;
  assert.equal(lifetimes.prepareIdle(connection, undefined, 0, 5000), true);
  assert.equal(connection.expiresAt, 5001);
  host.learned = new LearnedIdle();
  host.learned.closedAtOnce(5000);
  assert.equal(lifetimes.prepareIdle(connection, undefined, 0, 5000), false);
});

test('the timeout of the agent ends idle connections, but makes none unsafe', (t) => {
  const { lifetimes, connection, agent } = setUp(t);
  agent.options.timeout = 100;
  lifetimes.prepareIdle(connection, undefined, 0, 5000);
  assert.deepEqual([connection.expiresAt, connection.safeUntil], [5100, 9000]);
});

test('an interval of trimming begins with an idle connection, and the next with the end of the last', (t) => {
  const { lifetimes, pool, asked, host } = setUp(t, {}, 1000);
  const become = (): void => {
    lifetimes.prepareIdle(new Connection<LivingKinds>(host), undefined, 0, lifetimes.now());
  };
  become();
  become();
  assert.deepEqual(asked.splice(0), ['beginTrim']);
  lifetimes.stop();
  become();
  assert.deepEqual(asked.splice(0), ['beginTrim'], 'after it was stopped, anew');
  lifetimes.limitsChanged();
  assert.deepEqual(asked.splice(0), ['beginTrim']);
  pool.idle.size = 0;
  lifetimes.limitsChanged();
  assert.deepEqual(asked, [], 'nothing is idle');
  pool.idle.size = 1;
  pool.trimEnds = Infinity;
  lifetimes.limitsChanged();
  become();
  assert.deepEqual(asked, ['beginTrim', 'beginTrim'], 'none was under way');
});

test('without an interval, nothing is trimmed', (t) => {
  const { lifetimes, asked, connection } = setUp(t, {}, 0);
  lifetimes.prepareIdle(connection, undefined, 0, lifetimes.now());
  assert.deepEqual(asked, []);
});

test('at the end of an interval, what has expired is closed and what is left over, too; then nothing is under way', async (t) => {
  const { lifetimes, pool, asked, host } = setUp(t, {}, 1000);
  pool.trimEnds = lifetimes.now() + 1;
  lifetimes.prepareIdle(new Connection<LivingKinds>(host), undefined, 0, lifetimes.now());
  pool.trimEnds = Infinity;
  await until(() => asked.length >= 3);
  assert.deepEqual(asked.splice(0), ['beginTrim', 'reap', 'trim']);
  lifetimes.prepareIdle(new Connection<LivingKinds>(host), undefined, 0, lifetimes.now());
  assert.deepEqual(asked, ['beginTrim']);
});

test('no idle time is safe where none is kept, and while a host is distrusted', (t) => {
  const hint = { timeout: 5, max: undefined };
  const never = (some: Partial<HostLimits>, of: typeof hint | undefined): boolean => {
    const { lifetimes, connection } = setUp(t, some);
    return lifetimes.isNeverSafe(connection, of);
  };
  assert.equal(never({}, undefined), false);
  assert.equal(never({ idleTimeout: 0 }, undefined), true);
  assert.equal(never({ idleTimeout: 0 }, hint), false, 'the server says more');
  assert.equal(never({ maxIdleTimeout: 0 }, hint), true);
  const { lifetimes, connection, host } = setUp(t);
  host.learned = new LearnedIdle();
  assert.equal(lifetimes.isNeverSafe(connection, undefined), false);
  host.learned.closedAtOnce(lifetimes.now());
  assert.equal(lifetimes.isNeverSafe(connection, undefined), true);
});

test('what a host has taught is remembered by its key', (t) => {
  const { lifetimes, hostOf } = setUp(t);
  const [one, same, other] = [hostOf('a'), hostOf('a'), hostOf('b')];
  lifetimes.endedIdle(Object.assign(new Connection<LivingKinds>(one), { idledFor: 400 }));
  assert.equal(one.learned?.limit, 400);
  assert.equal(lifetimes.safeAgeOf(one), 300);
  assert.equal(lifetimes.safeAgeOf(same), 4000);
  lifetimes.recall(same);
  lifetimes.recall(other);
  assert.equal(same.learned, one.learned);
  assert.equal(other.learned, undefined);
});

test('a connection that outlives what was taught, in use or not, shows that it was too little', (t) => {
  const { lifetimes, host } = setUp(t);
  host.learned = new LearnedIdle();
  host.learned.closedAt(100);
  const old = (): Conn => Object.assign(new Connection<LivingKinds>(host), { idledFor: 2000, served: 2 });
  for (let i = 1; i < SURVIVALS; i++) lifetimes.answered(old());
  assert.equal(host.learned.limit, 100);
  const { limit } = host.learned;
  lifetimes.survivedIdle(Object.assign(old(), { idleSince: lifetimes.now() }));
  assert.equal(host.learned.limit, limit, 'it was idle for no time');
  lifetimes.survivedIdle(Object.assign(old(), { idleSince: lifetimes.now() - 2000 }));
  assert.equal(host.learned.limit, 150);
});

test('only a connection that serves again shows that a host is to be trusted again', (t) => {
  const { lifetimes, host } = setUp(t);
  const isTrustedAfter = (served: number): boolean => {
    host.learned = new LearnedIdle();
    host.learned.closedAtOnce(lifetimes.now());
    for (let i = 0; i < SURVIVALS; i++)
      lifetimes.answered(Object.assign(new Connection<LivingKinds>(host), { served }));
    return !host.learned.isDistrusted(lifetimes.now());
  };
  assert.deepEqual([isTrustedAfter(1), isTrustedAfter(2)], [false, true]);
});

test('a loss is one of a connection that was idle, or of one that was closed right after an answer', (t) => {
  const lossAfter = (idledFor: number, served = 2): LearnedIdle | undefined => {
    const { lifetimes, connection, host } = setUp(t);
    const pooled = { polledAt: lifetimes.now() };
    lifetimes.endsUnanswered(Object.assign(connection, { idledFor, served, pooled }));
    return host.learned;
  };
  assert.equal(lossAfter(10)?.limit, 10);
  const atOnce = lossAfter(9);
  assert.equal(atOnce?.limit, Infinity);
  assert.equal(atOnce.isDistrusted(performance.now()), true);
  assert.equal(lossAfter(9, SURVIVALS + 2), undefined, 'a host that keeps connections');
});

test('trust comes back after some answers in a row, and not before', () => {
  const learned = new LearnedIdle();
  const serve = (times: number): void => {
    for (let i = 0; i < times; i++) learned.servedAgain();
  };
  serve(SURVIVALS);
  learned.closedAtOnce(0);
  serve(SURVIVALS - 1);
  assert.equal(learned.isDistrusted(1), true);
  learned.closedAtOnce(1);
  serve(SURVIVALS - 1);
  assert.equal(learned.isDistrusted(1), true, 'counted anew after a loss');
  serve(1);
  assert.equal(learned.isDistrusted(1), false);
  learned.closedAtOnce(2);
  assert.equal(learned.isDistrusted(2 + FIRST_DISTRUST), false, 'a first loss again');
});

test('the reaper wakes again for what is left, and not for nothing', async (t) => {
  const answers = [1, Infinity];
  const times: number[] = [];
  const reaper = new Reaper(
    () => performance.now(),
    (now) => {
      times.push(now);
      return now + (answers.shift() ?? Infinity);
    },
  );
  t.after(() => reaper.stop());
  reaper.expect(performance.now(), performance.now());
  await until(() => times.length === 2);
  assert.deepEqual(answers, []);
});
