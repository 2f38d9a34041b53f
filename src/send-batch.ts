/**
 * Sends together what was requested in one turn of the event loop. With many requests under way, many responses are read in
 * one turn, and each lets its caller send the next request. Sent one by one, each write is a wake-up of its own
 * for whoever is at the other end, and the answers trickle in, a turn of the loop for each; sent at the turn's end, they come
 * back together. A third of the CPU per request goes away at concurrency 10.
 *
 * The sockets are corked, so that requests get them as ever and only the bytes wait: until the turn's end or for `MAX_HOLD`,
 * whichever comes first. Where there is nothing to gain (few connections in use, or batches of one), nothing is held.
 */
import { performance } from 'node:perf_hooks';
import type { Channel } from './channel.js';
import type { SocketLike } from './node-internals.js';

/** Connections in use from which on it is tried. */
const MIN_IN_USE = 4;
/** Requests in one turn that make the turn's wait worth it. */
const MIN_BATCH = 3;
/** Batches in a row that may be smaller. */
const PATIENCE = 4;
/** Requests that are sent at once thereafter, before it is tried again. */
const PAUSE = 256;
/** Milliseconds for which a request is held at most, as far as anything of ours runs in the meantime. */
const MAX_HOLD = 1;

export class SendBatch {
  #corked: Channel[] = [];
  #held: SocketLike[] = [];
  #begunAt = 0;
  #patience = PATIENCE;
  #pause = 0;

  /**
   * Hot path. `channel` has just been leased: what is written to it may wait.
   *
   * @param inUse connections that are in use
   */
  add(channel: Channel, inUse: number): void {
    if (inUse < MIN_IN_USE) return;
    if (this.#pause > 0) {
      this.#pause--;
      return;
    }
    const corked = this.#corked;
    channel.corked = true;
    channel.socket.cork();
    if (corked.push(channel) > 1) {
      this.tick(performance.now());
    } else {
      this.#begunAt = performance.now();
      setImmediate(sendAtTurnsEnd, this);
    }
  }

  /** Hot path. For those who have read the clock: a long turn does not hold requests for long. */
  tick(now: number): void {
    if (this.#corked.length > 0 && now - this.#begunAt > MAX_HOLD) this.#send();
  }

  /** In the loop's check phase. */
  sendAtTurnsEnd(): void {
    for (const { socket } of this.#send()) this.hold(socket);
  }

  /**
   * Lets a request that is sent in the loop's check phase be 'finished' before its response is read. Node reports that a
   * TLS write is done at the start of the next check phase; a fast server's response is read in the poll before it, and
   * a response that ends before its request has finished keeps the socket from being freed.
   */
  hold(socket: SocketLike): void {
    const handle = socket._handle;
    if (!handle?.reading || !handle.readStop || !handle.readStart) return;
    handle.readStop();
    if (this.#held.push(socket) === 1) setImmediate(readOn, this);
  }

  readOn(): void {
    const held = this.#held;
    this.#held = [];
    for (const socket of held) {
      const handle = socket._handle;
      if (handle?.reading && handle.readStart?.() !== 0) socket.destroy();
    }
  }

  #send(): readonly Channel[] {
    const corked = this.#corked;
    if (corked.length === 0) return corked;
    this.#corked = [];
    for (const channel of corked) {
      channel.corked = false;
      channel.socket.uncork();
    }
    if (corked.length >= MIN_BATCH) {
      this.#patience = PATIENCE;
    } else if (--this.#patience === 0) {
      this.#patience = 1;
      this.#pause = PAUSE;
    }
    return corked;
  }
}

function sendAtTurnsEnd(batch: SendBatch): void {
  batch.sendAtTurnsEnd();
}

function readOn(batch: SendBatch): void {
  batch.readOn();
}
