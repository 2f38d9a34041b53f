/**
 * The work of the agent's `createSocket`. Its callers are a dial of the pool, a subclass that has overridden the method, and other code that wants a
 * socket and knows nothing of the pool. Each gets a connection with the current options.
 */
import { agentClosed } from '../../errors.js';
import type { Options } from '../../identity/identity.js';
import { hostName } from '../../limits/host-name.js';
import type { AgentRequest } from '../../node/types.js';
import type { Pool } from '../../pool/pool.js';
import type { Deliver } from '../../requests/pending-request.js';
import type { Connector } from './connector.js';
import type { CurrentOptions } from '../current-options.js';
import type { Host, Hosts } from '../hosts.js';
import type { AgentKinds } from '../pooled-socket.js';

export class CreateSocket {
  readonly #connector: Connector;
  readonly #hosts: Hosts;
  readonly #current: CurrentOptions;
  readonly #pool: Pool<AgentKinds>;

  constructor(connector: Connector, hosts: Hosts, current: CurrentOptions, pool: Pool<AgentKinds>) {
    this.#connector = connector;
    this.#hosts = hosts;
    this.#current = current;
    this.#pool = pool;
  }

  /** Whether the pool itself calls `createSocket` for `req`. */
  isDialling(req: AgentRequest): boolean {
    return this.#connector.isDialling(req);
  }

  /** Opens a connection, whoever has called `createSocket`. */
  open(req: AgentRequest, options: Options, callback: Deliver): void {
    const dial = this.#connector.dialOf(req, options);
    if (dial && !(dial.origin as Host['origin']).entry.abandoned) {
      this.#connector.open(req, options, dial.origin, dial.route, callback);
      return;
    }
    if (!dial) this.#current.refresh();
    // A subclass may have waited before it called this, and TLS options may have changed meanwhile.
    const requested = dial?.requested ?? options;
    const host = this.#hosts.of(req, requested);
    const { origin } = host;
    if (!dial && (host.section?.isClosed || this.#pool.isClosed))
      callback(agentClosed('refused', hostName(origin)));
    else this.#connector.open(req, requested, origin, this.#hosts.routeOf(host), callback);
  }
}
