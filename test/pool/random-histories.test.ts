/**
 * Random histories against the pool, with the model as judge after every step. fast-check shrinks a history that
 * fails to the few steps that matter.
 */
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import type { Limits } from '../../src/pool/limits.js';
import { Model } from './model.js';
import type { DialMode } from './model.js';
import { byEffort } from '../support/effort.js';

const HOSTS = 4;
const LIMITS = [
  'maxSockets',
  'maxTotalSockets',
  'maxFreeSockets',
  'maxTotalFreeSockets',
  'minFreeSockets',
  'maxQueueSize',
  'maxTotalQueueSize',
] as const;
const SCHEDULINGS = ['lifo', 'fifo', 'least-used', 'random'] as const;
/** Hosts with one rule; the last host never has any. */
const GROUPS = [[0, 1], [2]] as const;
/** Hosts that share a way. */
const WAYS = [
  [0, 2, 3],
  [1, 3],
] as const;

type Step = (model: Model) => void;

/** `n` picks one of what is there; nothing happens where nothing is. */
function pick<T>(from: Iterable<T>, n: number): T | undefined {
  const all = [...from];
  return all[n % all.length];
}

function step(name: string, run: Step): { name: string; run: Step; toString: () => string } {
  return { name, run, toString: () => name };
}

/** Limits that a rule may set, or leave to the pool. */
const rules = fc.record(
  {
    maxSockets: fc.nat({ max: 4 }),
    maxFreeSockets: fc.nat({ max: 3 }),
    minFreeSockets: fc.nat({ max: 3 }),
    maxQueueSize: fc.oneof(fc.nat({ max: 3 }), fc.constant(Infinity)),
    acquireTimeout: fc.constantFrom(0, 500),
    scheduling: fc.constantFrom(...SCHEDULINGS),
    weight: fc.integer({ min: 1, max: 3 }),
    reserve: fc.nat({ max: 3 }),
  },
  { requiredKeys: [] },
);
const priorities = fc.nat({ max: 7 });
const n = fc.nat({ max: 1000 });
const hosts = fc.nat({ max: HOSTS - 1 });

function on<T>(name: string, from: (model: Model) => Iterable<T>, act: (model: Model, one: T) => void) {
  return n.map((i) =>
    step(`${name} ${i}`, (model) => {
      const one = pick(from(model), i);
      if (one !== undefined) act(model, one);
    }),
  );
}

function open(model: Model) {
  return [...model.open.values()].flatMap((connections) => [...connections]);
}

const steps = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .tuple(hosts, fc.constantFrom(false, false, true), fc.oneof(fc.constant(3), priorities))
      .map(([host, unreplayable, priority]) =>
        step(`request ${host}, ${unreplayable ? 'unreplayable' : ''} ${priority}`, (m) =>
          m.request(host, unreplayable, priority),
        ),
      ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(n, priorities).map(([i, priority]) =>
      step(`prioritize ${i}, ${priority}`, (m) => {
        const request = pick(m.requests, i);
        if (request) m.prioritize(request, priority);
      }),
    ),
  },
  { weight: 4, arbitrary: fc.constant(step('expire', (model) => model.expire())) },
  {
    weight: 2,
    arbitrary: fc.constant(
      step('trim', (m) => (m.pool.upkeep.beginTrim(m.time), m.pool.upkeep.trim(m.time))),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...GROUPS), fc.option(rules, { nil: undefined }))
      .map(([group, rule]) => step(`rule ${group}: ${JSON.stringify(rule)}`, (m) => m.rule(group, rule))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...WAYS), fc.option(fc.nat({ max: 4 }), { nil: undefined }))
      .map(([group, most]) => step(`share ${group}: ${most}`, (m) => m.share(group, most))),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 300, 1000).map((ms) =>
      step(`acquireTimeout = ${ms}`, (m) => {
        m.limits.acquireTimeout = ms;
        m.pool.limitsChanged();
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...SCHEDULINGS).map((scheduling) =>
      step(`scheduling = ${scheduling}`, (m) => {
        m.limits.scheduling = scheduling;
        m.pool.limitsChanged();
      }),
    ),
  },
  {
    weight: 12,
    arbitrary: on(
      'connect',
      (m) => m.dialling,
      (m, one) => m.connect(one),
    ),
  },
  {
    weight: 3,
    arbitrary: on(
      'fail to connect',
      (m) => m.dialling,
      (m, one) => m.failConnect(one),
    ),
  },
  {
    weight: 25,
    arbitrary: on(
      'release',
      (m) => m.leased.keys(),
      (m, one) => m.release(one, true),
    ),
  },
  {
    weight: 2,
    arbitrary: on(
      'release, not reusable',
      (m) => m.leased.keys(),
      (m, one) => m.release(one, false),
    ),
  },
  {
    weight: 3,
    arbitrary: on(
      'release twice',
      (m) => m.leased.keys(),
      (m, one) => {
        m.release(one, true);
        if (!m.leased.has(one)) m.release(one, true);
      },
    ),
  },
  {
    weight: 5,
    arbitrary: on(
      'abort',
      (m) => m.requests,
      (m, one) => m.abort(one),
    ),
  },
  { weight: 4, arbitrary: on('close by peer', open, (m, one) => m.closeByPeer(one)) },
  { weight: 1, arbitrary: on('retire', open, (m, one) => m.retireNow(one)) },
  { weight: 6, arbitrary: on('secure', open, (m, one) => m.secure(one)) },
  {
    weight: 3,
    arbitrary: on(
      'lose',
      (m) => m.leased.keys(),
      (m, one) => m.lose(one, false),
    ),
  },
  {
    weight: 3,
    arbitrary: on(
      'miss',
      (m) => m.leased.keys(),
      (m, one) => m.miss(one),
    ),
  },
  {
    weight: 1,
    arbitrary: on(
      'lose, for a new one',
      (m) => m.leased.keys(),
      (m, one) => m.lose(one, true),
    ),
  },
  {
    weight: 12,
    arbitrary: on(
      'finish closing',
      (m) => m.closing,
      (m, one) => m.finishClose(one),
    ),
  },
  { weight: 20, arbitrary: fc.constant(step('turn', (model) => model.turn())) },
  { weight: 10, arbitrary: fc.constant(step('tick', (model) => model.tick())) },
  { weight: 2, arbitrary: on('die silently', open, (_, one) => one.pooled && (one.pooled.alive = false)) },
  {
    weight: 2,
    arbitrary: on(
      'is not validated for two turns',
      open,
      (_, one) => one.pooled && (one.pooled.unvalidated = 2),
    ),
  },
  { weight: 1, arbitrary: hosts.map((host) => step(`adopt ${host}`, (model) => model.adopt(host))) },
  {
    weight: 1,
    arbitrary: hosts.map((host) => step(`abandon ${host}`, (m) => m.pool.upkeep.abandon(m.host(host)))),
  },
  { weight: 3, arbitrary: fc.nat({ max: 700 }).map((ms) => step(`${ms} ms pass`, (m) => (m.time += ms))) },
  { weight: 2, arbitrary: fc.constant(step('reap', (model) => model.reap())) },
  { weight: 1, arbitrary: fc.constant(step('the clock jumps', (model) => model.pool.upkeep.suspect())) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(0, 0.5, 1), fc.constantFrom(0, 0.3, 1)).map(([safe, validate]) =>
      step(`safe for ${safe}, validated after ${validate} of its time`, (model) => {
        model.safePart = safe;
        model.validatePart = validate;
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom(...LIMITS), fc.nat({ max: 6 })).map(([name, value]) =>
      step(`${name} = ${value}`, (model) => {
        model.limits[name] = value;
        model.pool.limitsChanged();
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<DialMode>('later', 'later', 'connects', 'fails')
      .map((mode) => step(`dials: ${mode}`, (model) => (model.dialMode = mode))),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map((at) => step(`close at once: ${at}`, (m) => (m.closeAtOnce = at))),
  },
  {
    weight: 1,
    arbitrary: fc
      .boolean()
      .map((distrusts) => step(`distrusts: ${distrusts}`, (m) => (m.distrusts = distrusts))),
  },
  { weight: 1, arbitrary: fc.boolean().map((keep) => step(`keeps: ${keep}`, (m) => (m.keeps = keep))) },
  { weight: 2, arbitrary: fc.boolean().map((busy) => step(`busy: ${busy}`, (m) => (m.busy = busy))) },
  { weight: 2, arbitrary: fc.boolean().map((quick) => step(`quick: ${quick}`, (m) => (m.quick = quick))) },
  {
    weight: 1,
    arbitrary: fc.boolean().map((keep) => step(`keepAlive = ${keep}`, (m) => (m.limits.keepAlive = keep))),
  },
  { weight: 4, arbitrary: hosts.map((host) => step(`open a spare one ${host}`, (m) => m.openSpare(host))) },
  { weight: 3, arbitrary: hosts.map((host) => step(`keep ready ${host}`, (m) => m.keepReady(host))) },
  {
    weight: 1,
    arbitrary: hosts.map((host) => step(`make way ${host}`, (m) => m.pool.spares.makeWay(m.host(host)))),
  },
  {
    weight: 1,
    arbitrary: on(
      'give up a spare one',
      (m) => m.spares.values(),
      (m, one) => m.giveUpSpare(one),
    ),
  },
  { weight: 1, arbitrary: fc.constant(step('destroy', (model) => model.destroy())) },
  { weight: 1, arbitrary: fc.constant(step('close idle ones', (model) => model.closeIdleConnections())) },
  { weight: 1, arbitrary: fc.constant(step('close all', (model) => model.closeAllConnections())) },
);

/** The end of a pool, of which a history may have some more steps. */
const ends = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.nat({ max: 5 }).map((pieces) => step(`close, ${pieces}`, (m) => m.beginClose(pieces))),
  },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 5 }).map((pieces) => step(`end, ${pieces}`, (m) => m.end(pieces))),
  },
  {
    weight: 2,
    arbitrary: fc.nat({ max: 3 }).map((pieces) => step(`go on, ${pieces}`, (m) => m.goOnEnding(pieces))),
  },
);
const stepsToTheEnd = fc.oneof({ weight: 10, arbitrary: steps }, { weight: 1, arbitrary: ends });

function history(limits: Partial<Limits>): void {
  const bound = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(Infinity));
  fc.assert(
    fc.property(
      fc.record({
        maxSockets: bound,
        maxTotalSockets: bound,
        maxFreeSockets: fc.oneof(fc.nat({ max: 3 }), fc.constant(256)),
        scheduling: fc.constantFrom(...SCHEDULINGS),
        fairness: fc.constantFrom('round-robin' as const, 'fifo' as const),
        maxTotalFreeSockets: fc.oneof(fc.nat({ max: 4 }), fc.constant(Infinity)),
        maxQueueSize: fc.oneof(fc.nat({ max: 5 }), fc.constant(Infinity)),
        maxTotalQueueSize: fc.oneof(fc.nat({ max: 10 }), fc.constant(Infinity)),
        trimInterval: fc.constantFrom(0, 500),
      }),
      fc.record({
        maxRequests: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(Infinity)),
        maxAge: fc.constantFrom(500, 2000, Infinity),
      }),
      fc.array(steps, { minLength: 1, maxLength: 300, size: 'max' }),
      fc.array(stepsToTheEnd, { maxLength: 60, size: 'max' }),
      (random, bounds, run, end) => {
        const model = new Model({ ...random, ...limits });
        Object.assign(model, bounds);
        for (const one of [...run, ...end]) {
          one.run(model);
          model.check();
        }
        model.drain();
      },
    ),
    { numRuns: Number(process.env['HISTORIES'] ?? byEffort(100)), includeErrorInReport: true },
  );
}

test('random histories, eager binding', () => history({ binding: 'eager' }));
test('random histories, late binding', () => history({ binding: 'late' }));
test('random histories, one slot for all', () => history({ maxTotalSockets: 1 }));
test('random histories, late binding, two slots for all', () =>
  history({ binding: 'late', maxTotalSockets: 2 }));
test('random histories, nothing kept alive', () => history({ keepAlive: false, maxSockets: 2 }));
