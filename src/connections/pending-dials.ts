/**
 * What becomes of a dial: from the call of the agent's `createSocket` to a connection of the pool, or an error for who asked. Answers
 * may come at once, late, wrong, or never; the pool hears of each dial once.
 */
import { PooledSocket, pooledSocketOf } from './pooled-socket.js';
import type { AgentKinds } from './pooled-socket.js';
import { DialClock } from './dial-clock.js';
import { OfferedSession } from './offered-session.js';
import { debug } from '../debug.js';
import { connectionLabel } from '../debug-lines.js';
import { connectionReset, invalidType } from '../errors.js';
import { numberForConnection } from '../node/interception.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import { callIfAble } from '../node/foreign.js';
import { sayClose } from '../node/last-request.js';
import { isSocketLike } from '../node/socket.js';
import type { SocketLike } from '../node/types.js';
import type { Connection } from '../pool/connection.js';
import type { PendingRequest } from '../requests/pending-request.js';
import type { SocketDriver } from './driver.js';
import { awaitReady, listen } from './socket-events.js';
import type { Options } from '../identity/identity.js';

type Conn = Connection<AgentKinds>;

/** What was noted when a dial began. */
interface Begun {
  readonly clock: DialClock | undefined;
  /** See `PooledSocket.openedIn`. */
  readonly openedIn: number;
}

export class PendingDials {
  readonly #driver: SocketDriver;
  readonly #lifetimes: Lifetimes;
  readonly #timeout: number;
  /** Whether the agent's 'keylog' has a listener. */
  keylog = false;

  /** @param timeout the option `connectTimeout` */
  constructor(driver: SocketDriver, lifetimes: Lifetimes, timeout: number) {
    this.#driver = driver;
    this.#lifetimes = lifetimes;
    this.#timeout = timeout;
  }

  /** Opens `connection` with the options of `pending`. */
  start(connection: Conn, pending: PendingRequest): void {
    const { connector } = this.#driver;
    const { origin } = connection.host;
    const requested = pending.options;
    if (requested['agent'] === false) sayClose(pending.req, requested['headers']);
    const options = connector.optionsFor(requested, origin);
    const refused = pending.refused;
    pending.refused = undefined;
    const clock = refused?.clock?.isRunning ? refused.clock : this.#clockFor(connection, options);
    if (clock) clock.connection = connection;
    if (clock?.error) {
      this.#driver.pool.failed(connection, clock.error);
      return;
    }
    const note = refused ? ', without a session' : '';
    debug.enabled && debug('%s is opened for %s%s', connectionLabel(connection), pending.req.method, note);
    const dial = { origin, options, requested, offersSession: refused === undefined };
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
    connection.pooled = undefined;
    pending.refused = offered;
    this.#driver.dialFor(connection, pending);
    return true;
  }

  /**
   * `socket` is `connection`'s from now on.
   *
   * @throws for a stream that refuses a mark or a listener
   */
  own(connection: Conn, socket: SocketLike, options: Options): PooledSocket {
    try {
      const pooled = new PooledSocket(this.#driver, connection, socket, options);
      listen(pooled, this.keylog);
      connection.pooled = pooled;
      this.#lifetimes.opened(connection);
      return pooled;
    } catch (error) {
      pooledSocketOf(socket)?.release();
      discard(socket);
      throw error;
    }
  }

  #clockFor(connection: Conn, options: Options): DialClock | undefined {
    if (this.#timeout === 0) return undefined;
    return new DialClock(connection, options, this.#timeout, (late, error) =>
      this.#driver.pool.failed(late, error),
    );
  }

  #failed(connection: Conn, error: unknown, socket: SocketLike | undefined): void {
    // A failed proxy tunnel comes with the proxy's socket.
    if (socket) discard(socket);
    this.#driver.pool.failed(connection, error);
  }

  #answered(connection: Conn, socket: unknown, options: Options, begun: Begun): void {
    try {
      this.#take(connection, socket, options, begun);
    } catch (error) {
      // It cannot be looked at, or refuses a mark or a listener.
      if (socket) discard(socket);
      this.#driver.pool.failed(connection, error);
    }
  }

  #take(connection: Conn, socket: unknown, options: Options, { clock, openedIn }: Begun): void {
    const { pool } = this.#driver;
    if (!isSocketLike(socket) || pooledSocketOf(socket)) {
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
      if (this.#driver.resumption.isOffered(socket)) pooled.offered = new OfferedSession(pooled, clock);
      const waits = pool.limits.binding === 'late' && awaitReady(pooled);
      if (!waits) this.#driver.connected(pooled);
    }
  }
}

/** Nobody gets it, and nobody hears its errors. */
function discard(socket: object): void {
  callIfAble(socket, 'on', 'error', ignore);
  callIfAble(socket, 'destroy');
}

function ignore(): void {}
