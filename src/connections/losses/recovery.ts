/**
 * Repairs exchanges that were cut short (see interrupted.ts): the connection goes on, or is closed, so that its slot comes free. A false alarm
 * would end a healthy exchange, which is worse than all that this prevents. So an exchange counts as cut short only if it looks the same
 * twice, and in between all ticks have come that Node's client had put off, the event loop has polled, and no byte has moved. While ticks are
 * faked, nothing is done: they may still come, late and many at once.
 */
import { connectionLabel } from '../../debug-lines.js';
import { debug } from '../../debug.js';
import { connectionReset } from '../../errors.js';
import { isolate } from '../../node/foreign.js';
import { afterTicks, monotonicNow, setImmediate } from '../../node/timers.js';
import { TurnAlarm } from '../../node/turn-alarm.js';
import type { AgentRequest } from '../../node/types.js';
import { PendingRequest } from '../../requests/pending-request.js';
import { interruptionOf, progressOf } from './interrupted.js';
import type { Interruption } from './interrupted.js';
import { pooledSocketsOf } from '../pooled-socket.js';
import type { AgentKinds, PooledSocket } from '../pooled-socket.js';
import type { Pool } from '../../pool/pool.js';

/** The state of an exchange at one inspection. */
interface Sight {
  readonly interruption: Interruption;
  readonly request: AgentRequest | undefined;
  readonly progress: string;
}

type Sights = Map<PooledSocket, Sight>;

export class Recovery {
  readonly #pool: Pool<AgentKinds>;
  readonly #first: TurnAlarm = new TurnAlarm(() => this.#suspect());
  readonly #second: TurnAlarm = new TurnAlarm(
    () => this.#confirm(),
    (callback, ...args) => afterTicks(() => setImmediate(callback, ...args)),
  );
  #suspects: Sights = new Map();
  /** Whether another exception came after the first of the two inspections that are under way. */
  #isDue = false;

  constructor(pool: Pool<AgentKinds>) {
    this.#pool = pool;
  }

  /** Inspects all connections when this turn ends, and those that look cut short once more after the next poll. */
  look(): void {
    this.#isDue = this.#first.isSet || this.#second.isSet;
    if (this.#isDue) {
      const now = monotonicNow();
      this.#first.await(now);
      this.#second.await(now);
    } else {
      this.#first.set();
    }
  }

  #suspect(): void {
    this.#suspects = sightsOf(pooledSocketsOf(this.#pool));
    if (this.#suspects.size > 0) this.#second.set();
    else this.#end();
  }

  #confirm(): void {
    const suspects = this.#suspects;
    this.#suspects = new Map();
    this.#end();
    for (const [pooled, sight] of sightsOf(suspects.keys())) {
      if (isSame(suspects.get(pooled), sight)) isolate(() => this.#recover(pooled, sight.interruption));
    }
  }

  #end(): void {
    if (this.#isDue) this.#first.set();
    this.#isDue = false;
  }

  #recover(pooled: PooledSocket, interruption: Interruption): void {
    const { connection, owner, socket } = pooled;
    debug.enabled && debug('%s was interrupted: %s', connectionLabel(connection), interruption);
    if (interruption === 'closed') owner.remove(socket);
    else if (interruption === 'ready') owner.connected(pooled);
    else if (interruption === 'free') owner.release(pooled);
    else if (interruption === 'untold') this.#failUntold(pooled);
    else owner.pool.close(connection, 'closed');
  }

  /**
   * The request of `pooled` was never told of its socket, and so hears nothing of its end. Nothing of it was sent, but it fails and does not wait
   * again: the tick that was to tell it of this socket may still come, and would take it off another one.
   */
  #failUntold({ connection, request, requestOptions }: PooledSocket): void {
    this.#pool.close(connection, 'closed');
    if (!request || !requestOptions) return;
    const error = connectionReset('The socket did not reach the request');
    new PendingRequest(request, requestOptions, undefined).fail(error);
  }
}

function sightsOf(pooledSockets: Iterable<PooledSocket>): Sights {
  const sights: Sights = new Map();
  for (const pooled of pooledSockets) {
    const interruption = interruptionOf(pooled);
    if (!interruption) continue;
    sights.set(pooled, { interruption, request: pooled.request, progress: progressOf(pooled) });
  }
  return sights;
}

/** Whether nothing has happened in between: the same step is still left out. */
function isSame(before: Sight | undefined, now: Sight): boolean {
  return (
    before?.interruption === now.interruption &&
    before.request === now.request &&
    before.progress === now.progress
  );
}
