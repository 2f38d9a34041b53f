/**
 * The protocols that agents speak, `https:` and `http:`, as far as it matters to the question which requests may share connections. Whatever else differs between
 * TLS and plain TCP is in connections/, behind one interface (transport.ts).
 */
import { PLAIN_OPTIONS, PROFILE_OPTIONS } from './profile.js';
import { givenServerName, serverNameFor } from './server-name.js';

export interface Protocol {
  readonly name: 'https:' | 'http:';
  /** The port of hosts that name none. */
  readonly defaultPort: number;
  /** The options that tell connections to one host apart. */
  readonly profileOptions: ReadonlySet<string>;
  /** Whether connections that ask for different server names are different, which the `Host` header may say. */
  readonly hasServerNames: boolean;
  /**
   * The server name of a connection to `host`. `undefined`: there is no such thing.
   *
   * @param given the option
   * @throws for one that is not valid
   */
  serverName(host: string, given: unknown, hostHeader: unknown): string | undefined;
}

export const HTTPS: Protocol = {
  name: 'https:',
  defaultPort: 443,
  profileOptions: new Set(PROFILE_OPTIONS),
  hasServerNames: true,
  serverName: (host, given, hostHeader) => givenServerName(given) ?? serverNameFor(host, hostHeader),
};

/** Connections without TLS: no server name that counts, no trust, and no TLS option counts. */
export const HTTP: Protocol = {
  name: 'http:',
  defaultPort: 80,
  profileOptions: new Set(PLAIN_OPTIONS),
  hasServerNames: false,
  serverName: () => undefined,
};
