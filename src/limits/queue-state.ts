/** What 'saturated' and 'drained' tell about a host, and how hosts are called in events and errors. */
import type { HostPool } from '../pool/host-pool.js';
import type { Kinds } from '../pool/kinds.js';
import { withPort } from './pattern.js';

/** The argument of the events `'saturated'` and `'drained'`: how things stood at the moment of the event. */
export interface QueueState {
  /** `host:port`. */
  readonly host: string;
  /** Requests that wait for a connection. */
  readonly waiting: number;
  /** Connections that are in use or being opened. */
  readonly active: number;
  /** Connections that are free. */
  readonly idle: number;
  /** The host's `maxSockets`. Fewer connections than that: `maxTotalSockets` is reached. */
  readonly maxSockets: number;
}

/** An origin, as far as it matters here. */
export interface Named {
  readonly host: string;
  /** As it was given: a number, digits, or nothing. */
  readonly port: unknown;
}

const DEFAULT_PORT = 443;

export function hostAndPort({ host, port }: Named): { host: string; port: number } {
  return { host, port: Number(port) || DEFAULT_PORT };
}

export function hostName(origin: Named): string {
  const { host, port } = hostAndPort(origin);
  return withPort(host, port);
}

export function queueState<K extends Kinds & { origin: Named }>(host: HostPool<K>): QueueState {
  return {
    host: hostName(host.origin),
    waiting: host.waiting.size,
    active: host.inUse,
    idle: host.idle.size,
    maxSockets: host.limits.maxSockets,
  };
}
