/**
 * The pool's driver for real sockets: dials, leases, parks and closes them, and reports what happens to them. It
 * decides nothing about who gets which connection; that is the pool's. What users may override on an agent
 * (`createSocket`, `createConnection`, `reuseSocket`, `keepSocketAlive`, `removeSocket`) is called on the agent.
 */
import { pooledSocketOf } from './pooled-socket.js';
import type { AgentKinds, PooledSocket } from './pooled-socket.js';
import { isAdoptable, isTaken } from './adoption.js';
import { allowsAnother } from './hand-over.js';
import { debug } from '../debug.js';
import { connectionLabel, debugClose, debugWait } from '../debug-lines.js';
import { PendingDials } from './pending-dials.js';
import { agentDestroyed, connectionReset, PoolQueueError } from '../errors.js';
import { ownOptionsOf, queuedByNode } from '../node/interception.js';
import { invalidPriority, isPriority } from '../limits/priority.js';
import { hostAndPort, hostName } from '../limits/host-name.js';
import type { HostRules } from '../limits/rules.js';
import { queueState, Saturation } from '../limits/saturation.js';
import { Interrupted } from './interrupted.js';
import { Lifetimes } from '../lifetimes/lifetimes.js';
import { keepBody } from '../node/client-request.js';
import { Replays } from './replay.js';
import { StallWatch } from './stall-watch.js';
import { isReferenced, isSocketLike, timerOf } from '../node/socket.js';
import { resetAsyncId } from '../node/async-context.js';
import { callIfAble, destroy, isolate, later, runOnOwnStack, throwLater } from '../node/foreign.js';
import { LOST_AFTER, monotonicNow, nextTick, setImmediate } from '../node/timers.js';
import { tellOfExceptions } from '../node/uncaught.js';
import type { Survivor } from '../node/uncaught.js';
import { timeoutOf } from '../options/live-options.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { ResolvedOptions } from '../options/options.js';
import type { CloseReason } from '../pool/close-reason.js';
import type { Connection } from '../pool/connection.js';
import type { Driver } from '../pool/driver.js';
import { HostPool } from '../pool/host-pool.js';
import type { HostLimits } from '../pool/limits.js';
import { Pool } from '../pool/pool.js';
import type { Refusal } from '../pool/refusal.js';
import { Waiter } from '../pool/waiter.js';
import { applyHighWaterMark, applyTimeout } from './request-values.js';
import { QueueTimer } from '../requests/queue-timer.js';
import { onSocket, pendingOf, PendingRequest } from '../requests/pending-request.js';
import type { Deliver } from '../requests/pending-request.js';
import { IdleEntry } from './idle-entry.js';
import type { Resumption } from '../sessions/resumption.js';
import { listenToKeylog, stopListening } from './socket-events.js';
import { Connector } from './connector.js';
import type { ConnectingAgent } from './connector.js';
import { Identities } from '../identity/identity.js';
import { createContext, SecureContexts } from '../tls/secure-contexts.js';
import type { Options } from '../identity/identity.js';
import { contextValuesOf } from '../identity/profile.js';
import { Rotation } from '../tls/rotation.js';
import type { TlsOptions } from '../tls/rotation.js';

/** What the driver needs of the agent that it works for. */
export interface DrivenAgent extends ConnectingAgent {
  removeSocket(socket: SocketLike, options: Options): void;
  keepSocketAlive(socket: SocketLike): boolean;
  reuseSocket(socket: SocketLike, req: AgentRequest): void;
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
}

/**
 * A hand-over is believed to be clean when the loop has looked at the socket within this many milliseconds; else
 * the loop was busy, bytes may wait in the kernel, and it has to look again.
 */
const FRESH = 2;
/** A loop that is always busy is not waited for longer than this many turns. */
const MAX_POLLS = 3;

type HostOf = HostPool<AgentKinds>;

export class SocketDriver implements Driver<AgentKinds>, Survivor {
  readonly agent: DrivenAgent;
  readonly pool: Pool<AgentKinds>;
  readonly identities: Identities<HostOf>;
  readonly contexts: SecureContexts;
  readonly resumption: Resumption;
  readonly connector: Connector;
  readonly #rotation: Rotation;
  readonly rules: HostRules;
  readonly #lifetimes: Lifetimes;
  readonly replays: Replays;
  /** Only where somebody has asked for it. */
  readonly #stalls: StallWatch | undefined;
  readonly #queueTimer: QueueTimer;
  readonly #interrupted = new Interrupted();
  readonly #saturation = new Saturation();
  /** Requests of this turn, of which its end decides whether they wait on. */
  #brief: PendingRequest[] = [];
  readonly #pendingDials: PendingDials;
  readonly #idleEntry: IdleEntry;
  /** Since when a request has been seen to wait for the turn that was asked for. */
  #turnAwaitedSince = Infinity;

  /** @param keepSocketAlive the agent's own method, when nobody has overridden it */
  constructor(
    agent: DrivenAgent,
    resolved: ResolvedOptions,
    keepSocketAlive: DrivenAgent['keepSocketAlive'],
    resumption: Resumption,
  ) {
    this.agent = agent;
    const { eagerContext, limits, maxSecureContexts, tls } = resolved;
    this.contexts = new SecureContexts(maxSecureContexts);
    this.resumption = resumption;
    this.#rotation = new Rotation(agent, this.contexts, tls);
    const own = agent.options as Options;
    if (eagerContext && !own['secureContext']) this.contexts.set(contextValuesOf(own), createContext(own));
    this.connector = new Connector(agent, this.contexts, resumption);
    this.pool = new Pool<AgentKinds>(this, limits);
    this.rules = resolved.rules;
    this.pool.rulesChanged((host) => host.limits, this.rules.reserving);
    this.#queueTimer = new QueueTimer(this.pool);
    this.#lifetimes = new Lifetimes(agent, this.pool, resolved.durations);
    this.#pendingDials = new PendingDials(this, this.#lifetimes, resolved.connectTimeout);
    this.#idleEntry = new IdleEntry(agent, keepSocketAlive, ({ connection }) =>
      this.pool.close(connection, 'surplus'),
    );
    this.replays = new Replays(resolved.replay, this.pool, this.#lifetimes, {
      hostOf: (pending) => this.#currentHostOf(pending),
      arm: (pending, timeout) => this.#arm(pending, timeout),
    });
    this.identities = new Identities<HostOf>(
      (origin) => {
        const host = new HostPool<AgentKinds>(origin, limits);
        this.#lifetimes.recall(host);
        return host;
      },
      (host) => this.pool.abandon(host),
    );
    const watches = resolved.socketTimeout > 0 || resolved.leakDetectionThreshold > 0;
    this.#stalls = watches ? new StallWatch(this, resolved) : undefined;
    tellOfExceptions(this);
  }

  // For the agent

  /** Hot path. Gets `req` a socket: at once, or as soon as there is one. */
  acquire(req: AgentRequest, options: Options, deliver?: Deliver): void {
    if (req.destroyed) {
      // Destroyed before it began (a signal that had been aborted): Node emits its error and 'close'.
      new PendingRequest(req, options, deliver).end();
      return;
    }
    this.#stalls?.trace(req, this.acquire);
    const { priority } = options;
    if (!isPriority(priority)) {
      new PendingRequest(req, options, deliver).fail(invalidPriority('options.priority', priority));
      return;
    }
    const host = this.#hostOf(req, options);
    let connection = this.pool.lease(host, true);
    if (!connection && host.idle.size > 0 && this.replays.rule.mayRisk(req))
      connection = this.pool.lease(host, false);
    if (connection?.pooled && connection.state === 'active') {
      this.#lease(connection.pooled, req, options, deliver);
      return;
    }
    const pending = new PendingRequest(req, options, deliver);
    const now = monotonicNow();
    if (this.pool.endOfTurn.scheduled) this.#awaitTurn(now);
    const waiter = this.#enqueue(pending, host, now, priority ?? undefined);
    if (!waiter) return;
    if (waiter.state === 'done') return;
    debug.enabled && debugWait(this.pool, waiter);
    pending.enter();
    // The end of this turn decides: most requests in turn come just when the connection before them settles, and
    // are served then. Only who has to wait on is armed.
    const { pacedLink, validating, waiting } = waiter.host;
    const decidedSoon = pacedLink.list !== undefined || waiting.size <= validating;
    if (waiter.state === 'queued' && decidedSoon) this.#brief.push(pending);
    else this.#arm(pending);
  }

  /** What the agent's `createSocket` does, whoever has called it: a connection with the TLS options of now. */
  open(req: AgentRequest, options: Options, callback: Deliver): void {
    const dial = this.connector.dialOf(req, options);
    if (dial && !(dial.origin as HostOf['origin']).entry.abandoned) {
      this.connector.open(req, options, dial.origin, callback);
      return;
    }
    if (!dial && this.#rotation.refresh()) this.#renew(undefined);
    // A subclass that takes its time may come here when TLS options have changed since.
    const requested = dial?.requested ?? options;
    this.connector.open(req, requested, this.#hostOf(req, requested).origin, callback);
  }

  /** Node's own `addRequest`, called by a wrapper, would leave `req` waiting. */
  acquireNoted(req: AgentRequest): void {
    const { options, run } = queuedByNode(req);
    run(() => {
      try {
        this.acquire(req, ownOptionsOf(options, this.agent.options));
      } catch (error) {
        new PendingRequest(req, options as Options, undefined).fail(error);
      }
    });
  }

  /** The connection of `pooled` exists, or is ready for a request. */
  connected(pooled: PooledSocket): void {
    this.pool.connected(pooled.connection);
  }

  /** `socket` is free again, says Node's client or somebody else. */
  free(socket: SocketLike, options: Options): void {
    if (!isSocketLike(socket)) return;
    const pooled = pooledSocketOf(socket);
    if (pooled?.driver === this) this.release(pooled);
    else this.#adopt(socket, options);
  }

  /** Hot path. The exchange on `pooled` is over. */
  release(pooled: PooledSocket): void {
    const { connection, request, socket } = pooled;
    if (connection.state !== 'active') return;
    // Node can emit 'free' twice for one exchange; the second time the socket may belong to the next request,
    // which is not over before it counts as destroyed. A custom request without the flag is taken at its word.
    if (request?.destroyed === false) return;
    const response = request?.res;
    pooled.used ||= response != null || request?.destroyed === undefined;
    pooled.hint = this.#lifetimes.hintOf(response?.rawHeaders);
    if (response) this.#lifetimes.answered(connection);
    pooled.requestTimer = socket.timeout ? timerOf(socket) : undefined;
    const reusable = allowsAnother(pooled) && this.#idleEntry.mayKeep(pooled) && this.usable(connection);
    this.pool.release(connection, reusable, !this.#lifetimes.isNeverSafe(connection, pooled.hint));
    if (pooled.request === request) {
      pooled.request = undefined;
      pooled.requestOptions = undefined;
      pooled.keptBody = undefined;
      socket._httpMessage = null;
    }
  }

  /** Takes `socket` out of the pool: it was closed, or it belongs to the caller from now on. */
  remove(socket: SocketLike): void {
    const pooled = pooledSocketOf(socket);
    if (pooled?.driver !== this) return;
    const { connection } = pooled;
    if (connection.state === 'connecting') {
      if (!this.#pendingDials.again(pooled)) {
        const error = pooled.error ?? connectionReset('The socket closed before it was connected');
        this.pool.failed(connection, error);
      }
    } else {
      this.#learnFrom(pooled);
      this.pool.closed(connection, socket.destroyed ? 'closed' : 'detached');
    }
    stopListening(pooled);
    pooled.release();
  }

  *pooledSockets(): Generator<PooledSocket, void, undefined> {
    for (const host of this.pool.hosts) {
      for (const { pooled } of host.connections) if (pooled) yield pooled;
    }
  }

  /** 'keylog' has a listener: sockets report from now on, those that exist already, too. */
  enableKeylog(): void {
    if (this.#pendingDials.keylog) return;
    this.#pendingDials.keylog = true;
    for (const pooled of this.pooledSockets()) listenToKeylog(pooled);
  }

  /** See `PoolingAgent.updateTls`. */
  updateTls(changes: TlsOptions): void {
    this.#rotation.apply(changes);
    this.#renew(undefined);
  }

  /** A limit of the agent itself was changed. */
  limitsChanged(): void {
    const { pool, rules } = this;
    if (!rules.isEmpty) rules.refresh(Array.from(pool.hosts, ({ limits }) => limits));
    pool.limitsChanged();
    this.#queueTimer.adjust();
    this.#lifetimes.limitsChanged();
  }

  /** @throws if a rule is not valid, or a function that gives limits throws: then nothing has changed */
  setHostLimits(pattern: unknown, limits: unknown): void {
    const { pool, rules } = this;
    const undo = rules.set(pattern, limits);
    const found = new Map<HostOf, HostLimits>();
    try {
      for (const host of pool.hosts) found.set(host, this.#limitsOf(host));
    } catch (error) {
      undo();
      throw error;
    }
    pool.rulesChanged((host) => found.get(host) ?? host.limits, rules.reserving);
    this.#queueTimer.adjust();
  }

  /** @returns whether `req` waits */
  setPriority(req: object, priority: number): boolean {
    if (!pendingOf(req)) this.#armBrief();
    const waiter = pendingOf(req)?.waiter;
    return waiter !== undefined && this.pool.reprioritize(waiter, priority);
  }

  destroy(error: unknown): void {
    this.pool.destroy(error || agentDestroyed(), error);
    this.#lifetimes.stop();
  }

  /** Nothing comes back from `address`: its idle connections are dead, too, and would only be found out one by one. */
  peerDied(address: string): void {
    const siblings = [];
    for (const connection of this.pool.idle) {
      if (connection.pooled?.address === address) siblings.push(connection);
    }
    for (const connection of siblings) {
      if (connection.state === 'idle') this.pool.close(connection, 'peer-dead');
    }
  }

  /** See `Interrupted`. */
  afterException(isFirst: boolean): void {
    for (const [pooled, interruption] of this.#interrupted.look(this.pooledSockets(), isFirst)) {
      const { connection, socket } = pooled;
      debug.enabled && debug('%s after an exception: %s', connectionLabel(connection), interruption);
      if (interruption === 'closed') this.remove(socket);
      else if (interruption === 'ready') this.connected(pooled);
      else if (interruption === 'free') this.release(pooled);
      else this.pool.close(connection, 'closed');
    }
  }

  // For the pool

  /** Hot path. */
  now(): number {
    return this.#lifetimes.now();
  }

  dial(connection: Connection<AgentKinds>, waiter: Waiter<AgentKinds>): void {
    this.dialFor(connection, waiter.request);
  }

  dialFor(connection: Connection<AgentKinds>, pending: PendingRequest): void {
    pending.runLater(() => {
      try {
        this.#dial(connection, pending);
      } catch (error) {
        // Options may have getters.
        this.pool.failed(connection, error);
      }
    });
  }

  assign(connection: Connection<AgentKinds>, waiter: Waiter<AgentKinds>): void {
    const pending = waiter.request;
    const { pooled } = connection;
    if (pooled && pooled.openedIn < pending.openedSince) {
      this.#passOver(connection, waiter);
      return;
    }
    pending.leave();
    this.#queueTimer.adjust();
    if (!pooled) return;
    // It is this request's from now on, also if that hears of it a moment later.
    pooled.request = pending.req;
    pending.run(() => {
      if (connection.state !== 'active' || pooled.socket.destroyed) this.#missed(pooled, waiter);
      else this.#lease(pooled, pending.req, pending.options, pending.deliver);
    });
  }

  /** The request of `waiter` has passed a mocking library that `connection` was opened before (see interception.ts): it gets a new one. */
  #passOver(connection: Connection<AgentKinds>, waiter: Waiter<AgentKinds>): void {
    const { unreplayable, host, priority, request, since } = waiter;
    request.waiter = new Waiter<AgentKinds>(host, request, unreplayable, since, priority);
    this.pool.retry(connection, request.waiter, true);
  }

  /** `pooled` was closed between the moment when `waiter` got it and the one in which its request was to hear of that. */
  #missed(pooled: PooledSocket, waiter: Waiter<AgentKinds>): void {
    const { connection, socket } = pooled;
    const pending = waiter.request;
    pooled.request = undefined;
    if (connection.closeReason === 'destroyed') {
      pending.fail(socket.errored ?? agentDestroyed());
      return;
    }
    this.#waitAgain(waiter);
    if (pending.waiter !== waiter && pending.waiter?.state !== 'done') this.#arm(pending);
  }

  /** Hot path. */
  prepareIdle(connection: Connection<AgentKinds>): boolean {
    const { pooled } = connection;
    if (!pooled || !this.#lifetimes.prepareIdle(connection, pooled.hint, pooled.polledAt)) return false;
    return this.#idleEntry.begin(pooled);
  }

  /** Hot path. */
  usable({ pooled }: Connection<AgentKinds>): boolean {
    if (!pooled || pooled.poisoned) return false;
    const { socket } = pooled;
    try {
      // `writable` is false after `end`, `destroy` and errors; buffered bytes are an answer to nobody.
      return socket.writable && !socket.readableEnded && socket.readableLength === 0;
    } catch {
      return false;
    }
  }

  /** Hot path. */
  quiet({ pooled, host }: Connection<AgentKinds>, isAwaited: boolean): boolean {
    if (!pooled) return true;
    if (!pooled.ledger.balanced) return false;
    // Whoever leases it later asks for the time then.
    const isLookedAtLater = !isAwaited && host.limits.validateAfterIdle !== Infinity;
    return isLookedAtLater || monotonicNow() - pooled.polledAt < FRESH;
  }

  /**
   * Hot path. In a microtask: they run after all ticks, in which the response that has just ended emits 'close'. Some
   * clients look at the socket then, and must not see the next request's listeners (node-fetch 2 takes these for a body that was cut short).
   */
  validateSoon(connection: Connection<AgentKinds>): void {
    later(() => this.pool.validated(connection));
  }

  /** Hot path. */
  polledLately({ pooled }: Connection<AgentKinds>, now: number): boolean {
    const monotonic = this.#lifetimes.monotonicAt(now);
    return monotonic - (pooled?.polledAt ?? 0) < FRESH;
  }

  validate({ pooled }: Connection<AgentKinds>): boolean {
    if (!pooled) return true;
    const now = monotonicNow();
    if (now - pooled.polledAt < FRESH || pooled.polls >= MAX_POLLS) {
      pooled.polls = 0;
      pooled.ledger.reset();
      return true;
    }
    pooled.polledAt = now;
    pooled.polls++;
    return false;
  }

  close(connection: Connection<AgentKinds>, reason: CloseReason, error?: unknown): void {
    const { pooled } = connection;
    if (!pooled) return;
    if (connection.idleSince >= 0) {
      if (pooled.endedByPeer) this.#lifetimes.endsIdle(connection, true);
      else if (reason !== 'peer-dead' && this.usable(connection)) this.#lifetimes.endsIdle(connection, false);
    }
    this.destroySocket(pooled, error);
  }

  /** @param reason may be anything */
  destroySocket({ socket }: PooledSocket, reason: unknown): void {
    try {
      destroy(socket, reason);
    } catch (error) {
      // It is no stream of Node's, and will not tell when it is closed.
      this.remove(socket);
      throwLater(error);
    }
  }

  gone(connection: Connection<AgentKinds>): void {
    debug.enabled && debugClose(connection, connection.pooled?.error);
  }

  reject(waiter: Waiter<AgentKinds>, error: unknown): void {
    const pending = waiter.request;
    pending.leave();
    pending.fail(error);
  }

  refuse(waiter: Waiter<AgentKinds>, refusal: Refusal): void {
    this.reject(waiter, new PoolQueueError(hostName(waiter.host.origin), refusal));
  }

  saturated(host: HostOf): void {
    if (!this.#tellsOfSaturation) return;
    if (this.#saturation.begin(saturationKey(host), monotonicNow())) this.#tell('saturated', host);
  }

  drained(host: HostOf): void {
    if (this.#tellsOfSaturation && this.#saturation.end(saturationKey(host))) this.#tell('drained', host);
  }

  schedule(): void {
    setImmediate(turn, this);
  }

  /** Hot path. The loop has polled. */
  turn(): void {
    this.#turnAwaitedSince = Infinity;
    runOnOwnStack(() => this.pool.turn());
    this.#armBrief();
  }

  #awaitTurn(now: number): void {
    if (now > this.#turnAwaitedSince + LOST_AFTER) this.schedule();
    else if (this.#turnAwaitedSince === Infinity) this.#turnAwaitedSince = now;
  }

  retire(host: HostOf): void {
    this.identities.retire(host.origin);
  }

  // Identity

  #hostOf(req: AgentRequest, options: Options): HostOf {
    const hostHeader: unknown = typeof req.getHeader === 'function' ? req.getHeader('host') : undefined;
    return this.identities.resolve(options, this.agent.options as Options, hostHeader).entry;
  }

  /** @throws as `#hostOf`, and if the limits of a new host cannot be told */
  #currentHostOf({ req, options }: PendingRequest): HostOf {
    const host = this.#hostOf(req, options);
    this.#limit(host);
    return host;
  }

  /** The waiter of `pending` from now on; `undefined`: its host's limits could not be told, and it has failed. */
  #enqueue(
    pending: PendingRequest,
    host: HostOf,
    since: number,
    priority: number | undefined,
  ): Waiter<AgentKinds> | undefined {
    try {
      this.#limit(host);
    } catch (error) {
      pending.leave();
      pending.fail(error);
      return undefined;
    }
    const isAdmitted = pending.waiter !== undefined;
    const waiter = new Waiter<AgentKinds>(
      host,
      pending,
      !this.replays.rule.mayRisk(pending.req),
      since,
      priority,
    );
    pending.waiter = waiter;
    this.pool.enqueue(waiter, isAdmitted);
    // Another one, if TLS options were found to have changed when it was to be dialled.
    return pending.waiter;
  }

  /**
   * TLS options have changed: no connection and no session of before is used again, and who waits, waits for a connection of
   * the new kind. Nothing was sent for them yet. `dialling`: a connection that was about to be opened with the old options.
   */
  #renew(dialling: Connection<AgentKinds> | undefined): void {
    this.identities.renew();
    this.resumption.renew();
    const waiters: Waiter<AgentKinds>[] = [];
    // With eager binding it has left the queue already, whose head it was.
    if (dialling?.waiter?.state === 'dialling') waiters.push(dialling.waiter);
    for (const waiter of this.pool.undialled()) waiters.push(waiter);
    this.#requeue(waiters, dialling);
  }

  /** `waiters` belong elsewhere. `dialling`: a connection that was about to be opened for one of them, and is not. */
  #requeue(waiters: readonly Waiter<AgentKinds>[], dialling: Connection<AgentKinds> | undefined): void {
    for (const waiter of waiters) this.pool.abort(waiter);
    if (dialling) this.pool.failed(dialling, connectionReset('TLS options have changed'));
    for (const waiter of waiters) this.#waitAgain(waiter);
  }

  /** The request of `waiter`, which is done, goes on waiting: for what its options mean now, and since when it has. */
  #waitAgain({ priority, request: pending, since }: Waiter<AgentKinds>): void {
    if (pending.req.destroyed) {
      pending.end();
      return;
    }
    try {
      this.#enqueue(pending, this.#hostOf(pending.req, pending.options), since, priority);
    } catch (error) {
      // Options may have getters.
      pending.leave();
      pending.fail(error);
    }
  }

  // Dialling

  #dial(connection: Connection<AgentKinds>, pending: PendingRequest): void {
    // It may have been given up since.
    if (connection.state !== 'connecting') return;
    if (pending.req.destroyed) {
      // In this very turn: see #brief. Its own error counts, not that of a connection.
      this.#onAbort(pending);
      this.pool.failed(connection, connectionReset('The request was destroyed while it waited'));
    } else if (this.#rotation.refresh()) {
      this.#renew(connection);
    } else if (pending.isResent && this.#hasMoved(pending, connection)) {
      this.#requeue(pending.waiter ? [pending.waiter] : [], connection);
    } else {
      this.#pendingDials.start(connection, pending);
    }
  }

  /**
   * Whether `agent.options` have changed since `pending` was sent for the first time. A request that has waited all the time keeps those
   * with which it came; one that is sent again is to get a connection as it would be opened now.
   */
  #hasMoved(pending: PendingRequest, { host }: Connection<AgentKinds>): boolean {
    try {
      return this.#hostOf(pending.req, pending.options) !== host;
    } catch {
      // As it was resolved when its connection was lost.
      return false;
    }
  }

  /** A socket from outside: into the pool, or closed. Those that somebody else still has are left alone. */
  #adopt(socket: SocketLike, options: Options): void {
    if (isTaken(socket)) return;
    if (this.#rotation.refresh()) this.#renew(undefined);
    const connection = isAdoptable(socket, options, this.agent) ? this.#placeFor(options) : undefined;
    if (!connection) {
      socket.on('error', ignore).destroy();
      return;
    }
    try {
      this.#pendingDials.own(connection, socket, options);
    } catch {
      this.pool.closed(connection);
      return;
    }
    this.pool.release(connection, this.usable(connection));
    socket._httpMessage = null;
  }

  #placeFor(options: Options): Connection<AgentKinds> | undefined {
    const host = this.identities.resolve(options, this.agent.options as Options, undefined).entry;
    try {
      this.#limit(host);
    } catch {
      return undefined;
    }
    const connection = this.pool.adopt(host);
    if (host.isEmpty) this.retire(host);
    return connection;
  }

  // Limits

  #limitsOf({ origin }: HostOf): HostLimits {
    const { host, port } = hostAndPort(origin);
    return this.rules.limitsFor(host, port);
  }

  /**
   * A host that nothing was held for so far gets its limits.
   *
   * @throws what the user's function throws, which may be anything
   */
  #limit(host: HostOf): void {
    if (!host.isEmpty) return;
    try {
      this.pool.limit(host, this.#limitsOf(host));
    } catch (error) {
      this.retire(host);
      throw error;
    }
  }

  get #tellsOfSaturation(): boolean {
    const { agent } = this;
    return agent.listenerCount('saturated') > 0 || agent.listenerCount('drained') > 0;
  }

  /** Not before the pool is at rest: listeners may do anything. */
  #tell(event: 'saturated' | 'drained', host: HostOf): void {
    const state = queueState(host);
    nextTick(() => this.agent.emit(event, state));
  }

  // Leasing

  /** Hot path. */
  #lease(pooled: PooledSocket, req: AgentRequest, options: Options, deliver: Deliver | undefined): void {
    try {
      this.#prepare(pooled, req, options, deliver);
    } catch (error) {
      // Whatever is to be done with it, this request does not get it.
      pooled.request = undefined;
      pooled.requestOptions = undefined;
      this.pool.close(pooled.connection, 'surplus');
      new PendingRequest(req, options, deliver).fail(error);
      return;
    }
    const { socket } = pooled;
    try {
      if (deliver) deliver(null, socket);
      else onSocket(req, socket);
    } catch (error) {
      // Nobody has it.
      this.pool.close(pooled.connection, 'surplus');
      throw error;
    }
    const timeout = req.timeout ?? timeoutOf(this.agent.options);
    // Also where the same runs already: a timer tells of its end in the async context in which it was set, that of another request.
    if (timeout !== 0 || socket.timeout) applyTimeout(socket, req, timeout);
  }

  /** Hot path. `pooled` is about to be handed to `req`. Runs foreign code, which may throw. */
  #prepare(pooled: PooledSocket, req: AgentRequest, options: Options, deliver: Deliver | undefined): void {
    const { socket } = pooled;
    const agentOptions = this.agent.options as Options;
    pooled.lease(req);
    pooled.requestOptions = deliver ? undefined : options;
    if (pooled.used) {
      // Just before Node sends what it has of it by then.
      if (req.useChunkedEncodingByDefault && pooled.interceptsDestroy && !deliver) nextTick(keepBody, pooled);
      if (pooled.connection.isUnsafe && !deliver) nextTick(reconsider, pooled);
      resetAsyncId(socket);
      const highWaterMark = agentOptions['highWaterMark'] ?? options['highWaterMark'];
      if (highWaterMark != null) applyHighWaterMark(socket, req, highWaterMark);
      this.agent.reuseSocket(socket, req);
    } else if (pooled.offered) {
      if (!deliver) pooled.offered.lease(req);
    } else if ((pooled.rested || pooled.connection.served > 1) && !isReferenced(socket)) {
      callIfAble(socket, 'ref');
    }
    pooled.rested = false;
    if (!socket._handle && callIfAble(socket, 'isPaused') === true) callIfAble(socket, 'resume');

    this.#stalls?.start(pooled.polledAt);
  }

  #arm(
    pending: PendingRequest,
    timeout = timeoutOf(pending.req.timeout === undefined ? this.agent.options : pending.req),
  ): void {
    if (pending.req.destroyed) this.#onAbort(pending);
    else pending.arm(this.#queueTimer, timeout, this.#onAbort);
    this.#queueTimer.adjust();
  }

  /** Who came in this turn and still waits will wait on. */
  #armBrief(): void {
    const brief = this.#brief;
    this.#brief = [];
    for (const pending of brief) {
      const { waiter } = pending;
      if (waiter?.state === 'done') continue;
      // What holds it back from now on.
      if (debug.enabled && waiter) debugWait(this.pool, waiter);
      isolate(() => this.#arm(pending));
    }
  }

  #onAbort = (pending: PendingRequest): void => {
    if (pending.waiter && this.pool.abort(pending.waiter)) pending.end();
    this.#queueTimer.adjust();
  };

  /** It closes, and nobody here has asked for it: what that tells about its host. */
  #learnFrom({ connection, endedByPeer, request, used }: PooledSocket): void {
    if (!endedByPeer || connection.state === 'closing') return;
    if (connection.idleSince >= 0) this.#lifetimes.endsIdle(connection, true);
    else if (connection.state === 'active' && used && request && !request.res) {
      this.#lifetimes.endsUnanswered(connection);
    }
  }
}

function reconsider(pooled: PooledSocket): void {
  pooled.driver.replays.reconsider(pooled);
}

function turn(driver: SocketDriver): void {
  driver.turn();
}

/** The same for a host that was forgotten meanwhile and has come back. */
function saturationKey({ origin }: HostOf): string {
  return `${origin.profile.id} ${origin.key}`;
}

function ignore(): void {}
