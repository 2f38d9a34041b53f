/**
 * The key under which a session is kept: a digest of the content of an identity, the same in every agent and every process, so that
 * caches can be shared, exported and imported. In it is everything that decided whom the session was made with and whom we
 * trusted: a resumed handshake checks no certificate again.
 *
 * The digest covers private keys and passphrases (who we are), by SHA-256, and leaves the process only inside an
 * encrypted export. Functions and contexts have no content: they count by identity, and the key is good for this process only. So do functions that
 * others have put in the place of Node's: what they demand was not asked of a session of before, and would not be asked when it is resumed.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { currentPolicy, OWN_POLICY } from '../node/connect-functions.js';
import { defaultAuthorities } from '../tls/context-defaults.js';
import { referenceId } from '../identity/option-value.js';
import type { Options, Origin } from '../identity/identity.js';

export interface SessionKey {
  readonly id: string;
  /** Means the same in another process. */
  readonly portable: boolean;
  /** A client certificate is part of it. */
  readonly clientCertificate: boolean;
}

/** The key for connections to `origin` that are opened with `options`. Computed once for each origin. */
export function sessionKeyOf(origin: Origin<unknown>, options: Options): SessionKey {
  const verified = isVerified(options);
  const { values } = origin.profile;
  // The authorities that Node trusts by itself can change: `tls.setDefaultCACertificates`.
  const authorities = values.get('ca') || values.has('secureContext') ? undefined : defaultAuthorities();
  const policy = currentPolicy();
  const known = keys.get(origin);
  if (known?.verified === verified && known.authorities === authorities && known.policy === policy)
    return known.key;

  const profile = digestOf(origin.profile);
  const hash = createHash('sha256').update('pooling-https-agent session 1\0');
  add(hash, origin.key);
  add(hash, profile.digest);
  add(hash, verified);
  if (authorities) add(hash, digestOfAuthorities(authorities));
  if (policy !== OWN_POLICY) add(hash, `policy ${referenceId(policy)}`);
  const key: SessionKey = {
    id: hash.digest('base64url'),
    portable: profile.portable && policy === OWN_POLICY,
    clientCertificate: CREDENTIALS.some((name) => values.has(name)),
  };
  keys.set(origin, { key, verified, authorities, policy });
  return key;
}

/**
 * Whether Node refuses the connection when the server's certificate is not good; as tls.connect decides it. The
 * environment variable is read for each connection, so a process can change its mind.
 */
export function isVerified(options: Options): boolean {
  if ('rejectUnauthorized' in options) return options['rejectUnauthorized'] !== false;
  return process.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0';
}

const CREDENTIALS = ['cert', 'key', 'pfx', 'clientCertEngine', 'privateKeyIdentifier'] as const;

interface Known {
  readonly key: SessionKey;
  readonly verified: boolean;
  readonly authorities: readonly string[] | undefined;
  readonly policy: object;
}

const keys = new WeakMap<object, Known>();

interface ProfileDigest {
  readonly digest: string;
  readonly portable: boolean;
}

const profileDigests = new WeakMap<object, ProfileDigest>();

function digestOf(profile: Origin<unknown>['profile']): ProfileDigest {
  let known = profileDigests.get(profile);
  if (!known) {
    const hash = createHash('sha256');
    let portable = true;
    for (const name of [...profile.values.keys()].toSorted()) {
      add(hash, name);
      portable = add(hash, profile.values.get(name)) && portable;
    }
    known = { digest: hash.digest('base64url'), portable };
    profileDigests.set(profile, known);
  }
  return known;
}

const authorityDigests = new WeakMap<readonly string[], string>();

function digestOfAuthorities(authorities: readonly string[]): string {
  let digest = authorityDigests.get(authorities);
  if (digest === undefined) {
    const hash = createHash('sha256');
    for (const certificate of authorities) add(hash, certificate);
    // Read by Node when it starts; where it does not tell what was in them, the names must do.
    for (const name of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR']) add(hash, process.env[name]);
    digest = hash.digest('base64url');
    authorityDigests.set(authorities, digest);
  }
  return digest;
}

/** Adds `value` with its type and length, so that no two values read alike. `false`: it counts by identity. */
function add(hash: Hash, value: unknown): boolean {
  if (Array.isArray(value)) {
    hash.update(`a${value.length}:`);
    return value.reduce<boolean>((portable, member) => add(hash, member) && portable, true);
  }
  if (value instanceof Uint8Array) {
    hash.update(`b${value.byteLength}:`).update(value);
    return true;
  }
  if (isObject(value)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (typeof value === 'function' || (prototype !== Object.prototype && prototype !== null)) {
      hash.update(`i${referenceId(value)}:`);
      return false;
    }
    const names = Object.keys(value).toSorted();
    hash.update(`o${names.length}:`);
    return names.reduce((portable, name) => {
      add(hash, name);
      return add(hash, value[name]) && portable;
    }, true);
  }
  const text = String(value);
  hash.update(`${typeof value}${Buffer.byteLength(text)}:`).update(text);
  return typeof value !== 'symbol';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
