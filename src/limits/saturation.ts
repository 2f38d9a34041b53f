/**
 * The events 'saturated' and 'drained': what they tell about a host, and when they are worth telling. A saturated host is
 * told of as soon as a request has to wait there, and again while more requests come that have to wait, but at most once per
 * interval. A drained host is told of once, if it was told of as saturated before. Pure, a clock handed in.
 */
import { LRUCache } from 'lru-cache';
import type { HostPool } from '../pool/records.js';
import type { Kinds } from '../pool/kinds.js';
import { hostName } from './host-name.js';
import type { Named } from './host-name.js';

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
  /** That the host is drained has not been told yet. */
  isOpen: boolean;
}

/** Milliseconds. */
const INTERVAL = 1000;

/** Hosts remembered. Beyond that, a host may be told of more often. */
const MAX_HOSTS = 10_000;

export class Saturation {
  readonly #told = new LRUCache<string, Told>({ max: MAX_HOSTS });

  /** Notes that requests have to wait at `host`. `true`: that is worth telling. */
  begin(host: string, now: number): boolean {
    const last = this.#told.get(host);
    if (last && now - last.at < INTERVAL) return false;
    this.#told.set(host, { at: now, isOpen: true });
    return true;
  }

  /** Notes that no request waits at `host` any more. `true`: that is worth telling. */
  end(host: string): boolean {
    const last = this.#told.get(host);
    if (!last?.isOpen) return false;
    last.isOpen = false;
    return true;
  }
}
