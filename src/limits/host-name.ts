/** The forms of a host: the one that is compared with others, and its name in events, errors and debug lines, `host:port`, as in URLs. */
import net, { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { isAscii } from '../identity/option-value.js';

/** The part of an origin that its name needs. */
export interface Named {
  readonly host: string;
  /** The port as it was given: a number, digits, or nothing. */
  readonly port: unknown;
  /** The port if that is nothing. Default: that of `https:`. */
  readonly defaultPort?: number;
  readonly protocol?: { readonly name: string };
}

const DEFAULT_PORT = 443;

/** The host without all that is before its last `@`: callers who cut a URL themselves may leave a user and a password there. */
export function hostAndPort({ defaultPort = DEFAULT_PORT, host, port }: Named): {
  host: string;
  port: number;
} {
  return { host: withoutCredentials(host), port: Number(port) || defaultPort };
}

export function withoutCredentials(host: string): string {
  return host.slice(host.lastIndexOf('@') + 1);
}

export function hostName(origin: Named): string {
  const { host, port } = hostAndPort(origin);
  return withPort(host, port);
}

/** `host` in the form in which it is compared: as DNS does, without case and without a dot at the end, and addresses by what they mean. */
export function normalizeHost(host: string): string {
  const address = unbracketed(host);
  if (isIPv4(address)) return address;
  // A zone names the interface by which a host is reached, and is no part of its identity.
  const [withoutZone = ''] = address.split('%');
  if (isIPv6(withoutZone)) return new net.SocketAddress({ address: withoutZone, family: 'ipv6' }).address;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return domainToASCIIOf(name) || name.toLowerCase();
}

/** `host:port`, as it is written in URLs. */
export function withPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IPv6 address without the brackets that it has in a URL. */
export function unbracketed(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** `''` if the name is not valid or pure ASCII: converting that would turn '127.1' into an address. */
function domainToASCIIOf(name: string): string {
  return isAscii(name) ? '' : domainToASCII(name);
}

/** `name` with a question mark for each character that must not be printed. */
export function printable(name: string): string {
  for (let i = 0; i < name.length; i++)
    // Hardly any name has one, and to compile a pattern takes longer than to look.
    // oxlint-disable-next-line no-control-regex -- these are what must not be printed
    if (isControl(name.charCodeAt(i))) return name.replaceAll(/[\0-\x1f\x7f]/g, '?');
  return name;
}

function isControl(character: number): boolean {
  return character < 0x20 || character === 0x7f;
}
