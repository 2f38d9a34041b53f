/**
 * A TLS profile: every option value that decides whom we trust, who we are, and how the wire is spoken, except
 * the host itself. Two requests may share connections and sessions only if all of these are the same.
 *
 * A profile keeps a copy of the values it stands for, so that a caller's array or buffer changed in place later
 * makes another profile instead of another meaning of this one.
 */

/** The options that go into a SecureContext. */
export const CONTEXT_OPTIONS = [
  'ca',
  'cert',
  'key',
  'pfx',
  'passphrase',
  'crl',
  'allowPartialTrustChain',
  'ciphers',
  'ecdhCurve',
  'sigalgs',
  'dhparam',
  'honorCipherOrder',
  'minVersion',
  'maxVersion',
  'secureProtocol',
  'secureOptions',
  'sessionIdContext',
  'clientCertEngine',
  'privateKeyEngine',
  'privateKeyIdentifier',
  'certificateCompression',
] as const;

/** The options that make a profile. Functions first: where there are any, they tell profiles apart soonest. */
export const PROFILE_OPTIONS = [
  'checkServerIdentity',
  'lookup',
  'pskCallback',
  'secureContext',
  'socket',
  'session',
  ...CONTEXT_OPTIONS,
  'rejectUnauthorized',
  'ALPNProtocols',
  'minDHSize',
  'requestOCSP',
  'enableTrace',
  'localPort',
  'hints',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
] as const;

export type ProfileValues = ReadonlyMap<string, unknown>;

/** Those that go into a SecureContext. */
export function contextValuesOf(options: Readonly<Record<string, unknown>>): ProfileValues {
  const names = CONTEXT_OPTIONS.filter((name) => options[name] !== undefined);
  return new Map(names.map((name) => [name, copy(options[name])]));
}

let lastId = 0;

export class Profile<T> {
  /** Short and unique in this process: stands for the profile in session keys and debug output. */
  readonly id: number = ++lastId;
  readonly values: ProfileValues;
  /** What is in use under this profile, by host part. */
  readonly origins: Map<string, T> = new Map();

  /** It has functions that were never seen before: one request's closures, until it is seen again. */
  onProbation = false;

  constructor(values: ProfileValues) {
    this.values = new Map(Array.from(values, ([name, value]) => [name, copy(value)]));
  }

  /** Whether `options` have the very values of the profile. */
  isIn(options: Readonly<Record<string, unknown>>): boolean {
    return PROFILE_OPTIONS.every((name) => same(this.values.get(name), options[name]));
  }

  /** Gives a dial the values of the profile where it has come to have others: options may change while a request waits. */
  applyTo(dial: Record<string, unknown>): void {
    for (const name of PROFILE_OPTIONS) {
      const value = this.values.get(name);
      if (value === undefined && dial[name] !== undefined) Reflect.deleteProperty(dial, name);
      else if (!same(dial[name], value)) dial[name] = value;
    }
  }

  matches(values: ProfileValues): boolean {
    if (values.size !== this.values.size) return false;
    for (const [name, value] of this.values) {
      if (!same(value, values.get(name))) return false;
    }
    return true;
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copy(member)]));
  }
  return value;
}

/** By content for what has content, by identity for the rest: functions, contexts, sockets. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((member, i) => same(member, b[i]));
  }
  if (isPlain(a) && isPlain(b)) {
    const names = Object.keys(a);
    return names.length === Object.keys(b).length && names.every((name) => same(a[name], b[name]));
  }
  return false;
}
