/**
 * What becomes of a dial: from the call of the agent's `createSocket` to a connection of the pool, or an error for who asked. Answers
 * may come at once, late, wrong, or never; the pool hears of each dial once.
 */
import { Channel, channelOf } from './channel.js';
import type { AgentKinds } from './channel.js';
import { DialClock } from './connections/dial-clock.js';
import { OfferedSession } from './connections/offered-session.js';
import { connectionLabel, debug } from './debug.js';
import { connectionReset, invalidType } from './errors.js';
import { interceptor } from './interception.js';
import type { Lifetimes } from './liveness/lifetimes.js';
import { callIfAble } from './node/foreign.js';
import { sayClose } from './node/last-request.js';
import { isSocketLike } from './node-internals.js';
import type { SocketLike } from './node-internals.js';
import type { Connection } from './pool/connection.js';
import type { QueuedRequest } from './queued-request.js';
import type { SocketDriver } from './socket-driver.js';
import { awaitReady, listen } from './socket-events.js';
import type { Options } from './tls/identity.js';

type Conn = Connection<AgentKinds>;

/** What was noted when a dial began. */
interface Begun {
  readonly clock: DialClock | undefined;
  /** See `Channel.interceptor`. */
  readonly openedBy: unknown;
}

export class Dials {
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

  /** Opens `connection` with the options of `queued`. */
  start(connection: Conn, queued: QueuedRequest): void {
    const { dialler } = this.#driver;
    const { origin } = connection.host;
    const requested = queued.options;
    if (requested['agent'] === false) sayClose(queued.req, requested['headers']);
    const options = dialler.optionsFor(requested, origin);
    const refused = queued.refused;
    queued.refused = undefined;
    const clock = refused?.clock?.isRunning ? refused.clock : this.#clockFor(connection, options);
    if (clock) clock.connection = connection;
    if (clock?.error) {
      this.#driver.pool.failed(connection, clock.error);
      return;
    }
    const note = refused ? ', without a session' : '';
    debug.enabled && debug('%s is opened for %s%s', connectionLabel(connection), queued.req.method, note);
    const dial = { origin, options, requested, offersSession: refused === undefined };
    const openedBy = interceptor();
    dialler.dial(queued.req, dial, {
      brought: (socket) => {
        this.#answered(connection, socket, options, { clock, openedBy });
        const { channel } = connection;
        if (channel && connection.state !== 'closed') clock?.watch(channel.socket);
        else clock?.clear();
      },
      failed: (error, socket) => {
        clock?.clear();
        this.#failed(connection, error, socket);
      },
    });
  }

  /**
   * The handshake of `channel` was refused for its session, nobody has got it (late binding), and it is closed: its connection is dialled
   * once more. `false`: nobody waits for it.
   */
  again({ connection, offered }: Channel): boolean {
    if (!offered?.isRefused || connection.state !== 'connecting') return false;
    const queued = (connection.waiter ?? connection.host.waiting.next)?.request;
    if (!queued || queued.req.destroyed) return false;
    connection.channel = undefined;
    queued.refused = offered;
    this.#driver.dialFor(connection, queued);
    return true;
  }

  /**
   * `socket` is `connection`'s from now on.
   *
   * @throws for a stream that refuses a mark or a listener
   */
  own(connection: Conn, socket: SocketLike, options: Options): Channel {
    try {
      const channel = new Channel(this.#driver, connection, socket, options);
      listen(channel, this.keylog);
      connection.channel = channel;
      this.#lifetimes.opened(connection);
      return channel;
    } catch (error) {
      channelOf(socket)?.release();
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

  #take(connection: Conn, socket: unknown, options: Options, { clock, openedBy }: Begun): void {
    const { pool } = this.#driver;
    if (!isSocketLike(socket) || channelOf(socket)) {
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
      const channel = this.own(connection, socket, options);
      channel.interceptor = openedBy;
      if (this.#driver.resumption.isOffered(socket)) channel.offered = new OfferedSession(channel, clock);
      const waits = pool.limits.binding === 'late' && awaitReady(channel);
      if (!waits) this.#driver.connected(channel);
    }
  }
}

/** Nobody gets it, and nobody hears its errors. */
function discard(socket: object): void {
  callIfAble(socket, 'on', 'error', ignore);
  callIfAble(socket, 'destroy');
}

function ignore(): void {}
