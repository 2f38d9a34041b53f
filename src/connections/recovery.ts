/**
 * Sees to exchanges that were cut short (see interrupted.ts): each connection goes on, or gives its place back. A false alarm would end an
 * exchange that is well, which is worse than all that this prevents. So an exchange counts as cut short only if it looks the same twice, and in
 * between all ticks have come that Node's client had put off before, and the event loop has polled. Where ticks are faked at the moment, they
 * may still come, and nothing is done.
 */
import { connectionLabel } from '../debug-lines.js';
import { debug } from '../debug.js';
import { connectionReset } from '../errors.js';
import { isolate } from '../node/foreign.js';
import { afterTicks, LOST_AFTER, monotonicNow, setImmediate } from '../node/timers.js';
import type { AgentRequest } from '../node/types.js';
import { tellOfExceptions } from '../node/uncaught.js';
import type { Survivor } from '../node/uncaught.js';
import { PendingRequest } from '../requests/pending-request.js';
import { interruptionOf } from './interrupted.js';
import type { Interruption } from './interrupted.js';
import { pooledSocketsOf } from './pooled-socket.js';
import type { Owner, PooledSocket } from './pooled-socket.js';

/** The finding of the first look. */
interface Sight {
  readonly interruption: Interruption;
  readonly request: AgentRequest | undefined;
}

type Sights = Map<PooledSocket, Sight>;

export class Recovery implements Survivor {
  readonly #owner: Owner;
  /** Stands for the two looks that are under way. */
  #current: object | undefined;
  #beganAt = 0;
  /** Something was cut short since the first of them, perhaps. */
  #isDue = false;

  constructor(owner: Owner) {
    this.#owner = owner;
    tellOfExceptions(this);
  }

  afterException(): void {
    this.look();
  }

  /** All connections are looked at when this turn ends, and those that look cut short once more. */
  look(): void {
    this.#isDue = this.#current !== undefined && monotonicNow() <= this.#beganAt + LOST_AFTER;
    if (!this.#isDue) this.#begin();
  }

  #begin(): void {
    const current = {};
    this.#current = current;
    this.#beganAt = monotonicNow();
    this.#isDue = false;
    setImmediate(() => {
      // If not, this was late, and another one was begun.
      if (this.#current !== current) return;
      const suspects = sightsOf(pooledSocketsOf(this.#owner.pool));
      if (suspects.size === 0) this.#end();
      else afterTicks(() => setImmediate(() => this.#current === current && this.#confirm(suspects)));
    });
  }

  #end(): void {
    this.#current = undefined;
    if (this.#isDue) this.#begin();
  }

  #confirm(suspects: Sights): void {
    this.#end();
    for (const [pooled, { interruption, request }] of sightsOf(suspects.keys())) {
      const before = suspects.get(pooled);
      if (before?.interruption === interruption && before.request === request)
        isolate(() => this.#recover(pooled, interruption));
    }
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

function sightsOf(pooledSockets: Iterable<PooledSocket>): Sights {
  const sights: Sights = new Map();
  for (const pooled of pooledSockets) {
    const interruption = interruptionOf(pooled);
    if (interruption) sights.set(pooled, { interruption, request: pooled.request });
  }
  return sights;
}
