/**
 * The limits that the pool obeys. The pool reads them at every decision: change a field, then call `pool.limitsChanged()`.
 */
export type Scheduling = 'lifo' | 'fifo' | 'least-used' | 'random';

/** The limits on the life of a host's connections, of which times are in milliseconds. The pool hands these on to its driver. */
export interface Lifetimes {
  /** How long a connection may be idle where the server names no time. */
  idleTimeout: number;
  /** How long a connection may be idle at most, whatever the server says. */
  maxIdleTimeout: number;
  /** The age after which a connection serves no further request. */
  maxSocketAge: number;
  /** The number of requests that a connection serves. */
  maxRequestsPerSocket: number;
  /** The idle time from which a connection is validated before it is leased. */
  validateAfterIdle: number;
}

/** The limits of one host. Hosts under the same rule have one object, and hosts under no rule the pool's own `Limits`. */
export interface HostLimits extends Lifetimes {
  /** Connections of one host: connecting, active, idle, and closing until closed. */
  maxSockets: number;
  /** Idle connections of one host. */
  maxFreeSockets: number;
  /** Connections of one host that are to be free at any time. The pool tells when there are fewer (`Driver.short`); lifecycle/ opens them. */
  minFreeSockets: number;
  /** Requests of one host that wait and can count on no connection that is being opened or validated. */
  maxQueueSize: number;
  /** Milliseconds that a request may be in the queue. `0`: any time. */
  acquireTimeout: number;
  /** The order in which idle connections are leased: the last used one first, the longest idle one, the least used one, or any. */
  scheduling: Scheduling;
  /** Slots under `maxTotalSockets` that a host gets in its turn. */
  weight: number;
  /** Slots under `maxTotalSockets` that are kept for the hosts with this object, all of them together. */
  reserve: number;
}

export interface Limits extends HostLimits {
  /** Connections of all hosts together, counted as those of one host. */
  maxTotalSockets: number;
  /** Idle connections of all hosts together. */
  maxTotalFreeSockets: number;
  /** Waiting requests of all hosts together, counted as those of one host. */
  maxTotalQueueSize: number;
  /** The order in which hosts that wait for a slot under `maxTotalSockets` get one. Fixed. */
  readonly fairness: 'round-robin' | 'fifo';
  /** Milliseconds over which idle connections that are never needed are counted; these are closed then. `0`: never. */
  trimInterval: number;
  /** Whether a connection that no request waits for is kept. */
  keepAlive: boolean;
  /**
   * `eager`: a request that opens a connection is bound to it at once. `late`: no connection is bound before
   * it is ready; then it goes to the head of the queue. Fixed.
   */
  readonly binding: 'eager' | 'late';
  /** The random numbers for `scheduling: 'random'`: 0 to below 1. */
  readonly random: () => number;
}
