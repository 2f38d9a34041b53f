/**
 * Tells identities apart in `getName()`, where Node's string does not. Node prints some options only, and prints different
 * values alike: every function or object as its source or as `[object Object]`, bytes as broken text, lists as text with commas,
 * and a colon in a value like the one between two. Ordinary options it prints faithfully, and then nothing is added.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import { PROFILE_OPTIONS, profileValues } from './profile.js';
import { describe } from './value.js';

type Options = Readonly<Record<string, unknown>>;
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

/** What Node prints, and which values of it are told from any other. */
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

/** Short, the same in all of this process, and good for nothing else: nobody can guess a passphrase by it. */
const SECRET = randomBytes(16);

/** What Node's name of `options` lacks: `''` for most, else a colon and a token. */
export function nameSuffix(options: Options): string {
  const values = profileValues(options);
  if (
    servernameIsTold(options) &&
    Object.entries(PRINTED_HOST).every(
      ([name, test]) => options[name] === undefined || test(options[name]),
    ) &&
    Array.from(values).every(([name, value]) => PRINTED[name]?.(value) === true)
  ) {
    return '';
  }
  const hmac = createHmac('sha256', SECRET);
  for (const name of Object.keys(PRINTED_HOST)) hmac.update(`${describe(plainHost(options[name]))},`);
  hmac.update(describe(servernameOf(options)));
  for (const name of PROFILE_OPTIONS) {
    if (values.has(name)) hmac.update(`,${name} ${describe(values.get(name))}`);
  }
  return `:#${hmac.digest('hex').slice(0, 16)}`;
}

/** As in the pool key, where a port counts by its digits. */
function plainHost(value: unknown): unknown {
  return value === undefined || value === null ? '' : String(value);
}

function defaultServername(options: Options): string {
  const host = (options['host'] as string | undefined) || 'localhost';
  return isIP(host) ? '' : host;
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
