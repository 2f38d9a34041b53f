/**
 * One SecureContext for all connections with the same material. Making one parses every certificate in `ca`: with 150 of them that is most of
 * the cost of a connection. Values that belong to a single connection (server name, session) are not in it.
 *
 * A context is good as long as the material is the same, by content, and Node's own defaults are: they can be changed
 * while the process runs (`tls.setDefaultCACertificates`, `tls.DEFAULT_MIN_VERSION`, …), and then it is made anew. Where others have
 * put functions of their own in the place of Node's, there is no context to share: see connect-functions.ts.
 */
import { LRUCache } from 'lru-cache';
// Not by name: what is assigned to a default later would not be seen.
import tls from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { areConnectFunctionsOwn } from '../node/connect-functions.js';
import { ContextDefaults } from './context-defaults.js';
import { CONTEXT_OPTIONS, contextValuesOf } from '../identity/profile.js';
import type { ProfileValues } from '../identity/profile.js';
import { scrub } from '../identity/secrets.js';
import { same } from '../identity/option-value.js';

interface Made {
  readonly context: SecureContext;
  readonly defaults: ContextDefaults;
}

/** The key of a context: the values of the first profile that asked for it. */
type Material = ProfileValues;

export class SecureContexts {
  readonly #made: LRUCache<Material, Made>;
  /** Profiles that differ only in other options have the same material. */
  readonly #materialOf = new WeakMap<ProfileValues, Material>();

  /** @param max contexts kept; beyond that the least recently used goes. Connections keep theirs. */
  constructor(max: number) {
    // By size: `max` would take memory for all of them at once, and could not be Infinity.
    this.#made = new LRUCache({ maxSize: Math.min(max, Number.MAX_SAFE_INTEGER), sizeCalculation: () => 1 });
  }

  get size(): number {
    return this.#made.size;
  }

  /**
   * The context for connections with a profile of these values, made from `options` when there is none yet. `undefined`: each
   * connection has to be opened with the options themselves.
   *
   * @throws what `tls.createSecureContext` throws for bad material, each time anew
   */
  get(values: ProfileValues, options: SecureContextOptions): SecureContext | undefined {
    if (!areConnectFunctionsOwn()) {
      this.#made.clear();
      return undefined;
    }
    const material = this.#find(values);
    const made = this.#made.get(material);
    if (made?.defaults.holds) return made.context;
    const context = createContext(options);
    this.#made.set(material, { context, defaults: new ContextDefaults(!values.get('ca')) });
    this.#materialOf.set(values, material);
    return context;
  }

  /**
   * Makes the context for connections that are opened with `options`, where these bring none of their own.
   *
   * @throws what `tls.createSecureContext` throws for bad material
   */
  prepare(options: SecureContextOptions & { secureContext?: unknown }): void {
    if (!options.secureContext)
      this.set(contextValuesOf(options as Record<string, unknown>), createContext(options));
  }

  /** A context that was made already: by Node's own functions, or it is not kept. */
  set(values: ProfileValues, context: SecureContext): void {
    if (!areConnectFunctionsOwn()) return;
    this.#made.set(this.#find(values), { context, defaults: new ContextDefaults(!values.get('ca')) });
  }

  #find(values: ProfileValues): Material {
    let material = this.#materialOf.get(values);
    if (material) return material;
    for (material of this.#made.keys()) {
      if (!CONTEXT_OPTIONS.every((name) => same(material?.get(name), values.get(name)))) continue;
      this.#materialOf.set(values, material);
      return material;
    }
    return values;
  }
}

/** @throws what `tls.createSecureContext` throws for bad material, without any of the material in it */
export function createContext(options: SecureContextOptions): SecureContext {
  try {
    // As in tls.connect; createSecureContext has another default.
    return tls.createSecureContext({ ciphers: tls.DEFAULT_CIPHERS, ...options });
  } catch (error) {
    throw scrub(error, options as Readonly<Record<string, unknown>>);
  }
}
