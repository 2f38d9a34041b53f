/**
 * Sees to exchanges that were cut short (see interrupted.ts): each connection goes on, or gives its place back. What looks as if it had been
 * is examined in two turns of the event loop, one after the other, and counts only if it looks the same in both.
 */
import { connectionLabel } from '../debug-lines.js';
import { debug } from '../debug.js';
import { connectionReset } from '../errors.js';
import { LOST_AFTER, monotonicNow, setImmediate } from '../node/timers.js';
import { tellOfExceptions } from '../node/uncaught.js';
import type { Survivor } from '../node/uncaught.js';
import { PendingRequest } from '../requests/pending-request.js';
import { interruptionOf } from './interrupted.js';
import type { Interruption } from './interrupted.js';
import { pooledSocketsOf } from './pooled-socket.js';
import type { Owner, PooledSocket } from './pooled-socket.js';

type Suspects = Map<PooledSocket, Interruption>;

export class Recovery implements Survivor {
  readonly #owner: Owner;
  /** What was found in the turn before. */
  #suspects: Suspects = new Map();
  /** Turns in which connections are still to be examined. */
  #turnsLeft = 0;
  /** Stands for the examination in the next turn that was asked for. */
  #next: object | undefined;
  #askedAt = 0;

  constructor(owner: Owner) {
    this.#owner = owner;
    tellOfExceptions(this);
  }

  afterException(): void {
    this.look();
  }

  /** All connections are examined in the next two turns; while this is called, in each. */
  look(): void {
    this.#turnsLeft = 2;
    if (this.#next && monotonicNow() <= this.#askedAt + LOST_AFTER) return;
    // What was suspect before the callback was lost may be another exchange by now.
    this.#suspects = new Map();
    this.#ask();
  }

  #ask(): void {
    this.#next = {};
    this.#askedAt = monotonicNow();
    setImmediate(examine, this, this.#next);
  }

  examine(asked: object): void {
    // It was late, and another one was asked for.
    if (asked !== this.#next) return;
    this.#next = undefined;
    this.#turnsLeft--;
    const found = this.#confirmed();
    if (this.#turnsLeft > 0) this.#ask();
    else this.#suspects = new Map();
    for (const [pooled, interruption] of found) this.#recover(pooled, interruption);
  }

  /** What looks as it did in the turn before. All else that looks like something is suspect now. */
  #confirmed(): Suspects {
    const before = this.#suspects;
    this.#suspects = new Map();
    const found: Suspects = new Map();
    for (const pooled of pooledSocketsOf(this.#owner.pool)) {
      const interruption = interruptionOf(pooled);
      if (!interruption) continue;
      if (before.get(pooled) === interruption) found.set(pooled, interruption);
      else this.#suspects.set(pooled, interruption);
    }
    return found;
  }

  #recover(pooled: PooledSocket, interruption: Interruption): void {
    const { connection, socket } = pooled;
    const owner = this.#owner;
    debug.enabled && debug('%s was interrupted: %s', connectionLabel(connection), interruption);
    if (interruption === 'closed') owner.remove(socket);
    else if (interruption === 'ready') owner.connected(pooled);
    else if (interruption === 'free') owner.release(pooled);
    else if (interruption === 'untold') this.#failUntold(pooled);
    else owner.pool.close(connection, 'closed');
  }

  /** The request of `pooled` does not hear of the end of a socket that it has never heard of. */
  #failUntold({ connection, request, requestOptions }: PooledSocket): void {
    this.#owner.pool.close(connection, 'closed');
    if (!request || !requestOptions) return;
    const error = connectionReset('The socket did not reach the request');
    new PendingRequest(request, requestOptions, undefined).fail(error);
  }
}

function examine(recovery: Recovery, asked: object): void {
  recovery.examine(asked);
}
