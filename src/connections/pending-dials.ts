/**
 * The course of a dial: from the call of the agent's `createSocket` to a connection of the pool, or an error for the request that asked. Answers
 * may come at once, late, wrong, or never; the pool hears of each dial once.
 */
import { isPooled, PooledSocket, pooledSocketOf, pooledSocketsOf } from './pooled-socket.js';
import type { AgentKinds, Owner, PooledRequest, DialTime } from './pooled-socket.js';
import { DialClock } from './dial-clock.js';
import { OfferedSession } from './offered-session.js';
import { debug } from '../debug.js';
import { connectionLabel } from '../debug-lines.js';
import { connectionReset, invalidType } from '../errors.js';
import { numberForConnection } from '../node/interception.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import { callIfAble } from '../node/foreign.js';
import { sayClose } from '../node/last-request.js';
import { monotonicNow } from '../node/timers.js';
import { isSocketLike } from '../node/socket.js';
import type { SocketLike } from '../node/types.js';
import type { Connection } from '../pool/records.js';
import type { Connector } from './connector.js';
import type { CurrentTls } from './current-tls.js';
import { followDial } from './dial-progress.js';
import type { Observer } from './observer.js';
import type { Waiting } from './waiting.js';
import { awaitReady, listen, listenToKeylog } from './socket-events.js';
import { unrefSpare } from './spare-request.js';
import type { Options } from '../identity/identity.js';

type Conn = Connection<AgentKinds>;

/** Notes from the moment when a dial began. */
interface Begun {
  readonly clock: DialTime | undefined;
  /** See `PooledSocket.openedIn`. */
  readonly openedIn: number;
}

export class PendingDials {
  readonly #owner: Owner;
  readonly #connector: Connector;
  readonly #lifetimes: Lifetimes<AgentKinds>;
  readonly #waiting: Waiting;
  readonly #tls: CurrentTls;
  readonly #timeout: number;
  readonly #observer: Observer;
  /** Whether the agent's 'keylog' has a listener. */
  #keylog = false;

  /** @param timeout the option `connectTimeout` */
  constructor(
    owner: Owner,
    connector: Connector,
    lifetimes: Lifetimes<AgentKinds>,
    waiting: Waiting,
    currentTls: CurrentTls,
    timeout: number,
    observer: Observer,
  ) {
    this.#owner = owner;
    this.#observer = observer;
    this.#connector = connector;
    this.#lifetimes = lifetimes;
    this.#waiting = waiting;
    this.#tls = currentTls;
    this.#timeout = timeout;
  }

  /** 'keylog' has a listener: sockets report from now on, those that exist already, too. */
  enableKeylog(): void {
    if (this.#keylog) return;
    this.#keylog = true;
    for (const pooled of pooledSocketsOf(this.#owner.pool)) listenToKeylog(pooled);
  }

  /** `connection` is to be opened for `pending`. In the request's own async context, and on no stack of anybody else. */
  begin(connection: Conn, pending: PooledRequest): void {
    pending.runLater(() => {
      try {
        this.#begin(connection, pending);
      } catch (error) {
        // Options may have getters.
        this.#owner.pool.failed(connection, error);
      }
    });
  }

  #begin(connection: Conn, pending: PooledRequest): void {
    // It may have been given up since.
    if (connection.state !== 'connecting') return;
    if (pending.req.destroyed) {
      // In this very turn, before it was armed. Its own error counts, not that of a connection.
      this.#waiting.abort(pending);
      const error = connectionReset('The request was destroyed while it waited');
      this.#owner.pool.failed(connection, error, 'surplus');
    } else if (this.#tls.mayOpen(connection, pending)) {
      this.#start(connection, pending);
    }
  }

  /** Opens `connection` with the options of `pending`. */
  #start(connection: Conn, pending: PooledRequest): void {
    const connector = this.#connector;
    const { origin } = connection.host;
    const requested = pending.options;
    if (requested['agent'] === false) sayClose(pending.req, requested['headers']);
    const options = connector.optionsFor(requested, origin);
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
    const dial = { origin, options, requested, offersSession: refused === undefined };
    // With late binding it waits on, for any connection.
    if (pending.waiter?.state === 'dialling') pending.leaveQueue();
    if (connection.dialledAt < 0) {
      connection.dialledAt = monotonicNow();
      this.#observer.opened(connection, pending.req);
    }
    const openedIn = numberForConnection();
    connector.dial(pending.req, dial, {
      brought: (socket) => {
        this.#answered(connection, socket, options, { clock, openedIn });
        const { pooled } = connection;
        if (pooled && connection.state !== 'closed') clock?.watch(pooled.socket);
        else clock?.clear();
      },
      failed: (error, socket) => {
        clock?.clear();
        this.#failed(connection, error, socket);
      },
    });
  }

  /**
   * The handshake of `pooled` was refused for its session, nobody has got it (late binding), and it is closed: its connection is dialled
   * once more. `false`: nobody waits for it.
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
   * `socket` is `connection`'s from now on.
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
    return new DialClock(connection, options, this.#timeout, (late, error) =>
      this.#owner.pool.failed(late, error),
    );
  }

  #failed(connection: Conn, error: unknown, socket: SocketLike | undefined): void {
    // A failed proxy tunnel comes with the proxy's socket.
    if (socket) discard(socket);
    this.#owner.pool.failed(connection, error);
  }

  #answered(connection: Conn, socket: unknown, options: Options, begun: Begun): void {
    try {
      this.#take(connection, socket, options, begun);
    } catch (error) {
      // It does not let itself be read, or refuses a mark or a listener.
      if (socket) discard(socket);
      this.#owner.pool.failed(connection, error);
    }
  }

  #take(connection: Conn, socket: unknown, options: Options, { clock, openedIn }: Begun): void {
    const { pool } = this.#owner;
    if (!isSocketLike(socket) || isPooled(socket)) {
      const expected = 'a stream.Duplex that is in no pool yet, returned by createConnection';
      pool.failed(connection, invalidType('socket', expected, socket));
    } else if (connection.state !== 'connecting') {
      // The agent was destroyed meanwhile, and this dial forgotten.
      discard(socket);
    } else if (socket.destroyed) {
      // A connect that fails at once, such as to a path that is too long. Nobody has heard its error, which is still to be emitted.
      discard(socket);
      const why = socket.errored ?? connectionReset('The socket was closed before it was connected');
      pool.failed(connection, why);
    } else {
      const pooled = this.own(connection, socket, options);
      pooled.openedIn = openedIn;
      if (this.#owner.resumption.isOffered(socket)) pooled.offered = new OfferedSession(pooled, clock);
      unrefSpare(connection);
      // One that was opened for no request is there only when a request can be sent on it.
      const isForAny = pool.limits.binding === 'late' || connection.spareLink !== undefined;
      const waits = isForAny && awaitReady(pooled);
      // It listens, and so comes after what asks who listens.
      followDial(pooled);
      if (!waits) this.#owner.connected(pooled);
    }
  }
}

/** Nobody gets it, and nobody hears its errors. */
function discard(socket: object): void {
  callIfAble(socket, 'on', 'error', ignore);
  callIfAble(socket, 'destroy');
}

function ignore(): void {}
