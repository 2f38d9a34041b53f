/** The faults to play. Plain data, which is sent to another thread or process. */
import type { HandshakeFault } from './handshake-faults.js';
import type { IdleFault } from './idle-faults.js';
import type { RequestFault } from './request-faults.js';

export interface FaultPlan {
  /** Decides everything that is left to chance. The fault of a request depends on the seed, its id and how often it came. */
  readonly seed: number;
  /** The probability of each fault in place of an answer. */
  readonly requests?: Partial<Record<RequestFault, number>>;
  /** The probability of what befalls a connection that is idle after an answer. */
  readonly idle?: Partial<Record<IdleFault, number>>;
  /** Milliseconds after which it does, the least and the most. Default: 20 to 200. */
  readonly idleAfter?: readonly [number, number];
  /** The probability of what befalls a connection before TLS is established, or with it. */
  readonly handshakes?: Partial<Record<HandshakeFault, number>>;
  /** The value of the `Keep-Alive` header of every response. Default: none. */
  readonly hint?: string;
  /** The most bytes of filler in a body. Default: 200. */
  readonly filler?: number;
}

/**
 * A request may say itself what shall happen to it, whatever the plan says:
 *
 * - `x-fault: NAME` or `x-fault: NAME TIMES`: it meets that fault the first TIMES times that it comes (default: 1);
 * - `x-idle: NAME MS`: that is what happens to its connection when it has been idle for so long after the answer;
 * - `x-hint: VALUE`: the answer's `Keep-Alive` header.
 *
 * Then nothing else happens to it or its connection, unless the plan names it for all connections.
 */
export const DIRECTIVES = { fault: 'x-fault', idle: 'x-idle', hint: 'x-hint' } as const;

/** The statistics of a server. */
export interface FaultStatistics {
  /** TCP connections accepted. */
  readonly accepted: number;
  /** TLS connections established, and those of them that resumed a session. */
  readonly connections: number;
  readonly resumed: number;
  /** TCP connections that are open. */
  readonly open: number;
  /** Requests whose head came, whatever became of them. */
  readonly requests: number;
  readonly byMethod: Readonly<Record<string, number>>;
  /** How often the head of each request came, by id, where that is more than once. */
  readonly repeated: Readonly<Record<string, number>>;
  /** Repeated requests, by method. */
  readonly repeatedByMethod: Readonly<Record<string, number>>;
  /** How often each fault was played. */
  readonly faults: Readonly<Record<string, number>>;
}
