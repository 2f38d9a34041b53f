/**
 * One SecureContext for all connections with the same material. Making a context parses every certificate in `ca`: with 150 of them that is most
 * of the cost of a connection. Values of a single connection (server name, session) are not in it.
 *
 * A context is valid as long as the content of the material and Node's own defaults are the same. The defaults can be changed while the process runs
 * (`tls.setDefaultCACertificates`, `tls.DEFAULT_MIN_VERSION`, …); then the context is made anew. Where Node's functions were replaced, no
 * context is shared: see connect-functions.ts.
 */
// The module object, not its properties: defaults may be assigned later.
import tls from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { areConnectFunctionsOwn } from '../node/connect-functions.js';
import { ContextDefaults } from './context-defaults.js';
import { CONTEXT_OPTIONS, contextValuesOf } from '../identity/profile.js';
import type { ProfileValues } from '../identity/profile.js';
import { RecentlyUsed } from '../recently-used.js';
import { loadSecrets } from '../identity/late.js';
import { same } from '../identity/option-value.js';

interface Made {
  readonly context: SecureContext;
  readonly defaults: ContextDefaults;
}

/** A profile, as far as contexts are concerned. Its options are read only if a context is to be made. */
interface ContextProfile {
  readonly values: ProfileValues;
  readonly contextOptions: SecureContextOptions;
}

/** The key of a context: the values of the first profile that asked for it. */
type Material = ProfileValues;

export class SecureContexts {
  readonly #made: RecentlyUsed<Material, Made>;
  /** Profiles that differ only in other options have the same material. */
  readonly #materialOf = new WeakMap<ProfileValues, Material>();

  /** @param max the number of contexts that are kept; beyond it the least recently used is dropped. Connections keep theirs. */
  constructor(max: number) {
    this.#made = new RecentlyUsed(max);
  }

  get size(): number {
    return this.#made.size;
  }

  /**
   * The context for connections with a profile of these `values`, made from `contextOptions` if there is none yet. `undefined`: each connection must
   * be opened with the options themselves.
   *
   * @throws what `tls.createSecureContext` throws for bad material, each time anew
   */
  get(profile: ContextProfile): SecureContext | undefined {
    if (!areConnectFunctionsOwn()) {
      this.#made.clear();
      return undefined;
    }
    const { values } = profile;
    const material = this.#find(values);
    const made = this.#made.get(material);
    if (made?.defaults.holds) return made.context;
    const context = createContext(profile.contextOptions);
    this.#made.set(material, { context, defaults: new ContextDefaults(!values.get('ca')) });
    this.#materialOf.set(values, material);
    return context;
  }

  /**
   * Makes the context for connections with `options`, unless these have one.
   *
   * @throws what `tls.createSecureContext` throws for bad material
   */
  prepare(options: SecureContextOptions & { secureContext?: unknown }): void {
    if (!options.secureContext)
      this.set(contextValuesOf(options as Record<string, unknown>), createContext(options));
  }

  /** Keeps a context that was made already, if Node's own functions are in place. */
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
    // The default of tls.connect; createSecureContext has another one.
    return tls.createSecureContext({ ciphers: tls.DEFAULT_CIPHERS, ...options });
  } catch (error) {
    throw loadSecrets().scrub(error, options as Readonly<Record<string, unknown>>);
  }
}
