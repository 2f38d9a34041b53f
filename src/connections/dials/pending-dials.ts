/**
 * Dials that have not ended yet: from the call of the agent's `createSocket` to a connection of the pool, or to an error of the request. Answers
 * may come at once, late, wrong, or never; the pool hears of each dial once.
 */
import { isPooled, PooledSocket, pooledSocketOf, pooledSocketsOf } from '../pooled-socket.js';
import type { AgentKinds, Owner, PooledRequest, DialTime } from '../pooled-socket.js';
import { DialClock } from './dial-clock.js';
import { debug } from '../../debug.js';
import { connectionLabel } from '../../debug-lines.js';
import { connectionReset, falsyFailure, invalidType } from '../../errors.js';
import { numberForConnection } from '../../node/interception.js';
import type { Lifetimes } from '../../lifetimes/lifetimes.js';
import { discard } from '../../node/foreign.js';
import { sayClose } from '../../node/last-request.js';
import { monotonicNow } from '../../node/timers.js';
import { isSocketLike } from '../../node/socket.js';
import type { SocketLike } from '../../node/types.js';
import type { Connection } from '../../pool/records.js';
import type { Connector, Dial } from './connector.js';
import type { CurrentRoute } from '../current-route.js';
import type { CurrentOptions } from '../current-options.js';
import { followDial } from './dial-progress.js';
import type { NamedDials } from './named-dials.js';
import type { Observer } from '../observer.js';
import type { Waiting } from '../waiting.js';
import { awaitReady, listen, listenToKeylog } from '../socket-events.js';
import { readAheadAtDial } from '../read-ahead.js';
import { holdsProcess, unrefSpare } from './spare-request.js';
import type { Options } from '../../identity/identity.js';

type Conn = Connection<AgentKinds>;

/** A dial of the pool, with notes from the moment when it began. */
interface PendingDial extends Dial {
  readonly connection: Conn;
  readonly clock: DialTime | undefined;
  /** See `PooledSocket.openedIn`. */
  readonly openedIn: number;
}

export class PendingDials {
  readonly #owner: Owner;
  readonly #connector: Connector;
  readonly #lifetimes: Lifetimes<AgentKinds>;
  readonly #waiting: Waiting;
  readonly #current: CurrentOptions;
  readonly #route: CurrentRoute;
  readonly #timeout: number;
  readonly #observer: Observer;
  readonly #names: NamedDials | undefined;
  /** Dials through a proxy, which can be ended before there is a socket. */
  readonly #tunnels = new WeakMap<Conn, Dial>();
  /** Whether the agent's 'keylog' has a listener. */
  #keylog = false;

  /**
   * @param timeout the option `connectTimeout`
   * @param names hears of sockets that were dialled by name
   */
  constructor(
    owner: Owner,
    connector: Connector,
    lifetimes: Lifetimes<AgentKinds>,
    waiting: Waiting,
    current: CurrentOptions,
    currentRoute: CurrentRoute,
    timeout: number,
    observer: Observer,
    names: NamedDials | undefined,
  ) {
    this.#owner = owner;
    this.#names = names;
    this.#observer = observer;
    this.#connector = connector;
    this.#lifetimes = lifetimes;
    this.#waiting = waiting;
    this.#current = current;
    this.#route = currentRoute;
    this.#timeout = timeout;
  }

  /** The agent's 'keylog' has a listener: all sockets report their keys from now on, also those that exist already. */
  enableKeylog(): void {
    if (this.#keylog) return;
    this.#keylog = true;
    for (const pooled of pooledSocketsOf(this.#owner.pool)) {
      // The sockets of another agent over the pool are left to that agent.
      if (pooled.owner === this.#owner) listenToKeylog(pooled);
    }
  }

  /** Opens `connection` for `pending`: in the request's own async context, and on a stack of our own. */
  begin(connection: Conn, pending: PooledRequest): void {
    pending.runLater(() => {
      try {
        this.#begin(connection, pending);
      } catch (error) {
        // Options may have getters.
        this.#failed(connection, error);
      }
    });
  }

  #begin(connection: Conn, pending: PooledRequest): void {
    // The connection may have been given up since.
    if (connection.state !== 'connecting') return;
    if (pending.req.destroyed) {
      // It was destroyed in this turn, before it was armed: it ends with its own error.
      this.#waiting.abort(pending);
      const error = connectionReset('The request was destroyed while it waited');
      this.#owner.pool.failed(connection, error, 'surplus');
    } else if (this.#current.mayOpen(connection, pending) && this.#route.mayOpen(connection)) {
      this.#start(connection, pending);
    }
  }

  /** Opens `connection` with the options of `pending`. */
  #start(connection: Conn, pending: PooledRequest): void {
    const connector = this.#connector;
    const { origin } = connection.host;
    const requested = pending.options;
    if (requested['agent'] === false) sayClose(pending.req, requested['headers']);
    const options = connector.optionsFor(requested, origin, pending.req);
    const refused = pending.refused;
    pending.refused = undefined;
    const clock = refused?.clock?.isRunning ? refused.clock : this.#clockFor(connection, options);
    if (clock) clock.connection = connection;
    if (clock?.error) {
      this.#owner.pool.failed(connection, clock.error);
      return;
    }
    const note = refused ? ', without a session' : '';
    debug.enabled && debug('%s is opened for %s%s', connectionLabel(connection), pending.req.method, note);
    const { route } = connection.host;
    // With late binding it stays in the queue, and may get any connection.
    if (pending.waiter?.state === 'dialling') pending.leaveQueue();
    if (connection.dialledAt < 0) {
      connection.dialledAt = monotonicNow();
      this.#observer.opened(connection, pending.req);
    }
    const dial: PendingDial = {
      connection,
      req: pending.req,
      origin,
      options,
      requested,
      offersSession: refused === undefined,
      route,
      holdsProcess: holdsProcess(connection),
      clock,
      openedIn: numberForConnection(),
      isAnswered: false,
      isNoted: false,
      isInContext: false,
      attempt: undefined,
      cancel: undefined,
    };
    if (route) this.#tunnels.set(connection, dial);
    readAheadAtDial();
    connector.dial(dial, this);
  }

  /** @internal For the connector. */
  brought(dial: PendingDial, socket: SocketLike | undefined): void {
    const { clock, connection } = dial;
    try {
      this.#take(dial, socket);
    } catch (error) {
      // The socket throws when it is read, marked, or given a listener.
      if (socket) discard(socket);
      this.#failed(connection, error);
    }
    const { pooled } = connection;
    if (pooled && connection.state !== 'closed') clock?.watch(pooled.socket);
    else clock?.clear();
  }

  /** @internal For the connector. */
  failed({ clock, connection }: PendingDial, error: unknown, socket: SocketLike | undefined): void {
    clock?.clear();
    // A failed proxy tunnel comes with the proxy's socket.
    if (socket) discard(socket);
    this.#failed(connection, error);
  }

  /** To the pool, a failure without an error is a connection that was given up. */
  #failed(connection: Conn, error: unknown): void {
    this.#owner.pool.failed(connection, error || falsyFailure(error));
  }

  /** `connection` is gone: its dial is ended, if that has brought no socket yet. */
  gone(connection: Conn): void {
    if (connection.host.route) this.#tunnels.get(connection)?.cancel?.();
  }

  /**
   * The handshake of `pooled` was refused for its session, and it is closed. No request has it (late binding), so its connection is dialled
   * once more. `false`: no request waits for it.
   */
  again({ connection, offered }: PooledSocket): boolean {
    if (!offered?.isRefused || connection.state !== 'connecting') return false;
    const pending = (connection.waiter ?? connection.host.waiting.next)?.request;
    if (!pending || pending.req.destroyed) return false;
    this.#observer.redialled(connection);
    connection.pooled = undefined;
    this.#owner.pool.redialled(connection);
    connection.dialledAt = -1;
    connection.phase = 'createConnection';
    pending.refused = offered;
    this.begin(connection, pending);
    return true;
  }

  /**
   * Makes `socket` the socket of `connection`.
   *
   * @throws for a stream that refuses a mark or a listener
   */
  own(connection: Conn, socket: SocketLike, options: Options): PooledSocket {
    try {
      const pooled = new PooledSocket(this.#owner, connection, socket, options);
      listen(pooled, this.#keylog);
      connection.pooled = pooled;
      this.#lifetimes.opened(connection);
      return pooled;
    } catch (error) {
      pooledSocketOf(socket)?.release();
      discard(socket);
      throw error;
    }
  }

  #clockFor(connection: Conn, options: Options): DialTime | undefined {
    if (this.#timeout === 0) return undefined;
    return new DialClock(connection, options, this.#timeout, this.#timedOut);
  }

  readonly #timedOut = (connection: Conn, error: Error): void => {
    this.#owner.pool.failed(connection, error);
  };

  #take(dial: PendingDial, socket: unknown): void {
    const { clock, connection } = dial;
    const { pool } = this.#owner;
    if (!isSocketLike(socket) || isPooled(socket)) {
      const expected = 'a stream.Duplex that is in no pool yet, returned by createConnection';
      pool.failed(connection, invalidType('socket', expected, socket));
    } else if (connection.state !== 'connecting') {
      // The agent was destroyed meanwhile, and this dial forgotten.
      discard(socket);
    } else if (socket.destroyed) {
      // The connect has failed at once (the path is too long, say). Its error is still to be emitted.
      discard(socket);
      const why = socket.errored ?? connectionReset('The socket was closed before it was connected');
      pool.failed(connection, why);
    } else {
      const pooled = this.own(connection, socket, dial.options);
      pooled.openedIn = dial.openedIn;
      if (dial.isInContext) pooled.openedFor = dial.req;
      pooled.clock = clock;
      pooled.attempt = dial.attempt;
      if (this.#owner.transport.isOffered(socket)) pooled.offered = this.#owner.offer(pooled, clock);
      this.#names?.brought(pooled);
      unrefSpare(connection);
      // A spare connection counts as connected only when a request can be sent on it.
      const isForAny = pool.limits.binding === 'late' || connection.spareLink !== undefined;
      const waits = isForAny && awaitReady(pooled);
      // This adds listeners, so it comes after the code that asks for the number of listeners.
      followDial(pooled);
      if (!waits) this.#owner.connected(pooled);
    }
  }
}
