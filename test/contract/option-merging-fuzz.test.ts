/**
 * Options of agents and of requests, at random: a connection is opened with what Node's own agent would open it with. Compared where
 * users see it, in the arguments of `createConnection`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import { Agent, PoolingAgent, request } from '../support/protocol.js';
import { asNode, LIMIT, replaceCreateConnection } from './support.js';
import type { NodeAgent, Options } from './support.js';

const anything = fc.constantFrom('a', 'b', undefined);
const name = fc.constantFrom('a.localhost', 'B.localhost', '127.0.0.1', '::1', '[::1]', '');
const bool = fc.boolean();
const [marked, other] = [Symbol('marked'), Symbol('other')];

/** The options that either side may give; a value that is `undefined` is given, too. */
const both = {
  servername: fc.option(name, { nil: undefined }),
  family: fc.constantFrom(4, 6, undefined),
  localAddress: fc.constantFrom('127.0.0.1', '127.0.0.2', undefined),
  ca: fc.constantFrom('one', 'two', ['one', 'two'], undefined),
  rejectUnauthorized: fc.option(bool, { nil: undefined }),
  ALPNProtocols: fc.constantFrom(['http/1.1'], ['a', 'b'], undefined),
  ciphers: fc.constantFrom('AES128', 'AES256', undefined),
  minVersion: fc.constantFrom('TLSv1.2', 'TLSv1.3', undefined),
  checkServerIdentity: fc.constantFrom(check, checkOtherwise, undefined),
  noDelay: bool,
  timeout: fc.constantFrom(0, 1000, 5000, undefined),
  path: fc.constantFrom('/', '/some/where'),
  socketPath: fc.constantFrom('/tmp/a', '/tmp/b', undefined),
  encoding: fc.constantFrom('utf8', 'latin1', undefined),
  unknown: anything,
  [marked]: anything,
};

const ofAgent = fc.record(
  { ...both, keepAlive: bool, keepAliveMsecs: fc.constantFrom(1, 1000, 5000), [other]: anything },
  { requiredKeys: [] },
);
const ofRequest = fc.record(
  {
    ...both,
    host: name.filter((host) => host !== ''),
    port: fc.constantFrom(1, 443, 8443),
    headers: fc.constantFrom(undefined, {}, { host: 'c.localhost:1' }, { Host: '[::1]:1' }, { host: '' }),
    setHost: bool,
    agentless: anything,
  },
  { requiredKeys: [] },
);

function check(): undefined {
  return undefined;
}

function checkOtherwise(): undefined {
  return undefined;
}

/** The options that `createConnection` gets, as they are by then, or the code of the error that came before. */
function openedWith(agent: NodeAgent, options: Options): Options | string {
  let seen: Options | undefined;
  replaceCreateConnection(agent, (given) => void (seen = { ...given }));
  try {
    request({ ...options, agent })
      .on('error', () => {})
      .destroy();
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'));
  }
  assert.ok(seen, 'every request begins a connection');
  return seen;
}

/** The options that the agents add, each in its own way; a request's `timeout`, which comes first with newer Nodes and here alone. */
const OWN: ReadonlySet<string> = new Set([
  '_agentKey',
  'agent',
  'keepAlive',
  'keepAliveMsecs',
  'noDelay',
  'scheduling',
  'session',
  'timeout',
]);

function comparable(options: Options | string): unknown {
  if (typeof options === 'string') return options;
  const entries = Reflect.ownKeys(options)
    .filter((key) => (typeof key === 'symbol' ? key === marked || key === other : !OWN.has(key)))
    .map((key): [string, unknown] => [String(key), Reflect.get(options, key)])
    // An option that is absent and one that is `undefined` are the same to Node.
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}

test('a connection is opened with the options that Node would open it with', LIMIT, () => {
  fc.assert(
    fc.property(ofAgent, ofRequest, (agentOptions, options) => {
      const agents = [
        new PoolingAgent(agentOptions as never),
        new Agent({ keepAlive: true, ...agentOptions } as object),
      ];
      const [own = '', nodes = ''] = agents.map((agent) => openedWith(asNode(agent), { ...options }));
      for (const agent of agents) agent.destroy();
      assert.deepEqual(comparable(own), comparable(nodes));
      if (typeof own !== 'string') {
        const timeout = options.timeout || agentOptions.timeout || 0;
        assert.equal(own['timeout'] ?? 0, timeout);
      }
    }),
    { numRuns: 150 },
  );
});
