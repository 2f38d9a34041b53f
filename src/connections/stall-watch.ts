/**
 * Finds the leased connections that stand still: exchanges in which nothing moves any more (`socketTimeout`), and responses that
 * nobody reads (`leakDetectionThreshold`). One timer an agent looks at all of them a few times in each such span, and runs only while
 * there is something to look at; a request pays nothing for it.
 *
 * It counts looks, not time: a connection has stood still if it was found unchanged that many times in a row. An event loop that was
 * blocked has looked once, however long it was away. A look that finds our own side holding things up begins the count anew. The consequences are the owner's affair.
 */
import { withoutCredentials } from '../limits/host-name.js';
import { pooledSocketsOf } from './pooled-socket.js';
import type { Owner, PooledSocket } from './pooled-socket.js';
import { debug } from '../debug.js';
import { connectionLabel } from '../debug-lines.js';
import { socketTimedOut } from '../errors.js';
import { callIfAble } from '../node/foreign.js';
import type { AgentRequest } from '../node/types.js';
import { Alarm } from '../node/alarm.js';
import { MAX_DELAY, monotonicNow, nextTick } from '../node/timers.js';
import { isServersTurn, movedBytes } from './servers-turn.js';
import type { LeakReport } from '../options/options.js';

/** Looks within one span: what stands still is found at most a quarter of the span too late. */
const LOOKS = 8;

export interface StallOptions {
  /** Milliseconds without a byte in either direction; `0` for ever. */
  readonly socketTimeout: number;
  /** Milliseconds in which nobody takes anything of a response; `0` for ever. */
  readonly leakDetectionThreshold: number;
}

/** The state of a connection at the last look. */
interface Sight {
  request: AgentRequest;
  /** Bytes that have moved. */
  bytes: number;
  /** Bytes of the response that nobody has taken yet. */
  unread: number;
  stalledLooks: number;
  unreadLooks: number;
}

/** A watch, if `options` ask for anything that it would find. */
export function stallWatch(
  owner: Pick<Owner, 'agent' | 'pool'>,
  options: StallOptions,
): StallWatch | undefined {
  const { socketTimeout, leakDetectionThreshold } = options;
  return socketTimeout > 0 || leakDetectionThreshold > 0 ? new StallWatch(owner, options) : undefined;
}

export class StallWatch {
  readonly #owner: Pick<Owner, 'agent' | 'pool'>;
  readonly #options: StallOptions;
  readonly #period: number;
  readonly #traces = new WeakMap<AgentRequest, { stack?: string }>();
  #seen = new Map<PooledSocket, Sight>();
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#look());

  /** @param options at least one of them above 0 */
  constructor(owner: Pick<Owner, 'agent' | 'pool'>, options: StallOptions) {
    const { socketTimeout, leakDetectionThreshold } = options;
    this.#owner = owner;
    this.#options = options;
    this.#period = Math.min(socketTimeout || Infinity, leakDetectionThreshold || Infinity, MAX_DELAY) / LOOKS;
  }

  /** Hot path. `req` asks for a connection: who made it is remembered, if that may be asked later. */
  trace(req: AgentRequest, caller: (...args: never[]) => unknown): void {
    if (this.#options.leakDetectionThreshold === 0) return;
    const trace = {};
    Error.captureStackTrace(trace, caller);
    this.#traces.set(req, trace);
  }

  /** Hot path. A connection was leased. `lately`: some time of late, by the monotonic clock. */
  start(lately: number): void {
    if (!this.#alarm.isIdle(lately)) return;
    const now = monotonicNow();
    this.#alarm.set(now + this.#period, now);
  }

  #look(): void {
    const now = monotonicNow();
    const before = this.#seen;
    this.#seen = new Map();
    for (const pooled of pooledSocketsOf(this.#owner.pool)) {
      const { request, socket } = pooled;
      if (!request) continue;
      this.start(now);
      // Until it is connected, connectTimeout says how long that may take.
      if (socket.connecting || socket.secureConnecting) continue;
      const sight = this.#compare(pooled, request, before.get(pooled));
      this.#seen.set(pooled, sight);
      const { socketTimeout, leakDetectionThreshold } = this.#options;
      if (this.#isOver(leakDetectionThreshold, sight.unreadLooks)) this.#report(pooled, request);
      if (this.#isOver(socketTimeout, sight.stalledLooks)) {
        callIfAble(socket, 'destroy', socketTimedOut(hostOf(pooled), portOf(pooled), socketTimeout));
      }
    }
  }

  /** Whether this very look completes the span. */
  #isOver(span: number, looks: number): boolean {
    return span > 0 && looks === Math.ceil(span / this.#period);
  }

  #report(pooled: PooledSocket, req: AgentRequest): void {
    const stack = this.#traces.get(req)?.stack ?? '';
    debug.enabled &&
      debug('%s: nobody reads the response of %s%s', connectionLabel(pooled.connection), req.method, stack);
    const report: LeakReport = { host: hostOf(pooled), port: portOf(pooled), req, stack };
    // Not in between: a listener may throw.
    nextTick(() => this.#owner.agent.emit('leak', report));
  }

  #compare(pooled: PooledSocket, request: AgentRequest, last: Sight | undefined): Sight {
    const bytes = movedBytes(pooled.socket);
    const unread = unreadOf(request);
    if (last?.request !== request) return { request, bytes, unread, stalledLooks: 0, unreadLooks: 0 };
    const isStalled = bytes === last.bytes && isServersTurn(pooled, request);
    last.stalledLooks = isStalled ? last.stalledLooks + 1 : 0;
    last.unreadLooks =
      unread >= 0 && unread === last.unread && bytes === last.bytes ? last.unreadLooks + 1 : 0;
    last.bytes = bytes;
    last.unread = unread;
    return last;
  }
}

/** Bytes of the response that wait for somebody to take them, or `-1` if it is not the caller who is waited for. */
function unreadOf({ res }: AgentRequest): number {
  if (!res || res.readableEnded || res.destroyed || res.readableFlowing === true) return -1;
  // Nobody has ever asked for any of it; or there is something to take, if only the end.
  const isLeft = res.readableFlowing === null || res.readableLength > 0 || res.complete;
  return isLeft ? res.readableLength : -1;
}

function hostOf({ options }: PooledSocket): string {
  return withoutCredentials(String(options['host']));
}

function portOf({ options }: PooledSocket): LeakReport['port'] {
  return options['port'] as LeakReport['port'];
}
