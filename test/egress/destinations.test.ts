/** Names with several addresses, over real sockets: which one is tried, and what is told of them. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { describe, it, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { AddressStats, PoolingAgent, PoolingAgentOptions } from '../../src/index.js';
import { kPool } from '../../src/agent/pooling-agent.js';
import { observationOf } from '../../src/observe/observation.js';
import { poolingAgent } from '../support/agent.js';
import { get } from '../support/server.js';
import type { Answer } from '../support/server.js';
import { until } from '../support/until.js';
import { send } from '../contract/support.js';
import { addressOf, blackHole, fakeLookup, gatherNext, LIMIT, site, sites } from './support.js';
import type { Site } from './support.js';

const host = 'api.test.localhost';
const [ONE, TWO, THREE] = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;
const ONCE = { keepAlive: false };

interface Client {
  readonly agent: PoolingAgent;
  /** The address that has answered. */
  ask(options?: object): Promise<string>;
  addresses(): readonly AddressStats[];
}

function clientOf(t: TestContext, { ca, port }: Site, options: PoolingAgentOptions & object = {}): Client {
  const agent = poolingAgent(t, { ...ONCE, autoSelectFamilyAttemptTimeout: 100, ...options } as object);
  return {
    agent,
    ask: async (more) => (await get({ ca, port }, { agent, host, ...more })).body,
    addresses: () => agent.stats().hosts?.[`${host}:${port}`]?.addresses ?? [],
  };
}

/** Opens `count` connections. */
async function fill({ ask }: Client, count: number): Promise<void> {
  gatherNext(count);
  await Promise.all(Array.from({ length: count }, () => ask()));
}

/** The addresses that Node has tried for `req`, where it could choose. */
function triedBy({ req }: Answer): string[] {
  const tried =
    (req.socket as { autoSelectFamilyAttemptedAddresses?: string[] } | null)
      ?.autoSelectFamilyAttemptedAddresses ?? [];
  return tried.map((one) => one.slice(0, one.lastIndexOf(':')));
}

for (const kind of ['refuses', 'does not answer']) {
  for (const by of ['dns.lookup', 'a `lookup` option']) {
    test(`a first address that ${kind} is tried once, found by ${by}`, LIMIT, async (t) => {
      const live = await site(t, TWO);
      if (kind !== 'refuses') await blackHole(t, ONE, live.port);
      const fake = fakeLookup(t, ONE, TWO);
      const lookup = (_host: string, _options: object, done: (...args: unknown[]) => void): void =>
        void setImmediate(() => done(null, [addressOf(ONE), addressOf(TWO)]));
      const client = clientOf(t, live, by === 'dns.lookup' ? {} : ({ lookup } as object));
      const first = await get(live, { agent: client.agent, host });
      assert.deepEqual([triedBy(first), first.body], [[ONE, TWO], TWO]);
      const [dead, alive] = client.addresses();
      assert.equal(dead?.lastError, kind === 'refuses' ? 'ECONNREFUSED' : 'ETIMEDOUT');
      assert.ok((dead?.failedAgo ?? -1) >= 0);
      assert.deepEqual([alive?.address, alive?.current, alive?.lastError], [TWO, true, undefined]);
      for (let round = 0; round < 3; round++) {
        const next = await get(live, { agent: client.agent, host });
        assert.deepEqual([triedBy(next), next.body], [[TWO], TWO]);
      }
      assert.equal(fake.asked.length, by === 'dns.lookup' ? 1 : 0);
    });
  }
}

describe('where Node tries one address only, the next request tries another', () => {
  for (const [title, options] of [
    ['autoSelectFamily: false', { autoSelectFamily: false }],
    ['family', { family: 4 }],
    ['localAddress', { localAddress: '127.0.0.1' }],
  ] as const) {
    it(title, LIMIT, async (t) => {
      const live = await site(t, TWO);
      fakeLookup(t, ONE, TWO);
      const { ask, addresses } = clientOf(t, live, options as object);
      await assert.rejects(ask(), { code: 'ECONNREFUSED', address: ONE });
      assert.equal(addresses()[0]?.lastError, 'ECONNREFUSED');
      for (let round = 0; round < 3; round++) assert.equal(await ask(), TWO);
    });
  }
});

test(
  'an address that is dead for one port, or one local address, may be alive for another',
  LIMIT,
  async (t) => {
    const [one, two] = await sites(t, ONE, TWO);
    assert.ok(one && two);
    const other = await site(t, TWO);
    fakeLookup(t, ONE, TWO);
    const { agent, ask } = clientOf(t, one);
    assert.equal((await get(other, { agent, host })).body, TWO, 'nobody listens at the first one there');
    assert.equal(await ask(), ONE);
    assert.equal(await ask({ localAddress: '127.0.0.1' }), ONE);
  },
);

test('an address that comes back is used when the others are gone', LIMIT, async (t) => {
  const live = await site(t, TWO);
  fakeLookup(t, ONE, TWO);
  const { ask, addresses } = clientOf(t, live);
  assert.equal(await ask(), TWO);
  await live.close();
  await site(t, ONE, live.port);
  assert.equal(await ask(), ONE);
  assert.equal(await ask(), ONE);
  const [one, two] = addresses();
  assert.equal(one?.lastError, undefined);
  assert.equal(two?.lastError, 'ECONNREFUSED');
});

test('families may be mixed', LIMIT, async (t) => {
  const live = await site(t, '::1');
  fakeLookup(t, '127.0.0.1', '0:0:0:0:0:0:0:1', ONE);
  const client = clientOf(t, live);
  const first = await get(live, { agent: client.agent, host });
  assert.equal(triedBy(first)[0], '127.0.0.1');
  const second = await get(live, { agent: client.agent, host });
  assert.equal(triedBy(second)[0], '0:0:0:0:0:0:0:1');
  assert.deepEqual(
    client.addresses().map(({ address, current }) => [address, current]),
    [
      ['127.0.0.1', true],
      ['::1', true],
      [ONE, true],
    ],
  );
});

test('an address at which no handshake ends is tried last', LIMIT, async (t) => {
  const live = await site(t, TWO);
  const mute = createServer((socket) => socket.on('error', () => {}));
  const sockets = new Set<Socket>();
  mute.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => mute.listen(live.port, ONE, resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  fakeLookup(t, ONE, TWO);
  const { ask, addresses } = clientOf(t, live, { connectTimeout: 500 });
  await assert.rejects(ask(), { code: 'ETIMEDOUT', phase: 'secureConnect' });
  assert.equal(await ask(), TWO);
  assert.equal(addresses()[0]?.lastError, 'ETIMEDOUT');
});

test(
  'a certificate that is not trusted says nothing of the address, nor does a request that gives up',
  LIMIT,
  async (t) => {
    const [one, two] = await sites(t, ONE, TWO);
    assert.ok(one && two);
    fakeLookup(t, ONE, TWO);
    const { agent, ask, addresses } = clientOf(t, one, { connectTimeout: 5000 });
    await assert.rejects(get(one, { agent, host: 'a.b.c.test' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    await assert.rejects(get(one, { agent, host, ca: '' }));
    const sent = send(one, { agent, host });
    sent.req.on('socket', (socket) => socket.on('connect', () => sent.req.destroy()));
    await sent.closed;
    assert.equal(await ask(), ONE);
    assert.equal(addresses()[0]?.lastError, undefined);
    assert.equal(agent.stats().hosts?.[`a.b.c.test:${one.port}`]?.addresses?.[0]?.lastError, undefined);
  },
);

test('a request that gives up while an address is tried says nothing of that one', LIMIT, async (t) => {
  const live = await site(t, TWO);
  await blackHole(t, ONE, live.port);
  fakeLookup(t, ONE, TWO);
  const { agent, addresses } = clientOf(t, live, { autoSelectFamilyAttemptTimeout: 10_000 });
  const sent = send(live, { agent, host });
  await until(() => addresses()[0]?.connections === 1);
  sent.req.destroy();
  await sent.closed;
  await until(() => agent.totalSocketCount === 0);
  assert.deepEqual(
    addresses().map(({ connections, lastError }) => [connections, lastError]),
    [
      [0, undefined],
      [0, undefined],
    ],
  );
});

for (const binding of ['eager', 'late'] as const) {
  test(`a dial whose time is over has failed at its address, ${binding} binding`, LIMIT, async (t) => {
    const live = await site(t, TWO);
    await blackHole(t, ONE, live.port);
    fakeLookup(t, ONE, TWO);
    const { ask, addresses } = clientOf(t, live, {
      autoSelectFamilyAttemptTimeout: 10_000,
      connectTimeout: 300,
      binding,
    });
    await assert.rejects(ask(), { code: 'ETIMEDOUT', phase: 'connect' });
    assert.equal(addresses()[0]?.lastError, 'ETIMEDOUT');
    assert.equal(await ask(), TWO);
  });
}

test('statistics and the live page tell of addresses', LIMIT, async (t) => {
  const [one, two] = await sites(t, ONE, TWO);
  assert.ok(one && two);
  fakeLookup(t, THREE, ONE, TWO);
  const client = clientOf(t, one, { keepAlive: true, dns: { rotate: true } });
  const { agent, addresses } = client;
  assert.deepEqual(addresses(), []);
  await client.ask();
  await fill(client, 4);
  assert.deepEqual(
    addresses().map(({ address, connections }) => [address, connections]),
    [
      [THREE, 0],
      [ONE, 2],
      [TWO, 2],
    ],
  );
  const [dead, ...others] = observationOf(agent[kPool]).details(`${host}:${one.port}`, 10).addresses;
  assert.deepEqual(others, [
    { address: ONE, connections: 2, current: true, lastError: '', failedAgo: -1 },
    { address: TWO, connections: 2, current: true, lastError: '', failedAgo: -1 },
  ]);
  assert.equal(dead?.lastError, 'ECONNREFUSED');
  agent.closeIdleConnections();
  await until(() => agent.totalSocketCount === 0);
  for (const { connections } of addresses()) assert.equal(connections, 0);
});

describe('rotation', () => {
  const held = (t: TestContext, addresses: string[]): Promise<Site[]> => sites(t, ...addresses);

  for (const [title, options] of [
    ['where Node tries several addresses', { autoSelectFamilyAttemptTimeout: 5000 }],
    ['where it tries one', { autoSelectFamily: false }],
    ['with late binding', { binding: 'late', autoSelectFamilyAttemptTimeout: 5000 }],
  ] as const) {
    it(`spreads connections evenly ${title}`, LIMIT, async (t) => {
      const all = await held(t, [ONE, TWO, THREE]);
      const [first] = all;
      assert.ok(first);
      fakeLookup(t, ONE, TWO, THREE);
      const { ask } = clientOf(t, first, { ...options, dns: { rotate: true } });
      await Promise.all(Array.from({ length: 30 }, () => ask()));
      assert.deepEqual(
        all.map(({ accepted }) => accepted()),
        [10, 10, 10],
      );
      for (let i = 0; i < 9; i++) await ask();
      assert.deepEqual(
        all.map(({ accepted }) => accepted()),
        [13, 13, 13],
        'in turn',
      );
    });
  }

  it('leaves out an address that has failed', LIMIT, async (t) => {
    const [one, two] = await held(t, [ONE, TWO]);
    assert.ok(one && two);
    fakeLookup(t, THREE, ONE, TWO);
    const { ask, addresses } = clientOf(t, one, { dns: { rotate: true } });
    await ask();
    const before = addresses().find(({ address }) => address === THREE)?.failedAgo ?? -1;
    assert.ok(before >= 0);
    for (let i = 0; i < 9; i++) await ask();
    assert.deepEqual([one.accepted(), two.accepted()], [5, 5]);
  });

  it('gives a new address the next connections', LIMIT, async (t) => {
    const [one, two] = await held(t, [ONE, TWO]);
    assert.ok(one && two);
    const fake = fakeLookup(t, ONE);
    const client = clientOf(t, one, { keepAlive: true, dns: { rotate: true, ttl: 0 } });
    await fill(client, 4);
    fake.addresses = [ONE, TWO];
    await fill(client, 8);
    assert.equal(client.agent.totalSocketCount, 8);
    assert.deepEqual([one.open(), two.open()], [4, 4]);
  });

  it('without it, the order of the resolver counts', LIMIT, async (t) => {
    const [one, two] = await held(t, [ONE, TWO]);
    assert.ok(one && two);
    fakeLookup(t, ONE, TWO);
    const { ask } = clientOf(t, one);
    await Promise.all(Array.from({ length: 10 }, () => ask()));
    assert.deepEqual([one.accepted(), two.accepted()], [10, 0]);
  });
});

describe('follow', () => {
  const FOLLOW = { keepAlive: true, idleTimeout: 60_000, dns: { follow: true, ttl: 20 } };

  it(
    'gives up idle connections to an address that the name no longer has, a few at a time',
    LIMIT,
    async (t) => {
      const [one, two] = await sites(t, ONE, TWO);
      assert.ok(one && two);
      const fake = fakeLookup(t, ONE);
      const client = clientOf(t, one, FOLLOW);
      const { agent, addresses } = client;
      await fill(client, 20);
      assert.equal(one.open(), 20);
      fake.addresses = [TWO];
      const gone = (): number => agent.stats().closed['address-gone'];
      let most = 0;
      let before = 0;
      await until(() => {
        most = Math.max(most, gone() - before);
        before = gone();
        return gone() >= 4;
      });
      assert.ok(most <= 2, `${most} at once`);
      assert.deepEqual(
        addresses().map(({ address, current }) => [address, current]),
        [
          [TWO, true],
          [ONE, false],
        ],
      );
      assert.ok(agent.totalSocketCount >= 14, 'the others serve on');
    },
  );

  it('gives up one in use after its exchange', LIMIT, async (t) => {
    const waiting: (() => void)[] = [];
    const one = await site(t, ONE, 0, (_req, res) => void waiting.push(() => res.end(ONE)));
    const two = await site(t, TWO, one.port);
    const fake = fakeLookup(t, ONE);
    const { agent, ask } = clientOf(t, one, { ...FOLLOW, maxSockets: 1 });
    const first = ask();
    await until(() => waiting.length === 1);
    const second = ask();
    fake.addresses = [TWO];
    await until(() => fake.asked.length >= 5);
    waiting.shift()?.();
    assert.equal(await first, ONE);
    assert.equal(await second, TWO, 'what has waited gets a new one');
    assert.equal(agent.stats().closed['address-gone'], 1);
    assert.equal(two.open(), 1);
  });

  it('one answer that lacks an address, or none at all, changes nothing', LIMIT, async (t) => {
    const one = await site(t, ONE);
    const fake = fakeLookup(t, ONE);
    const { agent, ask, addresses } = clientOf(t, one, FOLLOW);
    await ask();
    fake.addresses = [TWO];
    await until(() => addresses().some(({ address, current }) => address === TWO && current));
    fake.addresses = [ONE];
    await until(() => !addresses().some(({ address }) => address === TWO));
    const { length } = fake.asked;
    fake.error = Object.assign(new Error('no'), { code: 'ENOTFOUND' });
    await until(() => fake.asked.length >= length + 3);
    assert.equal(agent.totalSocketCount, 1);
  });

  it('asks a `lookup` option, too', LIMIT, async (t) => {
    const [one, two] = await sites(t, ONE, TWO);
    assert.ok(one && two);
    let address: string = ONE;
    const lookup = (_host: string, _options: object, done: (...args: unknown[]) => void): void =>
      void setImmediate(() => done(null, [addressOf(address)]));
    const { agent, ask } = clientOf(t, one, { ...FOLLOW, lookup } as object);
    assert.equal(await ask(), ONE);
    address = TWO;
    await until(() => agent.totalSocketCount === 0);
    assert.equal(await ask(), TWO);
  });

  it('without it, connections stay', LIMIT, async (t) => {
    const one = await site(t, ONE);
    const fake = fakeLookup(t, ONE);
    const { agent, ask } = clientOf(t, one, { ...FOLLOW, dns: { ttl: 20 } });
    await ask();
    fake.addresses = [TWO];
    await setTimeout(3200);
    assert.deepEqual([agent.totalSocketCount, fake.asked.length], [1, 1]);
  });

  it('with maxSocketAge, a connection is replaced at an address that counts', LIMIT, async (t) => {
    const [one, two] = await sites(t, ONE, TWO);
    assert.ok(one && two);
    const fake = fakeLookup(t, ONE);
    const { agent, ask } = clientOf(t, one, { ...FOLLOW, maxSocketAge: 300 });
    assert.equal(await ask(), ONE);
    fake.addresses = [TWO];
    await until(() => agent.totalSocketCount === 0);
    assert.equal(await ask(), TWO);
    assert.equal(agent.stats().closed['max-age'], 1);
  });
});
