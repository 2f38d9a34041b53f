/**
 * The key under which a session is kept: a digest of the content of an identity, the same in every agent and every process, so that
 * caches can be shared, exported and imported. It covers everything that decided the peer and the trust of the session, because a
 * resumed handshake checks no certificate again.
 *
 * The digest covers private keys and passphrases (who we are), by SHA-256, and leaves the process only inside an
 * encrypted export. Functions and contexts count by identity: then the key is valid in this process only. So do functions that have replaced
 * Node's: their checks were not applied to earlier sessions, and would not be applied when such a session is resumed.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { OWN_POLICY } from '../node/connect-functions.js';
import { referenceId } from '../identity/reference-number.js';
import type { Origin } from '../identity/identity.js';
import type { KeyTerms } from './key-terms.js';

export interface SessionKey {
  readonly id: string;
  /** Whether it means the same in another process. */
  readonly portable: boolean;
  /** Whether a client certificate is part of it. */
  readonly clientCertificate: boolean;
}

/** The key for connections to `origin` that are opened on these terms. Computed once for each origin: a digest of all authorities takes a millisecond. */
export function sessionKeyOf(origin: Origin<unknown>, terms: KeyTerms): SessionKey {
  const { verified, authorities, policy } = terms;
  const { values } = origin.profile;
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
  keys.set(origin, { key, ...terms });
  return key;
}

const CREDENTIALS = ['cert', 'key', 'pfx', 'clientCertEngine', 'privateKeyIdentifier'] as const;

interface Known extends KeyTerms {
  readonly key: SessionKey;
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
    // All in one: hundreds of small updates would take longer than the digest itself.
    add(hash, authorities.map(({ length }) => length).join());
    add(hash, authorities.join(''));
    // Node reads these files when it starts. Where their content is not known, their names are covered.
    for (const name of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR']) add(hash, process.env[name]);
    digest = hash.digest('base64url');
    authorityDigests.set(authorities, digest);
  }
  return digest;
}

/** Adds `value` with its type and length, so that no two values give the same bytes. `false`: it counts by identity. */
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
