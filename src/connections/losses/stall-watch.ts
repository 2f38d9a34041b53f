/**
 * Finds leased connections that stand still: exchanges in which no byte moves any more (`socketTimeout`), and responses that
 * are not read (`leakDetectionThreshold`). One timer per pool inspects all leased connections a few times in each such span. It runs only
 * while there are any; a request costs nothing more.
 *
 * It counts inspections, not time: a connection has stood still if it was found unchanged a number of times in a row. A blocked event loop
 * inspects once, however long it was blocked. An inspection that finds our own side holding the exchange up begins the count anew.
 */
import { withoutCredentials } from '../../limits/host-name.js';
import { pooledSocketsOf } from '../pooled-socket.js';
import type { AgentKinds, PooledSocket } from '../pooled-socket.js';
import type { Pool } from '../../pool/pool.js';
import { debug } from '../../debug.js';
import { connectionLabel } from '../../debug-lines.js';
import { coded } from '../../errors.js';
import { callIfAble } from '../../node/foreign.js';
import type { AgentRequest } from '../../node/types.js';
import { Alarm } from '../../node/alarm.js';
import { MAX_DELAY, monotonicNow, nextTick } from '../../node/timers.js';
import { isServersTurn, movedBytes } from './servers-turn.js';
import type { LeakReport } from '../../options/leak-report.js';

/** Inspections within one span: a connection that stands still is found at most a quarter of the span too late. */
const LOOKS = 8;

interface StallOptions {
  /** Milliseconds without a byte in either direction; `0`: no limit. */
  readonly socketTimeout: number;
  /** Milliseconds in which nothing of a response is read; `0`: no limit. */
  readonly leakDetectionThreshold: number;
}

/** The state of a connection at the last inspection. */
interface Sight {
  request: AgentRequest;
  /** Bytes that have moved. */
  bytes: number;
  /** Bytes of the response that have not been read yet. */
  unread: number;
  stalledLooks: number;
  unreadLooks: number;
}

export class StallWatch {
  readonly #pool: Pool<AgentKinds>;
  readonly #options: StallOptions;
  readonly #period: number;
  readonly #traces = new WeakMap<AgentRequest, { stack?: string }>();
  #seen = new Map<PooledSocket, Sight>();
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#look());

  /** @param options at least one of them above 0 */
  constructor(pool: Pool<AgentKinds>, options: StallOptions) {
    const { socketTimeout, leakDetectionThreshold } = options;
    this.#pool = pool;
    this.#options = options;
    this.#period = Math.min(socketTimeout || Infinity, leakDetectionThreshold || Infinity, MAX_DELAY) / LOOKS;
  }

  /** Hot path. `req` asks for a connection. Keeps the stack of the code that made it, where a leak report may need that. */
  trace(req: AgentRequest, caller: (...args: never[]) => unknown): void {
    if (this.#options.leakDetectionThreshold === 0) return;
    const trace = {};
    Error.captureStackTrace(trace, caller);
    this.#traces.set(req, trace);
  }

  /** Hot path. A connection was leased. `lately`: a recent time on the monotonic clock. */
  start(lately: number): void {
    if (!this.#alarm.isIdle(lately)) return;
    const now = monotonicNow();
    this.#alarm.set(now + this.#period, now);
  }

  #look(): void {
    const now = monotonicNow();
    const before = this.#seen;
    this.#seen = new Map();
    for (const pooled of pooledSocketsOf(this.#pool)) {
      const { request, socket } = pooled;
      if (!request) continue;
      this.start(now);
      // Until the socket is connected, `connectTimeout` bounds the time.
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

  /** Whether this inspection completes the span. */
  #isOver(span: number, looks: number): boolean {
    return span > 0 && looks === Math.ceil(span / this.#period);
  }

  #report(pooled: PooledSocket, req: AgentRequest): void {
    const stack = this.#traces.get(req)?.stack ?? '';
    debug.enabled &&
      debug('%s: nobody reads the response of %s%s', connectionLabel(pooled.connection), req.method, stack);
    const report: LeakReport = { host: hostOf(pooled), port: portOf(pooled), req, stack };
    // Listeners run in a tick of their own: one may throw.
    nextTick(() => pooled.owner.agent.emit('leak', report));
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

/** Bytes of the response that wait to be read, or `-1` if the exchange does not wait for the caller. */
function unreadOf({ res }: AgentRequest): number {
  if (!res || res.readableEnded || res.destroyed || res.readableFlowing === true) return -1;
  // The response was never read from; or there is something to read, if only the end.
  const isLeft = res.readableFlowing === null || res.readableLength > 0 || res.complete;
  return isLeft ? res.readableLength : -1;
}

function hostOf({ options }: PooledSocket): string {
  return withoutCredentials(String(options['host']));
}

function portOf({ options }: PooledSocket): LeakReport['port'] {
  return options['port'] as LeakReport['port'];
}

/** For a connection in use on which no byte has moved. */
function socketTimedOut(host: string, port: unknown, timeout: number): Error {
  const message = `Nothing was sent or received on the connection to ${host}:${port} for ${timeout} ms`;
  return Object.assign(coded(new Error(message), 'ETIMEDOUT'), { phase: 'exchange', host, port });
}
