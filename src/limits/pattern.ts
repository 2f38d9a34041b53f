/**
 * Patterns of hosts, and their order from the most specific to the least:
 *
 * 1. `api.example.com:8443`: that host on that port
 * 2. `api.example.com`: that host on any port
 * 3. `*.example.com:8443`, `*.example.com`: hosts below that name, at any depth; the longest name first, then with the port
 *    before without
 * 4. `10.0.0.0/8`, `2001:db8::/32`: hosts given by an address in that network; the longest prefix first
 * 5. `*:8443`, `*`: any host
 *
 * Hosts are compared in the form that host-name.ts gives them. Nothing is resolved: a network matches addresses, never names that lead there.
 */
import net, { isIP, isIPv6 } from 'node:net';
import { invalidValue } from '../errors.js';
import { normalizeHost, unbracketed, withPort } from './host-name.js';

export interface Network {
  readonly prefix: number;
  contains(host: string): boolean;
}

export interface Pattern {
  /** Equal for patterns with the same meaning. */
  readonly key: string;
  readonly network: Network | undefined;
  /** The host, if the pattern stands for one host. The port is `undefined` if it stands for any port. */
  readonly single: { readonly host: string; readonly port: number | undefined } | undefined;
}

/** The characters of a label: RFC 1123, and the underscore that some internal names have. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * @param name the name of the pattern in an error
 * @throws `ERR_INVALID_ARG_VALUE` for a pattern that can match nothing
 */
export function parsePattern(pattern: string, name: string): Pattern {
  const refuse = (expected: string): Error => invalidValue(name, expected, pattern);
  if (pattern.includes('/')) return parseNetwork(pattern, refuse);

  const { host, port } = split(pattern);
  if (port !== undefined && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535)) {
    throw refuse('a host with a port from 1 to 65535');
  }
  let canonical: string;
  if (host === '*') {
    canonical = host;
  } else if (host.startsWith('*.')) {
    canonical = `*.${nameOf(host.slice(2), refuse)}`;
  } else if (isIP(unbracketed(host))) {
    canonical = normalizeHost(host);
  } else {
    canonical = nameOf(host, refuse);
  }
  const number = port === undefined ? undefined : Number(port);
  return {
    key: number === undefined ? canonical : withPort(canonical, number),
    network: undefined,
    single: canonical.startsWith('*') ? undefined : { host: canonical, port: number },
  };
}

/** RFC 1035, section 2.3.4, in text without the dot at the end. */
const MAX_NAME = 253;

/**
 * The keys of all patterns that match `host`, which is normalized, from the most specific to the least, without networks. A host that is longer than
 * any name has none: a URL may have 8000 labels, and keys for all of them would take time that grows with the square of their number.
 */
export function* keysFor(host: string, port: number): Generator<string, void, undefined> {
  if (host.length > MAX_NAME) return;
  yield withPort(host, port);
  yield host;
  if (isIP(host)) return;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    const wildcard = `*${host.slice(dot)}`;
    yield withPort(wildcard, port);
    yield wildcard;
  }
}

/** The keys of patterns that match any host. */
export function keysForAny(port: number): readonly string[] {
  return [withPort('*', port), '*'];
}

function parseNetwork(pattern: string, refuse: (expected: string) => Error): Pattern {
  const [address = '', length = '', ...more] = pattern.split('/');
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  if (version === 0 || more.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > bits) {
    throw refuse("a network like '10.0.0.0/8' or '2001:db8::/32', or a host without scheme and path");
  }
  const prefix = Number(length);
  return {
    key: `${normalizeHost(address)}/${prefix}`,
    single: undefined,
    network: { prefix, contains: within(address, prefix) },
  };
}

/** Whether a host is an address in the network that `address` and its first `bits` say. */
export function within(address: string, bits: number): (host: string) => boolean {
  const list = new net.BlockList();
  list.addSubnet(address, bits, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  return (host) => {
    const version = isIP(host);
    return version !== 0 && list.check(host, version === 4 ? 'ipv4' : 'ipv6');
  };
}

/** Host and port of a pattern, if it has one. An IPv6 address has a port only if it is in brackets. */
function split(pattern: string): { host: string; port?: string } {
  const bracket = pattern.startsWith('[') ? pattern.indexOf(']') : -1;
  if (bracket === -1 && isIPv6(pattern)) return { host: pattern };
  const colon = pattern.indexOf(':', bracket + 1);
  if (colon === -1) return { host: pattern };
  return { host: pattern.slice(0, colon), port: pattern.slice(colon + 1) };
}

/** @throws if no host can have this name */
function nameOf(host: string, refuse: (expected: string) => Error): string {
  const name = normalizeHost(host);
  const labels = name.split('.');
  if (name.length > MAX_NAME || !labels.every((label) => LABEL.test(label))) {
    throw refuse("a host, 'host:port', '*.domain' or '10.0.0.0/8'");
  }
  // The WHATWG URL standard, "ends in a number": nothing but an IPv4 address may.
  if (/^(?:\d+|0x[\da-f]*)$/.test(labels.at(-1) ?? ''))
    throw refuse('a valid IP address, where it looks like one');
  return name;
}
