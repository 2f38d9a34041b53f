/** The host part of an identity: whatever is in it, two that differ are two, and options on the agent count as Node counts them. */
import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { test } from 'node:test';
import fc from '../../support/fast-check.js';
import { identities, optionSets } from './support.js';
import type { Options } from './support.js';

/** Texts of which NUL, by which the parts of a key are kept apart, is an ordinary character. */
const text = fc.string({ unit: fc.constantFrom('\0', '\0', 'a', '1'), maxLength: 4 });
const hostPart = fc.record({
  host: text.map((value) => `h${value}`),
  port: text,
  servername: text.map((value) => `s${value}`),
  localAddress: text,
  family: text,
  socketPath: text,
});
type HostPart = typeof hostPart extends fc.Arbitrary<infer T> ? T : never;

const NAMES = ['host', 'port', 'servername', 'localAddress', 'family', 'socketPath'] as const;

/** The same characters with the borders between the parts elsewhere: what a careless key would take for the same. */
const shifted = fc.tuple(hostPart, fc.nat({ max: 4 })).map(([part, at]): [HostPart, HostPart] => {
  const [one, other] = [NAMES[at], NAMES[at + 1]];
  if (!one || !other) return [part, part];
  const both = `${part[one]}\0${part[other]}`;
  const border = both.indexOf('\0');
  return [part, { ...part, [one]: both.slice(0, border), [other]: both.slice(border + 1) }];
});

test('host parts with NUL in them are two where they differ', () => {
  let different = 0;
  fc.assert(
    fc.property(fc.oneof(shifted, fc.tuple(hostPart, hostPart)), ([one, other]) => {
      const all = identities();
      const isSame = NAMES.every((name) => one[name] === other[name]);
      if (!isSame) different++;
      const [first, second] = [all.resolve(one, {}, undefined), all.resolve(other, {}, undefined)];
      assert.equal(first === second, isSame);
      assert.equal(first.key === second.key, isSame);
      assert.equal(all.resolve({ ...one }, {}, undefined), first);
    }),
    { numRuns: 3000 },
  );
  assert.ok(different > 500, `only ${different} differed`);
});

test('an abstract socket is not taken for an option of another kind', () => {
  const all = identities();
  const pairs: [Options, Options][] = [
    [{ localAddress: '\0b' }, { family: 'b', socketPath: '\0' }],
    [{ family: '\0\0' }, { localAddress: '\0\0' }],
    [{ socketPath: '\0/run/a' }, { family: '/run/a', socketPath: '' }],
    [{ host: 'a\x001' }, { host: 'a', port: '1' }],
  ];
  for (const [one, other] of pairs) {
    const [first, second] = [one, other].map((options) =>
      all.resolve({ host: 'a', servername: 's', ...options }, {}, undefined),
    );
    assert.notEqual(first, second, JSON.stringify([one, other]));
    assert.notEqual(first?.key, second?.key, JSON.stringify([one, other]));
  }
});

/** Options that Node merges and prints; others cannot be compared. */
const PRINTED = new Set([
  'host',
  'port',
  'localAddress',
  'family',
  'ca',
  'cert',
  'ciphers',
  'key',
  'servername',
  'minVersion',
  'secureProtocol',
  'crl',
  'honorCipherOrder',
  'ecdhCurve',
  'sessionIdContext',
  'rejectUnauthorized',
]);

function printable(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => PRINTED.has(name)));
}

test("the agent's options are merged into a request's as in Node's agent", () => {
  const core = new Agent();
  let shared = 0;
  const split = fc.func(fc.constantFrom('agent', 'request', 'both'));
  fc.assert(
    fc.property(optionSets, split, ([given, another], placeOf) => {
      const [one, two] = [printable(given), printable(another)];
      const all = identities();
      const resolve = (options: Options, other: Options) => {
        const agent: Options = {};
        const request: Options = {};
        for (const [name, value] of Object.entries(options)) {
          const place = placeOf(name);
          if (place !== 'request') agent[name] = value;
          // On both: the agent's wins, whatever the request says.
          if (place !== 'agent') request[name] = place === 'both' ? (other[name] ?? 'other') : value;
        }
        return { agent, request, origin: all.resolve(request, agent, undefined) };
      };
      const [first, second] = [resolve(one, two), resolve(two, one)];
      // Node prints what it has merged: requests that it tells apart are two for us.
      const nameOf = ({ agent, request }: typeof first): string => core.getName({ ...request, ...agent });
      if (first.origin === second.origin) {
        shared++;
        const plain = Object.values({ ...one, ...two }).every((value) => typeof value === 'string');
        if (plain && one['host'] !== undefined) assert.equal(nameOf(first), nameOf(second));
      }
      assert.equal(first.origin, all.resolve({ ...first.request, ...first.agent }, {}, undefined));
    }),
    { numRuns: 1500 },
  );
  assert.ok(shared > 100, `only ${shared} shared`);
});
