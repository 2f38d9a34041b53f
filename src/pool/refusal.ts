/** Why a request that no connection was free for gets none, with the numbers that decided it. */
export interface Refusal {
  readonly limitedBy: 'maxQueueSize' | 'maxTotalQueueSize' | 'acquireTimeout' | 'closed';
  /** The value of that limit; `0` for `closed`. */
  readonly limit: number;
  /** Requests that wait, this one not counted: at its host, or for `maxTotalQueueSize` at all hosts. */
  readonly waiting: number;
  /** Connections that are in use or being opened, of the same. */
  readonly active: number;
  /** Milliseconds that it was in the queue. */
  readonly waited: number;
}
