/**
 * Names an identity, for `getName()` and the keys of `sockets`. The name is Node's string for ordinary options, with two changes.
 *
 * - A name is printed, logged and sent to dashboards. So a digest, keyed per process, stands in place of every secret, and of every other
 *   value of more than 64 characters: certificates are no name either.
 * - Where Node's string does not tell identities apart, a token follows. Node prints some options only, and prints different values
 *   alike: every function or object as its source or as `[object Object]`, bytes as broken text, lists as text with commas, and a colon in
 *   a value like the one between two. A digest tells apart by itself.
 */
import type { Options } from './option-value.js';
import { hash, randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { profileValues } from './profile.js';
import type { ProfileValues } from './profile.js';
import { SECRET_OPTIONS } from './secrets.js';
import { serverNameFor } from './server-name.js';
import { describe, isPlain } from './option-value.js';

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

/** A word, or one PEM block or more: what begins or ends one is seen in the name. */
const pem: Test = (value) => {
  const text = ArrayBuffer.isView(value) ? asText(value) : value;
  if (word(text)) return true;
  return (
    typeof text === 'string' &&
    /^-----BEGIN [^]*-----\s*$/.test(text) &&
    Buffer.byteLength(text) === text.length &&
    !/-----\s*[:,]|[:,]\s*-----BEGIN/.test(text)
  );
};

const pems: Test = (value) => (Array.isArray(value) && value.length > 1 ? value.every(pem) : pem(value));

function asText(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('latin1');
}

/** The options that Node prints, each with a test that finds values whose text no other value has. */
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

/** The same of the host part; `undefined` is told, too. */
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

/** Digests are the same in all of this process, and good for nothing else: nobody can guess a passphrase by one. */
const PROCESS_KEY = randomBytes(16).toString('hex');

function digest(text: string): string {
  return `#${hash('sha256', PROCESS_KEY + text).slice(0, 16)}`;
}

/** The part of a name that is the same for all hosts of a profile. */
interface ProfileName {
  /** The values that Node is given to print. */
  readonly printed: Readonly<Record<string, unknown>>;
  /** Whether Node's string tells these from any others. */
  readonly isTold: boolean;
  /** Stands for all values. */
  readonly digest: string;
  /** The text that Node prints of them, after the host part. `''`: it is not known where that ends. */
  tail: string | undefined;
}

function nameProfile(values: ProfileValues): ProfileName {
  const printed: Record<string, unknown> = {};
  let isTold = true;
  let text = '';
  for (const [name, value] of values) {
    const isHidden = SECRET_OPTIONS.has(name) || lengthOf(value) > MAX_LENGTH;
    printed[name] = isHidden ? digest(describe(value)) : value;
    const test = PRINTED[name];
    // Nobody's own value is taken for a digest.
    const isPlainly = isHidden || (test?.(value) === true && !String(value).startsWith('#'));
    isTold &&= test !== undefined && isPlainly;
    text += `,${name} ${isHidden ? String(printed[name]) : describe(value)}`;
  }
  return { printed, isTold, digest: digest(text), tail: undefined };
}

/** Of all text and bytes in a value. */
function lengthOf(value: unknown, depth = 0): number {
  if (typeof value === 'string') return value.length;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (depth === 3 || !(Array.isArray(value) || isPlain(value))) return 0;
  return Object.values(value).reduce<number>((sum, member) => sum + lengthOf(member, depth + 1), 0);
}

/** Those of profiles. */
const names = new WeakMap<ProfileValues, ProfileName>();
/** Those of options that are known to belong to a profile. */
const known = new WeakMap<Options, ProfileName>();

/** `options` belong to the profile of these values: `agentName` need not look through them. */
export function rememberProfile(options: Options, values: ProfileValues): void {
  let name = names.get(values);
  if (!name) names.set(values, (name = nameProfile(values)));
  known.set(options, name);
}

type Nodes = (options: Options) => string;

/** Node's string for a host of a profile that is remembered: hundreds of hosts may share one, and reading the views names all of them. */
function nodesNameOf(profile: ProfileName, host: HostOptions, nodes: Nodes): string {
  // A server name of its own is printed somewhere in the middle.
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

/** As Node prints it. */
function hostPart({ host, port, localAddress, family, socketPath }: HostOptions): string {
  let part = `${String(host || 'localhost')}:${port ? String(port) : ''}:${localAddress ? String(localAddress) : ''}`;
  if (family === 4 || family === 6) part += `:${family}`;
  if (socketPath) part += `:${String(socketPath)}`;
  return part;
}

/** @param nodes what Node calls such options */
export function agentName(options: Options, nodes: Nodes): string {
  const remembered = known.get(options);
  const profile = remembered ?? nameProfile(profileValues(options));
  // Without what counts for nothing, and without symbols: Node stamps each request with a `checkServerIdentity` with a number of its own,
  // and prints that.
  const { host, port, localAddress, family, socketPath, servername } = options;
  const part = { host, port, localAddress, family, socketPath, servername };
  const name = remembered ? nodesNameOf(profile, part, nodes) : nodes({ ...profile.printed, ...part });
  if (profile.isTold && isHostTold(options)) return name;
  let text = '';
  for (const [option] of PRINTED_HOST_ENTRIES) text += `${describe(plainHost(options[option]))},`;
  return `${name}:${digest(text + describe(servernameOf(options)) + profile.digest)}`;
}

function isHostTold(options: Options): boolean {
  if (!servernameIsTold(options)) return false;
  for (const [name, test] of PRINTED_HOST_ENTRIES) {
    const value = options[name];
    if (value !== undefined && !test(value)) return false;
  }
  return true;
}

/** As in the pool key, where a port counts by its digits. */
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

/** Node prints a server name that is not the host. None, for a host that has one, it does not print. */
function servernameIsTold(options: Options): boolean {
  const name = servernameOf(options);
  if (name === defaultServername(options)) return true;
  return word(name) && name !== options['host'];
}
