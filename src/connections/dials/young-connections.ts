/**
 * Connections that were opened in the last half second. Those that live on are kept alive by TCP then, which finds a peer that answers no more also while a request only
 * waits for it; and their address is noted, which the system does not tell any more when they have failed. Most connections of an agent that keeps none are
 * closed before, and are spared the system calls: they are a twentieth of the work for a connection without TLS.
 */
import { Alarm } from '../../node/alarm.js';
import { callIfAble } from '../../node/foreign.js';
import { monotonicNow } from '../../node/timers.js';
import type { PooledSocket } from '../pooled-socket.js';

/** Milliseconds. A peer counts as dead after many seconds. */
const YOUNG_FOR = 500;

export class YoungConnections {
  readonly #agent: { readonly keepAliveMsecs: number };
  readonly #young = new Set<PooledSocket>();
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#settleAll());

  constructor(agent: { readonly keepAliveMsecs: number }) {
    this.#agent = agent;
  }

  /** The socket of `pooled` is connected. */
  add(pooled: PooledSocket): void {
    this.#young.add(pooled);
    const now = monotonicNow();
    if (this.#alarm.isIdle(now)) this.#alarm.set(now + YOUNG_FOR, now);
  }

  /** `pooled` is closed, or its socket is the caller's from now on: that may live for long. */
  delete(pooled: PooledSocket): void {
    if (this.#young.delete(pooled) && !pooled.socket.destroyed) this.#settle(pooled);
  }

  #settleAll(): void {
    const all = [...this.#young];
    this.#young.clear();
    for (const pooled of all) this.#settle(pooled);
  }

  #settle(pooled: PooledSocket): void {
    void pooled.peer;
    // Node 20 and 22 do not heed the option on a TLS socket.
    callIfAble(pooled.socket, 'setKeepAlive', true, this.#agent.keepAliveMsecs);
  }
}
