/**
 * The properties of an agent: limits and durations, which may be changed at any time (options/live-options.ts sees to that), and a few that Node's
 * agents have.
 */
import type { Scheduling } from '../pool/limits.js';

export interface AgentProperties {
  /** The port of requests that name none. Default: that of the protocol. */
  defaultPort: number;
  /** The protocol of requests that name none, and the only one that they may name. Default: `'https:'`, or `'http:'` without TLS. */
  protocol: string;
  /** Whether connections are kept open when no request waits for them. Default: `true`. */
  keepAlive: boolean;
  /** Idle connections kept per host. `0` keeps none. Default: `256`. */
  maxFreeSockets: number;
  /** Connections of all hosts: connecting, active, idle and closing together. `0` pauses the agent. Default: `Infinity`. */
  maxTotalSockets: number;
  /** Connections per host: connecting, active, idle and closing together. `0` pauses all hosts. Default: `Infinity`. */
  maxSockets: number;
  /** Delay before the first TCP keep-alive probe, in milliseconds. `0` and `Infinity`: the system's. Default: `1000`. */
  keepAliveMsecs: number;
  /** The order in which idle connections are used: see `PoolingAgentOptions.scheduling`. Default: `'lifo'`. */
  scheduling: Scheduling;
  /** Idle connections kept of all hosts together. `0` keeps none. Default: `Infinity`. */
  maxTotalFreeSockets: number;
  /** Idle connections that are kept ready: see `PoolingAgentOptions.minFreeSockets`. Default: `0`. */
  minFreeSockets: number;
  /** Requests per host that may wait. One more is refused with `ERR_POOL_QUEUE_FULL`. `0`: none may wait. Default: `Infinity`. */
  maxQueueSize: number;
  /** Requests of all hosts together that may wait. Default: `Infinity`. */
  maxTotalQueueSize: number;
  /** Milliseconds that a request may wait in the queue; then it ends with `ERR_POOL_ACQUIRE_TIMEOUT`. `0`: no limit. Default: `0`. */
  acquireTimeout: number;
  /** Milliseconds after which surplus idle connections of a host in use are closed. `0`: never. Default: `60000`. */
  trimInterval: number;
  /** Milliseconds by which the idle time stays below the time that the server names: the option `keepAliveTimeoutBuffer`. Default: `1000`. */
  agentKeepAliveTimeoutBuffer: number;
  /** Connections: connecting, active, idle and closing. */
  readonly totalSocketCount: number;
  /** The option `name`. */
  readonly name: string | undefined;
}
