/** The content of an export: sessions by identity. All of it is checked before any of it is used. */
import { sessionImport } from './import-error.js';
import { unwrapsSessions } from '../node/session-mark.js';
import { seal, unseal } from './seal.js';
import type { SealKey } from './seal.js';
import { derOf, isMarked } from './session-info.js';

interface Exported {
  readonly id: string;
  /** Whether a client certificate is part of the identity. */
  readonly clientCertificate: boolean;
  /** The oldest first. */
  readonly sessions: Buffer[];
}

export function sealExport(entries: readonly Exported[], key: SealKey): Buffer {
  const content = entries.map(({ id, clientCertificate, sessions }) => [
    id,
    clientCertificate,
    sessions.map((session) => session.toString('base64')),
  ]);
  return seal(Buffer.from(JSON.stringify(content)), key);
}

/** Bytes. More would not fit into one string of V8. */
const MAX_IMPORT = 256 * 1024 * 1024;

export function openExport(blob: Uint8Array, key: SealKey): Exported[] {
  if (blob instanceof Uint8Array && blob.length > MAX_IMPORT) {
    throw sessionImport('FORMAT', `This export of TLS sessions has more than ${MAX_IMPORT} bytes`);
  }
  const content = unseal(blob, key).toString();
  let entries: unknown;
  try {
    entries = JSON.parse(content);
  } catch (error) {
    throw sessionImport('FORMAT', 'This export of TLS sessions cannot be read', error);
  }
  if (!Array.isArray(entries)) throw sessionImport('FORMAT', 'This export of TLS sessions cannot be read');
  return entries.map(toEntry);
}

function toEntry(entry: unknown): Exported {
  const [id, clientCertificate, sessions] = Array.isArray(entry) ? (entry as unknown[]) : [];
  if (typeof id !== 'string' || typeof clientCertificate !== 'boolean' || !isStrings(sessions)) {
    throw sessionImport('FORMAT', 'This export of TLS sessions cannot be read');
  }
  return { id, clientCertificate, sessions: sessions.flatMap(toSession) };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}

/**
 * Leaves out sessions that this Node cannot use: OpenSSL cannot read the mark of a newer Node; and a Node that marks sessions takes none
 * without a mark, which would only push out better ones.
 */
function toSession(text: string): Buffer[] {
  const session = Buffer.from(text, 'base64');
  if (isMarked(session) === unwrapsSessions()) return [session];
  return isMarked(session) ? [Buffer.from(derOf(session))] : [];
}
