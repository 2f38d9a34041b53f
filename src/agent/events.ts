/** The events of an agent, and the types of their listeners. */
import type { QueueState } from '../limits/saturation.js';
import type { LeakReport } from '../options/leak-report.js';

/** The agent's events, beside those of Node's. */
export interface PoolingAgentEvents {
  /** Requests have to wait for a host: at most once a second for each host. */
  saturated: [state: QueueState];
  /** No request waits for the host any more. */
  drained: [state: QueueState];
  /** A response is not being read: see the option `leakDetectionThreshold`. */
  leak: [report: LeakReport];
}

/** The events of Node's agents. Symbols may name a user's own events. */
export type NodeEvent = 'free' | 'keylog' | 'newListener' | 'removeListener' | 'error' | symbol;

/** A listener of one of the agent's own events. */
export type OwnListener<E extends keyof PoolingAgentEvents> = (...args: PoolingAgentEvents[E]) => void;
/** A listener of any other event. */
// oxlint-disable-next-line typescript/no-explicit-any -- as in Node's typings
export type AnyListener = (...args: any[]) => void;
