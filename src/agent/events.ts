/** The events of an agent, and of their listeners what TypeScript is to know. */
import type { QueueState } from '../limits/saturation.js';
import type { LeakReport } from '../options/options.js';

/** The agent's events, beside those of Node's. */
export interface PoolingAgentEvents {
  saturated: [state: QueueState];
  drained: [state: QueueState];
  leak: [report: LeakReport];
}

/** The events that every agent of Node's has. Symbols are for those who make up events of their own. */
export type NodeEvent = 'free' | 'keylog' | 'newListener' | 'removeListener' | 'error' | symbol;

export type OwnListener<E extends keyof PoolingAgentEvents> = (...args: PoolingAgentEvents[E]) => void;
// oxlint-disable-next-line typescript/no-explicit-any -- as in Node's typings
export type AnyListener = (...args: any[]) => void;
