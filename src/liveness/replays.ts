/**
 * Decides which requests are sent again, and finds them another connection. How a request is taken off the lost one: replay.ts, where
 * the rule stands, too.
 */
import type { AgentKinds, Channel } from '../channel.js';
import { connectionLabel, debug, debugWait, requestLabel } from '../debug.js';
import type { AgentRequest } from '../node-internals.js';
import type { Connection } from '../pool/connection.js';
import type { HostPool } from '../pool/host-pool.js';
import type { Pool } from '../pool/pool.js';
import { Waiter } from '../pool/waiter.js';
import { QueuedRequest } from '../queued-request.js';
import type { Lifetimes } from './lifetimes.js';
import { retract, retractUnsent } from './replay.js';
import type { ReplayRule } from './replayable.js';

type Conn = Connection<AgentKinds>;
type Host = HostPool<AgentKinds>;

/** The agent's side of a replay. */
interface Requeue {
  /**
   * Where `queued` belongs by the TLS options of now: they may have changed since it was sent.
   *
   * @throws for options that are not valid, and what a function that gives limits throws
   */
  hostOf(queued: QueuedRequest): Host;
  /** `queued` has to wait; `timeout` is the one that its socket had. */
  arm(queued: QueuedRequest, timeout: number | undefined): void;
}

export class Replays {
  /** Which requests may be sent again, and how often. */
  readonly rule: ReplayRule;
  readonly #pool: Pool<AgentKinds>;
  readonly #lifetimes: Lifetimes;
  readonly #requeue: Requeue;
  /** How often a request has been taken off a lost connection. */
  readonly #counts = new WeakMap<AgentRequest, number>();

  constructor(rule: ReplayRule, pool: Pool<AgentKinds>, lifetimes: Lifetimes, requeue: Requeue) {
    this.rule = rule;
    this.#pool = pool;
    this.#lifetimes = lifetimes;
    this.#requeue = requeue;
  }

  /**
   * `channel` is lost: by an end of file, a byte that cannot be an answer, or an error that is not out yet. `true`: its request
   * goes on without it.
   */
  lost(channel: Channel, error?: unknown): boolean {
    const { request, socket } = channel;
    if (!request || !this.#concerns(channel, request)) return false;
    if (request.socket === socket) {
      if (!retract(channel, error)) return false;
      this.#retry(channel, queue(request, channel));
    } else if (!channel.successor) {
      // Node's client has not taken it yet, and cannot be kept from that. So that it writes nothing to it, it ends now.
      channel.successor = queue(request, channel);
      socket.destroy();
    }
    return true;
  }

  /**
   * `channel` has been idle for longer than is safe, and Node's client is about to take it. Headers that were set since its request asked
   * for a connection may say that this must not be risked; then it is given up, and its request gets another one.
   */
  reconsider(channel: Channel): void {
    const { request, socket } = channel;
    if (request && request.socket !== socket && !this.rule.mayRisk(request)) this.lost(channel);
  }

  /** `channel` is closed, and nobody else knows yet. */
  closing(channel: Channel): void {
    const { successor, request } = channel;
    if (!successor) return;
    channel.successor = undefined;
    if (request && this.#concerns(channel, request) && retract(channel)) this.#retry(channel, successor);
  }

  /**
   * The handshake on `channel` was refused for the session that it offered: its request has the dial made again, in the same place.
   * Whatever the rule says: nothing has left. `false`: it cannot be taken off.
   */
  redial(channel: Channel): boolean {
    const { connection, offered, request, requestOptions, socket } = channel;
    if (!offered || !request || !requestOptions || connection.state !== 'active') return false;
    if (request.destroyed !== false || request.aborted || request.res) return false;
    const isOff = retractUnsent(channel, () => offered.take());
    offered.end();
    if (!isOff) return false;
    const queued = queue(request, channel);
    queued.refused = offered;
    this.#requeueAfter(connection, queued, true, socket.timeout);
    return true;
  }

  /** All that does not depend on what was sent. */
  #concerns({ answered, connection, requestOptions, shielded, used }: Channel, req: AgentRequest): boolean {
    if (connection.state !== 'active' || !requestOptions || !shielded || !used || answered) return false;
    return req.destroyed === false && !req.aborted && !req.res && this.#countOf(req) < this.rule.max;
  }

  #countOf(req: AgentRequest): number {
    return this.#counts.get(req) ?? 0;
  }

  #retry({ connection, endedByPeer, socket }: Channel, queued: QueuedRequest): void {
    const { req } = queued;
    const count = this.#countOf(req) + 1;
    this.#counts.set(req, count);
    if (endedByPeer) this.#lifetimes.endsUnanswered(connection);
    // A request that has met two dead connections, or may not meet another one, gets a new one.
    this.#requeueAfter(connection, queued, count > 1 || count >= this.rule.max, socket.timeout);
  }

  /** `queued` has lost `connection`, and waits for another one. */
  #requeueAfter(connection: Conn, queued: QueuedRequest, fresh: boolean, timeout: number | undefined): void {
    let host;
    try {
      host = this.#requeue.hostOf(queued);
    } catch (error) {
      this.#pool.close(connection, 'server-closed');
      queued.fail(error);
      return;
    }
    // The place of the lost connection is not for another identity: there it takes nothing that has been idle for long.
    const careful = !this.rule.mayRisk(queued.req) || (fresh && host !== connection.host);
    const waiter = new Waiter<AgentKinds>(host, queued, careful);
    queued.waiter = waiter;
    debug.enabled &&
      debug('%s is sent again: %s was lost', requestLabel(waiter), connectionLabel(connection));
    this.#pool.retry(connection, waiter, fresh);
    // Another one, if TLS options were found to have changed when it was to be dialled.
    if (queued.waiter.state === 'done') return;
    debug.enabled && debugWait(this.#pool, queued.waiter);
    this.#requeue.arm(queued, timeout);
  }
}

/** In the async context of the request, which is that of its socket. */
function queue(req: AgentRequest, { requestOptions = {} }: Channel): QueuedRequest {
  const queued = new QueuedRequest(req, requestOptions, undefined);
  queued.isResent = true;
  queued.enter();
  return queued;
}
