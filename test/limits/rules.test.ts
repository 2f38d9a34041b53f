/** The rule that holds for a host, and values that are no rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PoolingAgent } from '../../src/index.js';
import { HostRules } from '../../src/limits/rules.js';
import { limitsWith } from '../support/limits.js';

const TYPE = 'ERR_INVALID_ARG_TYPE';
const VALUE = 'ERR_INVALID_ARG_VALUE';
const RANGE = 'ERR_OUT_OF_RANGE';

/** Rules that can be told apart by their `maxSockets`: the number of their place, from 1. */
function numbered(...patterns: string[]): HostRules {
  return new HostRules(
    Object.fromEntries(patterns.map((pattern, i) => [pattern, { maxSockets: i + 1 }])),
    limitsWith({ maxSockets: 1000 }),
  );
}

test('the most specific pattern wins, in whatever order they are given', () => {
  const patterns = [
    'api.example.com:8443',
    'api.example.com',
    '*.api.example.com',
    '*.example.com:8443',
    '*.example.com',
    '*.com',
    '10.1.2.3',
    '10.1.0.0/16',
    '10.0.0.0/8',
    '2001:db8::/32',
    '[2001:db8::1]:8443',
    '*:8443',
    '*',
  ];
  const expected: [host: string, port: number, pattern: string][] = [
    ['api.example.com', 8443, 'api.example.com:8443'],
    ['api.example.com', 443, 'api.example.com'],
    ['a.api.example.com', 8443, '*.api.example.com'],
    ['a.b.api.example.com', 443, '*.api.example.com'],
    ['b.example.com', 8443, '*.example.com:8443'],
    ['b.example.com', 443, '*.example.com'],
    ['example.com', 443, '*.com'],
    ['10.1.2.3', 443, '10.1.2.3'],
    ['10.1.2.4', 443, '10.1.0.0/16'],
    ['10.2.2.4', 8443, '10.0.0.0/8'],
    ['2001:db8::1', 8443, '[2001:db8::1]:8443'],
    ['2001:db8::1', 443, '2001:db8::/32'],
    ['2001:0DB8:0::2', 443, '2001:db8::/32'],
    ['11.0.0.1', 8443, '*:8443'],
    ['localhost', 443, '*'],
    ['com', 443, '*'],
  ];
  for (const order of [patterns, patterns.toReversed()]) {
    const rules = numbered(...order);
    for (const [host, port, pattern] of expected) {
      assert.equal(order[rules.limitsFor(host, port).maxSockets - 1], pattern, `${host}:${port}`);
    }
  }
});

test('names are compared as DNS does, addresses by what they mean', () => {
  const rules = numbered('API.Example.com', '::1', 'bücher.example', '10.0.0.0/8');
  const numberOf = (host: string): number => rules.limitsFor(host, 443).maxSockets;
  for (const host of ['api.example.com', 'api.EXAMPLE.com', 'api.example.com.'])
    assert.equal(numberOf(host), 1, host);
  for (const host of ['::1', '0:0::1', '[::1]', '::1%lo']) assert.equal(numberOf(host), 2, host);
  for (const host of ['bücher.example', 'xn--bcher-kva.example']) assert.equal(numberOf(host), 3, host);
  assert.equal(numberOf('::ffff:10.0.0.1'), 4);
  assert.equal(numberOf('ten.example'), 1000);
});

test('rules do not add up: what one leaves out is the agent’s, and follows it', () => {
  const defaults = limitsWith({ maxSockets: 7, maxFreeSockets: 8 });
  const hosts = { '*.a': { maxQueueSize: 3 }, 'b.a': { maxSockets: 2, acquireTimeout: undefined } };
  const rules = new HostRules(hosts, defaults);
  const limits = rules.limitsFor('b.a', 443);
  assert.equal(limits.maxSockets, 2);
  assert.equal(limits.maxFreeSockets, 8);
  assert.equal(limits.maxQueueSize, Infinity);
  assert.equal(rules.limitsFor('b.a', 8443), limits, 'one object for a rule');
  assert.equal(rules.limitsFor('c', 443), defaults);
  defaults.maxFreeSockets = 1;
  defaults.maxSockets = 1;
  rules.refresh([]);
  assert.equal(limits.maxFreeSockets, 1);
  assert.equal(limits.maxSockets, 2);
});

test('a function is asked with host and port; what it gives follows the agent, too', () => {
  const asked: unknown[] = [];
  const defaults = limitsWith();
  const rules = new HostRules((host: string, port: number) => {
    asked.push([host, port]);
    return host === 'a' ? { maxSockets: 3 } : undefined;
  }, defaults);
  const limits = rules.limitsFor('A', 8443);
  assert.equal(limits.maxSockets, 3);
  assert.equal(rules.limitsFor('b', 443), defaults);
  assert.deepEqual(asked, [
    ['a', 8443],
    ['b', 443],
  ]);
  defaults.maxFreeSockets = 2;
  rules.refresh([limits]);
  assert.equal(limits.maxFreeSockets, 2);
  rules.set('a', { maxSockets: 9 });
  assert.equal(rules.limitsFor('a', 443).maxSockets, 9, 'a rule comes before the function');
  for (const [value, code] of [
    [5, TYPE],
    [{ maxSockets: -1 }, RANGE],
    [{ reserve: 1 }, VALUE],
  ] as const) {
    const bad = new HostRules(() => value, defaults);
    assert.throws(() => bad.limitsFor('x', 1), { code, message: /hosts\(\)/ });
  }
});

const NO_PATTERNS: Record<string, string> = {
  '': VALUE,
  '*.': VALUE,
  'a.*.b': VALUE,
  '*a.b': VALUE,
  '**.b': VALUE,
  'a..b': VALUE,
  '-a.b': VALUE,
  'a b': VALUE,
  'https://a.b': VALUE,
  'a.b/path': VALUE,
  'a.b:': VALUE,
  'a.b:0': VALUE,
  'a.b:65536': VALUE,
  'a.b:8e1': VALUE,
  'a.b:1:2': VALUE,
  '10.0.0.300': VALUE,
  '127.1': VALUE,
  '10.0.0.0/33': VALUE,
  '10.0.0/8': VALUE,
  '10.0.0.0/8/8': VALUE,
  '10.0.0.0/8:443': VALUE,
  '2001:db8::/129': VALUE,
  ':::1': VALUE,
  [`${'a'.repeat(64)}.b`]: VALUE,
};

test('a pattern that can match nothing is refused, and named', () => {
  for (const [pattern, code] of Object.entries(NO_PATTERNS)) {
    assert.throws(
      () => new PoolingAgent({ hosts: { [pattern]: {} } }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, code, pattern);
        assert.ok(error.message.includes(`hosts['${pattern}']`), error.message);
        return true;
      },
      pattern,
    );
    assert.throws(() => new PoolingAgent().setHostLimits(pattern, {}), { code }, pattern);
  }
});

test('a rule with a wrong value or an unknown key is refused, and both are named', () => {
  const wrong: [rule: unknown, code: string, named: string][] = [
    [5, TYPE, "hosts['a.b']"],
    [[], TYPE, "hosts['a.b']"],
    [{ maxsockets: 1 }, VALUE, "hosts['a.b'].maxsockets"],
    [{ maxTotalSockets: 1 }, VALUE, "hosts['a.b'].maxTotalSockets"],
    [{ toString: 1 }, VALUE, "hosts['a.b'].toString"],
    [{ maxSockets: ' 1' }, TYPE, "hosts['a.b'].maxSockets"],
    [{ weight: '1.5' }, TYPE, "hosts['a.b'].weight"],
    [{ idleTimeout: '1' }, TYPE, "hosts['a.b'].idleTimeout"],
    [{ maxSockets: 0 }, RANGE, "hosts['a.b'].maxSockets"],
    [{ maxFreeSockets: -1 }, RANGE, "hosts['a.b'].maxFreeSockets"],
    [{ maxQueueSize: 1.5 }, RANGE, "hosts['a.b'].maxQueueSize"],
    [{ acquireTimeout: NaN }, RANGE, "hosts['a.b'].acquireTimeout"],
    [{ scheduling: 'best' }, VALUE, "hosts['a.b'].scheduling"],
    [{ idleTimeout: '1' }, TYPE, "hosts['a.b'].idleTimeout"],
    [{ maxIdleTimeout: -1 }, RANGE, "hosts['a.b'].maxIdleTimeout"],
    [{ maxSocketAge: -1 }, RANGE, "hosts['a.b'].maxSocketAge"],
    [{ maxRequestsPerSocket: 0 }, RANGE, "hosts['a.b'].maxRequestsPerSocket"],
    [{ weight: 0 }, RANGE, "hosts['a.b'].weight"],
    [{ weight: Infinity }, RANGE, "hosts['a.b'].weight"],
    [{ reserve: -1 }, RANGE, "hosts['a.b'].reserve"],
  ];
  for (const [rule, code, named] of wrong) {
    assert.throws(
      () => new PoolingAgent({ hosts: { 'a.b': rule as never } }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, code, named);
        assert.ok(error.message.includes(`"${named}"`), error.message);
        return true;
      },
      named,
    );
  }
  for (const hosts of [5, 'a', []]) {
    assert.throws(() => new PoolingAgent({ hosts: hosts as never }), { code: TYPE });
  }
  const twice = { 'a.b': {}, 'A.b.': {} };
  assert.throws(() => new PoolingAgent({ hosts: twice }), { code: VALUE, message: /hosts\['A.b.'\]/ });
});

test('reservations leave a place for everybody', () => {
  const hosts = { a: { reserve: 2 }, b: { reserve: 2 } };
  assert.ok(new PoolingAgent({ maxTotalSockets: 5, hosts }));
  const error = { code: RANGE, message: /hosts\['b'\]\.reserve/ };
  assert.throws(() => new PoolingAgent({ maxTotalSockets: 4, hosts }), error);
  const agent = new PoolingAgent({ maxTotalSockets: 5, hosts });
  assert.throws(() => agent.setHostLimits('c', { reserve: 1 }), {
    code: RANGE,
    message: /hosts\['c'\]\.reserve/,
  });
  agent.setHostLimits('a', undefined);
  agent.setHostLimits('c', { reserve: 1 });
  assert.throws(() => agent.setHostLimits(5 as never, {}), { code: TYPE });
});

test('each limit is the one of the rule where that gives one, and the agent’s where it does not', () => {
  const given = {
    maxSockets: 11,
    maxFreeSockets: 0,
    maxQueueSize: 0,
    acquireTimeout: 0,
    scheduling: 'least-used',
    weight: 2,
    reserve: 3,
    idleTimeout: 4000,
    maxIdleTimeout: 5000,
    maxSocketAge: 6000,
    maxRequestsPerSocket: 7,
    validateAfterIdle: 0,
  } as const;
  const defaults = limitsWith({ acquireTimeout: 100, maxQueueSize: 5, maxTotalSockets: 50 });
  const names = Object.keys(given) as (keyof typeof given)[];
  for (const name of names) {
    const limits = new HostRules({ a: { [name]: given[name] } }, defaults).limitsFor('a', 443);
    for (const other of names) {
      if (other === 'maxIdleTimeout' && name === 'idleTimeout') continue;
      assert.equal(limits[other], other === name ? given[name] : defaults[other], `${name}, ${other}`);
    }
    // `undefined` and `null` both mean "not given".
    for (const nothing of [undefined, null]) {
      const none = new HostRules({ a: { [name]: nothing }, b: { [name]: given[name] } }, defaults);
      assert.deepEqual(none.limitsFor('a', 443), new HostRules({ a: {} }, defaults).limitsFor('a', 443));
    }
  }
});

test('a pattern that is given nothing has no rule, and the agent’s own limits are nobody’s copy', () => {
  const defaults = limitsWith();
  for (const nothing of [undefined, null]) {
    const rules = new HostRules({ a: nothing, '10.0.0.0/8': nothing }, defaults);
    assert.equal(rules.isEmpty, true);
    assert.equal(rules.limitsFor('a', 443), defaults);
    assert.equal(new HostRules(nothing, defaults).isEmpty, true);
    assert.equal(new HostRules(() => nothing as undefined, defaults).limitsFor('a', 443), defaults);
  }
  assert.equal(new HostRules(() => ({}), defaults).isEmpty, false);
  const some = new HostRules({ a: {} }, defaults);
  assert.equal(some.isEmpty, false);
  assert.notEqual(some.limitsFor('a', 443), defaults);
});

test('what reserves is told, and what a rule may reserve depends on what the others do', () => {
  const defaults = limitsWith({ maxTotalSockets: 10 });
  const rules = new HostRules(
    { a: { reserve: 4 }, b: { maxSockets: 1 }, c: { reserve: 0 }, d: { reserve: 5 } },
    defaults,
  );
  const reserving = (): number[] => rules.reserving.map(({ reserve }) => reserve);
  assert.deepEqual(reserving(), [4, 5]);
  assert.deepEqual(rules.reserving[0], rules.limitsFor('a', 443));
  assert.equal(rules.reserving[0], rules.limitsFor('a', 443), 'the very object');
  // 4 + 5 of 10, and one place for everybody: nothing is left.
  assert.throws(() => rules.set('e', { reserve: 1 }), { code: RANGE, message: /at most 0:/ });
  assert.throws(() => rules.set('a', { reserve: 5 }), { code: RANGE, message: /at most 4:/ });
  const undo = rules.set('a', { reserve: 1 });
  assert.deepEqual(reserving(), [1, 5]);
  rules.set('e', { reserve: 3 });
  assert.throws(() => rules.set('f', { reserve: 1 }), { code: RANGE });
  rules.set('e', undefined);
  undo();
  assert.deepEqual(reserving(), [4, 5]);
  assert.throws(() => rules.set('e', { reserve: 1 }), { code: RANGE });
  for (const host of ['a', 'd']) rules.set(host, null);
  assert.deepEqual(reserving(), []);
  rules.set('e', { reserve: 9 });
  assert.throws(() => new HostRules({ a: { reserve: 10 } }, defaults), {
    code: RANGE,
    message: /at most 9:/,
  });
});

test('a rule for a network comes, goes and comes back, the longest prefix first', () => {
  const rules = new HostRules({ '10.0.0.0/8': { maxSockets: 8 } }, limitsWith({ maxSockets: 1000 }));
  const limit = (): number => rules.limitsFor('10.1.2.3', 443).maxSockets;
  assert.equal(limit(), 8);
  const undo = rules.set('10.1.0.0/16', { maxSockets: 16 });
  assert.equal(limit(), 16);
  rules.set('10.1.2.0/24', { maxSockets: 24 });
  assert.equal(limit(), 24);
  rules.set('10.1.2.0/24', undefined);
  assert.equal(limit(), 16);
  undo();
  assert.equal(limit(), 8);
  rules.set('10.0.0.0/8', null);
  assert.equal(limit(), 1000);
});

test('limits that the function gave follow the agent’s where it has left them to it', () => {
  const defaults = limitsWith({ maxFreeSockets: 5 });
  const rules = new HostRules((host: string) => (host === 'none' ? undefined : { maxSockets: 3 }), defaults);
  const limits = rules.limitsFor('a', 443);
  const foreign = { ...limits };
  Object.assign(defaults, { maxFreeSockets: 6, maxSockets: 7 });
  rules.refresh([limits, foreign]);
  assert.deepEqual([limits.maxSockets, limits.maxFreeSockets], [3, 6]);
  assert.deepEqual(
    [foreign.maxSockets, foreign.maxFreeSockets],
    [3, 5],
    'what it has not given is left alone',
  );
  for (const name of ['maxSockets', 'maxFreeSockets', 'weight'] as const) {
    const zero = new HostRules(() => ({ [name]: 0 }), defaults);
    // A pause is one of connections.
    if (name === 'weight') assert.throws(() => zero.limitsFor('a', 443), { code: RANGE });
    else assert.equal(zero.limitsFor('a', 443)[name], 0);
  }
  assert.throws(() => new HostRules(() => null as never, defaults).set('a', 5), { code: TYPE });
});

test('hosts that are kept ready: where both protocols come, only by rules that name one', () => {
  const ready = { minFreeSockets: 1 };
  const hosts = { 'http://a': ready, 'https://b': ready, c: ready, 'http://*': ready };
  const kept = (protocols: 'both' | 'copy', protocol: string): string =>
    new HostRules(hosts, limitsWith({}), protocols)
      .keptReady(protocol)
      .map(({ host }) => host)
      .join();
  assert.deepEqual([kept('both', 'http:'), kept('both', 'https:')], ['a', 'b']);
  assert.deepEqual([kept('copy', 'http:'), kept('copy', 'https:')], ['a,c', 'b,c']);
  const one = new HostRules({ c: ready }, limitsWith({}));
  assert.equal(one.keptReady('http:').length, 1);
  assert.throws(() => new HostRules(hosts, limitsWith({})), { code: VALUE });
});
