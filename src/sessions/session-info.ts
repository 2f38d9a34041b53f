/**
 * Reads the fields of a TLS session that decide how long, and how often, it may be offered. Node hands sessions out as OpenSSL writes them:
 * DER of the ASN.1 type SSL_SESSION (OpenSSL's ssl/ssl_asn1.c). Newer versions of Node put a mark before it that names the server for which
 * the session was authenticated. Strict and total: bytes that are not exactly of that shape are no session, and nothing is thrown.
 */
const TLS_1_3 = 0x0304;

/** RFC 8446, section 4.6.1: "Clients MUST NOT cache tickets for longer than 7 days". In milliseconds. */
const MAX_LIFETIME_1_3 = 7 * 24 * 60 * 60 * 1000;
/** RFC 5246, appendix F.1.4: "An upper limit of 24 hours is suggested for session ID lifetimes". In milliseconds. */
const MAX_LIFETIME_1_2 = 24 * 60 * 60 * 1000;

interface SessionInfo {
  /** Whether it should be used once, as each ticket of TLS 1.3 (RFC 8446, appendix C.4). Earlier sessions are made for reuse. */
  readonly singleUse: boolean;
  /** When the session or its ticket was issued, in milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Milliseconds after that for which it may be offered. */
  readonly lifetime: number;
}

/** The fields of `session`. `undefined`: it cannot be read, and so is never offered. */
export function readSession(session: Uint8Array): SessionInfo | undefined {
  const bytes = derOf(session);
  const whole = elementAt(bytes, 0, bytes.length);
  if (whole?.tag !== SEQUENCE || whole.end !== bytes.length) return undefined;

  const members: Element[] = [];
  for (let at = whole.start; at < whole.end;) {
    const member = elementAt(bytes, at, whole.end);
    if (!member) return undefined;
    members.push(member);
    at = member.end;
  }
  const [structure, protocol, ...rest] = members;
  if (!structure || !protocol || integer(bytes, structure) !== 1) return undefined;
  const version = integer(bytes, protocol);
  if (version === undefined || version < 0x0300 || version > TLS_1_3) return undefined;
  // Cipher, session id, master secret.
  if (rest.length < 3 || rest.slice(0, 3).some(({ tag }) => tag !== OCTET_STRING)) return undefined;

  let issuedAt = 0;
  let timeout = 0;
  let lifetimeHint = 0;
  let lastTag = 0;
  for (const { tag, start, end } of rest.slice(3)) {
    // The optional fields have context-specific tags, each at most once, in order.
    if (tag >> 6 !== 2 || tag <= lastTag) return undefined;
    lastTag = tag;
    if (tag !== TIME && tag !== TIMEOUT && tag !== LIFETIME_HINT) continue;
    const value = elementAt(bytes, start, end);
    const seconds = value?.end === end ? integer(bytes, value) : undefined;
    if (seconds === undefined) return undefined;
    if (tag === TIME) issuedAt = seconds * 1000;
    else if (tag === TIMEOUT) timeout = seconds * 1000;
    else lifetimeHint = seconds * 1000;
  }
  // A hint of zero is not written. In TLS 1.3 it means "discard at once" (RFC 8446, section 4.6.1), in earlier versions
  // "unspecified" (RFC 5077, section 3.3): then OpenSSL's own timeout counts.
  return version === TLS_1_3
    ? { singleUse: true, issuedAt, lifetime: Math.min(lifetimeHint, MAX_LIFETIME_1_3) }
    : { singleUse: false, issuedAt, lifetime: Math.min(lifetimeHint || timeout, MAX_LIFETIME_1_2) };
}

const NODE_PREFIX = Buffer.from('\0nodejs:tls:session:1\0', 'latin1');

/** The session without the mark of newer versions of Node (22.23, 24.21, 26), which is followed by a name with its length. */
export function derOf(session: Uint8Array): Uint8Array {
  const { length } = NODE_PREFIX;
  if (!isMarked(session)) return session;
  const nameLength = ((session[length] ?? 0) << 8) | (session[length + 1] ?? 0);
  return session.subarray(length + 2 + nameLength);
}

/** Whether it has the mark that names the server for which it was authenticated. */
export function isMarked(session: Uint8Array): boolean {
  const { length } = NODE_PREFIX;
  return session.length >= length + 2 && NODE_PREFIX.equals(session.subarray(0, length));
}

// The part of DER (X.690) that is needed: tags of one byte, definite lengths in their shortest form.

const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;
const TIME = 0xa1;
const TIMEOUT = 0xa2;
const LIFETIME_HINT = 0xa9;

interface Element {
  readonly tag: number;
  /** The beginning of its content. */
  readonly start: number;
  readonly end: number;
}

function elementAt(bytes: Uint8Array, at: number, limit: number): Element | undefined {
  if (at + 2 > limit) return undefined;
  const tag = bytes[at] ?? 0;
  if ((tag & 0x1f) === 0x1f) return undefined;
  let length = bytes[at + 1] ?? 0;
  let start = at + 2;
  if (length >= 0x80) {
    const size = length & 0x7f;
    if (size < 1 || size > 3 || start + size > limit) return undefined;
    length = 0;
    for (let i = 0; i < size; i++) length = (length << 8) | (bytes[start + i] ?? 0);
    if (length < 0x80 || length < 1 << (8 * (size - 1))) return undefined;
    start += size;
  }
  const end = start + length;
  return end <= limit ? { tag, start, end } : undefined;
}

/** A non-negative integer in its shortest form that is exact as a number. */
function integer(bytes: Uint8Array, { tag, start, end }: Element): number | undefined {
  const size = end - start;
  const first = bytes[start] ?? 0;
  if (tag !== INTEGER || size < 1 || size > 6 || first >= 0x80) return undefined;
  if (size > 1 && first === 0 && (bytes[start + 1] ?? 0) < 0x80) return undefined;
  let value = 0;
  for (let i = start; i < end; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}
