/**
 * The work of the agent's `createSocket`: for a dial of the pool's own, for a subclass that has overridden the method and calls it, or for
 * others who want a socket and know nothing of the pool. Each gets a connection with the TLS options of now.
 */
import { agentClosed } from '../errors.js';
import type { Options } from '../identity/identity.js';
import { hostName } from '../limits/host-name.js';
import type { AgentRequest } from '../node/types.js';
import type { Pool } from '../pool/pool.js';
import type { Deliver } from '../requests/pending-request.js';
import type { Connector } from './connector.js';
import type { CurrentTls } from './current-tls.js';
import type { Host, Hosts } from './hosts.js';
import type { AgentKinds } from './pooled-socket.js';

export class CreateSocket {
  readonly #connector: Connector;
  readonly #hosts: Hosts;
  readonly #tls: CurrentTls;
  readonly #pool: Pool<AgentKinds>;

  constructor(connector: Connector, hosts: Hosts, currentTls: CurrentTls, pool: Pool<AgentKinds>) {
    this.#connector = connector;
    this.#hosts = hosts;
    this.#tls = currentTls;
    this.#pool = pool;
  }

  /** Whether `createSocket` is called for `req` by the pool, and not by somebody else. */
  isDialling(req: AgentRequest): boolean {
    return this.#connector.isDialling(req);
  }

  /** Opens a connection, no matter what has called `createSocket`. */
  open(req: AgentRequest, options: Options, callback: Deliver): void {
    const dial = this.#connector.dialOf(req, options);
    if (dial && !(dial.origin as Host['origin']).entry.abandoned) {
      this.#connector.open(req, options, dial.origin, callback);
      return;
    }
    if (!dial) this.#tls.refresh();
    // A subclass that takes its time may come here when TLS options have changed since.
    const requested = dial?.requested ?? options;
    const { origin } = this.#hosts.of(req, requested);
    if (!dial && this.#pool.isClosed) callback(agentClosed('refused', hostName(origin)));
    else this.#connector.open(req, requested, origin, callback);
  }
}
