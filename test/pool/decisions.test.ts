/** The pool's decisions one by one, on the model: what a random history obeys but does not insist on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '../../src/pool/limits.js';
import { MAX_OVERTAKES } from '../../src/pool/capacity.js';
import { Model } from './model.js';
import type { ModelRequest } from './model.js';
import { byEffort } from '../support/effort.js';

function model(limits: Partial<Limits> = {}): Model {
  return new Model(limits);
}

/** The connection that `request` has. */
function connectionOf(m: Model, request: ModelRequest) {
  for (const [connection, holder] of m.leased) if (holder === request) return connection;
  return assert.fail(`request ${request.id} has no connection`);
}

function finish(m: Model, request: ModelRequest): void {
  m.release(connectionOf(m, request), true);
  m.check();
}

/** Lets what has been begun come to its end, without new releases. */
function runToRest(m: Model): void {
  for (let i = 0, still = 0; i < 10 && still < 2; i++) {
    const { changes } = m.pool;
    for (const connection of m.closing) m.finishClose(connection);
    for (const connection of m.dialling) m.connect(connection);
    m.turn();
    m.check();
    // An event that comes a turn later may change nothing in the first turn.
    still = m.pool.changes === changes ? still + 1 : 0;
  }
}

/** One idle connection per origin, used in the order given. */
function idleAt(m: Model, ...origins: number[]): void {
  for (const origin of origins) {
    const request = m.request(origin);
    runToRest(m);
    finish(m, request);
    runToRest(m);
  }
}

test('the last used idle connection comes first in lifo, the longest idle in fifo', () => {
  for (const scheduling of ['lifo', 'fifo'] as const) {
    const m = model({ scheduling });
    const requests = [m.request(0), m.request(0), m.request(0)];
    runToRest(m);
    const connections = requests.map((request) => connectionOf(m, request));
    for (const request of requests) {
      finish(m, request);
      runToRest(m);
    }
    if (scheduling === 'lifo') connections.reverse();
    for (const connection of connections) assert.equal(connectionOf(m, m.request(0)), connection);
  }
});

test('a destroyed idle connection is skipped wherever it stands', () => {
  for (const dead of [0, 1, 2]) {
    const m = model();
    const requests = [m.request(0), m.request(0), m.request(0)];
    runToRest(m);
    for (const request of requests) finish(m, request);
    runToRest(m);
    const connection = [...m.idle][dead];
    assert.ok(connection?.pooled);
    connection.pooled.alive = false;
    const others = [m.request(0), m.request(0)];
    for (const request of others) assert.notEqual(connectionOf(m, request), connection);
    m.drain();
  }
});

test('a connection that expires while it is validated is not kept', () => {
  const m = model({ maxSockets: 1, maxFreeSockets: 1, maxTotalFreeSockets: 1 });
  idleAt(m, 0);
  m.time += 500;
  const late = m.request(0);
  // The loop is busy until the connection has been idle for as long as it may; the sweep passes it by.
  m.time += 600;
  m.reap();
  m.abort(late);
  m.turn();
  m.check();
  assert.equal(m.pool.idle.size, 0);
  runToRest(m);
  assert.equal(m.pool.counters.closed['idle-timeout'], 1);
});

test('a connection that expires while it is validated serves nobody: the request gets a new one', () => {
  for (const [maxAge, reason] of [
    [Infinity, 'idle-timeout'],
    [1000, 'max-age'],
  ] as const) {
    const m = model({ maxSockets: 1 });
    m.maxAge = maxAge;
    idleAt(m, 0);
    const [old] = m.idle;
    m.time += 500;
    const late = m.request(0);
    m.time += 600;
    runToRest(m);
    assert.notEqual(connectionOf(m, late), old);
    assert.equal(m.pool.counters.closed[reason], 1);
  }
});

test('a connection that becomes too old while it is validated after an exchange serves nobody', () => {
  const m = model({ maxSockets: 1 });
  m.maxAge = 500;
  const [first, second] = [m.request(0), m.request(0)];
  runToRest(m);
  const old = connectionOf(m, first);
  finish(m, first);
  m.time += 600;
  runToRest(m);
  assert.notEqual(connectionOf(m, second), old);
  assert.equal(m.pool.counters.closed['max-age'], 1);
});

test('at maxTotalSockets the least recently used idle connection of all makes room', () => {
  const m = model({ maxTotalSockets: 3 });
  idleAt(m, 0, 1, 2);
  finish(m, m.request(0));
  runToRest(m);
  const [oldest] = m.host(1).idle;
  const request = m.request(3);
  assert.equal(oldest?.closeReason, 'evicted');
  assert.equal(m.closing.size, 1, 'one slot, one connection');
  runToRest(m);
  assert.equal(request.end, 'assigned');
});

test('a closing connection counts until it is closed', () => {
  const m = model({ maxTotalSockets: 1 });
  idleAt(m, 0);
  const request = m.request(1);
  assert.equal(m.closing.size, 1);
  assert.equal(m.dialling.size, 0);
  m.turn();
  assert.equal(m.dialling.size, 0);
  runToRest(m);
  assert.equal(request.end, 'assigned');
});

test('a saturated host does not stop the others', () => {
  const m = model({ maxSockets: 1, maxTotalSockets: 2 });
  const [a, , b] = [m.request(0), m.request(0), m.request(1), m.request(0), m.request(1)];
  runToRest(m);
  const blocked = m.request(2);
  finish(m, a as ModelRequest);
  finish(m, b as ModelRequest);
  m.limits.maxTotalSockets = 3;
  m.pool.limitsChanged();
  runToRest(m);
  assert.equal(blocked.end, 'assigned');
  m.drain();
});

/** Requests of each host that are in use or wait, always. */
const OUTSTANDING = 20;

const RELEASES = byEffort(2000);

/** Keeps all hosts busy: each request that is served is followed by another at once. Returns the most releases that a host waited for a slot. */
function contend(m: Model, hosts: number, releases: number): { longest: number; served: number[] } {
  const waitsSince = new Map<number, number>();
  const served: number[] = Array.from({ length: hosts }, () => 0);
  let longest = 0;
  for (let origin = 0; origin < hosts; origin++) for (let i = 0; i < OUTSTANDING; i++) m.request(origin);
  runToRest(m);
  for (let release = 0; release < releases; release++) {
    const [connection] = [...m.leased.keys()].slice(release % m.leased.size);
    assert.ok(connection);
    const { origin } = connection.host;
    served[origin] = (served[origin] ?? 0) + 1;
    // Before or after: a request that comes after the release is there before what was released is validated.
    if (release % 2) m.request(origin);
    m.release(connection, true);
    if (release % 2 === 0) m.request(origin);
    m.check();
    runToRest(m);
    for (let waiting = 0; waiting < hosts; waiting++) {
      if (!m.host(waiting).isBlocked || m.host(waiting).connections.size > 0)
        waitsSince.set(waiting, release);
      longest = Math.max(longest, release - (waitsSince.get(waiting) ?? 0));
    }
  }
  return { longest, served };
}

for (const [hosts, slots, fairness] of [
  [2, 1, 'round-robin'],
  [3, 2, 'round-robin'],
  [10, 3, 'round-robin'],
  [2, 1, 'fifo'],
  [10, 3, 'fifo'],
] as const) {
  test(`${hosts} busy hosts share ${slots} slots, ${fairness}: overtaking is bounded`, () => {
    const m = model({ maxTotalSockets: slots, maxSockets: 2, fairness });
    const { longest } = contend(m, hosts, RELEASES);
    // By age, those that came before are not overtaking, and each of them may need a slot, too: two for a host.
    const isByAge = fairness === 'fifo';
    const bound = hosts * (isByAge ? 2 : 1) * (MAX_OVERTAKES + 1) + (isByAge ? hosts * OUTSTANDING : 0);
    assert.ok(longest <= bound, `a host waited for ${longest} releases, more than ${bound}`);
    assert.ok(
      longest >= MAX_OVERTAKES / 2,
      'turns are not strict: a warm connection serves more than one request',
    );
    m.drain();
  });
}

test('weights: a host gets slots in proportion, and nobody without one waits for ever', () => {
  const m = model({ maxTotalSockets: 12 });
  m.rule([0], { weight: 4 });
  m.rule([1], { weight: 1 });
  m.rule([2], { weight: 1 });
  let sum = 0;
  const { longest } = contend(m, 3, RELEASES);
  const bound = 6 * (MAX_OVERTAKES + 1);
  assert.ok(longest <= bound, `a host waited for ${longest} releases, more than ${bound}`);
  for (let i = 0; i < 4000; i++) {
    const [connection] = [...m.leased.keys()].slice(i % m.leased.size);
    assert.ok(connection);
    m.request(connection.host.origin);
    m.release(connection, true);
    runToRest(m);
    sum += m.host(0).connections.size;
  }
  const mean = sum / 4000;
  assert.ok(mean > 6.5 && mean < 9.5, `8 of 12 slots are its share, ${mean} it had`);
  m.drain();
});

test('fifo: the host whose request has waited longest gets the slot, in spite of the turns', () => {
  for (const fairness of ['round-robin', 'fifo'] as const) {
    const m = model({ maxTotalSockets: 1, fairness });
    const first = m.request(0);
    runToRest(m);
    const early = [m.request(1), m.request(1)];
    const late = m.request(2);
    m.release(connectionOf(m, first), false);
    runToRest(m);
    assert.equal(early[0]?.end, 'assigned');
    m.release(connectionOf(m, early[0] as ModelRequest), false);
    runToRest(m);
    assert.equal((fairness === 'fifo' ? early[1] : late)?.end, 'assigned', fairness);
    m.drain();
  }
});

test('reserved slots stay free for the hosts that they are reserved for, and are theirs at once', () => {
  const m = model({ maxTotalSockets: 4 });
  m.rule([0, 1], { reserve: 2 });
  const others = Array.from({ length: 5 }, () => m.request(2));
  runToRest(m);
  assert.equal(m.leased.size, 2);
  const own = [m.request(0), m.request(1), m.request(0)];
  runToRest(m);
  assert.deepEqual(
    own.map(({ end }) => end),
    ['assigned', 'assigned', undefined],
  );
  // A connection that closes on a reserved slot makes room for its own reservation only.
  m.release(connectionOf(m, own[0] as ModelRequest), false);
  runToRest(m);
  assert.equal(own[2]?.end, 'assigned');
  assert.ok(others.slice(2).every(({ end }) => end === undefined));
  m.drain();
});

test('an idle connection on a reserved slot is not evicted for others', () => {
  const m = model({ maxTotalSockets: 2 });
  m.rule([0], { reserve: 1 });
  idleAt(m, 0, 1);
  const [kept] = m.host(0).idle;
  const [evicted] = m.host(1).idle;
  const request = m.request(2);
  runToRest(m);
  assert.equal(request.end, 'assigned');
  assert.equal(kept?.state, 'idle');
  assert.equal(evicted?.closeReason, 'evicted');
});

test('a reserve that comes late is taken from those in use as they are released', () => {
  const m = model({ maxTotalSockets: 3 });
  const others = [m.request(1), m.request(1), m.request(1), m.request(1)];
  runToRest(m);
  m.rule([0], { reserve: 2 });
  const own = [m.request(0), m.request(0)];
  runToRest(m);
  assert.ok(
    own.every(({ end }) => end === undefined),
    'nobody in use is closed',
  );
  for (const request of others.slice(0, 2)) m.release(connectionOf(m, request), true);
  runToRest(m);
  assert.ok(own.every(({ end }) => end === 'assigned'));
  assert.equal(others[3]?.end, undefined);
  m.drain();
});

test('maxQueueSize: as many may wait, and nobody is refused whom a connection can be opened for', () => {
  for (const binding of ['eager', 'late'] as const) {
    const m = model({ maxSockets: 5, maxQueueSize: 3, binding });
    const requests = Array.from({ length: 10 }, () => m.request(0));
    assert.equal(m.dialling.size, 5, 'a full queue does not wait for the end of the turn');
    assert.deepEqual(
      requests.map(({ end }) => end),
      [...Array.from({ length: 8 }, () => undefined), 'refused', 'refused'],
    );
    assert.deepEqual(requests[9]?.refusal, {
      limitedBy: 'maxQueueSize',
      limit: 3,
      waiting: binding === 'late' ? 8 : 3,
      active: 5,
      waited: 0,
    });
    m.drain();
  }
});

test('maxTotalQueueSize counts those of all hosts', () => {
  const m = model({ maxSockets: 1, maxTotalQueueSize: 2 });
  for (const origin of [0, 1]) m.request(origin);
  const waiting = [m.request(0), m.request(1)];
  assert.equal(m.request(0).end, 'refused');
  assert.equal(m.request(2).end, undefined, 'where a connection can be opened, nobody waits');
  assert.ok(waiting.every(({ end }) => end === undefined));
  m.drain();
});

test('maxQueueSize: 0 lets a request take a connection that is validated', () => {
  const m = model({ maxSockets: 1, maxQueueSize: 0 });
  const first = m.request(0);
  runToRest(m);
  assert.equal(m.request(0).end, 'refused');
  m.release(connectionOf(m, first), true);
  const next = m.request(0);
  assert.equal(m.request(0).end, 'refused');
  runToRest(m);
  assert.equal(next.end, 'assigned');
});

test('maxQueueSize: 0 lets a request wait for a slot that is about to come free for it', () => {
  const m = model({ maxTotalSockets: 1, maxQueueSize: 0, maxTotalQueueSize: 0 });
  idleAt(m, 0);
  const other = m.request(1);
  assert.equal(m.closing.size, 1);
  assert.equal(m.request(1).end, 'refused');
  assert.equal(m.request(2).end, 'refused');
  runToRest(m);
  assert.equal(other.end, 'assigned');
  finish(m, other);
  runToRest(m);
  m.time += m.idleTime * 0.8;
  const unreplayable = m.request(1, true);
  assert.equal(m.closing.size, 1, 'a connection that has been idle for too long gives way');
  runToRest(m);
  assert.equal(unreplayable.end, 'assigned');
});

test('a request that counted on a connection which another one gets takes an idle one', () => {
  const m = model();
  const requests = [m.request(0), m.request(0), m.request(0)];
  runToRest(m);
  for (const request of requests) finish(m, request);
  runToRest(m);
  m.pool.upkeep.suspect();
  // Both wait for a connection that is validated first; one of these dies.
  const patient = m.request(0, false, 7);
  const unreplayable = m.request(0, true);
  const one = [...m.host(0).connections].find(({ state }) => state === 'validating');
  assert.ok(one);
  m.closeByPeer(one);
  m.check();
  runToRest(m);
  assert.deepEqual([unreplayable.end, patient.end], ['assigned', 'assigned']);
  m.drain();
});

test('acquireTimeout: a request that has waited for so long is refused, by the limit that holds now', () => {
  const m = model({ maxSockets: 1, acquireTimeout: 100 });
  m.request(0);
  runToRest(m);
  const early = m.request(0);
  m.time = 50;
  const late = m.request(0);
  assert.equal(m.pool.nextDeadline, 100);
  m.time = 99;
  m.expire();
  assert.equal(early.end, undefined);
  m.time = 100;
  m.expire();
  assert.equal(early.end, 'refused');
  assert.deepEqual(early.refusal, {
    limitedBy: 'acquireTimeout',
    limit: 100,
    waiting: 1,
    active: 1,
    waited: 100,
  });
  m.rule([0], { acquireTimeout: 20 });
  m.expire();
  assert.equal(late.end, 'refused');
  assert.equal(m.pool.nextDeadline, Infinity);
});

test('least-used: the connection that has served the fewest requests', () => {
  const m = model({ scheduling: 'least-used' });
  const requests = [m.request(0), m.request(0), m.request(0)];
  runToRest(m);
  const connections = requests.map((request) => connectionOf(m, request));
  for (const request of requests) finish(m, request);
  runToRest(m);
  const counts = new Map(connections.map((connection) => [connection, 0]));
  for (let i = 0; i < 30; i++) {
    const request = m.request(0);
    const connection = connectionOf(m, request);
    counts.set(connection, (counts.get(connection) ?? 0) + 1);
    finish(m, request);
    runToRest(m);
  }
  assert.deepEqual([...counts.values()], [10, 10, 10]);
});

test('random: any of them, by the numbers that it is given', () => {
  let next = 0;
  const m = model({ scheduling: 'random', random: () => next });
  const requests = [m.request(0), m.request(0), m.request(0)];
  runToRest(m);
  for (const request of requests) {
    finish(m, request);
    runToRest(m);
  }
  const seen = new Set();
  for (next of [0, 0.4, 0.9]) {
    const request = m.request(0);
    seen.add(connectionOf(m, request));
  }
  assert.equal(seen.size, 3);
});

test('fifo shrinks after a peak: what was not needed once in an interval goes', () => {
  for (const scheduling of ['fifo', 'lifo', 'random', 'least-used'] as const) {
    const m = model({ scheduling, trimInterval: 1000 });
    m.idleTime = Infinity;
    const peak = Array.from({ length: 10 }, () => m.request(0));
    runToRest(m);
    m.pool.upkeep.beginTrim(m.time);
    for (const request of peak) finish(m, request);
    runToRest(m);
    m.time = 1000;
    assert.equal(m.pool.upkeep.trim(m.time), 2000, 'in this interval all were needed');
    assert.equal(m.idle.size, 10);
    for (let i = 0; i < 20; i++) {
      const two = [m.request(0), m.request(0)];
      runToRest(m);
      for (const request of two) finish(m, request);
      runToRest(m);
    }
    m.time = 2000;
    m.pool.upkeep.trim(m.time);
    for (const connection of m.closing) m.finishClose(connection);
    m.check();
    assert.equal(m.host(0).idle.size, 2, scheduling);
    m.time = 3000;
    m.pool.upkeep.trim(m.time);
    assert.equal(
      m.host(0).idle.size,
      2,
      'connections that were not used at all are left to the idle timeout',
    );
    for (const connection of m.host(0).idle) m.closeByPeer(connection);
    assert.equal(m.pool.upkeep.trim(9000), Infinity, 'no timer when nothing is idle');
  }
});

test('maxTotalFreeSockets: beyond it the least recently used goes', () => {
  const m = model({ maxTotalFreeSockets: 2 });
  idleAt(m, 0, 1, 2);
  assert.equal(m.host(0).idle.size, 0);
  assert.equal(m.host(1).idle.size + m.host(2).idle.size, 2);
  m.limits.maxTotalFreeSockets = 1;
  m.pool.limitsChanged();
  m.check();
  assert.equal(m.host(2).idle.size, 1);
});

test('a changed rule: waiters go at once, surplus idle ones are closed, active ones never', () => {
  const m = model({ maxSockets: 2 });
  const requests = Array.from({ length: 6 }, () => m.request(0));
  runToRest(m);
  m.rule([0], { maxSockets: 4 });
  runToRest(m);
  assert.equal(m.leased.size, 4);
  m.rule([0], { maxSockets: 6 });
  runToRest(m);
  for (const request of requests.slice(0, 3)) finish(m, request);
  runToRest(m);
  m.rule([0], { maxSockets: 1 });
  m.check();
  assert.equal(m.idle.size, 0);
  assert.equal(m.leased.size, 3);
  m.drain();
});

test('a cold burst dials once per turn, and what is ready serves the queue meanwhile', () => {
  const m = model();
  for (let i = 0; i < 200; i++) m.request(0);
  assert.equal(m.dialling.size, 1);
  let turns = 0;
  while (m.host(0).waiting.size > 0) {
    turns++;
    for (const connection of m.dialling) m.connect(connection);
    for (const connection of m.leased.keys()) m.release(connection, true);
    m.turn();
    m.check();
  }
  assert.ok(m.size < 200, 'far from one connection per request');
  assert.ok(turns < 200, 'and faster than the dials alone');
});

test('a host that has dialled in an earlier turn dials at once', () => {
  const m = model();
  m.request(0);
  for (const connection of m.dialling) m.connect(connection);
  for (const connection of m.leased.keys()) m.release(connection, false);
  m.turn();
  m.request(0);
  assert.equal(m.dialling.size, 1);
});

test('without keepAlive a host dials once per turn, and does not wait for the end of it', () => {
  for (const keepAlive of [false, true]) {
    const m = model({ keepAlive });
    m.request(0);
    m.turn();
    m.request(0);
    m.request(0);
    assert.equal(m.dialling.size, keepAlive ? 1 : 2);
    m.turn();
    assert.equal(m.dialling.size, keepAlive ? 2 : 3);
  }
});

test('a slow network slows no burst down: without an answer, dials go on every turn', () => {
  const m = model();
  for (let i = 0; i < 200; i++) m.request(0);
  for (let turns = 1; turns < 200; turns++) m.turn();
  assert.equal(m.dialling.size, 200);
  assert.equal(m.host(0).waiting.size, 0);
});

test('eager: the request that opens a connection gets it, and its error', () => {
  const m = model({ maxSockets: 2 });
  const [first, second, third] = [m.request(0), m.request(0), m.request(0)];
  m.turn();
  const [one, two] = m.dialling;
  assert.ok(one && two);
  m.connect(two);
  assert.equal(m.leased.get(two), second);
  m.failConnect(one);
  assert.equal(first?.end, 'rejected');
  runToRest(m);
  assert.equal(third?.end, 'assigned', 'the next one goes on at once');
});

test('late: the first connection that is ready serves the head of the queue', () => {
  const m = model({ binding: 'late' });
  const [first, second] = [m.request(0), m.request(0)];
  m.turn();
  const [one, two] = m.dialling;
  assert.ok(one && two);
  m.connect(two);
  assert.equal(m.leased.get(two), first);
  m.failConnect(one);
  assert.equal(second?.end, undefined, 'the request that opened it has been served: nobody gets the error');
  runToRest(m);
  assert.equal(second?.end, 'assigned');
});

test('late: a connection that no request needs any more becomes idle', () => {
  const m = model({ binding: 'late' });
  const requests = [m.request(0), m.request(0)];
  m.turn();
  const [one, two] = m.dialling;
  assert.ok(one && two);
  m.connect(one);
  finish(m, requests[0] as ModelRequest);
  m.turn();
  assert.equal(requests[1]?.end, 'assigned');
  m.connect(two);
  m.turn();
  assert.equal(two.state, 'idle');
});

test('a released connection serves no request before the loop has polled', () => {
  const m = model({ maxSockets: 1 });
  const first = m.request(0);
  runToRest(m);
  const next = m.request(0);
  const connection = connectionOf(m, first);
  finish(m, first);
  assert.equal(next.end, undefined);
  assert.ok(connection.pooled);
  connection.pooled.alive = false;
  m.turn();
  assert.notEqual(m.leased.get(connection), next, 'a fault that the loop has found counts');
  runToRest(m);
  assert.equal(next.end, 'assigned');
});

/** Two idle connections of origin 0, past the part of their time after which they are not safe. */
function twoOld(m: Model) {
  const requests = [m.request(0), m.request(0)];
  runToRest(m);
  for (const request of requests) finish(m, request);
  runToRest(m);
  m.time += m.idleTime * 0.8;
  const [first, second] = m.idle;
  assert.ok(first && second);
  return [first, second] as const;
}

test('an old idle connection gives way to the one that an unreplayable request needs', () => {
  const m = model();
  m.validatePart = 1;
  const [first, second] = twoOld(m);
  const unreplayable = m.request(0, true);
  m.check();
  assert.equal(first.closeReason, 'idle-timeout', 'the oldest');
  assert.equal(second.state, 'idle', 'one for one');
  assert.equal(connectionOf(m, m.request(0)), second, 'others may have it all the same');
  runToRest(m);
  assert.equal(unreplayable.end, 'assigned');
  assert.equal(m.size, 2);
});

test('also when a limit is lowered while it waits', () => {
  const m = model({ maxSockets: 2 });
  m.validatePart = 1;
  const [first, second] = twoOld(m);
  const unreplayable = m.request(0, true);
  m.limits.maxSockets = 1;
  m.pool.limitsChanged();
  m.check();
  m.finishClose(first);
  m.check();
  assert.equal(
    second.closeReason,
    'idle-timeout',
    'no request waits behind a connection that it may not have',
  );
  runToRest(m);
  assert.equal(unreplayable.end, 'assigned');
});

test('a request that waited for a connection that turns out to be dead gets the next, and none is opened', () => {
  const m = model();
  const [first, second] = twoOld(m);
  const request = m.request(0);
  const looked = [first, second].find(({ state }) => state === 'validating');
  const other = looked === first ? second : first;
  assert.ok(looked?.pooled);
  looked.pooled.alive = false;
  m.turn();
  m.check();
  assert.equal(other.state, 'validating');
  m.turn();
  assert.equal(connectionOf(m, request), other);
  assert.equal(m.dialling.size, 0);
});

test('an unreplayable request gets the slot of one that was validated for another, which has gone', () => {
  const m = model({ maxSockets: 1 });
  idleAt(m, 0);
  m.time += m.idleTime * 0.8;
  const [idle] = m.idle;
  const gone = m.request(0);
  const unreplayable = m.request(0, true);
  assert.equal(idle?.state, 'validating');
  m.abort(gone);
  m.turn();
  m.check();
  assert.equal(idle.closeReason, 'idle-timeout');
  runToRest(m);
  assert.equal(unreplayable.end, 'assigned');
});

test('aborted requests open nothing', () => {
  const m = model({ maxSockets: 1 });
  m.request(0);
  const waiting = Array.from({ length: 10 }, () => m.request(0));
  for (const request of waiting) m.abort(request);
  m.drain();
  assert.equal(m.size, 1);
  assert.ok(waiting.every(({ end }) => end === 'aborted'));
});

test('after destroy the pool is as new', () => {
  const m = model({ maxSockets: 1 });
  const before = [m.request(0), m.request(0), m.request(1)];
  runToRest(m);
  m.destroy();
  m.check();
  for (const connection of m.closing) m.finishClose(connection);
  assert.equal(before[1]?.end, 'rejected');
  assert.equal(m.pool.size, 0);
  assert.equal(m.pool.hosts.size, 0);
  const after = m.request(0);
  runToRest(m);
  assert.equal(after.end, 'assigned');
});

test('a host that has a connection keeps its position in the line for another', () => {
  const m = model({ maxTotalSockets: 2 });
  m.request(0);
  runToRest(m);
  // The other slot goes round among hosts that ask once each; host 0 wants it, too.
  m.request(1);
  runToRest(m);
  for (let origin = 2; origin < 5; origin++) m.request(origin);
  const waiting = m.request(0);
  for (let origin = 5; origin < 60 && waiting.end === undefined; origin++) {
    m.request(origin);
    for (const connection of m.leased.keys()) if (connection.host.origin !== 0) m.release(connection, true);
    runToRest(m);
  }
  assert.equal(waiting.end, 'assigned');
});

test('a request that has lost its connection comes first, and its slot counts until it is closed', () => {
  for (const binding of ['eager', 'late'] as const) {
    const m = model({ maxSockets: 1, binding });
    const lost = m.request(0);
    runToRest(m);
    const behind = m.request(0);
    const connection = connectionOf(m, lost);
    m.lose(connection, false);
    m.check();
    assert.equal(m.dialling.size, 0);
    runToRest(m);
    assert.notEqual(connectionOf(m, lost), connection);
    assert.equal(behind.end, undefined);
    m.drain();
  }
});

test('a request that has lost its connection gets an idle one when that is validated, and opens none', () => {
  const m = model();
  const requests = [m.request(0), m.request(0), m.request(0)];
  runToRest(m);
  const [lost, first, second] = requests as [ModelRequest, ModelRequest, ModelRequest];
  const connections = [connectionOf(m, first), connectionOf(m, second)];
  finish(m, first);
  finish(m, second);
  runToRest(m);
  m.lose(connectionOf(m, lost), false);
  m.check();
  assert.equal(lost.end, undefined);
  m.turn();
  assert.equal(connectionOf(m, lost), connections[1]);
  assert.equal(m.dialling.size, 0);
  m.drain();
});

test('a request that has lost its connection opens one if the idle one that it was to get is dead, too', () => {
  const m = model();
  idleAt(m, 0);
  const [idle] = m.idle;
  const lost = m.request(0);
  runToRest(m);
  const other = m.request(0);
  runToRest(m);
  finish(m, lost);
  runToRest(m);
  assert.ok(idle?.pooled);
  m.lose(connectionOf(m, other), false);
  idle.pooled.alive = false;
  runToRest(m);
  assert.equal(other.end, 'assigned');
  assert.notEqual(connectionOf(m, other), idle);
  m.drain();
});

test('a request that wants a new connection gets one in the slot of the lost one, whatever else is free', () => {
  for (const binding of ['eager', 'late'] as const) {
    const m = model({ maxSockets: 3, maxTotalSockets: 3, binding });
    const requests = [m.request(0), m.request(0), m.request(0)];
    runToRest(m);
    const [lost, first, second] = requests as [ModelRequest, ModelRequest, ModelRequest];
    const old = requests.map((request) => connectionOf(m, request));
    finish(m, first);
    runToRest(m);
    const waiting = [m.request(0), m.request(1), m.request(0)];
    m.lose(connectionOf(m, lost), true);
    m.check();
    assert.equal(m.dialling.size, 0);
    finish(m, second);
    runToRest(m);
    assert.ok(!old.includes(connectionOf(m, lost)));
    m.drain();
    for (const request of waiting) assert.equal(request.end, 'assigned');
  }
});

test('a request that wants a new connection waits for its turn if there is no slot for one any more', () => {
  const m = model({ maxSockets: 2 });
  const requests = [m.request(0), m.request(0)];
  runToRest(m);
  const [lost, other] = requests as [ModelRequest, ModelRequest];
  const behind = m.request(0);
  m.limits.maxSockets = 1;
  m.pool.limitsChanged();
  m.lose(connectionOf(m, lost), true);
  runToRest(m);
  assert.deepEqual([lost.end, behind.end], [undefined, undefined]);
  finish(m, other);
  runToRest(m);
  assert.deepEqual([lost.end, behind.end], ['assigned', undefined]);
  m.drain();
});

test('for a request that has lost its connection one idle one after the other is validated, also while one is being opened', () => {
  const m = model({ binding: 'late' });
  const requests = [m.request(0), m.request(0), m.request(0)];
  runToRest(m);
  const [lost, first, second] = requests as [ModelRequest, ModelRequest, ModelRequest];
  // A dial that nobody waits for any more.
  const gone = m.request(0);
  m.turn();
  m.abort(gone);
  assert.equal(m.dialling.size, 1);
  const dying = [connectionOf(m, first), connectionOf(m, second)];
  finish(m, first);
  finish(m, second);
  m.turn();
  m.check();
  assert.equal(m.idle.size, 2);
  m.lose(connectionOf(m, lost), false);
  m.check();
  const looked = dying.find(({ state }) => state === 'validating');
  assert.ok(looked);
  m.closeByPeer(looked);
  m.check();
  m.turn();
  m.check();
  assert.equal(lost.end, 'assigned');
  assert.ok(dying.includes(connectionOf(m, lost)));
  m.drain();
});
