/**
 * Puts the parts of this room together, for one agent, and passes reports of sockets on to them. Orders of the pool come in by driver.ts, requests
 * of the agent by agent-pool.ts.
 */
import { loadProxyEnv } from '../egress/late.js';
import { Routes } from '../egress/routes.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import type { SocketLike } from '../node/types.js';
import type { ResolvedOptions } from '../options/options.js';
import type { Pool } from '../pool/pool.js';
import type { Section } from '../pool/records.js';
import type { Adoption } from './adoption.js';
import { Common } from './common.js';
import { Connector } from './dials/connector.js';
import { CreateSocket } from './dials/create-socket.js';
import { CurrentOptions } from './current-options.js';
import { CurrentRoute } from './current-route.js';
import { CurrentTls } from './current-tls.js';
import { noteReady } from './dials/dial-progress.js';
import type { DrivenAgent, OwnMethods } from './driven-agent.js';
import { SocketDriver } from './driver.js';
import { Endings } from './endings.js';
import { Hosts } from './hosts.js';
import { IdleEntry } from './idle-entry.js';
import { Leases } from './lease.js';
import type { Observer } from './observer.js';
import { PendingDials } from './dials/pending-dials.js';
import { pooledSocketOf } from './pooled-socket.js';
import type { AgentKinds, DialTime, Offer, Owner, PooledSocket } from './pooled-socket.js';
import { loadAdoption, loadOfferedSession, loadTunnels } from './late.js';
import { Releases } from './release.js';
import { Replays } from './losses/replay.js';
import { SaturationEvents } from './saturation-events.js';
import { SpareConnections } from './dials/spare-connections.js';
import type { NamedDials } from './dials/named-dials.js';
import type { Sharing } from './sharing.js';
import type { StallWatch } from './losses/stall-watch.js';
import { TlsTransport } from './dials/tls-transport.js';
import type { Transport } from './dials/transport.js';
import { Waiting } from './waiting.js';
import { YoungConnections } from './dials/young-connections.js';

export class Parts implements Owner {
  readonly agent: DrivenAgent;
  readonly transport: Transport;
  readonly observer: Observer;
  readonly common: Common;
  /** The hosts that are this agent's, where two share the pool. */
  readonly section: Section | undefined;
  readonly pool: Pool<AgentKinds>;
  readonly lifetimes: Lifetimes<AgentKinds>;
  readonly hosts: Hosts;
  readonly waiting: Waiting;
  readonly replays: Replays;
  /** The options with which connections are opened. */
  readonly current: CurrentOptions;
  /** The same, where there is TLS. */
  readonly tls: CurrentTls | undefined = undefined;
  readonly route: CurrentRoute;
  readonly spares: SpareConnections;
  readonly names: NamedDials | undefined;
  readonly connector: Connector;
  readonly createSocket: CreateSocket;
  readonly dials: PendingDials;
  readonly idleEntry: IdleEntry;
  readonly endings: Endings;
  readonly leases: Leases;
  readonly young: YoungConnections;
  readonly saturation: SaturationEvents;
  /** Set only with `socketTimeout` or `leakDetectionThreshold`. */
  readonly stalls: StallWatch | undefined = undefined;
  /** Called when the last connection or waiting request is gone. */
  onEmpty: (() => void) | undefined = undefined;
  readonly #releases: Releases;
  #adoption: Adoption | undefined = undefined;

  /**
   * @param own the methods of the agent's class
   * @param sharing with another agent. `undefined`: the pool is this agent's alone
   */
  constructor(
    agent: DrivenAgent,
    resolved: ResolvedOptions,
    own: OwnMethods,
    transport: Transport,
    observer: Observer,
    sharing?: Sharing,
  ) {
    this.agent = agent;
    this.transport = transport;
    this.observer = observer;
    const { protocol } = transport;
    const driver = new SocketDriver(this);
    sharing?.driver.add(protocol.name, driver);
    this.section = sharing && { isClosed: false, size: 0 };
    const common = sharing?.common(resolved, observer) ?? new Common(driver, resolved, observer);
    this.common = common;
    const { lifetimes, pool, stalls } = common;
    this.pool = pool;
    this.lifetimes = lifetimes;
    this.names = common.names;
    this.stalls = stalls;
    const { proxy, proxyEnv, rules } = resolved;
    const choice = proxyEnv ? loadProxyEnv().choiceOfProxyEnv(proxyEnv, protocol) : proxy;
    const routes = new Routes(choice, rules, protocol);
    const hosts = new Hosts(protocol, agent, pool, this.section, rules, routes, observer, (host) =>
      lifetimes.recall(host),
    );
    this.hosts = hosts;
    const waiting = new Waiting(agent, pool, hosts, resolved.replay, common, observer);
    this.waiting = waiting;
    this.replays = new Replays(resolved.replay, pool, lifetimes, hosts, waiting, observer);
    if (transport instanceof TlsTransport)
      this.tls = new CurrentTls(agent, hosts, pool, transport, waiting, observer);
    const current = this.tls ?? new CurrentOptions(hosts, waiting);
    this.current = current;
    this.spares = new SpareConnections(pool, hosts, current, lifetimes);
    this.route = new CurrentRoute(hosts, pool, waiting);
    this.connector = new Connector(agent, own, transport, this.names, () => {
      const { Tunnels } = loadTunnels();
      return new Tunnels(transport.contexts);
    });
    this.createSocket = new CreateSocket(this.connector, hosts, current, pool);
    this.dials = new PendingDials(
      this,
      this.connector,
      lifetimes,
      waiting,
      current,
      this.route,
      resolved.connectTimeout,
      observer,
      this.names,
    );
    this.idleEntry = new IdleEntry(agent, own.keepSocketAlive, pool);
    this.#releases = new Releases(pool, lifetimes, this.idleEntry);
    this.endings = new Endings(pool, this.dials, this.#releases);
    this.leases = new Leases(agent, pool, transport, this.replays, stalls, waiting, observer);
    this.young = new YoungConnections(agent);
    this.saturation = new SaturationEvents(agent, observer);
    common.join(this);
  }

  /** Whether it holds no connection and no waiting request. */
  get isEmpty(): boolean {
    return this.section ? this.section.size === 0 : this.pool.isEmpty;
  }

  get adoption(): Adoption {
    if (!this.#adoption) {
      const { Adoption: Adopting } = loadAdoption();
      const { agent, current, dials, hosts, observer, pool, transport } = this;
      this.#adoption = new Adopting(agent, pool, hosts, current, dials, transport, observer);
    }
    return this.#adoption;
  }

  // Reports of sockets

  offer(pooled: PooledSocket, clock: DialTime | undefined): Offer | undefined {
    try {
      const { OfferedSession } = loadOfferedSession();
      return new OfferedSession(pooled, clock);
    } catch {
      // The process may open no file at the moment: where the session is refused, the request fails.
      return undefined;
    }
  }

  connected(pooled: PooledSocket): void {
    this.pool.connected(pooled.connection);
  }

  /** Hot path. */
  release(pooled: PooledSocket): void {
    // A custom stream may emit no event that says it is ready.
    if (pooled.connection.readyAt < 0 && pooled.answered) noteReady(pooled);
    this.#releases.release(pooled);
  }

  remove(socket: SocketLike): void {
    const pooled = pooledSocketOf(socket);
    if (pooled?.owner === this) this.endings.ended(pooled);
  }

  destroySocket(pooled: PooledSocket, reason: unknown): void {
    this.endings.destroy(pooled, reason);
  }

  peerDied(address: string): void {
    this.endings.peerDied(address);
  }
}
