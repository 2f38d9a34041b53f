/** The `connectTimeout` of a dial, which may be made twice: the second try has the time that the first one has left. */
import { debug } from '../debug.js';
import { connectionLabel } from '../debug-lines.js';
import { connectTimedOut } from '../errors.js';
import { withoutCredentials } from '../limits/host-name.js';
import type { AgentKinds, DialTime } from './pooled-socket.js';
import { ConnectDeadline } from './connect-deadline.js';
import type { SocketLike } from '../node/types.js';
import type { Connection } from '../pool/records.js';
import type { Options } from '../identity/identity.js';

type Conn = Connection<AgentKinds>;

export class DialClock implements DialTime {
  /** The connection that is being opened. */
  connection: Conn;
  /** Its time is over. */
  error: Error | undefined = undefined;
  readonly #deadline: ConnectDeadline;
  readonly #path: boolean;
  readonly #host: string;

  /**
   * @param timeout milliseconds, above 0
   * @param onTimeout ends a dial that has not brought a socket
   */
  constructor(
    connection: Conn,
    { host, path, port }: Options,
    timeout: number,
    onTimeout: (connection: Conn, error: Error) => void,
  ) {
    this.connection = connection;
    this.#host = String(host);
    this.#path = Boolean(path);
    const isWanted = (): boolean => this.connection.state !== 'closed';
    this.#deadline = new ConnectDeadline(timeout, isWanted, (phase, address) => {
      const error = connectTimedOut(phase, address, withoutCredentials(this.#host), port, timeout);
      this.error = error;
      debug.enabled && debug('%s %s', connectionLabel(this.connection), error.message);
      const { pooled } = this.connection;
      if (pooled) pooled.owner.destroySocket(pooled, error);
      else onTimeout(this.connection, error);
    });
  }

  /** Whether it can go on for another dial. (If the first one is long past, its time is, too.) */
  get isRunning(): boolean {
    return this.#deadline.isRunning;
  }

  /** It goes on until `socket` is ready, or closed. */
  watch(socket: SocketLike): void {
    this.#deadline.watch(socket, this.#path ? undefined : this.#host);
  }

  /** The socket is lost, and there will be another one. */
  unwatch(): void {
    this.#deadline.unwatch();
  }

  clear(): void {
    this.#deadline.clear();
  }
}
