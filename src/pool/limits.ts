/**
 * The limits that the pool obeys. They are read anew at every decision: change a field, then call `pool.limitsChanged()`.
 */
export type Scheduling = 'lifo' | 'fifo' | 'least-used' | 'random';

/** How long the connections of a host live. In milliseconds. The pool hands these on to its driver. */
export interface Lifetimes {
  /** For how long one may be idle where the server says nothing. */
  idleTimeout: number;
  /** For how long one may be idle, whatever the server says. */
  maxIdleTimeout: number;
  /** The age after which one serves no further request. */
  maxSocketAge: number;
  /** Requests after which one serves no further one. */
  maxRequestsPerSocket: number;
  /** The idle time from which one is validated before it is leased. */
  validateAfterIdle: number;
}

/** The limits of one host. Hosts under the same rule have one object, and hosts under no rule the pool's own `Limits`. */
export interface HostLimits extends Lifetimes {
  /** Connections of one host: connecting, active, idle, and closing until closed. */
  maxSockets: number;
  /** Idle connections of one host. */
  maxFreeSockets: number;
  /** Connections of one host that are to be free at any time. The pool tells of a lack; its owner sees to it. */
  minFreeSockets: number;
  /** Requests of one host that wait and can count on no connection that is already on its way to them. */
  maxQueueSize: number;
  /** Milliseconds that a request may be in the queue. `0`: any time. */
  acquireTimeout: number;
  /** Which idle connection is leased first: the last used one, the longest idle one, the least used one, or any. */
  scheduling: Scheduling;
  /** Places under `maxTotalSockets` that a host gets in its turn. */
  weight: number;
  /** Places under `maxTotalSockets` that are kept for the hosts with this object, all of them together. */
  reserve: number;
}

export interface Limits extends HostLimits {
  /** Connections of all hosts together, counted as those of one host. */
  maxTotalSockets: number;
  /** Idle connections of all hosts together. */
  maxTotalFreeSockets: number;
  /** Waiting requests of all hosts together, counted as those of one host. */
  maxTotalQueueSize: number;
  /** Which of the hosts that wait for a place under `maxTotalSockets` is next. Fixed. */
  readonly fairness: 'round-robin' | 'fifo';
  /** Milliseconds over which it is watched how many idle connections were never needed. `0`: not at all. */
  trimInterval: number;
  /** Whether a connection that no request waits for is kept. */
  keepAlive: boolean;
  /**
   * `eager`: a request that opens a connection is bound to it at once. `late`: no connection is bound before
   * it is ready; then it goes to the head of the queue. Fixed.
   */
  readonly binding: 'eager' | 'late';
  /** Where `scheduling: 'random'` gets its numbers from: 0 to below 1. */
  readonly random: () => number;
}
