/** TLS sessions for tests: made by hand, in OpenSSL's own format, or got from a server. */
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { Options, Origin } from '../../src/identity/identity.js';
import { unwrapsSessions } from '../../src/node/session-mark.js';
import { keyTerms } from '../../src/sessions/key-terms.js';
import { sessionKeyOf } from '../../src/sessions/session-key.js';
import type { SessionKey } from '../../src/sessions/session-key.js';
import { until } from '../support/until.js';

function element(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), body]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), body]);
}

export function integer(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256))
    bytes.unshift(rest % 256);
  if ((bytes[0] ?? 0) >= 0x80) bytes.unshift(0);
  return element(0x02, Buffer.from(bytes));
}

export interface MadeSession {
  readonly version?: number;
  /** Seconds. */
  readonly issuedAt?: number;
  readonly timeout?: number;
  readonly lifetimeHint?: number;
  readonly ticket?: string;
}

/** SSL_SESSION as OpenSSL writes it: what is zero or absent is left out. */
export function makeSession(given: MadeSession = {}): Buffer {
  const { version = 0x0304, issuedAt = 0, timeout = 7200, lifetimeHint = 0, ticket = 'ticket' } = given;
  const optional = (tag: number, value: number): Buffer[] => (value ? [element(tag, integer(value))] : []);
  return element(
    0x30,
    integer(1),
    integer(version),
    element(0x04, Buffer.of(0x13, 0x02)),
    element(0x04, Buffer.alloc(32, 1)),
    element(0x04, Buffer.alloc(48, 2)),
    ...optional(0xa1, issuedAt),
    ...optional(0xa2, timeout),
    element(0xa4, element(0x04)),
    ...optional(0xa9, lifetimeHint),
    element(0xaa, element(0x04, Buffer.from(ticket))),
  );
}

/** With the mark that newer Nodes put on sessions, where this is one. */
export function makeNodeSession(given: MadeSession): Buffer {
  const mark = Buffer.from('\0nodejs:tls:session:1\0\0\x09localhost', 'latin1');
  return unwrapsSessions() ? Buffer.concat([mark, makeSession(given)]) : makeSession(given);
}

/** The sessions that a server gives on one connection. */
export async function receiveSessions(
  { port, ca }: { port: number; ca: string },
  count: number,
  options: ConnectionOptions = {},
): Promise<Buffer[]> {
  const sessions: Buffer[] = [];
  const socket = connect({ host: 'localhost', port, ca, ...options });
  socket.on('session', (session) => sessions.push(session)).on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  socket.resume();
  try {
    await until(() => sessions.length >= count);
  } finally {
    socket.destroy();
  }
  return sessions;
}

/** The key of sessions of a connection that is opened now. */
export function presentKey(origin: Origin<unknown>, options: Options): SessionKey {
  return sessionKeyOf(origin, keyTerms(origin, options));
}
