/** Each connection is opened with the current options of its agent. TLS options can also be rotated: current-tls.ts. */
import type { Connection } from '../pool/records.js';
import type { AgentKinds, PooledRequest } from './pooled-socket.js';
import type { Hosts } from './hosts.js';
import type { Waiting } from './waiting.js';

type Conn = Connection<AgentKinds>;
export const CHANGED = 'TLS options have changed';

export class CurrentOptions {
  readonly #hosts: Hosts;
  readonly #waiting: Waiting;

  constructor(hosts: Hosts, waiting: Waiting) {
    this.#hosts = hosts;
    this.#waiting = waiting;
  }

  /** Calls the function that gives options, if there is one, outside of a dial. */
  refresh(): void {}

  /**
   * `connection` is about to be opened for `pending`. `false`: the options of its identity have changed; the connection is given up, and
   * `pending` waits at another host.
   */
  mayOpen(connection: Conn, pending: PooledRequest): boolean {
    if (!pending.isResent || !this.#hasMoved(pending, connection)) return true;
    this.#waiting.requeue(pending.waiter ? [pending.waiter] : [], connection, CHANGED);
    return false;
  }

  /**
   * Whether `agent.options` have changed since `pending` was sent for the first time. A request that has waited all the time keeps the options with
   * which it came; one that is sent again gets a connection as it would be opened now.
   */
  #hasMoved({ req, options }: PooledRequest, { host }: Conn): boolean {
    try {
      return this.#hosts.of(req, options) !== host;
    } catch {
      // Its identity was resolved when its connection was lost.
      return false;
    }
  }
}
