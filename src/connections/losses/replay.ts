/**
 * Decides which requests are sent again, and finds them another connection. resend.ts has the rule, and says what of a request may be sent once
 * more; node/client-request.ts takes a request off a socket.
 */
import type { AgentKinds, PooledSocket } from '../pooled-socket.js';
import { debug } from '../../debug.js';
import { connectionLabel, debugWait, requestLabel } from '../../debug-lines.js';
import { monotonicNow } from '../../node/timers.js';
import type { AgentRequest } from '../../node/types.js';
import { Waiter } from '../../pool/records.js';
import type { Connection } from '../../pool/records.js';
import type { Hosts } from '../hosts.js';
import { loadResend } from '../late.js';
import type { Observer } from '../observer.js';
import type { Waiting } from '../waiting.js';
import type { Pool } from '../../pool/pool.js';
import { PooledRequest } from '../pooled-socket.js';
import type { Lifetimes } from '../../lifetimes/lifetimes.js';
import type * as resend from './resend.js';
import type { ReplayRule } from '../../requests/replayable.js';

type Conn = Connection<AgentKinds>;

export class Replays {
  /** The rule for requests that may be sent again. */
  readonly rule: ReplayRule;
  readonly #pool: Pool<AgentKinds>;
  readonly #lifetimes: Lifetimes<AgentKinds>;
  readonly #hosts: Hosts;
  readonly #waiting: Waiting;
  readonly #observer: Observer;
  #resend: typeof resend | undefined = undefined;
  /** The number of times that a request has been taken off a lost connection. */
  readonly #counts = new WeakMap<AgentRequest, number>();

  constructor(
    rule: ReplayRule,
    pool: Pool<AgentKinds>,
    lifetimes: Lifetimes<AgentKinds>,
    hosts: Hosts,
    waiting: Waiting,
    observer: Observer,
  ) {
    this.rule = rule;
    this.#pool = pool;
    this.#lifetimes = lifetimes;
    this.#hosts = hosts;
    this.#waiting = waiting;
    this.#observer = observer;
  }

  /** `undefined`: the code cannot be loaded, because the process may open no file at the moment; then nothing is sent again. */
  #resending(): typeof resend | undefined {
    try {
      return (this.#resend ??= loadResend());
    } catch {
      return undefined;
    }
  }

  /** See `keepBody` in resend.ts. */
  keepBody(pooled: PooledSocket): void {
    this.#resending()?.keepBody(pooled);
  }

  /**
   * `pooled` is lost: by an end of file, a byte that cannot be an answer, or an error that is not out yet. `true`: its request
   * goes on without it.
   */
  lost(pooled: PooledSocket, error?: unknown): boolean {
    const { request, socket } = pooled;
    if (!request || !this.#concerns(pooled, request)) return false;
    if (request.socket === socket) {
      const { isUnsent } = pooled;
      if (!this.#resending()?.detachRequest(pooled, error)) return false;
      if (!isUnsent) this.#waiting.wasSent(request);
      this.#retry(pooled, newWait(request, pooled));
    } else if (!pooled.replayRequest) {
      // Node's client has not taken the socket yet, and will do so. The socket is ended now, so that nothing is written to it.
      pooled.replayRequest = newWait(request, pooled);
      socket.destroy();
    }
    return true;
  }

  /**
   * `pooled` has been idle for longer than is safe, and Node's client is about to take it. Headers that were set since its request asked
   * for a connection may say that this must not be risked; then it is given up, and its request gets another one.
   */
  reconsider(pooled: PooledSocket): void {
    const { request, socket } = pooled;
    if (request && request.socket !== socket && !this.rule.mayRisk(request)) this.lost(pooled);
  }

  /** `pooled` has closed. Called before any other listener. */
  closing(pooled: PooledSocket): void {
    const { replayRequest, request } = pooled;
    if (!replayRequest) return;
    pooled.replayRequest = undefined;
    if (request && this.#concerns(pooled, request) && this.#resending()?.detachRequest(pooled))
      this.#retry(pooled, replayRequest);
  }

  /**
   * The handshake on `pooled` was refused for the session that it offered: the dial is made again for its request, in the same slot, whatever
   * the rule says: no byte has left. `false`: the request cannot be taken off the socket.
   */
  redial(pooled: PooledSocket): boolean {
    const { connection, offered, request, requestOptions, socket } = pooled;
    if (!offered || !request || !requestOptions || connection.state !== 'active') return false;
    if (request.destroyed !== false || request.aborted || request.res) return false;
    const isOff = this.#resending()?.detachUnsent(pooled, () => offered.take());
    offered.end();
    if (!isOff) return false;
    const pending = newWait(request, pooled);
    pending.refused = offered;
    this.#requeueAfter(connection, pending, 'new', socket.timeout);
    return true;
  }

  /** The conditions that do not depend on what was sent. */
  #concerns(
    { answered, connection, requestOptions, interceptsDestroy, used }: PooledSocket,
    req: AgentRequest,
  ): boolean {
    if (connection.state !== 'active' || !requestOptions || !interceptsDestroy || !used || answered)
      return false;
    return req.destroyed === false && !req.aborted && !req.res && this.#countOf(req) < this.rule.max;
  }

  #countOf(req: AgentRequest): number {
    return this.#counts.get(req) ?? 0;
  }

  #retry(pooled: PooledSocket, pending: PooledRequest): void {
    const { connection, endedByPeer, socket } = pooled;
    const { req } = pending;
    const count = this.#countOf(req) + 1;
    this.#counts.set(req, count);
    this.#observer.replayed(connection, req, count);
    if (endedByPeer && pooled.precedesLease) this.#lifetimes.endedIdle(connection);
    else if (endedByPeer) this.#lifetimes.endsUnanswered(connection);
    // A request that has met two dead connections, or that may not be sent again after this, gets a new one.
    const wanted = count > 1 || count >= this.rule.max ? 'new' : 'any';
    this.#requeueAfter(connection, pending, wanted, socket.timeout);
  }

  /** `pending` has lost `connection`, and waits for another one. */
  #requeueAfter(
    connection: Conn,
    pending: PooledRequest,
    wanted: 'new' | 'any',
    timeout: number | undefined,
  ): void {
    let host;
    try {
      // The host by the current TLS options: they may have changed since it was sent.
      host = this.#hosts.limitedOf(pending);
    } catch (error) {
      this.#pool.close(connection, 'server-closed');
      pending.fail(error);
      return;
    }
    // At another identity it has no claim to the slot of the lost connection, and so must not risk a connection that has been idle for long.
    const mayRisk = this.rule.mayRisk(pending.req) && (wanted === 'any' || host === connection.host);
    const waiter = new Waiter<AgentKinds>(host, pending, mayRisk ? 'replayable' : 'unreplayable');
    pending.waiter = waiter;
    debug.enabled &&
      debug('%s is sent again: %s was lost', requestLabel(waiter), connectionLabel(connection));
    if (wanted === 'new') this.#pool.retryOnNew(connection, waiter);
    else this.#pool.retry(connection, waiter);
    // `pending` has another waiter now if TLS options had changed when its connection was to be dialled.
    if (pending.waiter.state === 'done') return;
    debug.enabled && debugWait(this.#pool, pending.waiter);
    this.#waiting.arm(pending, timeout);
  }
}

/** The wait of `req` for another connection. It begins in the async context of the request, which is that of its socket. */
function newWait(req: AgentRequest, { requestOptions = {} }: PooledSocket): PooledRequest {
  const pending = new PooledRequest(req, requestOptions, undefined);
  pending.isResent = true;
  pending.since = monotonicNow();
  pending.enter();
  return pending;
}
