/**
 * Decides the way of connections to a host: directly, or through a proxy. The rule of the host comes first, then the agent's option. It is asked when the agent
 * begins to hold something for a host, and before each dial, because the answer may have changed.
 */
import type { Origin } from '../identity/identity.js';
import type { Protocol } from '../identity/protocol.js';
import { hostAndPort } from '../limits/host-name.js';
import { loadProxyChoice } from '../limits/late.js';
import type { ProxyChoice, ProxyServer } from '../limits/proxy-choice.js';
import type { HostRules } from '../limits/rules.js';
import type { HostLimits } from '../pool/limits.js';
import type { Environment } from './environment.js';
import { loadEnvironment, loadProxyEnv } from './late.js';
import { loadSocks } from './socks-package.js';

/** The proxy of a way. `undefined`: the direct way. */
export type Route = ProxyServer | undefined;

export class Routes {
  readonly #choice: ProxyChoice;
  readonly #rules: HostRules;
  readonly #protocol: Protocol;
  #environment: Environment | undefined = undefined;

  /**
   * @param choice the agent's own option
   * @throws as `check`
   */
  constructor(choice: ProxyChoice, rules: HostRules, protocol: Protocol) {
    this.#protocol = protocol;
    this.#choice = choice;
    this.#rules = rules;
    this.check();
  }

  /** @throws `MODULE_NOT_FOUND` where a proxy is named that needs a package which is not installed */
  check(): void {
    for (const choice of [this.#choice, ...this.#rules.proxies()])
      if (choice.kind === 'fixed' && choice.proxy.protocol.startsWith('socks')) loadSocks();
  }

  /**
   * @param limits the limits of the host, by which its rule is found
   * @throws what the user's function throws, and a coded error for nonsense that it returns or that the environment holds
   */
  of(origin: Origin<unknown>, limits: HostLimits): Route {
    const choice = this.#rules.proxyOf(limits) ?? this.#choice;
    // A Unix socket, or a socket that is given, needs no proxy.
    if (choice.kind === 'direct' || origin.needsNoWay) return undefined;
    if (choice.kind === 'fixed') return choice.proxy;
    const { host, port } = hostAndPort(origin);
    switch (choice.kind) {
      case 'environment':
        return this.#environmentNow().proxyFor(host, port);
      case 'proxyEnv':
        return loadProxyEnv().isBypassed(choice.noProxy, host, port) ? undefined : choice.proxy;
      default: {
        const value = choice.call(host, port, origin.protocol.name);
        return value === undefined || value === null || value === false
          ? undefined
          : loadProxyChoice().returnedProxy(value);
      }
    }
  }

  #environmentNow(): Environment {
    if (!this.#environment) {
      const { Environment: Loaded } = loadEnvironment();
      this.#environment = new Loaded(this.#protocol);
    }
    return this.#environment;
  }
}
