/** The names of hosts in events, errors and debug lines: `host:port`, as in URLs. */
import { withPort } from './pattern.js';

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
