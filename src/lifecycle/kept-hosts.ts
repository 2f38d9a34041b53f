/**
 * The hosts of one agent that are kept ready: those with a rule of their own from the beginning, others from their first request until they have not
 * been used for a while. A host is kept by its options, and looked up by these again when TLS options may have changed.
 */
import type { AgentPool, Host } from '../connections/agent-pool.js';
import { SpareRequest } from '../connections/dials/spare-request.js';
import type { Options } from '../identity/identity.js';
import { KeptHost } from './kept-host.js';

/** Options of a request that are about the request alone. */
const OF_A_REQUEST = ['agent', 'auth', 'headers', 'method', 'path', 'priority', 'signal', 'timeout'] as const;

export class KeptHosts {
  readonly #pool: AgentPool;
  readonly #kept = new Set<KeptHost>();
  readonly #byHost = new WeakMap<Host, KeptHost>();
  /** Hosts with a rule of their own, by `host:port`. */
  readonly #byRule = new Map<string, KeptHost>();
  /** Options of hosts with a function that was never seen before: it may belong to a single request. */
  readonly #onProbation = new WeakMap<Host, Options>();

  constructor(pool: AgentPool) {
    this.#pool = pool;
  }

  [Symbol.iterator](): Iterator<KeptHost> {
    return this.#kept.values();
  }

  /** A connection to `host` is opened for a request with `options`. `undefined`: it is not to be kept ready. */
  use(host: Host, options: Options): KeptHost | undefined {
    let kept = this.#byHost.get(host);
    if (!kept) {
      if (options['agent'] === false) return undefined;
      if (host.origin.profile.onProbation) {
        this.#onProbation.set(host, options);
        return undefined;
      }
      const own: Record<string, unknown> = Object.assign(Object.create(null), options);
      for (const name of OF_A_REQUEST) Reflect.deleteProperty(own, name);
      const { servername } = host.origin;
      if (servername !== undefined) own['servername'] = servername;
      kept = new KeptHost(own, false);
      this.#byHost.set(host, kept);
    }
    this.#kept.add(kept);
    return kept;
  }

  /** Hot path where a host has a `minFreeSockets`. */
  of(host: Host): KeptHost | undefined {
    return this.#byHost.get(host);
  }

  /** Ends the probation of a host and returns its options: a second request has come with the same function. */
  admit(host: Host): Options | undefined {
    const options = this.#onProbation.get(host);
    if (!options || host.origin.profile.onProbation) return undefined;
    this.#onProbation.delete(host);
    return options;
  }

  has(kept: KeptHost): boolean {
    return this.#kept.has(kept);
  }

  delete(kept: KeptHost): void {
    this.#kept.delete(kept);
  }

  /** Forgets all hosts. */
  clear(): void {
    this.#kept.clear();
  }

  /** Reads the rules, which are new or have changed. */
  obeyRules(): void {
    const before = new Set(this.#byRule.keys());
    const { defaultPort } = this.#pool.protocol;
    for (const { host, port = defaultPort } of this.#pool.spares.keptReady) {
      const name = `${host} ${port}`;
      before.delete(name);
      let kept = this.#byRule.get(name);
      if (!kept) {
        kept = new KeptHost(Object.assign(Object.create(null), { host, port, path: null }), true);
        this.#byRule.set(name, kept);
      }
      this.#kept.add(kept);
    }
    for (const name of before) {
      const kept = this.#byRule.get(name);
      if (kept) this.#kept.delete(kept);
      this.#byRule.delete(name);
    }
  }

  /** The host of `kept`, by the current TLS options. `undefined`: there is none, or another kept host stands for it; then `kept` is dropped. */
  hostOf(kept: KeptHost): Host | undefined {
    try {
      const host = this.#pool.spares.hostFor(
        new SpareRequest(this.#pool.protocol, kept.options, undefined, false),
      );
      const other = this.#byHost.get(host);
      if (other && other !== kept && this.#kept.has(other)) {
        // After a change of TLS options, two kept hosts may have become the same host.
        if (!kept.hasRule) {
          other.usedAt = Math.max(other.usedAt, kept.usedAt);
          this.#kept.delete(kept);
          return undefined;
        }
        this.#kept.delete(other);
      }
      this.#byHost.set(host, kept);
      return host;
    } catch {
      this.#kept.delete(kept);
      return undefined;
    }
  }
}
