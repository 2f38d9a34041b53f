/**
 * Prepares connections to stay idle: each is unref'd, gets TCP keep-alive, and leaves its async context. Under load a connection is leased again
 * long before that matters, so this is done a moment later, for all at once. Where connections become idle seldom, each is prepared at once: a timer for
 * each, and the turn of the loop that it wakes, would take longer.
 */
import type { AgentKinds, PooledSocket } from './pooled-socket.js';
import { readWhileIdle } from './guard.js';
import { isolate, throwLater } from '../node/foreign.js';
import { isReading } from '../node/handle.js';
import { clearAsyncId } from '../node/async-context.js';
import type { SocketLike } from '../node/types.js';
import type { Pool } from '../pool/pool.js';
import { Alarm } from '../node/alarm.js';
import { monotonicNow } from '../node/timers.js';

/**
 * Milliseconds after which that is done under load. A process that falls idle then exits that much later. (At 10 ms, the timer that wakes the loop is 2 % of a
 * warm request.)
 */
const DELAY = 50;
/** A connection that has been idle for this long by then is made ready with those before it: one call of the timer fewer. */
const NEARLY = 40;
/** Connections become idle seldom if this number of milliseconds lies between one and the next. */
const SELDOM = 10;

interface Keeper {
  /** The agent's: `false` if the socket is not to be kept. */
  keepSocketAlive(socket: SocketLike): boolean;
}

export class IdleEntry {
  readonly #agent: Keeper;
  /** The agent's own method, before anything has overridden it. */
  readonly #keepSocketAlive: Keeper['keepSocketAlive'];
  readonly #pool: Pool<AgentKinds>;
  /** Connections that have become idle, some of which were leased again since: under load most are, time and again. */
  #soon: PooledSocket[] = [];
  /** The time at which a connection has become idle last. */
  #lastIdleFrom = -Infinity;
  /** Sockets that are not unref'd yet keep the process alive until then. */
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#restAll(monotonicNow()));

  constructor(agent: Keeper, keepSocketAlive: Keeper['keepSocketAlive'], pool: Pool<AgentKinds>) {
    this.#agent = agent;
    this.#keepSocketAlive = keepSocketAlive;
    this.#pool = pool;
  }

  /**
   * Hot path. `pooled` is released. `false`: it may not be kept. An overridden `keepSocketAlive` is asked each time, and at once: most requests
   * in turn come before a connection is idle. Node's agent does not ask it where a request waits, so that a socket which must not be used again
   * goes on serving a busy host.
   */
  mayKeep(pooled: PooledSocket): boolean {
    return !this.#isOverridden() || this.#rest(pooled);
  }

  /** Hot path. `pooled` becomes idle, from its `idleFrom` on. `false`: it may not be kept. */
  begin(pooled: PooledSocket): boolean {
    const { idleFrom } = pooled;
    const isSeldom = idleFrom - this.#lastIdleFrom >= SELDOM;
    this.#lastIdleFrom = idleFrom;
    // A socket that is not being read must be prepared at once: its end would go unseen.
    const isAtOnce = pooled.rested || isSeldom || this.#isOverridden() || !isReading(pooled.socket);
    if (!isAtOnce && !pooled.restsSoon) {
      pooled.restsSoon = true;
      this.#soon.push(pooled);
    }
    // The alarm is asked for a connection that does not wait for it, too: its callback may have been lost.
    if (this.#soon.length > 0 && this.#alarm.isIdle(idleFrom)) this.#alarm.set(idleFrom + DELAY, idleFrom);
    return !isAtOnce || pooled.rested || this.#rest(pooled);
  }

  /** Prepares the connections that have been idle for long enough. One that was used a moment ago has time: it may well be used again. */
  #restAll(now: number): void {
    const pooledSockets = this.#soon;
    this.#soon = [];
    let next = Infinity;
    for (const pooled of pooledSockets) {
      const isIdle = pooled.connection.state === 'idle' && !pooled.rested;
      if (isIdle && now - pooled.idleFrom < NEARLY) {
        this.#soon.push(pooled);
        next = Math.min(next, pooled.idleFrom + DELAY);
        continue;
      }
      pooled.restsSoon = false;
      if (!isIdle) continue;
      isolate(() => {
        if (!this.#rest(pooled)) this.#pool.close(pooled.connection, 'surplus');
      });
    }
    if (next < this.#alarm.at) this.#alarm.set(next, now);
  }

  #isOverridden(): boolean {
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
    readWhileIdle(pooled);
    clearAsyncId(socket);
    return !socket.destroyed;
  }
}
