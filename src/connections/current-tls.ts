/**
 * Every connection is opened with the TLS options of now, whichever path opens it: a dial, a replay, a socket from outside. When they
 * change, no connection and no session of before is used again, and requests that wait, wait for a connection of the new kind.
 */
import { connectionReset } from '../errors.js';
import type { Connection, Waiter } from '../pool/records.js';
import type { Pool } from '../pool/pool.js';
import type { AgentKinds, PooledRequest } from './pooled-socket.js';
import type { Resumption } from '../sessions/resumption.js';
import { Rotation } from '../tls/rotation.js';
import type { TlsOptions } from '../tls/rotation.js';
import { SecureContexts } from '../tls/secure-contexts.js';
import type { ResolvedOptions } from '../options/options.js';
import type { Hosts } from './hosts.js';
import type { Observer } from './observer.js';
import type { Waiting } from './waiting.js';

type Conn = Connection<AgentKinds>;
type Resolved = Pick<ResolvedOptions, 'eagerContext' | 'maxSecureContexts' | 'tls'>;

export class CurrentTls {
  readonly contexts: SecureContexts;
  readonly #rotation: Rotation;
  readonly #hosts: Hosts;
  readonly #pool: Pool<AgentKinds>;
  readonly #resumption: Resumption;
  readonly #waiting: Waiting;
  readonly #observer: Observer;

  /** @throws what the `tls` function throws, and what Node throws for bad material */
  constructor(
    agent: { readonly options: object },
    { eagerContext, maxSecureContexts, tls }: Resolved,
    hosts: Hosts,
    pool: Pool<AgentKinds>,
    resumption: Resumption,
    waiting: Waiting,
    observer: Observer,
  ) {
    this.contexts = new SecureContexts(maxSecureContexts);
    this.#rotation = new Rotation(agent, this.contexts, tls);
    if (eagerContext) this.contexts.prepare(agent.options);
    this.#hosts = hosts;
    this.#pool = pool;
    this.#resumption = resumption;
    this.#waiting = waiting;
    this.#observer = observer;
  }

  /** See `PoolingAgent.updateTls`. */
  update(changes: TlsOptions): void {
    this.#rotation.apply(changes);
    this.#renew('updateTls');
  }

  /** Asks the `tls` function, if there is one, outside of a dial. */
  refresh(): void {
    if (this.#rotation.refresh()) this.#renew('tls');
  }

  /**
   * `connection` is about to be opened for `pending`. `false`: it is not to be, because its identity means something else by now; then it is
   * given up, and `pending` waits elsewhere.
   */
  mayOpen(connection: Conn, pending: PooledRequest): boolean {
    if (this.#rotation.refresh()) {
      this.#renew('tls', connection);
      return false;
    }
    if (!pending.isResent || !this.#hasMoved(pending, connection)) return true;
    this.#requeue(pending.waiter ? [pending.waiter] : [], connection);
    return false;
  }

  /** @param dialling a connection that was about to be opened with the old options. Nothing was sent for it yet */
  #renew(by: 'updateTls' | 'tls', dialling?: Conn): void {
    this.#observer.rotated(by);
    this.#hosts.identities.renew();
    this.#resumption.renew();
    const waiters: Waiter<AgentKinds>[] = [];
    // With eager binding it has left the queue already, whose head it was.
    if (dialling?.waiter?.state === 'dialling') waiters.push(dialling.waiter);
    for (const waiter of this.#pool.undialled()) waiters.push(waiter);
    this.#requeue(waiters, dialling);
  }

  /** `waiters` belong elsewhere. `dialling`: a connection that was about to be opened for one of them, and is not. */
  #requeue(waiters: readonly Waiter<AgentKinds>[], dialling: Conn | undefined): void {
    for (const waiter of waiters) this.#pool.abort(waiter);
    if (dialling) this.#pool.failed(dialling, connectionReset('TLS options have changed'), 'surplus');
    for (const waiter of waiters) this.#waiting.again(waiter);
  }

  /**
   * Whether `agent.options` have changed since `pending` was sent for the first time. A request that has waited all the time keeps those
   * with which it came; one that is sent again is to get a connection as it would be opened now.
   */
  #hasMoved({ req, options }: PooledRequest, { host }: Conn): boolean {
    try {
      return this.#hosts.of(req, options) !== host;
    } catch {
      // As it was resolved when its connection was lost.
      return false;
    }
  }
}
