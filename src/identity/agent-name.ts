/**
 * Names an identity, for `getName()` and the keys of `sockets`. The name is Node's string for ordinary options, with two changes.
 *
 * - A name is printed, logged and sent to dashboards. So it has a digest, keyed per process, in place of every secret, and of every other
 *   value of more than 64 characters, such as a certificate.
 * - Where Node's string does not tell identities apart, a token follows. Node prints some options only, and different values may print
 *   alike: functions as their source, objects as `[object Object]`, bytes as broken text, lists with commas, and a colon in a value like the
 *   one between two values. A digest tells them apart.
 */
import type { Options } from './option-value.js';
import { hash, randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { profileValues } from './profile.js';
import type { ProfileValues } from './profile.js';
import { SECRET_OPTIONS } from './secrets.js';
import { HTTP, HTTPS } from './protocol.js';
import type { Protocol } from './protocol.js';
import { serverNameFor } from './server-name.js';
import { describe } from './description.js';
import { copy, isAscii, isPlain, textOf } from './option-value.js';

type Test = (value: unknown) => boolean;

const word: Test = (value) =>
  typeof value === 'string' && /^[\x20-\x7e]+$/.test(value) && !/[:,]/.test(value);

const list: Test = (value) =>
  typeof value === 'string' &&
  /^[\x20-\x7e]+$/.test(value) &&
  value.split(':').every((member) => member !== '' && member !== 'true' && member !== 'false');

const quoted: Test = (value) =>
  typeof value === 'string' && /^[\x20-\x7e]+$/.test(value) && !value.includes('"');

const boolean: Test = (value) => typeof value === 'boolean';

const address: Test = (value) => word(value) || (typeof value === 'string' && isIPv6(value));

/** A word, or one or more PEM blocks: beginning and end of such a value can be seen in the name. */
const pem: Test = (value) => {
  if (word(value)) return true;
  return (
    typeof value === 'string' &&
    /^-----BEGIN [^]*-----\s*$/.test(value) &&
    isAscii(value) &&
    !/-----\s*[:,]|[:,]\s*-----BEGIN/.test(value)
  );
};

const pems: Test = (value) => (Array.isArray(value) && value.length > 1 ? value.every(pem) : pem(value));

/** The options that Node prints, each with a test for values whose text no other value has. */
const PRINTED: Readonly<Record<string, Test>> = {
  ca: pems,
  cert: pems,
  clientCertEngine: word,
  ciphers: list,
  key: pems,
  pfx: word,
  rejectUnauthorized: boolean,
  minVersion: word,
  maxVersion: word,
  secureProtocol: word,
  crl: pems,
  honorCipherOrder: boolean,
  ecdhCurve: list,
  dhparam: pem,
  secureOptions: Number.isSafeInteger,
  sessionIdContext: word,
  sigalgs: quoted,
  privateKeyIdentifier: word,
  privateKeyEngine: word,
};

/** The same for the options of the host part, where `undefined` counts, too. */
const PRINTED_HOST: Readonly<Record<string, Test>> = {
  host: address,
  port: (value) => word(value) || (Number.isSafeInteger(value) && value !== 0),
  localAddress: address,
  family: (value) => value === 4 || value === 6,
  socketPath: (value) => word(value) && String(value).startsWith('/'),
};

const PRINTED_HOST_ENTRIES = Object.entries(PRINTED_HOST);

/** Values that are longer print as a digest. */
const MAX_LENGTH = 64;

/** Digests are equal within this process only, so that no passphrase can be guessed by one. */
const PROCESS_KEY = randomBytes(16).toString('hex');

function digest(text: string): string {
  return `#${hash('sha256', PROCESS_KEY + text).slice(0, 16)}`;
}

/** The part of a name that is the same for all hosts of a profile. */
interface ProfileName {
  /** The values that Node is given to print. */
  readonly printed: Readonly<Record<string, unknown>>;
  /** Whether Node's string distinguishes these values from all others. */
  readonly isTold: boolean;
  /** A digest of all values. */
  readonly digest: string;
  /** The text that Node prints for them, after the host part. `''`: the end of the host part is not known. */
  tail: string | undefined;
}

function nameProfile(values: ProfileValues): ProfileName {
  const printed: Record<string, unknown> = {};
  let isTold = true;
  let text = '';
  for (const [name, value] of values) {
    const isHidden = SECRET_OPTIONS.has(name) || lengthOf(value) > MAX_LENGTH;
    const shown = (printed[name] = isHidden ? digest(describe(value)) : printable(value));
    const test = PRINTED[name];
    // A value that looks like a digest is printed as a digest itself.
    const isPlainly = isHidden || (test?.(shown) === true && !String(shown).startsWith('#'));
    isTold &&= test !== undefined && isPlainly;
    text += `,${name} ${isHidden ? String(shown) : describe(value)}`;
  }
  return { printed, isTold, digest: digest(text), tail: undefined };
}

/**
 * The form in which Node is given a value to print: one form for all that are the `same`. Node 22 and later tell text from the bytes that
 * spell it, and number objects.
 */
function printable(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return textOf(value) ?? copy(value);
  if (Array.isArray(value)) return value.map(printable);
  return isPlain(value) ? digest(describe(value)) : value;
}

/** The length of all text and bytes in a value. */
function lengthOf(value: unknown, depth = 0): number {
  if (typeof value === 'string') return value.length;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (depth === 3 || !(Array.isArray(value) || isPlain(value))) return 0;
  return Object.values(value).reduce<number>((sum, member) => sum + lengthOf(member, depth + 1), 0);
}

/** The names of profiles. */
const names = new WeakMap<ProfileValues, ProfileName>();
/** The names of options that are known to belong to a profile. */
const known = new WeakMap<Options, ProfileName>();

/** Notes that `options` belong to the profile of these values: `agentName` need not compare them again. */
export function rememberProfile(options: Options, values: ProfileValues): void {
  let name = names.get(values);
  if (!name) names.set(values, (name = nameProfile(values)));
  known.set(options, name);
}

type Nodes = (options: Options) => string;

/** Node's string for a host of a remembered profile: hundreds of hosts may share a profile, and reading the views names all of them. */
function nodesNameOf(profile: ProfileName, host: HostOptions, nodes: Nodes): string {
  // Node prints a server name that is not the host in the middle of the string.
  if (!host.servername || host.servername === host.host) {
    const tail = (profile.tail ??= tailOf(profile, nodes));
    if (tail !== '') return hostPart(host) + tail;
  }
  return nodes({ ...profile.printed, ...host });
}

function tailOf({ printed }: ProfileName, nodes: Nodes): string {
  const host = { host: 'a', port: 1, localAddress: 'b', family: 4, socketPath: 'c', servername: 'a' };
  const name = nodes({ ...printed, ...host });
  const part = hostPart(host);
  return name.startsWith(part) ? name.slice(part.length) : '';
}

type HostOptions = Readonly<
  Record<'host' | 'port' | 'localAddress' | 'family' | 'socketPath' | 'servername', unknown>
>;

/** The host part, as Node prints it. */
function hostPart({ host, port, localAddress, family, socketPath }: HostOptions): string {
  let part = `${String(host || 'localhost')}:${port ? String(port) : ''}:${localAddress ? String(localAddress) : ''}`;
  if (family === 4 || family === 6) part += `:${family}`;
  if (socketPath) part += `:${String(socketPath)}`;
  return part;
}

/**
 * @param nodes Node's own `getName`
 * @param scheme the agent's
 */
export function agentName(options: Options, nodes: Nodes, scheme: Protocol['name'] = 'https:'): string {
  const protocol: Protocol = scheme === 'http:' ? HTTP : HTTPS;
  const remembered = known.get(options);
  const profile = remembered ?? nameProfile(profileValues(options, protocol.profileOptions));
  // Without options that do not count, and without symbols: Node gives each request with a `checkServerIdentity` a number under a symbol, and
  // prints that.
  const { host, port, localAddress, family, socketPath, servername } = options;
  const part = { host, port, localAddress, family, socketPath, servername };
  const name = remembered ? nodesNameOf(profile, part, nodes) : nodes({ ...profile.printed, ...part });
  const hasServerName = protocol.hasServerNames;
  const isServerTold = !hasServerName || servernameIsTold(options);
  if (profile.isTold && isServerTold && isHostTold(options)) return name;
  let text = '';
  for (const [option] of PRINTED_HOST_ENTRIES) text += `${describe(plainHost(options[option]))},`;
  if (hasServerName) text += describe(servernameOf(options));
  return `${name}:${digest(text + profile.digest)}`;
}

function isHostTold(options: Options): boolean {
  for (const [name, test] of PRINTED_HOST_ENTRIES) {
    const value = options[name];
    if (value !== undefined && !test(value)) return false;
  }
  return true;
}

/** As in the pool's key, a port counts by its digits. */
function plainHost(value: unknown): unknown {
  return value === undefined || value === null ? '' : String(value);
}

function defaultServername(options: Options): string {
  return serverNameFor((options['host'] as string | undefined) || 'localhost', undefined);
}

function servernameOf(options: Options): unknown {
  const given = options['servername'];
  return given || given === '' ? given : defaultServername(options);
}

/** Whether Node's string shows the server name. It shows one that is not the host; it does not show that a host has none. */
function servernameIsTold(options: Options): boolean {
  const name = servernameOf(options);
  if (name === defaultServername(options)) return true;
  return word(name) && name !== options['host'];
}
