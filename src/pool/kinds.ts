/**
 * Types of the things that the pool carries for its driver without ever looking inside. One type parameter instead of four
 * keeps the pool's signatures readable.
 */
export interface Kinds {
  /** The identity that a host pool stands for: where its connections lead, and as whom. */
  origin: unknown;
  /** The real connection behind a `Connection`. */
  pooled: unknown;
  /** The real request behind a `Waiter`. */
  request: unknown;
  /** The driver's knowledge of a host. */
  learned: unknown;
}
