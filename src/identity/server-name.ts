/** The name sent in the TLS handshake and checked against the certificate, when none is given. */
import { isIP } from 'node:net';
import { invalidType } from '../errors.js';

/**
 * The name in the Host header, else the host; `''` for an IP address (RFC 6066, section 3: literal addresses
 * are not permitted).
 */
export function serverNameFor(host: string, hostHeader: unknown): string {
  const name = hostHeader ? fromHostHeader(hostHeader) : host;
  // A name that ends in a letter and has no colon cannot be an address: most names skip the parser.
  const last = name.charCodeAt(name.length - 1);
  const mayBeAddress = (last >= 48 && last <= 57) || name.includes(':');
  return mayBeAddress && isIP(name) ? '' : name;
}

/** `abc`, `abc:123`, `[::1]` and `[::1]:123` without port and brackets. */
function fromHostHeader(header: unknown): string {
  if (typeof header !== 'string') throw invalidType('options.headers.host', 'of type string', header);
  if (header.startsWith('[')) {
    const end = header.indexOf(']');
    return end === -1 ? header : header.slice(1, end);
  }
  const colon = header.indexOf(':');
  return colon === -1 ? header : header.slice(0, colon);
}
