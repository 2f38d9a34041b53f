/**
 * Loads a package when it is first needed: a process that only sends a few requests to one host does not pay for it. The build replaces this module, because
 * bundlers do not follow `createRequire`. ARCHITECTURE.md, "What is loaded when", says how.
 */
import { createRequire } from 'node:module';
import type { LRUCache } from 'lru-cache';

const require = createRequire(import.meta.url);

/** Loads now what a process that lives on may need. Here all of it is loaded already. */
export function loadAhead(): void {}

export function loadLruCache(): typeof LRUCache {
  return (require('lru-cache') as { LRUCache: typeof LRUCache }).LRUCache;
}
