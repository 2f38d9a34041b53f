/**
 * The events 'saturated' and 'drained': their argument, and the moments at which they are emitted. 'saturated' comes as soon as a request
 * has to wait for a host, and again while more requests have to wait, but at most once per interval. 'drained' comes once, if 'saturated'
 * came before. Pure: the clock is handed in.
 */
import { RecentlyUsed } from '../recently-used.js';
import type { HostPool } from '../pool/records.js';
import type { Kinds } from '../pool/kinds.js';
import { hostName } from './host-name.js';
import type { Named } from './host-name.js';

/** The argument of the events `'saturated'` and `'drained'`: the state of the host at that moment. */
export interface QueueState {
  /** `host:port`. */
  readonly host: string;
  /** Requests that wait for a connection. */
  readonly waiting: number;
  /** Connections that are in use or being opened. */
  readonly active: number;
  /** Connections that are free. */
  readonly idle: number;
  /** The host's `maxSockets`. If the host has fewer connections than that, `maxTotalSockets` is reached. */
  readonly maxSockets: number;
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

interface Told {
  at: number;
  /** Whether 'drained' is still to come for this host. */
  isOpen: boolean;
}

/** Milliseconds. */
const INTERVAL = 1000;

/** The number of hosts that are remembered. Beyond it, the events of a host may come more often. */
const MAX_HOSTS = 10_000;

export class Saturation {
  readonly #told = new RecentlyUsed<string, Told>(MAX_HOSTS);

  /** Notes that requests have to wait for `host`. `true`: the event is due. */
  begin(host: string, now: number): boolean {
    const last = this.#told.get(host);
    if (last && now - last.at < INTERVAL) return false;
    this.#told.set(host, { at: now, isOpen: true });
    return true;
  }

  /** Notes that no request waits for `host` any more. `true`: the event is due. */
  end(host: string): boolean {
    const last = this.#told.get(host);
    if (!last?.isOpen) return false;
    last.isOpen = false;
    return true;
  }
}
