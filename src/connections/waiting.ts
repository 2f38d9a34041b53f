/**
 * The requests of one agent that wait for a connection. A wait begins, moves to another host when TLS options have changed, and ends. Most
 * requests wait only for the end of this turn of the event loop; the others are armed then, so that they can time out and be destroyed.
 */
import { debug } from '../debug.js';
import { debugWait } from '../debug-lines.js';
import { agentClosed, connectionReset, meansUnsent, notSentAgain, PoolQueueError } from '../errors.js';
import { hostName } from '../limits/host-name.js';
import { timeoutOf } from '../options/live-options.js';
import { isolate } from '../node/foreign.js';
import { monotonicNow } from '../node/timers.js';
import type { TurnAlarm } from '../node/turn-alarm.js';
import type { AgentRequest } from '../node/types.js';
import type { Pool } from '../pool/pool.js';
import { Waiter } from '../pool/records.js';
import type { Connection } from '../pool/records.js';
import type { Refusal } from '../pool/refusal.js';
import { pendingOf } from '../requests/pending-request.js';
import type { AgentKinds, PooledRequest } from './pooled-socket.js';
import type { QueueTimer } from '../requests/queue-timer.js';
import type { ReplayRule } from '../requests/replayable.js';
import type { Host, Hosts } from './hosts.js';
import type { Observer } from './observer.js';
import { refSpares } from './dials/spare-request.js';
import type { WaitWatch } from './wait-watch.js';

type PoolWaiter = Waiter<AgentKinds>;

/** The timers of the pool: see common.ts. */
interface Timing {
  readonly endOfTurn: TurnAlarm;
  readonly queueTimer: QueueTimer;
  readonly waitWatch: WaitWatch;
}

export class Waiting {
  readonly #agent: { readonly options: object };
  readonly #pool: Pool<AgentKinds>;
  readonly #hosts: Hosts;
  readonly #rule: ReplayRule;
  readonly #timer: QueueTimer;
  readonly #watch: WaitWatch;
  readonly #endOfTurn: TurnAlarm;
  readonly #observer: Observer;
  /** Requests of which an earlier connection may have carried something. */
  readonly #sent = new WeakSet<AgentRequest>();
  /** Requests that came in this turn. At its end, those that still wait are armed. */
  #newWaiters: PooledRequest[] = [];

  constructor(
    agent: { readonly options: object },
    pool: Pool<AgentKinds>,
    hosts: Hosts,
    rule: ReplayRule,
    { endOfTurn, queueTimer, waitWatch }: Timing,
    observer: Observer,
  ) {
    this.#agent = agent;
    this.#pool = pool;
    this.#hosts = hosts;
    this.#rule = rule;
    this.#timer = queueTimer;
    this.#endOfTurn = endOfTurn;
    this.#observer = observer;
    this.#watch = waitWatch;
  }

  /** `pending` gets no connection at once. */
  begin(pending: PooledRequest, host: Host, priority: number | undefined): void {
    const now = monotonicNow();
    this.#endOfTurn.await(now);
    this.#watch.begin(now);
    pending.since = now;
    const waiter = this.#enqueue(pending, host, now, priority);
    if (!waiter || waiter.state === 'done') return;
    refSpares(waiter.host);
    debug.enabled && debugWait(this.#pool, waiter);
    pending.enter();
    // The request is armed at the end of this turn, if it still waits then. Most requests in turn come just when the connection before them
    // is validated, and are served before.
    const { pacedLink, validating, waiting } = waiter.host;
    const isDecidedSoon = pacedLink.list !== undefined || waiting.size <= validating;
    if (waiter.state === 'queued' && isDecidedSoon) this.#newWaiters.push(pending);
    else this.arm(pending);
  }

  /**
   * The request of `waiter`, which is done, goes on waiting: at the host that its options mean now, at its position by arrival.
   * `false`: it has ended.
   */
  again(waiter: PoolWaiter): boolean {
    const { priority, request: pending, since } = waiter;
    if (pending.req.destroyed) {
      pending.leave();
      pending.end();
      return false;
    }
    try {
      return (
        this.#enqueue(pending, this.#hosts.of(pending.req, pending.options), since, priority, waiter) !==
        undefined
      );
    } catch (error) {
      // Options may have getters.
      pending.leave();
      pending.fail(error);
      return false;
    }
  }

  /**
   * The requests of `waiters` go on waiting at another host.
   *
   * @param dialling a connection that was about to be opened for one of them
   */
  requeue(waiters: Iterable<PoolWaiter>, dialling: Connection<AgentKinds> | undefined, why: string): void {
    const all = new Set<PoolWaiter>();
    // With eager binding this request has left its queue already; it was the head of it.
    if (dialling?.waiter?.state === 'dialling') all.add(dialling.waiter);
    for (const waiter of waiters) all.add(waiter);
    for (const waiter of all) this.#pool.abort(waiter);
    if (dialling) this.#pool.failed(dialling, connectionReset(why), 'surplus');
    for (const waiter of all) this.again(waiter);
  }

  /** `pending` can time out and be destroyed from now on. Its timeout is its own, or else `timeout`. */
  arm(
    pending: PooledRequest,
    timeout = timeoutOf(pending.req.timeout === undefined ? this.#agent.options : pending.req),
  ): void {
    if (pending.req.destroyed) this.abort(pending);
    else {
      pending.arm(this.#timer, timeout, this.abort);
      pending.enterQueue(this.#observer);
    }
    this.#timer.adjust();
  }

  /** The request of `pending` was destroyed. */
  readonly abort = (pending: PooledRequest): void => {
    if (pending.waiter && this.#pool.abort(pending.waiter)) pending.end();
    pending.leaveQueue();
    this.#timer.adjust();
  };

  /** `pending` has a connection. */
  leave(pending: PooledRequest): void {
    pending.leave();
    this.#timer.left();
  }

  /** The pool gives up the request of `waiter`. */
  reject({ request }: PoolWaiter, error: unknown): void {
    request.leave();
    request.fail(this.#sent.has(request.req) && meansUnsent(error) ? notSentAgain(error) : error);
  }

  /** An earlier connection may have carried something of `req`: none of its errors may say that it was not sent. */
  wasSent(req: AgentRequest): void {
    this.#sent.add(req);
  }

  /** The request of `waiter` is not allowed to wait, or to wait longer. */
  refuse(waiter: PoolWaiter, refusal: Refusal): void {
    const { host, request } = waiter;
    const name = hostName(host.origin);
    const isClosed = refusal.limitedBy === 'closed';
    this.#observer.refused(host, request.req, refusal);
    this.reject(waiter, isClosed ? agentClosed('refused', name) : new PoolQueueError(name, refusal));
  }

  /** @returns whether `req` waits */
  setPriority(req: object, priority: number): boolean {
    if (!pendingOf(req)) this.#armNewWaiters();
    const waiter = (pendingOf(req) as PooledRequest | undefined)?.waiter;
    return waiter !== undefined && this.#pool.reprioritize(waiter, priority);
  }

  /** A limit has changed: the next deadline may be another one. */
  limitsChanged(): void {
    this.#timer.adjust();
  }

  /** The turn has ended, with all that was put off until then: requests of this turn that still wait are armed. */
  turnEnded(): void {
    this.#armNewWaiters();
  }

  /**
   * Makes a waiter for `pending`. `undefined`: its host's limits could not be found, and it has failed.
   *
   * @param before the waiter that it had until now
   */
  #enqueue(
    pending: PooledRequest,
    host: Host,
    since: number,
    priority: number | undefined,
    before?: PoolWaiter,
  ): PoolWaiter | undefined {
    try {
      this.#hosts.limit(host);
    } catch (error) {
      pending.leave();
      pending.fail(error);
      return undefined;
    }
    const replay = this.#rule.mayRisk(pending.req) ? 'replayable' : 'unreplayable';
    const waiter = new Waiter<AgentKinds>(host, pending, replay, since, priority);
    pending.waiter = waiter;
    if (before) {
      waiter.arrival = before.arrival;
      this.#pool.readmit(waiter);
    } else {
      this.#pool.enqueue(waiter);
    }
    // `pending` has another waiter now if TLS options had changed when its connection was to be dialled.
    return pending.waiter;
  }

  #armNewWaiters(): void {
    const newWaiters = this.#newWaiters;
    this.#newWaiters = [];
    for (const pending of newWaiters) {
      const { waiter } = pending;
      if (waiter?.state === 'done') continue;
      // The reason for which it waits from now on.
      if (debug.enabled && waiter) debugWait(this.#pool, waiter);
      isolate(() => this.arm(pending));
    }
  }
}
