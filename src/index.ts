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
export type { Scheduling } from './pool/limits.js';
export type { Refusal } from './pool/refusal.js';
export type { PoolingAgentEvents } from './agent/events.js';
export type { AgentRequest, SocketLike } from './node/types.js';
export type { Deliver } from './requests/pending-request.js';
export type { SealKey } from './sessions/seal.js';
export type { TicketReuse } from './sessions/tickets.js';
export type { AgentSummary } from './observe/inspect.js';
export type { CloseOptions } from './lifecycle/close.js';
export type { PreconnectOptions, PreconnectResult } from './lifecycle/preconnect.js';
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

/** An option that this agent adds to those of requests: see the README on the queue. */
declare module 'http' {
  interface RequestOptions {
    /**
     * How urgent the request is, if it has to wait in a `PoolingAgent` for a connection: 0 (the most urgent) to 7, as in RFC 9218. Other agents ignore it.
     * Default: `3`.
     */
    priority?: number | undefined;
  }
}
