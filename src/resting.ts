/**
 * What an idle connection needs that is to stay idle for a while: it is unref'd, told to keep itself alive, and belongs to no
 * async context. Under load it is leased again long before that matters; so this is done a moment later, for all at once.
 */
import type { Channel } from './channel.js';
import { watch } from './liveness/guard.js';
import { isolate, throwLater } from './node/foreign.js';
import { clearAsyncId } from './node-internals.js';
import type { SocketLike } from './node-internals.js';
import { LOST_AFTER, monotonicNow, setTimeout } from './node/timers.js';

/**
 * Milliseconds after which it is done. An idle process exits that much later. (At 10 ms, the timer that wakes the loop is 2 %
 * of a warm request.)
 */
const DELAY = 50;

interface Keeper {
  /** The agent's: `false` if the socket is not to be kept. */
  keepSocketAlive(socket: SocketLike): boolean;
}

export class Resting {
  readonly #agent: Keeper;
  /** The agent's own method, when nobody has overridden it. */
  readonly #keepSocketAlive: Keeper['keepSocketAlive'];
  readonly #giveUp: (channel: Channel) => void;
  /** Connections that became idle within the last `DELAY`: under load most are leased again by its end. */
  #soon: Channel[] = [];
  /** When they are seen to. */
  #restsAt = Infinity;

  /** @param giveUp closes a connection that turns out not to be kept */
  constructor(agent: Keeper, keepSocketAlive: Keeper['keepSocketAlive'], giveUp: (channel: Channel) => void) {
    this.#agent = agent;
    this.#keepSocketAlive = keepSocketAlive;
    this.#giveUp = giveUp;
  }

  /**
   * Hot path. `channel` is released. `false`: it may not be kept. Somebody else's `keepSocketAlive` has a say in that each time, and
   * at once: most requests in turn come before a connection is idle. As in Node's agent it is not asked where a request waits.
   */
  mayKeep(channel: Channel): boolean {
    if (!this.#isOverridden || channel.connection.host.waiting.size > 0) return true;
    return this.#rest(channel);
  }

  /** Hot path. `channel` becomes idle. `false`: it may not be kept. */
  begin(channel: Channel): boolean {
    if (channel.rested) return true;
    // What nobody reads has to be seen to at once.
    if (this.#isOverridden || !channel.socket._handle?.reading) return this.#rest(channel);
    if (!channel.restsSoon) {
      channel.restsSoon = true;
      if (this.#soon.push(channel) === 1 || channel.polledAt > this.#restsAt + LOST_AFTER) {
        this.#restsAt = monotonicNow() + DELAY;
        // Sockets that are still to be unref'd keep the process alive until then.
        setTimeout(restAll, DELAY, this).unref();
      }
    }
    return true;
  }

  restAll(): void {
    const channels = this.#soon;
    this.#soon = [];
    for (const channel of channels) {
      channel.restsSoon = false;
      if (channel.connection.state !== 'idle' || channel.rested) continue;
      isolate(() => {
        if (!this.#rest(channel)) this.#giveUp(channel);
      });
    }
  }

  get #isOverridden(): boolean {
    return this.#agent.keepSocketAlive !== this.#keepSocketAlive;
  }

  #rest(channel: Channel): boolean {
    const { socket } = channel;
    channel.rested = true;
    try {
      if (!this.#agent.keepSocketAlive(socket)) return false;
    } catch (error) {
      throwLater(error);
      return false;
    }
    watch(channel);
    clearAsyncId(socket);
    return !socket.destroyed;
  }
}

function restAll(resting: Resting): void {
  resting.restAll();
}
