/**
 * The rules of the option `hosts`, and those that were set later: their checks, and which of them applies to a host. Pure. `HostRules` says what its
 * methods promise.
 */
import { inspect } from 'node:util';
import { invalidType, invalidValue, outOfRange } from '../errors.js';
import type { HostLimits, Limits } from '../pool/limits.js';
import { parseHostLimits, resolveLimits } from './host-limits.js';
import type { GivenLimits, HostLimitOptions } from './host-limits.js';
import { normalizeHost, withPort } from './host-name.js';
import { keysFor, keysForAny, parsePattern } from './pattern.js';
import type { Network, Pattern } from './pattern.js';
import type { ProxyChoice } from './proxy-choice.js';
import { checkMinFreeSockets } from './shared-checks.js';

interface Rule {
  readonly pattern: string;
  /** Its name in errors. */
  readonly name: string;
  /** Of hosts of that protocol alone. */
  readonly protocol: string | undefined;
  readonly network: Network | undefined;
  readonly single: Pattern['single'];
  readonly given: GivenLimits;
  /** One object for all hosts of the rule. */
  readonly limits: HostLimits;
}

interface Parsed extends Pattern {
  readonly protocol: string | undefined;
}

type LimitsOf = (host: string, port: number, protocol: string) => HostLimitOptions | undefined;

/**
 * The protocols of the hosts that come: those of `one`; or of `both`, so that a pattern may name one; or those of one in a `copy` of an agent: that may be one of two
 * over one pool, and its patterns may name either.
 */
export type Protocols = 'both' | 'copy' | 'one';

/** A pattern with a protocol before it, for hosts of that protocol alone. */
const WITH_PROTOCOL = /^(https?:)\/\/(.*)$/i;

/** A host whose own rule asks for connections to be kept ready. The port is `undefined` if the rule is for any. */
export interface KeptHost {
  readonly host: string;
  readonly port: number | undefined;
}

export class GivenRules {
  readonly #defaults: Limits;
  readonly #function: LimitsOf | undefined;
  readonly #protocols: Protocols;
  /** The rules, by the keys of their patterns. */
  readonly #rules = new Map<string, Rule>();
  /** The sum of their `reserve`. */
  #reserved = 0;
  /** The rules for networks, the longest prefix first. */
  #networks: readonly Rule[] = [];
  /** The limits that the `hosts` function gave. Those that it left to the agent follow when the agent's own are changed. */
  readonly #givenByFunction = new WeakMap<HostLimits, GivenLimits>();
  /** The proxies of rules, and of results of the function, by their limits. */
  readonly #proxies = new WeakMap<HostLimits, ProxyChoice>();

  constructor(hosts: unknown, defaults: Limits, protocols: Protocols) {
    this.#defaults = defaults;
    this.#protocols = protocols;
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
      const parsed = this.#parse(pattern, name);
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

  get isEmpty(): boolean {
    return this.#rules.size === 0 && !this.#function;
  }

  get reserving(): HostLimits[] {
    if (this.#reserved === 0) return [];
    return [...this.#rules.values()].map(({ limits }) => limits).filter(({ reserve }) => reserve > 0);
  }

  keptReady(protocol: string): KeptHost[] {
    const kept: KeptHost[] = [];
    for (const rule of this.#rules.values()) {
      const { given, single } = rule;
      // Where there are hosts of both, a rule that names neither does not say which one is to be dialled.
      const isOf = rule.protocol === protocol || (this.#protocols !== 'both' && rule.protocol === undefined);
      if (single && isOf && (given.minFreeSockets ?? 0) > 0) kept.push(single);
    }
    return kept;
  }

  limitsFor(host: string, port: number, protocol: string): HostLimits {
    if (this.isEmpty) return this.#defaults;
    const normalized = normalizeHost(host);
    const rule = this.#find(normalized, port, protocol);
    if (rule) return rule.limits;
    const options = this.#function?.(normalized, port, protocol);
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
    if (given.proxy) this.#proxies.set(limits, given.proxy);
    return limits;
  }

  set(pattern: unknown, options: unknown): () => void {
    if (typeof pattern !== 'string') throw invalidType('pattern', 'of type string', pattern);
    const parsed = this.#parse(pattern, 'pattern');
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

  proxyOf(limits: HostLimits): ProxyChoice | undefined {
    return this.#proxies.get(limits);
  }

  *proxies(): Generator<ProxyChoice, void, undefined> {
    for (const { given } of this.#rules.values()) if (given.proxy) yield given.proxy;
  }

  boundsAt(host: string, port: number): HostLimits | undefined {
    const rule = this.#rules.get(withPort(normalizeHost(host), port));
    return rule?.given.maxSockets === undefined ? undefined : rule.limits;
  }

  patternOf(limits: HostLimits, limit: keyof HostLimits): string | undefined {
    for (const rule of this.#rules.values())
      if (rule.limits === limits) return rule.given[limit] === undefined ? undefined : rule.pattern;
    return undefined;
  }

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

  /** @throws if the rule asks for more connections to be kept ready than it allows */
  #rule(pattern: string, name: string, { network, protocol, single }: Parsed, given: GivenLimits): Rule {
    const limits = resolveLimits(given, this.#defaults);
    this.#checkReady(`${name}.`, given, limits);
    if (given.proxy) this.#proxies.set(limits, given.proxy);
    return { pattern, name, protocol, network, single, given, limits };
  }

  #checkReady(prefix: string, { minFreeSockets = 0 }: GivenLimits, limits: HostLimits): void {
    checkMinFreeSockets(prefix, { ...this.#defaults, ...limits, minFreeSockets });
  }

  #find(host: string, port: number, protocol: string): Rule | undefined {
    for (const key of keysFor(host, port)) {
      const rule = this.#at(key, protocol);
      if (rule) return rule;
    }
    const byNetwork = this.#networks.find(
      (rule) => (rule.protocol ?? protocol) === protocol && rule.network?.contains(host),
    );
    if (byNetwork) return byNetwork;
    for (const key of keysForAny(port)) {
      const rule = this.#at(key, protocol);
      if (rule) return rule;
    }
    return undefined;
  }

  #at(key: string, protocol: string): Rule | undefined {
    if (this.#protocols === 'one') return this.#rules.get(key);
    return this.#rules.get(`${protocol}//${key}`) ?? this.#rules.get(key);
  }

  /** @throws `ERR_INVALID_ARG_VALUE` */
  #parse(pattern: string, name: string): Parsed {
    const [, before, rest] = (this.#protocols !== 'one' && WITH_PROTOCOL.exec(pattern)) || [];
    if (before === undefined || rest === undefined)
      return { ...parsePattern(pattern, name), protocol: undefined };
    const protocol = before.toLowerCase();
    const parsed = parsePattern(rest, name);
    return { ...parsed, key: `${protocol}//${parsed.key}`, protocol };
  }

  /** @param released slots that are reserved so far and will not be any more */
  #checkReserve({ given, name }: Rule, released: number): void {
    const left = Math.max(0, this.#defaults.maxTotalSockets - 1 - this.#reserved + released);
    const reserve = given.reserve ?? 0;
    if (reserve <= left) return;
    const expected = `at most ${left}: what maxTotalSockets and other rules leave, less one connection for all other hosts`;
    throw outOfRange(`${name}.reserve`, expected, reserve);
  }

  /** Replaces the rule with the same pattern. In constant time, except for networks: there may be thousands of rules. */
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
      .toSorted((a, b) => rankOf(b) - rankOf(a));
  }
}

/** The longest prefix first, and of two with the same the one that names a protocol. */
function rankOf({ network, protocol }: Rule): number {
  return (network?.prefix ?? 0) + (protocol === undefined ? 0 : 0.5);
}

function reserveOf(rule: Rule | undefined): number {
  return rule?.given.reserve ?? 0;
}
