/**
 * The hosts of one agent: which one a request belongs to, by its options and the agent's of now, and which limits hold there. A host gets its
 * limits before anything is held for it, and others when rules change.
 */
import { Identities } from '../identity/identity.js';
import type { Options } from '../identity/identity.js';
import { hostAndPort } from '../limits/host-name.js';
import type { HostRules } from '../limits/rules.js';
import type { AgentRequest } from '../node/types.js';
import { HostPool } from '../pool/records.js';
import type { HostLimits } from '../pool/limits.js';
import type { Pool } from '../pool/pool.js';
import type { Observer } from './observer.js';
import type { AgentKinds, PooledRequest } from './pooled-socket.js';

export type Host = HostPool<AgentKinds>;

export class Hosts {
  readonly identities: Identities<Host>;
  readonly #agent: { readonly options: object };
  readonly #pool: Pool<AgentKinds>;
  readonly #rules: HostRules;

  /** @param made is told of each host that is made up */
  constructor(
    agent: { readonly options: object },
    pool: Pool<AgentKinds>,
    rules: HostRules,
    observer: Observer,
    made: (host: Host) => void,
  ) {
    this.#agent = agent;
    this.#pool = pool;
    this.#rules = rules;
    this.identities = new Identities<Host>(
      (origin) => {
        const host = new HostPool<AgentKinds>(origin, pool.limits, observer.countersOf(origin));
        made(host);
        return host;
      },
      (host) => pool.abandon(host),
    );
    pool.rulesChanged((host) => host.limits, rules.reserving);
  }

  /**
   * Hot path. The host of a request with `options`.
   *
   * @throws for options that are not valid, and what their getters throw
   */
  of(req: AgentRequest, options: Options): Host {
    const hostHeader: unknown = typeof req.getHeader === 'function' ? req.getHeader('host') : undefined;
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
   * A place for a socket that was opened with `options`, outside. `undefined`: there is none.
   *
   * @throws as `of`
   */
  placeFor(options: Options): ReturnType<Pool<AgentKinds>['adopt']> {
    const host = this.identities.resolve(options, this.#agent.options as Options, undefined).entry;
    try {
      this.limit(host);
    } catch {
      return undefined;
    }
    const connection = this.#pool.adopt(host);
    if (host.isEmpty) this.retire(host);
    return connection;
  }

  /**
   * A host that nothing was held for so far gets its limits.
   *
   * @throws what the user's function throws, which may be anything
   */
  limit(host: Host): void {
    if (!host.isEmpty) return;
    try {
      this.#pool.limit(host, this.#limitsOf(host));
    } catch (error) {
      this.retire(host);
      throw error;
    }
  }

  /** See `HostRules.keptReady`. */
  get keptReady(): HostRules['keptReady'] {
    return this.#rules.keptReady;
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
      for (const host of this.#pool.hosts) found.set(host, this.#limitsOf(host));
    } catch (error) {
      undo();
      throw error;
    }
    this.#pool.rulesChanged((host) => found.get(host) ?? host.limits, this.#rules.reserving);
  }

  #limitsOf({ origin }: Host): HostLimits {
    const { host, port } = hostAndPort(origin);
    return this.#rules.limitsFor(host, port);
  }
}
