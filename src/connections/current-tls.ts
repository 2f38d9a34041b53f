/**
 * Every connection is opened with the current TLS options, whether by a dial, by a replay, or outside. When they change, no connection and no
 * session of before is used again, and waiting requests wait for a connection with the new ones.
 */
import type { Connection } from '../pool/records.js';
import type { Pool } from '../pool/pool.js';
import type { AgentKinds, PooledRequest } from './pooled-socket.js';
import { loadRotation } from '../tls/late.js';
import type { Rotation, TlsOptions } from '../tls/rotation.js';
import type { SecureContexts } from '../tls/secure-contexts.js';
import { CHANGED, CurrentOptions } from './current-options.js';
import type { Hosts } from './hosts.js';
import type { Observer } from './observer.js';
import type { TlsTransport } from './dials/tls-transport.js';
import type { Waiting } from './waiting.js';

type Conn = Connection<AgentKinds>;

export class CurrentTls extends CurrentOptions {
  readonly #transport: TlsTransport;
  readonly #agent: { readonly options: object };
  /** Set only with a `tls` function, or after a change. */
  #rotation: Rotation | undefined = undefined;
  readonly #hosts: Hosts;
  readonly #pool: Pool<AgentKinds>;
  readonly #waiting: Waiting;
  readonly #observer: Observer;

  /** @throws what the `tls` function throws, and what Node throws for bad material */
  constructor(
    agent: { readonly options: object },
    hosts: Hosts,
    pool: Pool<AgentKinds>,
    transport: TlsTransport,
    waiting: Waiting,
    observer: Observer,
  ) {
    super(hosts, waiting);
    const { eagerContext, tls } = transport.options;
    this.#transport = transport;
    this.#agent = agent;
    if (tls) this.#rotation = this.#newRotation(tls);
    if (eagerContext) this.contexts.prepare(agent.options);
    this.#hosts = hosts;
    this.#pool = pool;
    this.#waiting = waiting;
    this.#observer = observer;
  }

  get contexts(): SecureContexts {
    return this.#transport.contexts;
  }

  #newRotation(read: (() => TlsOptions) | undefined): Rotation {
    const { Rotation: Loaded } = loadRotation();
    return new Loaded(this.#agent, this.contexts, read);
  }

  /** See `PoolingAgent.updateTls`. */
  update(changes: TlsOptions): void {
    this.#rotation ??= this.#newRotation(undefined);
    this.#rotation.apply(changes);
    this.#renew('updateTls');
  }

  /** Asks the `tls` function, if there is one, outside of a dial. */
  override refresh(): void {
    if (this.#rotation?.refresh()) this.#renew('tls');
  }

  override mayOpen(connection: Conn, pending: PooledRequest): boolean {
    if (this.#rotation?.refresh()) {
      this.#renew('tls', connection);
      return false;
    }
    return super.mayOpen(connection, pending);
  }

  /** @param dialling a connection that was about to be opened with the old options; its dial has not begun */
  #renew(by: 'updateTls' | 'tls', dialling?: Conn): void {
    this.#observer.rotated(by);
    this.#hosts.identities.renew();
    this.#transport.resumption.renew();
    this.#waiting.requeue(this.#pool.undialled(this.#hosts.held()), dialling, CHANGED);
  }
}
