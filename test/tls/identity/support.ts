/** Sets of options, alike and not, and what to expect of them by a rule that is written a second time. */
import { createSecureContext } from 'node:tls';
import fc from '../../support/fast-check.js';
import { Identities } from '../../../src/identity/identity.js';

export type Options = Record<string, unknown>;

export function identities(): Identities<object> {
  return new Identities<object>(
    () => ({}),
    () => {},
  );
}

const FUNCTIONS = [() => undefined, () => undefined];
const CONTEXTS = [createSecureContext(), createSecureContext()];
const PEM = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';

/** Few values, so that equal ones are frequent, and such as look alike when printed. */
const text = fc.constantFrom(
  'a',
  'b',
  'a:b',
  ':',
  'a,b',
  '',
  PEM,
  PEM + PEM,
  `${PEM}:a`,
  'ä',
  '@1',
  '#',
  'true',
);
const bytes = text.map((value) => Buffer.from(value));
const view = text.map((value) => new Uint8Array(Buffer.from(value)));
const material = fc.oneof(
  { weight: 4, arbitrary: text },
  bytes,
  view,
  fc.array(fc.oneof(text, bytes), { maxLength: 3 }),
);
const packed = fc.array(
  fc.oneof(
    text,
    fc.record({ buf: bytes, passphrase: text }, { requiredKeys: ['buf'], noNullPrototype: true }),
  ),
  { minLength: 1, maxLength: 2 },
);
const reference = fc.constantFrom(...FUNCTIONS);
const flag = fc.constantFrom<unknown>(true, false);

const ARBITRARIES: Record<string, fc.Arbitrary<unknown>> = {
  host: fc.constantFrom('a', 'b', '127.0.0.1', '::1', 'a:b'),
  port: fc.constantFrom<unknown>(443, '443', 1, 'b'),
  servername: fc.constantFrom('a', 'b', '', 'a:b'),
  localAddress: fc.constantFrom('127.0.0.1', '::1'),
  family: fc.constantFrom<unknown>(4, 6, 0),
  socketPath: fc.constantFrom('/a', '/b', '/a:b', '4'),
  ca: material,
  cert: material,
  key: fc.oneof(material, packed),
  pfx: fc.oneof(material, packed),
  crl: material,
  passphrase: text,
  ciphers: text,
  ecdhCurve: text,
  sigalgs: text,
  dhparam: text,
  minVersion: text,
  secureProtocol: text,
  sessionIdContext: text,
  clientCertEngine: text,
  privateKeyIdentifier: text,
  privateKeyEngine: text,
  honorCipherOrder: flag,
  rejectUnauthorized: flag,
  secureOptions: fc.constantFrom<unknown>(0, 1, -0),
  ALPNProtocols: material,
  minDHSize: fc.constantFrom(1024, 2048),
  localPort: fc.constantFrom(1, 2),
  checkServerIdentity: reference,
  lookup: reference,
  secureContext: fc.constantFrom(...CONTEXTS),
  // These keep nothing apart.
  timeout: fc.nat(),
  headers: fc.dictionary(text, text),
};

const optionSet: fc.Arbitrary<Options> = fc
  .subarray(Object.keys(ARBITRARIES), { maxLength: 5 })
  .chain((names) =>
    fc.record(Object.fromEntries(names.map((name) => [name, ARBITRARIES[name] ?? fc.nat()]))),
  );

/** Equal, and not the same. */
export function twin(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(twin);
  if (typeof value === 'object' && value?.constructor === Object) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, twin(member)]));
  }
  return value;
}

function twins(options: Options): Options {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, twin(value)]));
}

/** Two sets: independent, equal, or different in one option. */
export const optionSets: fc.Arbitrary<[Options, Options]> = fc.oneof(
  fc.tuple(optionSet, optionSet),
  optionSet.map((options): [Options, Options] => [options, twins(options)]),
  fc
    .tuple(optionSet, fc.constantFrom(...Object.keys(ARBITRARIES)))
    .chain(([options, name]) =>
      (ARBITRARIES[name] ?? fc.nat()).map((value): [Options, Options] => [
        options,
        { ...twins(options), [name]: value },
      ]),
    ),
);

const SINGLE = new Set(['ca', 'cert', 'key', 'crl']);
const WITHOUT_EFFECT = new Set(['timeout', 'headers']);

function canonical(value: unknown): unknown {
  if (typeof value === 'string') return `text ${Buffer.from(value).toString('base64')}`;
  // Bytes are equal to the text that they spell, if that is ASCII.
  if (value instanceof Uint8Array) {
    const ascii = value.every((byte) => byte < 128);
    return `${ascii ? 'text' : 'bytes'} ${Buffer.from(value).toString('base64')}`;
  }
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === 'function') return `function ${FUNCTIONS.indexOf(value as () => undefined)}`;
  const context = CONTEXTS.indexOf(value as (typeof CONTEXTS)[number]);
  if (context !== -1) return `context ${context}`;
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, member]) => [name, canonical(member)])
      .toSorted();
  }
  return value;
}

/** The rule, by another way: one text that has everything in it that counts. */
export function oracle(options: Options): string {
  const host = (options['host'] as string | undefined) ?? 'localhost';
  const isAddress = host === '127.0.0.1' || host === '::1';
  const all: Options = {
    ...options,
    host,
    servername: options['servername'] ?? (isAddress ? '' : host),
    ...(options['port'] !== undefined && { port: String(options['port']) }),
  };
  const counted = Object.entries(all)
    .filter(([name]) => !WITHOUT_EFFECT.has(name))
    .map(([name, value]) => {
      const alone = SINGLE.has(name) && Array.isArray(value) && value.length === 1;
      const [only] = alone ? (value as unknown[]) : [];
      const isRecord = typeof only === 'object' && !(only instanceof Uint8Array);
      return [name, canonical(alone && !isRecord ? only : value)];
    });
  return JSON.stringify(counted.toSorted());
}
