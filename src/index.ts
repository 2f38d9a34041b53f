/** The public surface. */
export { PoolingAgent } from './agent/pooling-agent.js';
export { enableDebug } from './debug.js';
export { PoolQueueError } from './errors.js';
export type {
  ChannelMessages,
  ConnectionCloseMessage,
  ConnectionOpenMessage,
  HostQueueMessage,
  RequestAssignedMessage,
  RequestQueuedMessage,
  RequestRefusedMessage,
  RequestReplayedMessage,
  TlsRotatedMessage,
} from './observe/channels.js';
export type { DurationStats } from './observe/durations.js';
export type { AgentStats, CounterStats, HostStats, StatsOptions } from './observe/stats.js';
export type { Explanation } from './observe/explain.js';
export type { AgentSummary } from './observe/inspect.js';
export type { CloseOptions } from './lifecycle/close.js';
export type { HostLimitOptions } from './limits/host-limits.js';
export type { QueueState } from './limits/saturation.js';
export type { LeakReport, PoolingAgentOptions } from './options/options.js';
export { SessionCache } from './sessions/session-cache.js';
export type {
  SessionCacheOptions,
  SessionCacheStats,
  SessionExportOptions,
  SessionImportOptions,
} from './sessions/session-cache.js';
export type { TlsOptions } from './tls/rotation.js';
