/**
 * 'saturated' and 'drained': when they are worth telling. A host that is saturated is told of as soon as a request has to
 * wait there, and again while more requests come that have to wait, but at most once per interval; that it is drained is
 * told once, if it was told that it is saturated. Pure, a clock handed in.
 */
import { LRUCache } from 'lru-cache';

interface Signalled {
  at: number;
  /** It was not told yet that the host is drained. */
  open: boolean;
}

/** Milliseconds. */
const SIGNAL_INTERVAL = 1000;

/** Hosts remembered. Beyond that, one may be told of more often. */
const MAX_HOSTS = 10_000;

export class Signals {
  readonly #hosts = new LRUCache<string, Signalled>({ max: MAX_HOSTS });

  /** Whether to tell that requests wait at `host`. */
  saturated(host: string, now: number): boolean {
    const last = this.#hosts.get(host);
    if (last && now - last.at < SIGNAL_INTERVAL) return false;
    this.#hosts.set(host, { at: now, open: true });
    return true;
  }

  /** Whether to tell that nobody waits at `host` any more. */
  drained(host: string): boolean {
    const last = this.#hosts.get(host);
    if (!last?.open) return false;
    last.open = false;
    return true;
  }
}
