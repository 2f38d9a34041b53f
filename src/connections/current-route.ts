/**
 * Every connection takes the current way to its host, directly or through a proxy. When a dial finds that the way has changed, no connection of the old
 * way is used again, and waiting requests wait for one of the new way. (current-tls.ts does the same for TLS options.)
 */
import type { Pool } from '../pool/pool.js';
import type { Connection } from '../pool/records.js';
import type { Host, Hosts } from './hosts.js';
import type { AgentKinds } from './pooled-socket.js';
import type { Waiting } from './waiting.js';

type Conn = Connection<AgentKinds>;

export class CurrentRoute {
  readonly #hosts: Hosts;
  readonly #pool: Pool<AgentKinds>;
  readonly #waiting: Waiting;

  constructor(hosts: Hosts, pool: Pool<AgentKinds>, waiting: Waiting) {
    this.#hosts = hosts;
    this.#pool = pool;
    this.#waiting = waiting;
  }

  /**
   * `connection` is about to be opened. `false`: the way to its host has changed; the connection is given up, and its request waits at another
   * host.
   *
   * @throws what the user's function throws, and a coded error for nonsense
   */
  mayOpen(connection: Conn): boolean {
    const { host } = connection;
    if (this.#hosts.holdsRoute(connection) || !this.#hosts.hasOtherRoute(host)) return true;
    this.#renew(host, connection);
    return false;
  }

  /** Rules have changed, and what they say about proxies may have. */
  rulesChanged(): void {
    for (const host of this.#hosts.held()) {
      try {
        if (!host.abandoned && this.#hosts.hasOtherRoute(host)) this.#renew(host, undefined);
      } catch {
        // The error comes again at the next dial, for its request.
      }
    }
  }

  #renew(host: Host, dialling: Conn | undefined): void {
    this.#hosts.renew(host);
    this.#hosts.reroute(() =>
      this.#waiting.requeue(this.#pool.undialled([host]), dialling, 'Another way leads to its host'),
    );
  }
}
