/**
 * Finds the limits of a host: the agent's own, or those of a rule. Pure. Most agents have no rules, and load nothing for them. The owner keeps the limits of a
 * host for as long as it holds anything for it, and asks again when rules have changed.
 */
import type { HostLimits, Limits } from '../pool/limits.js';
import type { GivenRules, KeptHost, Protocols } from './given-rules.js';
import { loadGivenRules } from './late.js';
import type { ProxyChoice } from './proxy-choice.js';

export class HostRules {
  readonly #defaults: Limits;
  readonly #protocols: Protocols;
  #given: GivenRules | undefined;

  /**
   * @param hosts the option of that name
   * @param defaults the limits where no rule says anything. Read again by `refresh`
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`, naming rule and key
   */
  constructor(hosts: unknown, defaults: Limits, protocols: Protocols = 'one') {
    this.#defaults = defaults;
    this.#protocols = protocols;
    if (hosts !== undefined && hosts !== null) this.#given = this.#create(hosts);
  }

  /** Whether every host has the agent's own limits. */
  get isEmpty(): boolean {
    return this.#given?.isEmpty ?? true;
  }

  /** The limits of rules that reserve a part of `maxTotalSockets`. */
  get reserving(): HostLimits[] {
    return this.#given?.reserving ?? [];
  }

  /** The hosts whose own rule asks for connections to be kept ready, used or not. */
  keptReady(protocol: string): KeptHost[] {
    return this.#given?.keptReady(protocol) ?? [];
  }

  /**
   * The limits of a host: the object of its rule, or the agent's own.
   *
   * @throws what the user's function throws; a coded error for nonsense that it returns
   */
  limitsFor(host: string, port: number, protocol = 'https:'): HostLimits {
    return this.#given?.limitsFor(host, port, protocol) ?? this.#defaults;
  }

  /**
   * Sets or replaces the rule of a pattern; `undefined` or `null` removes it. It comes before the function, if there is one. Returns a
   * function that takes the change back.
   *
   * @throws as the constructor; then nothing has changed
   */
  set(pattern: unknown, options: unknown): () => void {
    this.#given ??= this.#create(undefined);
    return this.#given.set(pattern, options);
  }

  /** The proxy of the rule whose `limits` a host has; `undefined`: it says nothing about that. */
  proxyOf(limits: HostLimits): ProxyChoice | undefined {
    return this.#given?.proxyOf(limits);
  }

  /** All proxies that rules name. */
  proxies(): Iterable<ProxyChoice> {
    return this.#given?.proxies() ?? [];
  }

  /** The limits of a proxy's own rule, for exactly `host` and `port`, if that has a `maxSockets`. */
  boundsAt(host: string, port: number): HostLimits | undefined {
    return this.#given?.boundsAt(host, port);
  }

  /** The pattern of the rule that has set `limit` in `limits`; `undefined` if none has. Takes time that grows with the number of rules. */
  patternOf(limits: HostLimits, limit: keyof HostLimits): string | undefined {
    return this.#given?.patternOf(limits, limit);
  }

  /** The agent's own limits were changed: rules that leave these to the agent follow. `inUse`: the limits that the function gave. */
  refresh(inUse: Iterable<HostLimits>): void {
    this.#given?.refresh(inUse);
  }

  #create(hosts: unknown): GivenRules {
    return new (loadGivenRules().GivenRules)(hosts, this.#defaults, this.#protocols);
  }
}
