/**
 * Agents copied by libraries that merge options or keep configuration: lodash, hoek, fast-copy, webdav, node-config. What these do to an
 * object is done here in a few lines each. A copy works as an agent made with the same options does, and shares nothing else.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import tls from 'node:tls';
import { inspect } from 'node:util';
import { SessionCache } from '../../src/index.js';
import { isPlain, PoolingAgent, TLS_ONLY } from '../support/protocol.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { LIMIT, untilIdle } from './support.js';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

type Copy = (agent: PoolingAgent) => PoolingAgent;

const prototypeOf = (object: object): object => Object.getPrototypeOf(object) as object;

/** Copies the property `key`, whose value is copied by `clone`. */
type CopyProperty = (from: object, to: object, key: PropertyKey, clone: <T>(value: T) => T) => void;

/** All the way down. */
function clone<T>(value: T, copyProperty: CopyProperty, seen = new Map<unknown, unknown>()): T {
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value) as T;
  if (Buffer.isBuffer(value)) return Buffer.from(value) as T;
  const copy: object = Array.isArray(value) ? [] : Object.create(prototypeOf(value));
  seen.set(value, copy);
  for (const key of Reflect.ownKeys(value)) {
    if (Array.isArray(value) && key === 'length') continue;
    copyProperty(value, copy, key, (inner) => clone(inner, copyProperty, seen));
  }
  return copy as T;
}

/** Own enumerable properties, symbols too: lodash's `cloneDeep`, fast-copy. */
function cloneDeep<T>(value: T): T {
  return clone(value, (from, to, key, cloneValue) => {
    if (Object.prototype.propertyIsEnumerable.call(from, key))
      Reflect.set(to, key, cloneValue<unknown>(Reflect.get(from, key)));
  });
}

/** All own properties, accessors as they are: hoek, fast-copy's strict mode. */
function cloneAll<T>(value: T): T {
  return clone(value, (from, to, key, cloneValue) => {
    const descriptor = Object.getOwnPropertyDescriptor(from, key) ?? {};
    if ('value' in descriptor) descriptor.value = cloneValue<unknown>(descriptor.value);
    Object.defineProperty(to, key, descriptor);
  });
}

const COPIES: Record<string, Copy> = {
  'Object.assign onto the prototype': (agent) =>
    Object.assign(Object.create(prototypeOf(agent)), agent) as PoolingAgent,
  'spread, the prototype set then': (agent) =>
    Object.setPrototypeOf({ ...agent }, prototypeOf(agent)) as PoolingAgent,
  'for … in': (agent) => {
    const copy = Object.create(prototypeOf(agent)) as PoolingAgent;
    for (const key in agent) if (Object.hasOwn(agent, key)) Reflect.set(copy, key, Reflect.get(agent, key));
    return copy;
  },
  'a deep clone of what is enumerable': (agent) => cloneDeep(agent),
  'a deep clone of everything': (agent) => cloneAll(agent),
  'its property descriptors': (agent) =>
    Object.create(prototypeOf(agent), Object.getOwnPropertyDescriptors(agent)) as PoolingAgent,
  'a copy of a copy': (agent) => cloneDeep(cloneAll(agent)),
};

/** Copies made by these have the limits of the options. */
const COPIED_AS_ACCESSORS: ReadonlySet<string> = new Set([
  'a deep clone of everything',
  'its property descriptors',
  'a copy of a copy',
]);

class Tagged extends PoolingAgent {
  readonly tag: string;
  removed = 0;

  constructor(options: PoolingAgentOptions) {
    super(options);
    this.tag = 'own';
  }

  override removeSocket(...args: Parameters<PoolingAgent['removeSocket']>): void {
    this.removed++;
    super.removeSocket(...args);
  }
}

for (const [name, copyOf] of Object.entries(COPIES)) {
  describe(`An agent copied by ${name}`, () => {
    for (const isUsed of [false, true]) {
      it(
        `is an agent of its own, ${isUsed ? 'made of one that is in use' : 'made at once'}`,
        LIMIT,
        async (t) => {
          const server = await httpsServer(t);
          const options = {
            ca: [server.ca],
            maxSockets: 1,
            maxTotalSockets: '9',
            scheduling: 'random',
            tenant: 'a',
          };
          const original = poolingAgent(t, options as unknown as PoolingAgentOptions);
          if (isUsed) {
            await get(server, { agent: original });
            await untilIdle(original);
            original.maxFreeSockets = 5;
          }
          const copy = copyOf(original);
          t.after(() => copy.destroy());
          const before = server.connections();
          const answers = [get(server, { agent: copy }), get(server, { agent: copy })];
          assert.equal(copy.totalSocketCount, 1);
          const isRead = isUsed && !COPIED_AS_ACCESSORS.has(name);
          assert.equal(
            copy.maxFreeSockets,
            isRead ? 5 : 256,
            'what the limit was when it was read for the copy',
          );
          for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
          assert.equal(server.connections(), before + 1, 'its limit holds, and its connection is shared');
          assert.deepEqual([copy.maxTotalSockets, copy.scheduling], [9, 'random']);
          assert.equal(Reflect.get(copy.options, 'tenant'), 'a');
          assert.equal(original.totalSocketCount, isUsed ? 1 : 0);
          assert.equal(Object.keys(copy.freeSockets).length + Object.keys(copy.sockets).length, 1);

          copy.maxSockets = 7;
          copy.options.timeout = 77;
          copy.keepAliveMsecs = 5;
          assert.equal(original.maxSockets, 1);
          assert.equal(original.options.timeout, undefined);
          assert.equal(original.keepAliveMsecs, 1000);
          original.maxSockets = 3;
          assert.equal(copy.maxSockets, 7);

          copy.destroy();
          assert.equal((await get(server, { agent: original })).status, 200);
          original.destroy();
          assert.equal((await get(server, { agent: copy })).status, 200);
          assert.ok(inspect(copy).startsWith(PoolingAgent.name));
        },
      );
    }

    it('has listeners of its own', LIMIT, async (t) => {
      const server = await httpsServer(t);
      const original = poolingAgent(t, { ca: server.ca });
      const heard: string[] = [];
      original.on('free', () => heard.push('original'));
      const copy = copyOf(original);
      t.after(() => copy.destroy());
      // It is an agent by now, however it was copied.
      assert.deepEqual(copy.sockets, Object.create(null));
      copy.on('free', () => heard.push('copy'));
      if (!isPlain) copy.on('keylog', () => heard.includes('keylog') || heard.push('keylog'));
      const first = isPlain ? [] : ['keylog'];
      await get(server, { agent: copy });
      await untilIdle(copy);
      assert.deepEqual(heard, [...first, 'copy']);
      await get(server, { agent: original });
      await untilIdle(original);
      assert.deepEqual(heard, [...first, 'copy', 'original']);
    });

    it('takes limits and rules before it is used first', LIMIT, async (t) => {
      const server = await httpsServer(t);
      const copy = copyOf(poolingAgent(t, { ca: server.ca }));
      t.after(() => copy.destroy());
      copy.maxSockets = 0;
      const answer = get(server, { agent: copy });
      await until(() => waitingCount(copy) === 1);
      copy.maxSockets = 1;
      assert.equal((await answer).status, 200);
      copy.setHostLimits('localhost', { maxSockets: 0 });
      const paused = get(server, { agent: copy });
      await until(() => waitingCount(copy) === 1);
      copy.destroy();
      await assert.rejects(paused, { code: 'ERR_AGENT_DESTROYED' });
    });

    it('of a subclass is one of the subclass', LIMIT, async (t) => {
      const server = await httpsServer(t);
      const original = new Tagged({ ca: server.ca });
      const copy = copyOf(original) as Tagged;
      t.after(() => copy.destroy());
      assert.equal((await get(server, { agent: copy })).status, 200);
      assert.equal(copy.tag, 'own');
      copy.destroy();
      await until(() => copy.removed === 1);
      assert.equal(original.removed, 0);
    });
  });
}

it(
  'what the options name is shared, and what cannot be copied is made anew or refused',
  { ...LIMIT, ...TLS_ONLY },
  async (t) => {
    const server = await httpsServer(t, (_req, res) => res.setHeader('connection', 'close').end());
    const sessionCache = new SessionCache();
    const shallow = COPIES['Object.assign onto the prototype'] as Copy;
    const agent = poolingAgent(t, { ca: server.ca, sessionCache });
    await get(server, { agent });
    await get(server, { agent: shallow(agent) });
    assert.equal(sessionCache.stats.resumed, 1);
    for (const copyOf of [cloneDeep, cloneAll] as Copy[]) {
      const copy = copyOf(agent);
      for (let i = 0; i < 2; i++) assert.equal((await get(server, { agent: copy })).status, 200);
      assert.equal(sessionCache.stats.resumed, 1, 'a cache of its own');
    }

    const withContext = poolingAgent(t, { secureContext: tls.createSecureContext({ ca: server.ca }) });
    assert.equal((await get(server, { agent: shallow(withContext), ca: server.ca })).status, 200);
    for (const copyOf of [cloneDeep, cloneAll] as Copy[]) {
      const ask = async (): Promise<unknown> => get(server, { agent: copyOf(withContext) });
      await assert.rejects(ask, { code: 'ERR_INVALID_ARG_TYPE', message: /secureContext/ });
    }
  },
);

it('a proxy of an agent, and an object that inherits from one, are that agent', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const original = poolingAgent(t, { ca: server.ca });
  for (const other of [new Proxy(original, {}), Object.create(original) as PoolingAgent]) {
    await get(server, { agent: other });
    await untilIdle(original);
    other.maxSockets = 3;
    assert.equal(original.maxSockets, 3);
    assert.equal(other.totalSocketCount, 1);
  }
  assert.equal(server.connections(), 1);
  assert.equal(inspect(Object.create(PoolingAgent.prototype)), `${PoolingAgent.name} {}`);
});
