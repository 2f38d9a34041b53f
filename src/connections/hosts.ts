/**
 * The hosts of one agent: finds the host of a request by its options and the agent's current ones, and the limits of each host. A host gets its
 * limits before it holds a connection or a request, and others when rules change.
 */
import { Identities } from '../identity/identity.js';
import type { Options } from '../identity/identity.js';
import type { Protocol } from '../identity/protocol.js';
import { checkHostHeader, hostHeaderOf } from '../identity/server-name.js';
import { hostAndPort } from '../limits/host-name.js';
import type { HostRules } from '../limits/rules.js';
import type { Route, Routes } from '../egress/routes.js';
import { monotonicNow } from '../node/timers.js';
import type { AgentRequest } from '../node/types.js';
import { HostPool } from '../pool/records.js';
import type { Connection, Section } from '../pool/records.js';
import type { HostLimits } from '../pool/limits.js';
import type { Pool } from '../pool/pool.js';
import type { Observer } from './observer.js';
import type { AgentKinds, PooledRequest } from './pooled-socket.js';

export type Host = HostPool<AgentKinds>;

/** Milliseconds for which a way that has just changed is not asked for again, while the first connections become ready. */
const ROUTE_HOLDS = 3000;

export class Hosts {
  readonly identities: Identities<Host>;
  readonly #hasServerNames: boolean;
  readonly #protocol: string;
  readonly #section: Section | undefined;
  readonly #agent: { readonly options: object };
  readonly #pool: Pool<AgentKinds>;
  readonly #rules: HostRules;
  readonly #routes: Routes;
  #isRerouting = false;
  /** The times at which requests came to hosts because the way to their old ones had changed. */
  readonly #reroutedAt = new WeakMap<Host, number>();

  /** @param made is called with each new host */
  constructor(
    protocol: Protocol,
    agent: { readonly options: object },
    pool: Pool<AgentKinds>,
    section: Section | undefined,
    rules: HostRules,
    routes: Routes,
    observer: Observer,
    made: (host: Host) => void,
  ) {
    this.#hasServerNames = protocol.hasServerNames;
    this.#protocol = protocol.name;
    this.#agent = agent;
    this.#section = section;
    this.#pool = pool;
    this.#rules = rules;
    this.#routes = routes;
    this.identities = new Identities<Host>(
      (origin) => {
        const host = new HostPool<AgentKinds>(origin, pool.limits, observer.countersOf(origin), section);
        made(host);
        return host;
      },
      (host) => pool.upkeep.abandon(host),
      protocol,
    );
    pool.rulesChanged((host) => host.limits, rules.reserving);
  }

  /**
   * Hot path. The host of a request with `options`.
   *
   * @throws for options that are not valid, and what their getters throw
   */
  of(req: AgentRequest, options: Options): Host {
    let hostHeader = hostHeaderOf(req);
    if (hostHeader && !this.#hasServerNames) {
      checkHostHeader(hostHeader);
      hostHeader = undefined;
    }
    return this.identities.resolve(options, this.#agent.options as Options, hostHeader).entry;
  }

  /**
   * The host of a request that waits, with its limits.
   *
   * @throws as `of` and `limit`
   */
  limitedOf({ req, options }: Pick<PooledRequest, 'options' | 'req'>): Host {
    const host = this.of(req, options);
    this.limit(host);
    return host;
  }

  /**
   * Adopts into the pool a socket that was opened with `options` outside. `undefined`: the limits do not allow it, or a proxy leads to its host, and
   * it cannot be told whether the socket goes through that.
   *
   * @throws as `of`
   */
  slotFor(options: Options): ReturnType<Pool<AgentKinds>['adopt']> {
    const host = this.identities.resolve(options, this.#agent.options as Options, undefined).entry;
    try {
      this.limit(host);
    } catch {
      return undefined;
    }
    const connection = host.route ? undefined : this.#pool.adopt(host);
    if (host.isEmpty) this.retire(host);
    return connection;
  }

  /**
   * Gives a host that has held nothing so far its limits and its way, directly or through a proxy.
   *
   * @throws what the user's functions throw, which may be anything
   */
  limit(host: Host): void {
    if (!host.isEmpty) return;
    try {
      const limits = this.#limitsOf(host);
      host.route = this.#routes.of(host.origin, limits);
      if (this.#isRerouting) this.#reroutedAt.set(host, monotonicNow());
      this.#pool.limit(host, limits, this.#viaOf(host));
    } catch (error) {
      this.retire(host);
      throw error;
    }
  }

  /**
   * The way to `host`, directly or through a proxy.
   *
   * @throws what the user's function throws, which may be anything
   */
  routeOf(host: Host): Route {
    return host.isEmpty ? this.#routes.of(host.origin, this.#limitsOf(host)) : host.route;
  }

  /** Runs `requeue`, by which requests come to new hosts because the way to their old one has changed. */
  reroute(requeue: () => void): void {
    const before = this.#isRerouting;
    this.#isRerouting = true;
    try {
      requeue();
    } finally {
      this.#isRerouting = before;
    }
  }

  /**
   * Whether the way of `connection`, which is about to be opened, is that of its host as it has just changed. It counts for a while, in which the first
   * connections become ready: a function may name another proxy each time, and none would ever be.
   */
  holdsRoute(connection: Connection<AgentKinds>): boolean {
    const { host } = connection;
    const reroutedAt = this.#reroutedAt.get(host);
    if (reroutedAt === undefined) return false;
    const others = [...host.connections].filter((other) => other !== connection);
    const isUnderWay = others.length === 0 || others.some(({ readyAt }) => readyAt < 0);
    if (isUnderWay && monotonicNow() - reroutedAt < ROUTE_HOLDS) return true;
    this.#reroutedAt.delete(host);
    return false;
  }

  /**
   * Whether the way to `host` has changed since its connections were opened.
   *
   * @throws as `routeOf`
   */
  hasOtherRoute({ limits, origin, route }: Host): boolean {
    const now = this.#routes.of(origin, limits);
    return now !== route && !now?.equals(route);
  }

  /** Later requests with the same options get a new host, and no connection of `host` is kept idle. */
  renew(host: Host): void {
    this.identities.retire(host.origin);
    this.#pool.upkeep.abandon(host);
  }

  /** The hosts that hold a connection or a waiting request now. A caller that walks them may move requests to new hosts, which are not among them. */
  held(): Host[] {
    return Array.from(this.#pool.hosts).filter(({ section }) => section === this.#section);
  }

  /** See `HostRules.keptReady`. */
  get keptReady(): ReturnType<HostRules['keptReady']> {
    return this.#rules.keptReady(this.#protocol);
  }

  /** `host` holds nothing any more. */
  retire({ origin }: Host): void {
    this.identities.retire(origin);
  }

  /** A limit of the agent itself was changed. */
  limitsChanged(): void {
    const pool = this.#pool;
    if (!this.#rules.isEmpty) this.#rules.refresh(Array.from(pool.hosts, ({ limits }) => limits));
    pool.limitsChanged();
  }

  /** The pattern of the rule that has set `limit` of `host`, if one has. */
  ruleOf({ limits }: Host, limit: keyof HostLimits): string | undefined {
    return this.#rules.patternOf(limits, limit);
  }

  /** @throws if a rule is not valid, or a function that gives limits throws: then nothing has changed */
  setLimits(pattern: unknown, limits: unknown): void {
    const undo = this.#rules.set(pattern, limits);
    const found = new Map<Host, HostLimits>();
    try {
      this.#routes.check();
      // A function of the user's may send requests to others meanwhile.
      for (const host of Array.from(this.#pool.hosts)) found.set(host, this.#limitsOf(host));
    } catch (error) {
      undo();
      throw error;
    }
    this.#pool.rulesChanged(
      (host) => found.get(host) ?? host.limits,
      this.#rules.reserving,
      (host) => this.#viaOf(host),
    );
  }

  /** The limits that bound all connections through the proxy of `host`, if there are any. */
  #viaOf({ route }: Host): HostLimits | undefined {
    return route && this.#rules.boundsAt(route.host, route.port);
  }

  #limitsOf({ origin }: Host): HostLimits {
    const { host, port } = hostAndPort(origin);
    return this.#rules.limitsFor(host, port, origin.protocol.name);
  }
}
