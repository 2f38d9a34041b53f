/**
 * A TLS profile: every option value that decides whom we trust, who we are, and how the wire is spoken, except
 * the host itself. Two requests may share connections and sessions only if all of these are the same.
 *
 * A profile keeps a copy of the values it stands for, and connections are opened with these: whatever a caller changes
 * in place later, or writes to `agent.options` while a request waits, it gives this profile no other meaning.
 */
import { copy, isPlain, isReference, lend, same } from './option-value.js';

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
  'sessionTimeout',
  'ticketKeys',
] as const;

const MAKES_CONTEXT: ReadonlySet<string> = new Set(CONTEXT_OPTIONS);

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

/** Options of which Node takes one value for a list of one, and `null` for none. */
const LISTS: ReadonlySet<string> = new Set(['ca', 'cert', 'key', 'crl']);

/** Those of `options` that make a profile. `undefined` counts as absent. */
export function profileValues(options: Readonly<Record<string, unknown>>): ProfileValues {
  const values = new Map<string, unknown>();
  for (const name of PROFILE_OPTIONS) {
    let value = options[name];
    if (LISTS.has(name)) {
      // Not `[{ pem, passphrase }]`, which has no other form.
      if (Array.isArray(value) && value.length === 1 && !isPlain(value[0])) value = value[0];
      value ??= undefined;
    }
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/** Those that go into a SecureContext. */
export function contextValuesOf(options: Readonly<Record<string, unknown>>): ProfileValues {
  return new Map(contextValues(profileValues(options)).map(([name, value]) => [name, copy(value)]));
}

function contextValues(values: ProfileValues): [string, unknown][] {
  return Array.from(values).filter(([name]) => MAKES_CONTEXT.has(name));
}

/** Functions and objects that count by identity, by name. */
export function* references(values: ProfileValues): Iterable<[string, object]> {
  for (const [name, value] of values) if (isReference(value)) yield [name, value];
}

let lastId = 0;

export class Profile<T> {
  /** Short and unique in this process: stands for the profile in session keys and debug output. */
  readonly id: number = ++lastId;
  readonly values: ProfileValues;
  /** The origins that are in use under this profile, by host part. */
  readonly origins: Map<string, T> = new Map();
  /** It came with one request, and has a function or an object in it that no request before had: it may be that one's alone. */
  onProbation = false;

  constructor(values: ProfileValues) {
    this.values = new Map(Array.from(values, ([name, value]) => [name, copy(value)]));
  }

  /** The options that its SecureContext is made of. */
  get contextOptions(): Record<string, unknown> {
    return Object.fromEntries(contextValues(this.values));
  }

  /**
   * Gives the options of a dial the values of this profile, and no other values of these names. Where they have equal ones, they
   * keep their own.
   */
  applyTo(dial: Record<string, unknown>): void {
    const present = profileValues(dial);
    for (const name of PROFILE_OPTIONS) {
      const value = this.values.get(name);
      if (value === undefined) {
        if (name in dial) Reflect.deleteProperty(dial, name);
      } else if (!same(present.get(name), value)) {
        dial[name] = lend(value);
      }
    }
  }

  /** Whether `dial` has these values. */
  isOf(dial: Readonly<Record<string, unknown>>): boolean {
    return allSame(this.values, profileValues(dial));
  }

  matches(values: ProfileValues): boolean {
    return allSame(this.values, values);
  }
}

export function allSame(some: ProfileValues, others: ProfileValues): boolean {
  if (some.size !== others.size) return false;
  for (const [name, value] of some) if (!same(value, others.get(name))) return false;
  return true;
}
