/** The public surface. */
export { PoolingAgent } from './agent.js';
export type { LeakReport, PoolingAgentOptions } from './options.js';
export { SessionCache } from './sessions/session-cache.js';
export type {
  SessionCacheOptions,
  SessionCacheStats,
  SessionExportOptions,
  SessionImportOptions,
} from './sessions/session-cache.js';
export type { TlsOptions } from './tls/rotation.js';
