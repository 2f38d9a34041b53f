/**
 * The pool of one agent, as agent/ and observe/ see it: the front of this room. Requests, released sockets and changes of limits and options come in
 * here; the parts that parts.ts puts together do the work.
 */
import { agentClosed, agentDestroyed } from '../errors.js';
import type { AddressState } from '../egress/dns/destination.js';
import type { Options } from '../identity/identity.js';
import { hostName } from '../limits/host-name.js';
import { invalidPriority, isPriority } from '../limits/priority.js';
import { ownOptionsOf, queuedByNode } from '../node/interception.js';
import { isSocketLike } from '../node/socket.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { ResolvedOptions } from '../options/options.js';
import type { HostLimits } from '../pool/limits.js';
import type { Pool } from '../pool/pool.js';
import type { Connection } from '../pool/records.js';
import type { Deliver } from '../requests/pending-request.js';
import type { Resumption } from '../sessions/resumption.js';
import type { TlsOptions } from '../tls/rotation.js';
import type { DrivenAgent, OwnMethods } from './driven-agent.js';
import type { Host } from './hosts.js';
import type { Leases } from './lease.js';
import type { Observer } from './observer.js';
import { PooledRequest, pooledSocketOf } from './pooled-socket.js';
import type { AgentKinds } from './pooled-socket.js';
import { priorityInHeader } from '../requests/priority-header.js';
import type { ReplayRule } from '../requests/replayable.js';
import { Parts } from './parts.js';
import type { Sharing } from './sharing.js';
import type { Protocol } from '../identity/protocol.js';
import type { StallWatch } from './losses/stall-watch.js';
import type { SpareConnections } from './dials/spare-connections.js';
import { TlsTransport } from './dials/tls-transport.js';
import type { Transport } from './dials/transport.js';
import type { Waiting } from './waiting.js';

export type { Host };

/** The state of the pool, for readers. */
export type PoolView = Pick<
  Pool<AgentKinds>,
  'capacity' | 'changes' | 'counters' | 'hosts' | 'idle' | 'limits' | 'size'
>;

export class AgentPool {
  readonly agent: DrivenAgent;
  /** Counts and publishes what happens here. */
  readonly observer: Observer;
  readonly #parts: Parts;
  /** The agents over this pool. */
  readonly #sharers: Sharing['sharers'];
  // The parts that the hot path needs.
  readonly #pool: Pool<AgentKinds>;
  readonly #leases: Leases;
  readonly #rule: ReplayRule;
  readonly #stalls: StallWatch | undefined;
  readonly #waiting: Waiting;
  /** The option `priorityHeader`. */
  readonly #readsHeader: boolean;

  /** @param own the methods of the agent's class */
  constructor(
    agent: DrivenAgent,
    resolved: ResolvedOptions,
    own: OwnMethods,
    transport: Transport,
    observer: Observer,
    sharing?: Sharing,
  ) {
    this.agent = agent;
    const parts = new Parts(agent, resolved, own, transport, observer, sharing);
    this.#parts = parts;
    this.#sharers = sharing?.sharers ?? [];
    this.#sharers.push(this);
    this.#pool = parts.pool;
    this.observer = observer;
    this.#leases = parts.leases;
    this.#rule = parts.replays.rule;
    this.#stalls = parts.stalls;
    this.#waiting = parts.waiting;
    this.#readsHeader = resolved.priorityHeader;
  }

  /** The parts of `pool`. For the project's own tests. */
  static partsOf(pool: AgentPool): Parts {
    return pool.#parts;
  }

  // Requests

  /** Hot path. Gets `req` a socket: at once, or as soon as there is one. */
  acquire(req: AgentRequest, options: Options, deliver?: Deliver): void {
    if (req.destroyed) {
      // The request was destroyed before it came here (by an aborted signal): Node emits its error and 'close'.
      new PooledRequest(req, options, deliver).end();
      return;
    }
    this.#stalls?.trace(req, this.acquire);
    const { priority } = options;
    if (!isPriority(priority)) {
      new PooledRequest(req, options, deliver).fail(invalidPriority('options.priority', priority));
      return;
    }
    const host = this.#parts.hosts.of(req, options);
    this.observer.came(host);
    // Requests that other code sends cannot be sent again by us.
    const asking = deliver ? undefined : req;
    let connection = this.#pool.lease(host, asking);
    if (!connection && host.idle.size > 0 && this.#rule.mayRisk(req))
      connection = this.#pool.leaseUnsafe(host, asking);
    if (connection?.pooled && connection.state === 'active')
      this.#leases.lease(connection.pooled, req, options, deliver);
    else
      this.#waiting.begin(new PooledRequest(req, options, deliver), host, priority ?? this.#priorityOf(req));
  }

  /** The priority of a request that has none in its options. */
  #priorityOf(req: AgentRequest): number | undefined {
    return this.#readsHeader ? priorityInHeader(req) : undefined;
  }

  /** A wrapper has called Node's own `addRequest`, which leaves `req` waiting in `requests`: the pool takes it. */
  acquireNoted(req: AgentRequest): void {
    const { options, run } = queuedByNode(req);
    run(() => {
      try {
        this.acquire(req, ownOptionsOf(options, this.agent.options));
      } catch (error) {
        new PooledRequest(req, options as Options, undefined).fail(error);
      }
    });
  }

  /** @returns whether `req` waits */
  setPriority(req: object, priority: number): boolean {
    if (typeof priority !== 'number' || !isPriority(priority)) throw invalidPriority('priority', priority);
    return this.#waiting.setPriority(req, priority);
  }

  // Connections

  /** See `CreateSocket.isDialling`. */
  isDialling(req: AgentRequest): boolean {
    return this.#parts.createSocket.isDialling(req);
  }

  /** See `CreateSocket.open`. */
  open(req: AgentRequest, options: Options, callback: Deliver): void {
    this.#parts.createSocket.open(req, options, callback);
  }

  /** `socket` is free again: Node's client or other code has emitted 'free'. */
  free(socket: SocketLike, options: Options): void {
    if (!isSocketLike(socket)) return;
    const pooled = pooledSocketOf(socket);
    if (pooled?.owner === this.#parts) this.#parts.release(pooled);
    else this.#parts.adoption.adopt(socket, options);
  }

  /** Takes `socket` out of the pool. */
  remove(socket: SocketLike): void {
    this.#parts.remove(socket);
  }

  /** The part for connections that are opened before a request asks for them. */
  get spares(): SpareConnections {
    return this.#parts.spares;
  }

  // The end

  /** Ends everything at once. The agent stays usable, unless it was closed. */
  destroy(error: unknown): void {
    const { common, section } = this.#parts;
    this.#pool.shutdown.destroy(error || agentDestroyed(), error, section);
    common.stop(section);
    this.spares.watch?.stop();
  }

  /**
   * Begins the end: no new request is taken, and no connection is kept idle.
   *
   * @param onEmpty called whenever no connection and no request is left
   * @returns steps, each of which closes an idle connection
   */
  close(onEmpty: () => void): Generator<void, void, undefined> {
    const { common, section } = this.#parts;
    this.#parts.onEmpty = () => {
      common.stop(section);
      onEmpty();
    };
    this.#pool.shutdown.begin(section);
    return this.#pool.shutdown.closeIdle(section);
  }

  /** Steps, each of which ends a waiting request or a connection of a pool that was closed. */
  end(): Generator<void, void, undefined> {
    return this.#pool.shutdown.end(
      ({ origin }) => agentClosed('ended', hostName(origin)),
      this.#parts.section,
    );
  }

  /** See `PoolingAgent.closeIdleConnections`. */
  closeIdleConnections(): void {
    this.#pool.shutdown.closeIdleConnections(this.#parts.section);
  }

  /** See `PoolingAgent.closeAllConnections`. */
  closeAllConnections(): void {
    this.#pool.shutdown.closeAllConnections(this.#parts.section);
  }

  // Changes

  /** The agent's 'keylog' has a listener: all sockets report their keys from now on, also those that exist already. */
  enableKeylog(): void {
    this.#parts.dials.enableKeylog();
  }

  /** See `PoolingAgent.updateTls`. */
  updateTls(changes: TlsOptions): void {
    this.#parts.tls?.update(changes);
  }

  /** A limit of the agent itself was changed. */
  limitsChanged(): void {
    this.#parts.hosts.limitsChanged();
    this.#waiting.limitsChanged();
    this.#parts.lifetimes.limitsChanged();
    for (const sharer of this.#sharers) sharer.limitsOrRulesChanged('limits');
  }

  /** @throws if a rule is not valid, or a function that gives limits throws: then nothing has changed */
  setHostLimits(pattern: unknown, limits: unknown): void {
    this.#parts.hosts.setLimits(pattern, limits);
    this.#waiting.limitsChanged();
    for (const sharer of this.#sharers) sharer.limitsOrRulesChanged('rules');
  }

  /** Limits or rules have changed, by whichever agent over this pool. */
  limitsOrRulesChanged(which: 'limits' | 'rules'): void {
    if (which === 'rules') this.#parts.route.rulesChanged();
    this.spares.watch?.changed();
  }

  // For readers

  /** The TLS sessions of its connections, where there is TLS. */
  get sessions(): Resumption | undefined {
    const { transport } = this.#parts;
    return transport instanceof TlsTransport ? transport.resumption : undefined;
  }

  get protocol(): Protocol {
    return this.#parts.transport.protocol;
  }

  /** Whether it takes no new request any more. */
  get isClosed(): boolean {
    return this.#parts.section?.isClosed ?? this.#pool.isClosed;
  }

  /** Whether nothing of it is open, and no request waits. */
  get isEmpty(): boolean {
    return this.#parts.isEmpty;
  }

  /** Its hosts that hold something. (Those of the view are of all agents over this pool.) */
  get hosts(): Iterable<Host> {
    return this.#parts.hosts.held();
  }

  /** The pool, by which agents that share one are known. */
  get identity(): object {
    return this.#parts.common;
  }

  get view(): PoolView {
    return this.#pool;
  }

  /** The pattern of the rule that has set `limit` of `host`, if one has. */
  ruleOf(host: Host, limit: keyof HostLimits): string | undefined {
    return this.#parts.hosts.ruleOf(host, limit);
  }

  /** See `NamedDials.addresses`. */
  addresses(only?: string): ReadonlyMap<string, readonly AddressState[]> {
    return this.#parts.names?.addresses(only) ?? new Map<string, readonly AddressState[]>();
  }

  /** Milliseconds since `connection`, which is idle, became so. */
  idleTimeOf({ idleSince }: Connection<AgentKinds>): number {
    return Math.max(0, this.#parts.lifetimes.now() - idleSince);
  }

  /** The options with which connections of `host`, which holds something, are opened. */
  optionsOf(host: Host): Options {
    const [connection] = host.connections;
    const requested = host.waiting.oldest?.request.options ?? {};
    return connection?.pooled?.options ?? this.#parts.connector.optionsFor(requested, host.origin);
  }
}
