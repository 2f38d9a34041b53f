/**
 * Types of the values that the pool carries for its driver and never reads. One type parameter for all of them keeps the pool's
 * signatures readable.
 */
export interface Kinds {
  /** The identity that a host pool stands for: server, trust and client. */
  origin: unknown;
  /** The real connection behind a `Connection`. */
  pooled: unknown;
  /** The real request behind a `Waiter`. */
  request: unknown;
  /** The driver's: what it has learned of a host. */
  learned: unknown;
  /** The driver's: the way to a host, directly or through a proxy. */
  route: unknown;
}
