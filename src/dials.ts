/**
 * What becomes of a dial: from the call of the agent's `createSocket` to a connection of the pool, or an error for who asked. Answers
 * may come at once, late, wrong, or never; the pool hears of each dial once.
 */
import { Channel, channelOf } from './channel.js';
import type { AgentKinds } from './channel.js';
import { connectionLabel, debug } from './debug.js';
import { connectionReset, connectTimedOut, invalidType } from './errors.js';
import { ConnectDeadline } from './liveness/connect-deadline.js';
import type { Lifetimes } from './liveness/lifetimes.js';
import { isSocketLike } from './node-internals.js';
import type { SocketLike } from './node-internals.js';
import type { Connection } from './pool/connection.js';
import type { QueuedRequest } from './queued-request.js';
import type { SocketDriver } from './socket-driver.js';
import { awaitReady, listen } from './socket-events.js';
import type { Options } from './tls/identity.js';

type Conn = Connection<AgentKinds>;

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
    const options = dialler.optionsFor(requested, origin);
    debug.enabled && debug('%s is opened for %s', connectionLabel(connection), queued.req.method);
    const deadline = this.#deadlineFor(connection, options);
    dialler.dial(queued.req, { origin, options, requested }, (error, socket) => {
      if (error) this.#failed(connection, error, socket);
      else this.#answered(connection, socket, options);
      const { channel } = connection;
      if (channel && connection.state !== 'closed')
        deadline?.watch(channel.socket, options['path'] ? undefined : String(options['host']));
      else deadline?.clear();
    });
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
      socket.destroy();
      throw error;
    }
  }

  #deadlineFor(connection: Conn, { host, port }: Options): ConnectDeadline | undefined {
    const timeout = this.#timeout;
    if (timeout === 0) return undefined;
    const isWanted = (): boolean => connection.state !== 'closed';
    return new ConnectDeadline(timeout, isWanted, (phase, address) => {
      const error = connectTimedOut(phase, address, String(host), port, timeout);
      debug.enabled && debug('%s %s', connectionLabel(connection), error.message);
      if (connection.channel) connection.channel.socket.destroy(error);
      else this.#driver.pool.failed(connection, error);
    });
  }

  #failed(connection: Conn, error: Error, socket: SocketLike | undefined): void {
    // A failed proxy tunnel comes with the proxy's socket.
    if (socket) socket.on('error', ignore).destroy();
    this.#driver.pool.failed(connection, error);
  }

  #answered(connection: Conn, socket: unknown, options: Options): void {
    const { pool } = this.#driver;
    if (!isSocketLike(socket) || channelOf(socket)) {
      const expected = 'a stream.Duplex that is in no pool yet, returned by createConnection';
      pool.failed(connection, invalidType('socket', expected, socket));
    } else if (connection.state !== 'connecting') {
      // The agent was destroyed meanwhile, and this dial forgotten.
      socket.on('error', ignore).destroy();
    } else if (socket.closed) {
      pool.failed(connection, connectionReset('The socket was closed before it was connected'));
    } else {
      let channel;
      try {
        channel = this.own(connection, socket, options);
      } catch (error) {
        pool.failed(connection, error as Error);
        return;
      }
      const waits = pool.limits.binding === 'late' && awaitReady(channel);
      if (!waits) pool.connected(connection);
    }
  }
}

function ignore(): void {}
