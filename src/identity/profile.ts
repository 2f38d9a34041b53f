/**
 * A profile: every option value that decides whom we trust, who we are, and how the wire is spoken, except
 * the host itself. Two requests may share connections and sessions only if all of these are the same. Without TLS there are but few.
 *
 * A profile keeps a copy of its values, and connections are opened with these. So a caller that changes a value in place, or writes to
 * `agent.options` while a request waits, does not change the meaning of the profile.
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

/** The options that make a profile where there is no TLS. */
export const PLAIN_OPTIONS = [
  'lookup',
  'localPort',
  'hints',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
] as const;

/** The options that make a profile with TLS. Functions first: they tell profiles apart soonest. */
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

/** Those of `options` that make a profile: `names`. `undefined` counts as absent. */
export function profileValues(
  options: Readonly<Record<string, unknown>>,
  names: Iterable<string> = PROFILE_OPTIONS,
): ProfileValues {
  const values = new Map<string, unknown>();
  for (const name of names) {
    const value = valueOf(name, options[name]);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/** The value that counts where the option `name` is `value`. */
function valueOf(name: string, value: unknown): unknown {
  if (value === undefined || !LISTS.has(name)) return value;
  // A list of one is the same as its member, except for `[{ pem, passphrase }]`, which has no other form.
  if (Array.isArray(value) && value.length === 1 && !isPlain(value[0]))
    return (value[0] as unknown) ?? undefined;
  return value ?? undefined;
}

/** The values of `options` that go into a SecureContext. */
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
  /** Short and unique in this process: the name of the profile in session keys and debug lines. */
  readonly id: number = ++lastId;
  readonly values: ProfileValues;
  /** The origins that are in use under this profile, by host part. */
  readonly origins: Map<string, T> = new Map();
  /** Whether it has a function or an object that only one request has had so far: that request may be the only one. */
  onProbation = false;
  /** The names of the options that make a profile. */
  readonly #names: ReadonlySet<string>;

  constructor(values: ProfileValues, names: ReadonlySet<string>) {
    this.#names = names;
    this.values = new Map(Array.from(values, ([name, value]) => [name, copy(value)]));
  }

  /** The options for its SecureContext. */
  get contextOptions(): Record<string, unknown> {
    return Object.fromEntries(contextValues(this.values));
  }

  /**
   * Gives the options of a dial the values of this profile, and no others under these names. Equal values of the dial stay in place.
   */
  applyTo(dial: Record<string, unknown>): void {
    const { values } = this;
    let missing = values.size;
    // The options of a dial are few, compared with those that could be there.
    const names = Object.keys(dial);
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      if (!this.#names.has(name)) continue;
      const value = values.get(name);
      if (value === undefined) {
        Reflect.deleteProperty(dial, name);
        continue;
      }
      missing--;
      if (!same(valueOf(name, dial[name]), value)) dial[name] = lend(value);
    }
    if (missing === 0) return;
    for (const [name, value] of values) if (!Object.hasOwn(dial, name)) dial[name] = lend(value);
  }

  /** Whether `dial` has these values. */
  isOf(dial: Readonly<Record<string, unknown>>): boolean {
    return allSame(this.values, profileValues(dial, this.#names));
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
