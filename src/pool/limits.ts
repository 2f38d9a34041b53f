/** What the pool obeys. Read anew at every decision: change a field, then call `pool.limitsChanged()`. */
export interface Limits {
  /** Connections of one host: connecting, active, idle, and closing until closed. */
  maxSockets: number;
  /** Connections of all hosts together, counted likewise. */
  maxTotalSockets: number;
  /** Idle connections of one host. */
  maxFreeSockets: number;
  /** Which idle connection is leased first: the last used one, or the longest idle one. */
  scheduling: 'lifo' | 'fifo';
  /** Whether a connection that nobody waits for is kept. */
  keepAlive: boolean;
  /**
   * `eager`: a request that opens a connection is bound to it at once. `late`: no connection is bound before
   * it is ready; then it goes to the head of the queue.
   */
  binding: 'eager' | 'late';
}
