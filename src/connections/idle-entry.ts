/**
 * The preparation of an idle connection that is to stay idle for a while: it is unref'd, told to keep itself alive, and belongs to no
 * async context. Under load it is leased again long before that matters; so this is done a moment later, for all at once.
 */
import type { AgentKinds, PooledSocket } from './pooled-socket.js';
import { watch } from './guard.js';
import { isolate, throwLater } from '../node/foreign.js';
import { isReading } from '../node/handle.js';
import { clearAsyncId } from '../node/async-context.js';
import type { SocketLike } from '../node/types.js';
import type { Pool } from '../pool/pool.js';
import { Alarm } from '../node/alarm.js';
import { monotonicNow } from '../node/timers.js';

/**
 * Milliseconds after which it is done. An idle process exits that much later. (At 10 ms, the timer that wakes the loop is 2 %
 * of a warm request.)
 */
const DELAY = 50;

interface Keeper {
  /** The agent's: `false` if the socket is not to be kept. */
  keepSocketAlive(socket: SocketLike): boolean;
}

export class IdleEntry {
  readonly #agent: Keeper;
  /** The agent's own method, when nobody has overridden it. */
  readonly #keepSocketAlive: Keeper['keepSocketAlive'];
  readonly #pool: Pool<AgentKinds>;
  /** Connections that became idle within the last `DELAY`: under load most are leased again by its end. */
  #soon: PooledSocket[] = [];
  /** Sockets that are still to be unref'd keep the process alive until then. */
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#restAll());

  constructor(agent: Keeper, keepSocketAlive: Keeper['keepSocketAlive'], pool: Pool<AgentKinds>) {
    this.#agent = agent;
    this.#keepSocketAlive = keepSocketAlive;
    this.#pool = pool;
  }

  /**
   * Hot path. `pooled` is released. `false`: it may not be kept. Somebody else's `keepSocketAlive` has a say in that each time, and
   * at once: most requests in turn come before a connection is idle. Node's agent does not ask it where a request waits, and so a socket that
   * must not be used again serves a busy host on and on.
   */
  mayKeep(pooled: PooledSocket): boolean {
    return !this.#isOverridden || this.#rest(pooled);
  }

  /** Hot path. `pooled` becomes idle. `false`: it may not be kept. */
  begin(pooled: PooledSocket): boolean {
    if (pooled.rested) return true;
    // A socket that nobody reads has to be seen to at once.
    if (this.#isOverridden || !isReading(pooled.socket)) return this.#rest(pooled);
    if (!pooled.restsSoon) {
      pooled.restsSoon = true;
      this.#soon.push(pooled);
    }
    // Also where this very connection was released when the callback was lost.
    if (this.#alarm.isIdle(pooled.polledAt)) {
      const now = monotonicNow();
      this.#alarm.set(now + DELAY, now);
    }
    return true;
  }

  #restAll(): void {
    const pooledSockets = this.#soon;
    this.#soon = [];
    for (const pooled of pooledSockets) {
      pooled.restsSoon = false;
      if (pooled.connection.state !== 'idle' || pooled.rested) continue;
      isolate(() => {
        if (!this.#rest(pooled)) this.#pool.close(pooled.connection, 'surplus');
      });
    }
  }

  get #isOverridden(): boolean {
    return this.#agent.keepSocketAlive !== this.#keepSocketAlive;
  }

  #rest(pooled: PooledSocket): boolean {
    const { socket } = pooled;
    pooled.rested = true;
    try {
      if (!this.#agent.keepSocketAlive(socket)) return false;
    } catch (error) {
      throwLater(error);
      return false;
    }
    watch(pooled);
    clearAsyncId(socket);
    return !socket.destroyed;
  }
}
