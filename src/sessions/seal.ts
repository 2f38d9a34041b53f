/**
 * Seals bytes with a key that the user gives: AES-256-GCM, so that nothing can be read without the key, and nothing changed
 * unseen. Layout: magic, version, salt, nonce, ciphertext, tag; magic and version are authenticated, too.
 *
 * The key is derived anew for every blob, with a random salt: by scrypt from a string, which may be guessable; by HKDF from
 * bytes, which are taken to be random.
 */
import { createCipheriv, createDecipheriv, hkdfSync, KeyObject, randomBytes, scryptSync } from 'node:crypto';
import { invalidType, outOfRange } from '../errors.js';
import { sessionImport } from './import-error.js';

/** A passphrase, or at least 16 random bytes. */
export type SealKey = string | Uint8Array | KeyObject;

const MAGIC = Buffer.from('PHAS', 'latin1');
const VERSION = 1;
const HEADER = MAGIC.length + 1;
const SALT = 16;
const NONCE = 12;
const TAG = 16;
const MIN_KEY_BYTES = 16;
const CIPHER = 'aes-256-gcm';
const PURPOSE = 'pooling-https-agent session export';

/** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for a key that is not valid */
export function seal(content: Buffer, key: SealKey): Buffer {
  const header = Buffer.concat([MAGIC, Buffer.of(VERSION)]);
  const salt = randomBytes(SALT);
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, derive(key, salt), nonce).setAAD(header);
  return Buffer.concat([header, salt, nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/**
 * @throws as `seal`; `ERR_SESSION_IMPORT_FORMAT` for bytes that are no sealed blob, `ERR_SESSION_IMPORT_VERSION` for a blob of
 * another version, `ERR_SESSION_IMPORT_KEY` if it was sealed with another key, or was changed
 */
export function unseal(blob: Uint8Array, key: SealKey): Buffer {
  if (!(blob instanceof Uint8Array)) throw invalidType('buffer', 'an instance of Buffer or Uint8Array', blob);
  if (blob.length < HEADER || !MAGIC.equals(blob.subarray(0, MAGIC.length))) {
    throw sessionImport('FORMAT', 'This is no export of TLS sessions');
  }
  const version = blob[MAGIC.length];
  if (version !== VERSION) {
    throw sessionImport('VERSION', `This export of TLS sessions has version ${version}, not ${VERSION}`);
  }
  if (blob.length < HEADER + SALT + NONCE + TAG) {
    throw sessionImport('FORMAT', 'This export of TLS sessions is cut short');
  }
  const header = blob.subarray(0, HEADER);
  const salt = blob.subarray(HEADER, HEADER + SALT);
  const nonce = blob.subarray(HEADER + SALT, HEADER + SALT + NONCE);
  const decipher = createDecipheriv(CIPHER, derive(key, salt), nonce, { authTagLength: TAG })
    .setAAD(header)
    .setAuthTag(blob.subarray(-TAG));
  try {
    return Buffer.concat([decipher.update(blob.subarray(HEADER + SALT + NONCE, -TAG)), decipher.final()]);
  } catch (error) {
    throw sessionImport('KEY', 'This export of TLS sessions was made with another key, or changed', error);
  }
}

function derive(key: SealKey, salt: Uint8Array): Buffer {
  if (typeof key === 'string') {
    if (key === '') throw outOfRange('key', 'a string that is not empty', key);
    return scryptSync(key, salt, 32);
  }
  const secret = key instanceof KeyObject && key.type === 'secret' ? key.export() : key;
  if (!(secret instanceof Uint8Array)) {
    throw invalidType('key', 'of type string or an instance of Buffer, Uint8Array or secret KeyObject', key);
  }
  if (secret.length < MIN_KEY_BYTES) {
    throw outOfRange('key.length', `at least ${MIN_KEY_BYTES} bytes`, secret.length);
  }
  return Buffer.from(hkdfSync('sha256', secret, salt, PURPOSE, 32));
}
