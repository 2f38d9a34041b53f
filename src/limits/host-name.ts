/** How hosts are called in events, errors and debug lines: `host:port`, as in URLs. */
import { withPort } from './pattern.js';

/** An origin, as far as its name matters. */
export interface Named {
  readonly host: string;
  /** As it was given: a number, digits, or nothing. */
  readonly port: unknown;
}

const DEFAULT_PORT = 443;

/** Without what stands before the last `@`: no host has one, but callers who cut a URL themselves leave a user and a password there. */
export function hostAndPort({ host, port }: Named): { host: string; port: number } {
  return { host: withoutCredentials(host), port: Number(port) || DEFAULT_PORT };
}

export function withoutCredentials(host: string): string {
  return host.slice(host.lastIndexOf('@') + 1);
}

export function hostName(origin: Named): string {
  const { host, port } = hostAndPort(origin);
  return withPort(host, port);
}
