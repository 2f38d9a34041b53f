/** The public surface. */
export { createAgents } from './agent/agents.js';
export type { AgentsOptions, PoolingAgents } from './agent/agents.js';
export { PoolingHttpAgent } from './agent/http-agent.js';
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
export type { AddressStats, AgentStats, CounterStats, HostStats, StatsOptions } from './observe/stats.js';
export type { Explanation } from './observe/explain.js';
export type { CloseReason } from './pool/close-reason.js';
export type { ConnectPhase, CountedReason, RefusalCount } from './pool/counters.js';
export type { Scheduling } from './pool/limits.js';
export type { Refusal } from './pool/refusal.js';
export type { AnyListener, NodeEvent, OwnListener, PoolingAgentEvents } from './agent/events.js';
export type { AgentRequest, SocketLike } from './node/types.js';
export type { Deliver } from './requests/pending-request.js';
export type { SealKey } from './sessions/seal.js';
export type { TicketReuse } from './sessions/tickets.js';
export type { AgentSummary } from './observe/inspect.js';
export type { CloseOptions } from './lifecycle/close.js';
export type { PreconnectOptions, PreconnectResult } from './lifecycle/preconnect.js';
export type { DnsOptions } from './options/dns-option.js';
export type { HostLimitOptions } from './limits/host-limits.js';
export type { QueueState } from './limits/saturation.js';
export type { LeakReport } from './options/leak-report.js';
export type { PoolingHttpAgentOptions } from './options/http-options.js';
export type { PoolingAgentOptions } from './options/options.js';
export type { ProxyHeaders, ProxyOption, ProxyOptions, ProxyValue } from './limits/proxy-choice.js';
export type { ProxyTunnelError } from './egress/proxy-errors.js';
export { SessionCache } from './sessions/session-cache.js';
export type {
  SessionCacheOptions,
  SessionCacheStats,
  SessionExportOptions,
  SessionImportOptions,
} from './sessions/session-cache.js';
export type { TlsOptions } from './tls/rotation.js';

/** An option that this agent adds to those of requests: see docs/limits-and-queue.md. */
declare module 'http' {
  interface RequestOptions {
    /**
     * How urgent the request is, if it has to wait in a `PoolingAgent` for a connection: 0 (the most urgent) to 7, as in RFC 9218. Other agents ignore it.
     * Default: `3`.
     */
    priority?: number | undefined;
  }
}
