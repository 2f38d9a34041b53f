/** The `connectTimeout` of a dial. A dial that is made a second time has the time that is left of the first. */
import { debug } from '../../debug.js';
import { connectionLabel } from '../../debug-lines.js';
import { connectTimedOut } from '../../errors.js';
import { withoutCredentials } from '../../limits/host-name.js';
import type { AgentKinds, DialTime } from '../pooled-socket.js';
import { ConnectDeadline } from './connect-deadline.js';
import type { SocketLike } from '../../node/types.js';
import type { ConnectPhase } from '../../pool/counters.js';
import type { Connection } from '../../pool/records.js';
import type { Options } from '../../identity/identity.js';

type Conn = Connection<AgentKinds>;

export class DialClock implements DialTime {
  /** The connection that is being opened. */
  connection: Conn;
  /** The error, once the time is over. */
  error: Error | undefined = undefined;
  readonly #deadline: ConnectDeadline;
  readonly #path: boolean;
  readonly #host: string;
  readonly #port: unknown;
  readonly #timeout: number;
  readonly #onTimeout: (connection: Conn, error: Error) => void;

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
    this.#port = port;
    this.#timeout = timeout;
    this.#onTimeout = onTimeout;
    this.#deadline = new ConnectDeadline(timeout, this);
  }

  get isWanted(): boolean {
    return this.connection.state !== 'closed';
  }

  timedOut(step: ConnectPhase, address: string | undefined): void {
    const { connection } = this;
    // Before there is a socket, the connection's `phase` says what the dial waits for.
    const phase = step === 'createConnection' ? connection.phase : step;
    const host = withoutCredentials(this.#host);
    const error = connectTimedOut(phase, address, host, this.#port, this.#timeout);
    this.error = error;
    debug.enabled && debug('%s %s', connectionLabel(connection), error.message);
    const { pooled } = connection;
    if (pooled) pooled.owner.destroySocket(pooled, error);
    else this.#onTimeout(connection, error);
  }

  /** Whether time is left for another dial. */
  get isRunning(): boolean {
    return this.#deadline.isRunning;
  }

  /** The dial has brought `socket`. It runs on until it is cleared. */
  watch(socket: SocketLike): void {
    this.#deadline.watch(socket, this.#path ? undefined : this.#host);
  }

  /** An address was found for the name of the host. */
  lookedUp(address: string): void {
    this.#deadline.lookedUp(address);
  }

  /** The socket is lost, and another one will be opened. */
  unwatch(): void {
    this.#deadline.unwatch();
  }

  clear(): void {
    this.#deadline.clear();
  }
}
