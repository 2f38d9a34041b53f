/**
 * The rules that say which limits hold for which host: those of the option `hosts`, and those that were set later. Pure; the owner
 * keeps the limits of a host for as long as it holds anything for it, and asks again when rules have changed.
 */
import { inspect } from 'node:util';
import { invalidType, invalidValue, outOfRange } from '../errors.js';
import type { HostLimits, Limits } from '../pool/limits.js';
import { checkMinFreeSockets, parseHostLimits, resolveLimits } from './host-limits.js';
import type { GivenLimits, HostLimitOptions } from './host-limits.js';
import { keysFor, keysForAny, normalizeHost, parsePattern } from './pattern.js';
import type { Network, Pattern } from './pattern.js';

interface Rule {
  readonly pattern: string;
  /** Its name in errors. */
  readonly name: string;
  readonly network: Network | undefined;
  readonly single: Pattern['single'];
  readonly given: GivenLimits;
  /** One object for all hosts of the rule. */
  readonly limits: HostLimits;
}

type LimitsOf = (host: string, port: number) => HostLimitOptions | undefined;

export class HostRules {
  readonly #defaults: Limits;
  readonly #function: LimitsOf | undefined;
  /** By the key of their pattern. */
  readonly #rules = new Map<string, Rule>();
  /** The sum of what they reserve. */
  #reserved = 0;
  /** Those with networks, the longest prefix first. */
  #networks: readonly Rule[] = [];
  /** The limits that the function gave: those that it has left to the agent follow when the agent's own are changed. */
  readonly #givenByFunction = new WeakMap<HostLimits, GivenLimits>();

  /**
   * @param hosts the option of that name
   * @param defaults what holds where no rule says anything. Read anew by `refresh`
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`, naming rule and key
   */
  constructor(hosts: unknown, defaults: Limits) {
    this.#defaults = defaults;
    if (typeof hosts === 'function') {
      this.#function = hosts as LimitsOf;
      return;
    }
    if (hosts === undefined || hosts === null) return;
    if (typeof hosts !== 'object' || Array.isArray(hosts)) {
      throw invalidType('hosts', 'of type object or function', hosts);
    }
    const names = new Map<string, string>();
    for (const [pattern, options] of Object.entries(hosts)) {
      const name = `hosts[${inspect(pattern)}]`;
      const parsed = parsePattern(pattern, name);
      const { key } = parsed;
      const same = names.get(key);
      if (same) throw invalidValue(name, `another pattern than ${same}, which matches the same`, pattern);
      if (options === undefined || options === null) continue;
      names.set(key, name);
      const rule = this.#rule(pattern, name, parsed, parseHostLimits(name, options, 'made'));
      this.#checkReserve(rule, 0);
      this.#rules.set(key, rule);
      this.#reserved += reserveOf(rule);
    }
    this.#sortNetworks();
  }

  /** Whether every host has the agent's own limits. */
  get isEmpty(): boolean {
    return this.#rules.size === 0 && !this.#function;
  }

  /** The limits of rules that reserve a part of `maxTotalSockets`. */
  get reserving(): HostLimits[] {
    if (this.#reserved === 0) return [];
    return [...this.#rules.values()].map(({ limits }) => limits).filter(({ reserve }) => reserve > 0);
  }

  /** The hosts of rules for one host that ask for connections to be kept ready, whether such a host was ever used or not. */
  get keptReady(): { readonly host: string; readonly port: number | undefined }[] {
    const kept = [];
    for (const { given, single } of this.#rules.values())
      if (single && (given.minFreeSockets ?? 0) > 0) kept.push(single);
    return kept;
  }

  /**
   * The limits of a host: the object of its rule, or the agent's own.
   *
   * @throws what the user's function throws; a coded error for nonsense that it returns
   */
  limitsFor(host: string, port: number): HostLimits {
    if (this.isEmpty) return this.#defaults;
    const normalized = normalizeHost(host);
    const rule = this.#find(normalized, port);
    if (rule) return rule.limits;
    const options = this.#function?.(normalized, port);
    if (options === undefined || options === null) return this.#defaults;
    const given = parseHostLimits('hosts()', options, 'running');
    if (given.reserve !== undefined) {
      throw invalidValue(
        'hosts().reserve',
        'in a rule with a pattern: it holds before the first request',
        given.reserve,
      );
    }
    const limits = resolveLimits(given, this.#defaults);
    this.#checkReady('hosts().', given, limits);
    this.#givenByFunction.set(limits, given);
    return limits;
  }

  /**
   * Sets the rule of a pattern, in place of one that it has had; `undefined` or `null` takes that away. It comes before the
   * function, where there is one. Returns how to take the change back.
   *
   * @throws as the constructor; then nothing has changed
   */
  set(pattern: unknown, options: unknown): () => void {
    if (typeof pattern !== 'string') throw invalidType('pattern', 'of type string', pattern);
    const parsed = parsePattern(pattern, 'pattern');
    const { key } = parsed;
    let rule: Rule | undefined;
    if (options !== undefined && options !== null) {
      const name = `hosts[${inspect(pattern)}]`;
      rule = this.#rule(pattern, name, parsed, parseHostLimits(name, options, 'running'));
    }
    const before = this.#rules.get(key);
    if (rule) this.#checkReserve(rule, reserveOf(before));
    this.#put(key, rule);
    return () => this.#put(key, before);
  }

  /** The pattern of the rule that has set `limit` in `limits`, which a host has; `undefined` if none has. Takes time that grows with the number of rules. */
  patternOf(limits: HostLimits, limit: keyof HostLimits): string | undefined {
    for (const rule of this.#rules.values())
      if (rule.limits === limits) return rule.given[limit] === undefined ? undefined : rule.pattern;
    return undefined;
  }

  /** The agent's own limits were changed: rules that leave these to the agent follow. `inUse`: what the function gave. */
  refresh(inUse: Iterable<HostLimits>): void {
    for (const { given, limits } of this.#rules.values()) {
      Object.assign(limits, resolveLimits(given, this.#defaults));
    }
    if (!this.#function) return;
    for (const limits of inUse) {
      const given = this.#givenByFunction.get(limits);
      if (given) Object.assign(limits, resolveLimits(given, this.#defaults));
    }
  }

  /** @throws if it asks for more connections to be kept ready than it allows */
  #rule(pattern: string, name: string, { network, single }: Pattern, given: GivenLimits): Rule {
    const limits = resolveLimits(given, this.#defaults);
    this.#checkReady(`${name}.`, given, limits);
    return { pattern, name, network, single, given, limits };
  }

  #checkReady(prefix: string, { minFreeSockets = 0 }: GivenLimits, limits: HostLimits): void {
    checkMinFreeSockets(prefix, { ...this.#defaults, ...limits, minFreeSockets });
  }

  #find(host: string, port: number): Rule | undefined {
    for (const key of keysFor(host, port)) {
      const rule = this.#rules.get(key);
      if (rule) return rule;
    }
    const byNetwork = this.#networks.find(({ network }) => network?.contains(host));
    if (byNetwork) return byNetwork;
    for (const key of keysForAny(port)) {
      const rule = this.#rules.get(key);
      if (rule) return rule;
    }
    return undefined;
  }

  /** @param released places that are reserved so far and will not be any more */
  #checkReserve({ given, name }: Rule, released: number): void {
    const left = Math.max(0, this.#defaults.maxTotalSockets - 1 - this.#reserved + released);
    const reserve = given.reserve ?? 0;
    if (reserve <= left) return;
    const expected = `at most ${left}: what maxTotalSockets and other rules leave, less one place for everybody`;
    throw outOfRange(`${name}.reserve`, expected, reserve);
  }

  /** Puts a rule in the place of that with the same pattern. In constant time, but for networks: there may be thousands. */
  #put(key: string, rule: Rule | undefined): void {
    const before = this.#rules.get(key);
    if (rule) this.#rules.set(key, rule);
    else this.#rules.delete(key);
    this.#reserved += reserveOf(rule) - reserveOf(before);
    if (rule?.network || before?.network) this.#sortNetworks();
  }

  #sortNetworks(): void {
    this.#networks = [...this.#rules.values()]
      .filter(({ network }) => network)
      .toSorted((a, b) => (b.network?.prefix ?? 0) - (a.network?.prefix ?? 0));
  }
}

function reserveOf(rule: Rule | undefined): number {
  return rule?.given.reserve ?? 0;
}
