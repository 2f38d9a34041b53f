/**
 * One SecureContext for all connections with the same material. Making one parses every certificate in `ca`: with 150 of them that is most of
 * what a connection costs. What belongs to a single connection (server name, session) is not in it.
 */
import { LRUCache } from 'lru-cache';
import { createSecureContext, DEFAULT_CIPHERS } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';

export class SecureContexts {
  readonly #contexts: LRUCache<number, SecureContext>;

  /** @param max contexts kept; beyond that the least recently used goes. Connections keep theirs. */
  constructor(max: number) {
    this.#contexts = new LRUCache({ max });
  }

  get size(): number {
    return this.#contexts.size;
  }

  /**
   * The context of that id, made from `options` when there is none yet.
   *
   * @throws what `tls.createSecureContext` throws for bad material, each time anew
   */
  get(id: number, options: SecureContextOptions): SecureContext {
    let context = this.#contexts.get(id);
    if (!context) {
      // As in tls.connect; createSecureContext has another default.
      context = createSecureContext({ ciphers: DEFAULT_CIPHERS, ...options });
      this.#contexts.set(id, context);
    }
    return context;
  }
}
