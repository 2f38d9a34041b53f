/** Which rule holds for which host, and what is no rule. */
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
