/** The reason for which a request is refused, with the numbers that decided it. */
export interface Refusal {
  /** The limit that was reached, or that the agent is closed. */
  readonly limitedBy: 'maxQueueSize' | 'maxTotalQueueSize' | 'acquireTimeout' | 'closed';
  /** The value of that limit; `0` for `closed`. */
  readonly limit: number;
  /** Requests that wait, this one not counted: at its host, or for `maxTotalQueueSize` at all hosts. */
  readonly waiting: number;
  /** Connections that are in use or being opened: at its host, or at all hosts. */
  readonly active: number;
  /** Milliseconds that the request was in the queue. */
  readonly waited: number;
}
