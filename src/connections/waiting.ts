/**
 * The requests that wait for a connection, of one agent: how a wait begins, goes on elsewhere when TLS options have changed, and ends. Most
 * requests wait for the end of this turn of the event loop only; those that wait on are armed then, so that they can time out and be destroyed.
 */
import { debug } from '../debug.js';
import { debugWait } from '../debug-lines.js';
import { agentClosed, PoolQueueError } from '../errors.js';
import { hostName } from '../limits/host-name.js';
import { timeoutOf } from '../options/live-options.js';
import { isolate } from '../node/foreign.js';
import { LOST_AFTER, monotonicNow } from '../node/timers.js';
import type { Driver } from '../pool/driver.js';
import type { Pool } from '../pool/pool.js';
import { Waiter } from '../pool/records.js';
import type { Refusal } from '../pool/refusal.js';
import { pendingOf } from '../requests/pending-request.js';
import type { AgentKinds, PooledRequest } from './pooled-socket.js';
import { QueueTimer } from '../requests/queue-timer.js';
import type { ReplayRule } from '../requests/replayable.js';
import type { Host, Hosts } from './hosts.js';
import type { Observer } from './observer.js';
import type { Recovery } from './recovery.js';
import { refSpares } from './spare-request.js';
import { WaitWatch } from './wait-watch.js';

type PoolWaiter = Waiter<AgentKinds>;

export class Waiting {
  readonly #agent: { readonly options: object };
  readonly #pool: Pool<AgentKinds>;
  readonly #hosts: Hosts;
  readonly #rule: ReplayRule;
  readonly #timer: QueueTimer;
  readonly #watch: WaitWatch;
  readonly #driver: Pick<Driver<AgentKinds>, 'schedule'>;
  readonly #observer: Observer;
  /** Requests of this turn, of which its end decides whether they wait on. */
  #newWaiters: PooledRequest[] = [];
  /** Since when a request has been seen to wait for the turn that was asked for. */
  #turnAwaitedSince = Infinity;

  /**
   * @param driver is asked once more for the end of this turn, where it was asked for and has not come
   * @param recovery looks for exchanges that nobody can wait for (see WaitWatch)
   */
  constructor(
    agent: { readonly options: object },
    pool: Pool<AgentKinds>,
    hosts: Hosts,
    rule: ReplayRule,
    driver: Pick<Driver<AgentKinds>, 'schedule'>,
    recovery: Recovery,
    observer: Observer,
  ) {
    this.#agent = agent;
    this.#pool = pool;
    this.#hosts = hosts;
    this.#rule = rule;
    this.#timer = new QueueTimer(pool);
    this.#driver = driver;
    this.#observer = observer;
    this.#watch = new WaitWatch(
      () => pool.undialled().next().done === false,
      () => recovery.look(),
    );
  }

  /** `pending` gets no connection at once. */
  begin(pending: PooledRequest, host: Host, priority: number | undefined): void {
    const now = monotonicNow();
    if (this.#pool.endOfTurn.scheduled) this.#awaitTurn(now);
    this.#watch.begin(now);
    pending.since = now;
    const waiter = this.#enqueue(pending, host, now, priority);
    if (!waiter || waiter.state === 'done') return;
    refSpares(waiter.host);
    debug.enabled && debugWait(this.#pool, waiter);
    pending.enter();
    // The end of this turn decides: most requests in turn come just when the connection before them is validated, and
    // are served then. Only a request that has to wait on is armed.
    const { pacedLink, validating, waiting } = waiter.host;
    const isDecidedSoon = pacedLink.list !== undefined || waiting.size <= validating;
    if (waiter.state === 'queued' && isDecidedSoon) this.#newWaiters.push(pending);
    else this.arm(pending);
  }

  /**
   * The request of `waiter`, which is done, goes on waiting: for what its options mean now, and in its place before those that came later.
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
    this.#timer.adjust();
  }

  /** The pool gives up the request of `waiter`. */
  reject({ request }: PoolWaiter, error: unknown): void {
    request.leave();
    request.fail(error);
  }

  /** The request of `waiter` is not to wait, or not any longer. */
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

  /** The end of this turn has come. */
  turnCame(): void {
    this.#turnAwaitedSince = Infinity;
  }

  /** All that was put off until the end of this turn is done: requests of this turn that still wait, wait on. */
  turnEnded(): void {
    this.#armNewWaiters();
  }

  #awaitTurn(now: number): void {
    if (now > this.#turnAwaitedSince + LOST_AFTER) this.#driver.schedule();
    else if (this.#turnAwaitedSince === Infinity) this.#turnAwaitedSince = now;
  }

  /**
   * The waiter of `pending` from now on; `undefined`: its host's limits could not be told, and it has failed.
   *
   * @param before the one that it had until now
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
    // Another one, if TLS options were found to have changed when it was to be dialled.
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
