/** Look-ups of names: which are shared, which are remembered, and who hears what. Over real sockets; the resolver is the test's. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import dns from 'node:dns';
import { Agent, request } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { describe, it, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import tls from 'node:tls';
import { Lookups, questionOf } from '../../src/egress/dns/lookups.js';
import type { Lookup } from '../../src/egress/dns/lookups.js';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { nextUncaught } from '../support/uncaught.js';
import { until } from '../support/until.js';
import { forBoth, send } from '../contract/support.js';
import { fakeLookup, LIMIT, notFound, sites } from './support.js';

/** A name that the certificate is for. */
const host = 'api.test.localhost';
const OVER_A_SECOND = 1050;

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Each request gets a connection of its own. */
const ONCE = { keepAlive: false };

for (const ttl of [60_000, 0]) {
  test(`a cold burst is one look-up, with a ttl of ${ttl}`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const fake = fakeLookup(t);
    const agent = poolingAgent(t, { ...ONCE, dns: { ttl } });
    const begunAt = performance.now();
    const all = Promise.all(many(50, () => get(server, { agent, host })));
    await until(() => agent.totalSocketCount === 50);
    // On a machine that takes longer, the first one counts as lost after 3 s.
    const most = 1 + Math.floor((performance.now() - begunAt) / 3000);
    const { length } = fake.asked;
    assert.ok(length <= most, `${length} look-ups`);
    for (const one of fake.asked) one.answer('127.0.0.1');
    await all;
    assert.equal(server.connections(), 50);
    fake.addresses = ['127.0.0.1'];
    await get(server, { agent, host });
    assert.equal(fake.asked.length, ttl === 0 ? length + 1 : length);
  });
}

test('an answer counts for the ttl', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t, '127.0.0.1');
  const agent = poolingAgent(t, { ...ONCE, dns: { ttl: 30 } });
  await get(server, { agent, host });
  await setTimeout(70);
  await get(server, { agent, host });
  assert.equal(fake.asked.length, 2);
});

test('an answer that is about to be too old serves while a new one is fetched', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t, '127.0.0.1');
  const agent = poolingAgent(t, { ...ONCE, dns: { ttl: 500 } });
  await get(server, { agent, host });
  fake.addresses = undefined;
  await setTimeout(550);
  await get(server, { agent, host });
  assert.equal(fake.asked.length, 2, 'which nobody has answered yet');
  fake.asked[1]?.answer('127.0.0.1');
});

test('without the option, or with a `lookup`, each connection has its own look-up', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t, '127.0.0.1');
  const off = poolingAgent(t, { ...ONCE, dns: false });
  await Promise.all(many(3, () => get(server, { agent: off, host })));
  assert.equal(fake.asked.length, 3);
  const asked: unknown[][] = [];
  const lookup: RequestOptions['lookup'] = (hostname, options, callback) => {
    asked.push([hostname, options.all, options.family, options.hints]);
    setImmediate(() => callback(null, [{ address: '127.0.0.1', family: 4 }]));
  };
  for (const given of [{ lookup }, { lookup, dns: { ttl: 5000 } }]) {
    asked.length = 0;
    const agent = poolingAgent(t, { ...ONCE, ...given } as object);
    await Promise.all(many(3, () => get(server, { agent, host })));
    await get(server, { agent, host });
    assert.deepEqual(
      asked,
      many(4, () => [host, true, undefined, dns.ADDRCONFIG]),
    );
  }
  assert.equal(fake.asked.length, 3, 'and Node is not asked');
});

test('an address is not looked up', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t, '127.0.0.1');
  const agent = poolingAgent(t);
  await get(server, { agent, host: '127.0.0.1' });
  assert.equal(fake.asked.length, 0);
  assert.deepEqual(agent.stats().hosts?.[`127.0.0.1:${server.port}`]?.addresses, undefined);
});

test('an answer counts for the family and the hints that it was asked for', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t, '127.0.0.1');
  const agent = poolingAgent(t, { ...ONCE, dns: { ttl: 60_000 } });
  const kinds: object[] = [
    {},
    { family: 4 },
    { hints: dns.ALL },
    { autoSelectFamily: false },
    { localAddress: '127.0.0.1' },
  ];
  for (let round = 0; round < 2; round++)
    for (const kind of kinds) await get(server, { agent, host, ...kind });
  // The last two ask the same as the first, but for the number of addresses.
  const asked = fake.asked.map(({ family, hints }) => [family ?? 0, hints]);
  assert.deepEqual(asked, [
    [0, dns.ADDRCONFIG],
    [4, 0],
    [0, dns.ALL],
  ]);
  fake.addresses = ['::1'];
  await assert.rejects(get(server, { agent, host, family: 6 }), { address: '::1' });
  assert.equal(fake.asked.at(-1)?.family, 6);
});

forBoth('each request hears its answer in its own async context', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t);
  const agent = make(ONCE);
  const context = new AsyncLocalStorage<number>();
  const heard: (number | undefined)[] = [];
  const burst = (first: number): Promise<unknown>[] =>
    many(5, (index) =>
      context.run(first + index, async () => {
        const sent = send(server, { agent, host });
        sent.req.on('socket', (socket) =>
          socket.on('lookup', () => {
            assert.equal(context.getStore(), first + index);
            heard.push(context.getStore());
          }),
        );
        await sent.closed;
      }),
    );
  const together = burst(0);
  await until(() => agent.totalSocketCount === 5);
  // Their sockets have listeners by then.
  await new Promise(setImmediate);
  fake.addresses = ['127.0.0.1'];
  for (const asked of fake.asked) asked.answer('127.0.0.1');
  await Promise.all(together);
  // From memory.
  await Promise.all(burst(5));
  assert.deepEqual(
    heard.toSorted(),
    many(10, (index) => index),
  );
});

describe("the events 'lookup' of a socket are those of Node's agent", () => {
  const CASES: [title: string, options: object, addresses: string[]][] = [
    ['one address', {}, ['127.0.0.1']],
    ['several', {}, ['127.0.0.1', '127.0.0.2', '::1']],
    ['one of several', { autoSelectFamily: false }, ['127.0.0.1', '127.0.0.2']],
    ['of one family', { family: 4 }, ['127.0.0.1', '127.0.0.2']],
    ['from a local address', { localAddress: '127.0.0.1' }, ['127.0.0.1', '127.0.0.2']],
  ];
  for (const [title, options, addresses] of CASES) {
    it(title, LIMIT, async (t) => {
      const server = await httpsServer(t);
      fakeLookup(t, ...addresses);
      const listen = async (agent: Agent): Promise<unknown[][]> => {
        const events: unknown[][] = [];
        const sent = send(server, { agent, host, ...options });
        sent.req.on('socket', (socket: Socket) => socket.on('lookup', (...args) => events.push(args)));
        await sent.closed;
        return events;
      };
      const core = await listen(new Agent());
      assert.ok(core.length > 0);
      const agent = poolingAgent(t, ONCE);
      for (let round = 0; round < 2; round++) assert.deepEqual(await listen(agent), core);
    });
  }
});

for (const binding of ['eager', 'late'] as const) {
  test(`one that gives up stops none of the others, ${binding} binding`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const fake = fakeLookup(t);
    const agent = poolingAgent(t, { ...ONCE, binding });
    const sent = many(5, () => send(server, { agent, host }));
    await until(() => fake.asked.length === 1 && agent.totalSocketCount === 5);
    sent[0]?.req.destroy();
    sent[3]?.req.destroy();
    await sent[0]?.closed;
    fake.asked[0]?.answer('127.0.0.1');
    await Promise.all(sent.map(({ closed }) => closed));
    const answered = sent.filter(({ events }) => events.includes('response'));
    assert.equal(answered.length, 3);
  });
}

test("a listener of 'lookup' that throws stops none of the others", LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t);
  const agent = poolingAgent(t, ONCE);
  const sent = many(4, () => send(server, { agent, host }));
  const thrown = nextUncaught(t);
  sent[0]?.req.on('socket', (socket) =>
    socket.on('lookup', () => {
      throw new Error('thrown by a listener');
    }),
  );
  await until(() => agent.totalSocketCount === 4);
  fake.asked[0]?.answer('127.0.0.1');
  assert.match(String(await thrown), /thrown by a listener/);
  await Promise.all(sent.slice(1).map(({ closed }) => closed));
  for (const { events } of sent.slice(1)) assert.deepEqual(events, ['response', 'close']);
  sent[0]?.req.destroy();
  await sent[0]?.closed;
});

describe('a resolver that misbehaves', () => {
  it('calls back twice', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const fake = fakeLookup(t);
    const agent = poolingAgent(t, ONCE);
    const first = get(server, { agent, host });
    await until(() => fake.asked.length === 1);
    fake.asked[0]?.answer('127.0.0.1');
    fake.asked[0]?.fail(new Error('too late'));
    fake.asked[0]?.answer('127.0.0.2');
    assert.equal((await first).status, 200);
    await get(server, { agent, host });
    assert.equal(fake.asked.length, 1);
  });

  it('calls back at once', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const { lookup } = dns;
    t.after(() => void Reflect.set(dns, 'lookup', lookup));
    const at = (addresses: unknown): void =>
      void Reflect.set(dns, 'lookup', (_host: string, _options: object, done: (...args: unknown[]) => void) =>
        done(null, addresses),
      );
    at([{ address: '127.0.0.1', family: 4 }]);
    const agent = poolingAgent(t, ONCE);
    const heard: unknown[] = [];
    const sent = send(server, { agent, host });
    sent.req.on('socket', (socket) => socket.on('lookup', (_error, address) => heard.push(address)));
    await sent.closed;
    assert.deepEqual([sent.events, heard], [['response', 'close'], ['127.0.0.1']], 'its listeners hear it');
    at('127.0.0.1');
    assert.equal((await get(server, { agent, host })).status, 200, 'one address, where all were asked for');
  });

  for (const [title, args] of [
    ['nothing', []],
    ['an empty list', [null, []]],
    ['no address', [null, 'localhost', 4]],
    ['a list of nonsense', [null, [undefined, {}, { address: 'x', family: 4 }]]],
  ] as const) {
    it(`calls back ${title}`, LIMIT, async (t) => {
      const fake = fakeLookup(t);
      const agent = poolingAgent(t);
      const sent = send({ port: 443 }, { agent, host });
      await until(() => fake.asked.length === 1);
      fake.asked[0]?.callback(...args);
      await sent.closed;
      assert.equal(sent.errors[0]?.code, 'ERR_INVALID_IP_ADDRESS');
      const lookup = (_host: string, _options: object, done: (...all: unknown[]) => void): void =>
        void setImmediate(() => done(...args));
      const own = send({ port: 443 }, { agent, host, lookup: lookup as never });
      await own.closed;
      assert.equal(own.errors[0]?.code, 'ERR_INVALID_IP_ADDRESS');
    });
  }

  it('fails with what is no error', LIMIT, async (t) => {
    const fake = fakeLookup(t);
    fake.error = 'gone';
    const agent = poolingAgent(t);
    const sent = many(2, () => send({ port: 443 }, { agent, host }));
    await Promise.all(sent.map(({ closed }) => closed));
    for (const { events } of sent) assert.deepEqual(events, ['error', 'close']);
  });

  it('throws', LIMIT, async (t) => {
    const { lookup } = dns;
    t.after(() => void Reflect.set(dns, 'lookup', lookup));
    Reflect.set(dns, 'lookup', () => {
      throw new Error('thrown');
    });
    const agent = poolingAgent(t);
    for (let round = 0; round < 2; round++) {
      const sent = send({ port: 443 }, { agent, host });
      await sent.closed;
      assert.match(String(sent.errors[0]), /thrown/);
    }
  });

  it('never calls back: later requests ask again, and what is lost keeps nobody else waiting', () => {
    const asked: Parameters<Lookup>[] = [];
    let now = 0;
    const fake = { lookup: (...args: Parameters<Lookup>) => asked.push(args) };
    const lookups = new Lookups({ ttl: 1000, maxStale: 0, maxEntries: 10 }, fake, () => now);
    const question = questionOf('x', { all: true });
    assert.ok(question);
    const heard: unknown[] = [];
    for (now = 0; now < 9000; now += 500) lookups.ask(question, (...args) => heard.push(args));
    assert.equal(asked.length, 3);
    assert.equal(heard.length, 0);
    for (let i = 0; i < 1000; i++) {
      const other = questionOf(`x${i}`, {});
      if (other) lookups.ask(other, () => {});
    }
    assert.ok(lookups.size <= 10, 'it does not grow without end');
  });
});

test(
  'each request has an error of its own, and the failure is forgotten after a second',
  LIMIT,
  async (t) => {
    const fake = fakeLookup(t);
    const agent = poolingAgent(t);
    const sent = many(3, () => send({ port: 443 }, { agent, host }));
    await until(() => agent.totalSocketCount === 3);
    fake.error = notFound(host);
    fake.asked[0]?.fail(fake.error);
    await Promise.all(sent.map(({ closed }) => closed));
    sent.push(send({ port: 443 }, { agent, host }));
    await sent.at(-1)?.closed;
    assert.equal(fake.asked.length, 1);
    const errors = sent.map(({ errors: [error] }) => error);
    assert.equal(new Set(errors).size, 4, 'no two share one');
    for (const error of errors) {
      assert.ok(error instanceof Error);
      const { code, errno, syscall, hostname, message } = error as unknown as Record<string, unknown>;
      assert.deepEqual([code, errno, syscall, hostname], ['ENOTFOUND', -3008, 'getaddrinfo', host]);
      assert.equal(message, `getaddrinfo ENOTFOUND ${host}`);
      assert.match(String(error.stack), /ENOTFOUND/);
    }
    await setTimeout(OVER_A_SECOND);
    await send({ port: 443 }, { agent, host }).closed;
    assert.equal(fake.asked.length, 2);
  },
);

forBoth('a name that does not exist fails with the error of the resolver', async ({ t, agent: make }) => {
  const sent = send({ port: 443 }, { agent: make(), host: 'no-such-name.invalid' });
  await sent.closed;
  const { code, syscall, hostname } = sent.errors[0] as unknown as Record<string, unknown>;
  assert.equal(syscall, 'getaddrinfo');
  assert.ok(code === 'ENOTFOUND' || code === 'EAI_AGAIN', String(code));
  assert.equal(hostname, 'no-such-name.invalid');
  assert.ok(t);
});

test('a question that Node refuses is refused', LIMIT, async (t) => {
  const agent = poolingAgent(t);
  for (let round = 0; round < 2; round++) {
    const sent = send({ port: 443 }, { agent, host, hints: 1 << 30 });
    await sent.closed;
    assert.equal(sent.errors[0]?.code, 'ERR_INVALID_ARG_VALUE');
  }
});

test(
  'another `dns.lookup` is called at once, and what the one before it said counts no more',
  LIMIT,
  async (t) => {
    const [one, other] = await sites(t, '127.0.0.2', '127.0.0.3');
    assert.ok(one && other);
    const before = fakeLookup(t, one.address);
    const agent = poolingAgent(t, ONCE);
    const to = async (): Promise<string> => (await get(one, { agent, host })).body;
    assert.equal(await to(), one.address);
    const pending = fakeLookup(t);
    const slow = to();
    await until(() => pending.asked.length === 1);
    const after = fakeLookup(t, other.address);
    assert.equal(await to(), other.address);
    pending.asked[0]?.answer(one.address);
    assert.equal(await slow, one.address, 'one that was asked before is answered');
    assert.equal(await to(), other.address, 'and is not remembered');
    assert.equal(before.asked.length, 1);
    assert.equal(after.asked.length, 1);
  },
);

test('the order of results is asked for anew when it is another', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t, '127.0.0.1');
  const agent = poolingAgent(t, ONCE);
  const order = dns.getDefaultResultOrder();
  t.after(() => dns.setDefaultResultOrder(order as never));
  await get(server, { agent, host });
  dns.setDefaultResultOrder(order === 'ipv4first' ? 'verbatim' : 'ipv4first');
  await get(server, { agent, host });
  assert.equal(fake.asked.length, 2);
});

describe('where others open the connections, they find the names', () => {
  it('createConnection of the agent', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const fake = fakeLookup(t, '127.0.0.1');
    const agent = poolingAgent(t, ONCE);
    const { createConnection } = agent as unknown as Record<string, (...args: unknown[]) => unknown>;
    const seen: boolean[] = [];
    Reflect.set(agent, 'createConnection', function wrapped(this: unknown, ...args: unknown[]) {
      seen.push('lookup' in (args[0] as object));
      return createConnection?.apply(this, args);
    });
    for (let round = 0; round < 2; round++) await get(server, { agent, host });
    assert.deepEqual(seen, [false, false]);
    assert.equal(fake.asked.length, 2);
  });

  for (const [title, holder, name] of [
    ['https.Agent.prototype.createConnection', Agent.prototype, 'createConnection'],
    ['tls.connect', tls, 'connect'],
  ] as const) {
    it(title, LIMIT, async (t) => {
      const server = await httpsServer(t);
      const fake = fakeLookup(t, '127.0.0.1');
      const original = Reflect.get(holder, name) as (...args: unknown[]) => unknown;
      t.after(() => void Reflect.set(holder, name, original));
      Reflect.set(holder, name, function wrapped(this: unknown, ...args: unknown[]) {
        return original.apply(this, args);
      });
      const agent = poolingAgent(t, ONCE);
      for (let round = 0; round < 2; round++) await get(server, { agent, host });
      assert.equal(fake.asked.length, 2);
    });
  }
});

test('an old answer serves for maxStale where the resolver fails', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t, '127.0.0.1');
  const agent = poolingAgent(t, { ...ONCE, dns: { ttl: 10, maxStale: 60_000 } });
  await get(server, { agent, host });
  fake.error = Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' });
  await setTimeout(50);
  const begunAt = performance.now();
  for (let round = 0; round < 3; round++) assert.equal((await get(server, { agent, host })).status, 200);
  const most = 2 + Math.floor((performance.now() - begunAt) / 1000);
  assert.ok(fake.asked.length <= most, 'the resolver is asked once a second');
  const strict = poolingAgent(t, { ...ONCE, dns: { ttl: 10 } });
  await assert.rejects(get(server, { agent: strict, host }), { code: 'EAI_AGAIN' });
});

test('an old answer serves where the resolver takes long', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t, '127.0.0.1');
  const agent = poolingAgent(t, { ...ONCE, dns: { ttl: 10, maxStale: 60_000 } });
  await get(server, { agent, host });
  fake.addresses = undefined;
  await setTimeout(50);
  assert.equal((await get(server, { agent, host })).status, 200);
  assert.equal((await get(server, { agent, host })).status, 200, 'the next one does not wait for it');
  assert.equal(fake.asked.length, 2);
  fake.asked[1]?.answer('127.0.0.1');
});

test('names beyond maxEntries are asked for again', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const fake = fakeLookup(t, '127.0.0.1');
  const agent = poolingAgent(t, { ...ONCE, dns: { maxEntries: 1, ttl: 60_000 } });
  for (const name of ['a', 'a', 'b', 'b', 'a']) await get(server, { agent, host: `${name}.test.localhost` });
  assert.deepEqual(
    fake.asked.map(({ hostname }) => hostname),
    ['a.test.localhost', 'b.test.localhost', 'a.test.localhost'],
  );
});

test('a look-up keeps the process alive as ever, and nothing does when it is over', LIMIT, async (t) => {
  const server = await httpsServer(t);
  fakeLookup(t, '127.0.0.1');
  const agent = poolingAgent(t, { ...ONCE, dns: { follow: true } });
  const req = request({ host, port: server.port, ca: server.ca, agent, method: 'HEAD' }).end();
  await new Promise((resolve) => req.on('close', resolve));
  await until(() => agent.totalSocketCount === 0);
});
