/**
 * The list in `NO_PROXY` of hosts that are reached without the proxy. The meanings are curl's, and two more that people write and curl does not know (`*.name`
 * and `host:port`):
 *
 * - `example.com` and `.example.com`: that name, and all names below it;
 * - `*.example.com`: the names below it;
 * - `10.0.0.1`, `::1`, `[::1]`: that address, in whatever form; `10.0.0.0/8`, `fd00::/8`: the addresses in that network;
 * - each of these but networks with a port (`example.com:8443`, `[::1]:8443`): on that port alone;
 * - `*`: every host.
 *
 * Entries are divided by commas or blanks; case, a dot at the end, and the encoding of a name that is not ASCII do not count. Nothing is resolved: an address in the list matches no name that leads there.
 * An entry that is none of these matches nothing.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { unbracketed } from '../limits/host-name.js';
import { within } from '../limits/pattern.js';

type Matches = (host: string, isAddress: boolean) => boolean;

interface Entry {
  readonly port: number | undefined;
  readonly matches: Matches;
}

export class NoProxy {
  readonly #entries: readonly Entry[];

  constructor(list: string) {
    this.#entries = list
      .split(/[\s,]+/)
      .filter((text) => text !== '')
      .map(entryOf);
  }

  /** Whether `host` is reached directly. */
  covers(host: string, port: number): boolean {
    if (this.#entries.length === 0) return false;
    const bare = unbracketed(host);
    const isAddress = isIP(bare) !== 0;
    const name = isAddress ? bare : plainName(bare);
    return this.#entries.some(
      (entry) => (entry.port === undefined || entry.port === port) && entry.matches(name, isAddress),
    );
  }
}

function entryOf(text: string): Entry {
  const bare = unbracketed(text);
  if (isIP(bare)) return { port: undefined, matches: network(bare) };
  const [, base, bits] = /^\[?([\d.]+|[\da-f:.]*:[\da-f:.]*)\]?\/(\d{1,3})$/i.exec(text) ?? [];
  if (base !== undefined) return { port: undefined, matches: network(base, Number(bits)) };
  const [, name = text, digits] = /^(.*[^:]):(\d{1,5})$/.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  const address = unbracketed(name);
  return { port, matches: isIP(address) ? network(address) : namesOf(name) };
}

function namesOf(pattern: string): Matches {
  if (pattern === '*') return () => true;
  const isBelowOnly = pattern.startsWith('*.');
  const name = plainName(pattern.replace(/^(?:\*\.|\.)/, ''));
  if (name === '' || name.includes('*')) return () => false;
  const suffix = `.${name}`;
  return (host, isAddress) =>
    !isAddress && ((!isBelowOnly && host === name) || (host.endsWith(suffix) && host.length > suffix.length));
}

/** Matches addresses that share the first `bits` with `address`. Default: that address alone. */
function network(address: string, bits?: number): Matches {
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  if (version === 0 || (bits !== undefined && bits > most)) return () => false;
  const contains = within(withoutZone(address), bits ?? most);
  return (host) => contains(withoutZone(host));
}

/** Takes off the zone, which names the interface by which an address is reached. */
function withoutZone(address: string): string {
  return address.split('%', 1)[0] as string;
}

/** Names that are not ASCII are compared in their encoded form, which URLs have. */
function plainName(name: string): string {
  const ascii = /[^ -~]/.test(name) ? domainToASCII(name) : name;
  return ascii.toLowerCase().replace(/\.$/, '');
}
