/**
 * Hands connections to requests: a free one at once, or a new or released one to a request that has waited. It gives a used socket the
 * async context, the stream limits and the timeout of its new request, and calls the methods that users may have overridden.
 */
import { agentDestroyed, connectionReset } from '../errors.js';
import type { Options } from '../identity/identity.js';
import { callIfAble } from '../node/foreign.js';
import { hasHandle, isReferenced } from '../node/handle.js';
import { resetAsyncId } from '../node/async-context.js';
import { mayHaveBody } from '../node/request-headers.js';
import type { AgentRequest } from '../node/types.js';
import { nextTick } from '../node/timers.js';
import { timeoutOf } from '../options/live-options.js';
import { Waiter } from '../pool/records.js';
import type { Connection } from '../pool/records.js';
import type { Pool } from '../pool/pool.js';
import { onSocket } from '../requests/pending-request.js';
import { PooledRequest } from './pooled-socket.js';
import type { Deliver } from '../requests/pending-request.js';
import type { DrivenAgent } from './driven-agent.js';
import type { Observer } from './observer.js';
import type { AgentKinds, PooledSocket } from './pooled-socket.js';
import type { Replays } from './losses/replay.js';
import { applyHighWaterMark, applyTimeout } from './request-values.js';
import type { StallWatch } from './losses/stall-watch.js';
import type { RequestForms, Transport } from './dials/transport.js';
import type { Waiting } from './waiting.js';

/**
 * The number of connections that a request may miss. Through a proxy that sends something else than TLS, each new connection fails before its
 * request has heard of it.
 */
const MAX_MISSED = 3;

export class Leases {
  readonly #agent: DrivenAgent;
  readonly #pool: Pool<AgentKinds>;
  readonly #forms: RequestForms | undefined;
  readonly #replays: Replays;
  readonly #stalls: StallWatch | undefined;
  readonly #waiting: Waiting;
  readonly #observer: Observer;

  constructor(
    agent: DrivenAgent,
    pool: Pool<AgentKinds>,
    { forms }: Transport,
    replays: Replays,
    stalls: StallWatch | undefined,
    waiting: Waiting,
    observer: Observer,
  ) {
    this.#agent = agent;
    this.#pool = pool;
    this.#forms = forms;
    this.#replays = replays;
    this.#stalls = stalls;
    this.#waiting = waiting;
    this.#observer = observer;
  }

  /** `waiter`, which has waited, gets `connection`. */
  assign(connection: Connection<AgentKinds>, waiter: Waiter<AgentKinds>): void {
    const pending = waiter.request;
    const { pooled } = connection;
    if (pooled && pooled.openedIn < pending.openedSince) {
      this.#passOver(connection, waiter);
      return;
    }
    this.#waiting.leave(pending);
    if (!pooled) return;
    // The socket belongs to this request from now on, although the request hears of it a moment later.
    pooled.request = pending.req;
    pooled.since = pending.since;
    pending.run(() => {
      if (connection.state !== 'active' || pooled.socket.destroyed) this.#missed(pooled, waiter);
      else this.lease(pooled, pending.req, pending.options, pending.deliver, pending);
    });
  }

  /** Hot path. `req` gets `pooled`. `pending`: it has waited. */
  lease(
    pooled: PooledSocket,
    req: AgentRequest,
    options: Options,
    deliver: Deliver | undefined,
    pending?: PooledRequest,
  ): void {
    try {
      this.#prepare(pooled, req, options, deliver);
    } catch (error) {
      // This request does not get the connection.
      pooled.request = undefined;
      pooled.requestOptions = undefined;
      this.#pool.close(pooled.connection, 'surplus');
      new PooledRequest(req, options, deliver).fail(error);
      return;
    }
    this.#observer.assigned(pooled, req, pending);
    const { socket } = pooled;
    try {
      if (deliver) deliver(null, socket);
      else onSocket(req, socket);
    } catch (error) {
      // No request has it.
      this.#pool.close(pooled.connection, 'surplus');
      throw error;
    }
    const timeout = req.timeout ?? timeoutOf(this.#agent.options);
    // It is set anew even if the same timeout runs already: a timer runs in the async context in which it was set, that of an earlier request.
    if (timeout !== 0 || socket.timeout) applyTimeout(socket, req, timeout);
  }

  /** The request of `waiter` has passed a mocking library, and `connection` was opened before that was there (see interception.ts): the request gets a new one. */
  #passOver(connection: Connection<AgentKinds>, waiter: Waiter<AgentKinds>): void {
    const { unreplayable, host, priority, request, since } = waiter;
    const replay = unreplayable ? 'unreplayable' : 'replayable';
    request.waiter = new Waiter<AgentKinds>(host, request, replay, since, priority);
    request.waiter.arrival = waiter.arrival;
    this.#pool.retryOnNew(connection, request.waiter);
  }

  /** `pooled` was closed after `waiter` had got it, and before its request heard of that. */
  #missed(pooled: PooledSocket, waiter: Waiter<AgentKinds>): void {
    const { connection, socket } = pooled;
    const pending = waiter.request;
    pooled.request = undefined;
    if (connection.closeReason === 'destroyed') {
      pending.fail(socket.errored ?? agentDestroyed());
      return;
    }
    if (hasNeverBeenReady(pooled) || ++pending.missed > MAX_MISSED) {
      pending.fail(pooled.error ?? socket.errored ?? connectionReset('The socket closed before it was used'));
      return;
    }
    if (this.#waiting.again(waiter) && pending.waiter?.state !== 'done') this.#waiting.arm(pending);
  }

  /** Hot path. `pooled` is about to be handed to `req`. Runs foreign code, which may throw. */
  #prepare(pooled: PooledSocket, req: AgentRequest, options: Options, deliver: Deliver | undefined): void {
    const { socket } = pooled;
    const agentOptions = this.#agent.options as Options;
    pooled.lease(req);
    pooled.requestOptions = deliver ? undefined : options;
    this.#forms?.giveForm(req, pooled.connection.host.origin, pooled.forwarder);
    // The check comes just before Node sends the request: the caller may set headers in this turn.
    if (this.#forms && pooled.forwarder && !deliver) nextTick(endIfMisdirected, this.#forms, req);
    // A new connection needs it, too, if it was opened for another request.
    if (pooled.openedFor !== req) resetAsyncId(socket);
    pooled.openedFor = undefined;
    if (pooled.used) {
      // Both come just before Node sends what has been written by then.
      if (mayHaveBody(req) && pooled.interceptsDestroy && !deliver) nextTick(keepBody, this.#replays, pooled);
      if (pooled.connection.isUnsafe && !deliver) nextTick(reconsider, this.#replays, pooled);
      const highWaterMark = agentOptions['highWaterMark'] ?? options['highWaterMark'];
      if (highWaterMark != null) applyHighWaterMark(socket, req, highWaterMark);
      this.#agent.reuseSocket(socket, req);
    } else if (pooled.offered) {
      if (!deliver) pooled.offered.lease(req);
    } else if ((pooled.rested || pooled.connection.served > 1) && !isReferenced(socket)) {
      callIfAble(socket, 'ref');
    }
    pooled.rested = false;
    if (!hasHandle(socket) && callIfAble(socket, 'isPaused') === true) callIfAble(socket, 'resume');

    this.#stalls?.start(pooled.polledAt);
  }
}

/** Whether the dial of `pooled` has failed by itself, for example by bytes that came right behind a proxy's answer. The next dial would fail, too. */
function hasNeverBeenReady({ connection, isGivenUp, offered }: PooledSocket): boolean {
  return connection.readyAt < 0 && connection.closeReason === undefined && !isGivenUp && !offered?.isRefused;
}

function endIfMisdirected(forms: RequestForms, req: AgentRequest): void {
  try {
    forms.checkForm(req);
  } catch (error) {
    req.destroy(error as Error);
  }
}

function keepBody(replays: Replays, pooled: PooledSocket): void {
  replays.keepBody(pooled);
}

function reconsider(replays: Replays, pooled: PooledSocket): void {
  replays.reconsider(pooled);
}
