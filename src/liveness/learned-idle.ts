/**
 * What a host teaches about how long it keeps idle connections: the least age at which it was seen to close one. Two
 * numbers a host, whatever happens; the same events always teach the same.
 *
 * A lesson may be wrong: a server that restarts closes connections of every age. So it is unlearned, slowly: when
 * several connections in a row were older than that and still open, the limit is raised by half, and so on.
 */

/** Connections in a row that have to outlive the limit before it is raised. */
export const SURVIVALS = 8;
const GROWTH = 1.5;

/** The least and the most that we stay below the limit, in milliseconds; in between it is a quarter. */
export const MIN_MARGIN = 10;
export const MAX_MARGIN = 1000;

export class LearnedIdle {
  /** The age, in milliseconds, at which the host is believed to close. */
  limit = Infinity;
  /** Connections that have outlived the limit since a connection was closed by the host. */
  #survivals = 0;

  /** The age up to which a connection is safe: the limit, less a margin for the way there and the server's haste. */
  get safeAge(): number {
    const margin = Math.min(Math.max(this.limit / 4, MIN_MARGIN), MAX_MARGIN);
    return Math.max(0, this.limit - margin);
  }

  /** The host closed a connection that had been idle for `age` milliseconds. */
  closedAt(age: number): void {
    this.#survivals = 0;
    if (age < this.limit) this.limit = age;
  }

  /** A connection was still open after `age` milliseconds. */
  survived(age: number): void {
    if (age <= this.limit || ++this.#survivals < SURVIVALS) return;
    this.#survivals = 0;
    this.limit = Math.min(age, Math.max(this.limit * GROWTH, this.limit + MIN_MARGIN));
  }
}
