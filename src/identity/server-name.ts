/** The name that is sent in the TLS handshake and checked against the certificate, where the option `servername` is not given. */
import { isIP } from 'node:net';
import { invalidType } from '../errors.js';
import { givenHeader } from '../node/request-headers.js';
import type { AgentRequest } from '../node/types.js';

/**
 * The name in the Host header, else the host; `''` for an IP address (RFC 6066, section 3: literal addresses
 * are not permitted).
 */
export function serverNameFor(host: string, hostHeader: unknown): string {
  const name = hostHeader ? fromHostHeader(hostHeader) : host;
  return isAddress(name) ? '' : name;
}

/** Whether `host` is an IP address. One that ends in a letter and has no colon is none: most names skip Node's parser. */
export function isAddress(host: string): boolean {
  const last = host.charCodeAt(host.length - 1);
  const mayBeAddress = (last >= 48 && last <= 57) || host.includes(':');
  return mayBeAddress && isIP(host) !== 0;
}

/** The option `servername`, if it is given. */
export function givenServerName(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  // tls.connect refuses it, too, but leaves behind a socket without an 'error' listener.
  if (given) throw invalidType('options.servername', 'of type string', given);
  return undefined;
}

/**
 * Gives the options of a dial over plain TCP a server name, as Node's agents do: a `createConnection` of others may speak TLS. No identity depends on it.
 *
 * @throws for a Host header that is not valid
 */
export function nameServer(dial: Record<string, unknown>, req: AgentRequest): void {
  const given = dial['servername'];
  if (!given && given !== '') dial['servername'] = serverNameFor(String(dial['host']), hostHeaderOf(req));
}

/** Hot path. The Host header of `req`, as far as it was set one by one. */
export function hostHeaderOf(req: AgentRequest): unknown {
  return givenHeader(req, 'host');
}

/** @throws for a Host header that is given, and no string */
export function checkHostHeader(header: unknown): asserts header is string {
  if (typeof header !== 'string') throw invalidType('options.headers.host', 'of type string', header);
}

/** `abc`, `abc:123`, `[::1]` and `[::1]:123` without port and brackets. */
function fromHostHeader(header: unknown): string {
  checkHostHeader(header);
  if (header.startsWith('[')) {
    const end = header.indexOf(']');
    return end === -1 ? header : header.slice(1, end);
  }
  const colon = header.indexOf(':');
  return colon === -1 ? header : header.slice(0, colon);
}
