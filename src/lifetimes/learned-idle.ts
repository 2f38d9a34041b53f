/**
 * Learns how long a host keeps idle connections: the least age at which it was seen to close one. It takes a few numbers per host, and depends on
 * events alone.
 *
 * The age may be too low: a server that restarts closes connections of every age. So the limit rises slowly: by half, whenever several
 * connections in a row were older than it and still open.
 *
 * Some servers answer and close without saying so: a request is lost on a connection that was hardly idle. Then no age is safe. A connection
 * that is closed after each answer can prove nothing, so this ends by time: after 10 s, and after twice as long for each relapse, up to 10
 * minutes. Losses within that time are one relapse. It ends at once when several connections in a row have served one more request.
 */

/** The number of connections in a row that must outlive the limit before it is raised. */
export const SURVIVALS = 8;
const GROWTH = 1.5;

/** The margin below the limit is a quarter of it, within these bounds, in milliseconds. */
export const MIN_MARGIN = 10;
export const MAX_MARGIN = 1000;

/** Milliseconds for which no age is safe: after the first loss, and at most. */
export const FIRST_DISTRUST = 10_000;
export const MAX_DISTRUST = 600_000;

export class LearnedIdle {
  /** The age, in milliseconds, at which the host is believed to close. */
  limit = Infinity;
  /** Connections that have outlived the limit since a connection was closed by the host. */
  #survivals = 0;
  /** The milliseconds of the last distrust, and the time at which it ends. */
  #distrust = 0;
  #distrustedUntil = -Infinity;
  /** Connections in a row that have served one more request at once. */
  #kept = 0;

  /** The age up to which a connection is safe: the limit, less a margin for the round trip and for variation of the server. */
  get safeAge(): number {
    const margin = Math.min(Math.max(this.limit / 4, MIN_MARGIN), MAX_MARGIN);
    return Math.max(0, this.limit - margin);
  }

  /** The host closed a connection that had been idle for `age` milliseconds. */
  closedAt(age: number): void {
    this.#survivals = 0;
    if (age < this.limit) this.limit = age;
  }

  /** At `now`, the host was found to have closed a connection right after an answer, when a request was lost on it. */
  closedAtOnce(now: number): void {
    this.#kept = 0;
    if (this.isDistrusted(now)) return;
    this.#distrust = Math.min(Math.max(2 * this.#distrust, FIRST_DISTRUST), MAX_DISTRUST);
    this.#distrustedUntil = now + this.#distrust;
  }

  /** Whether no connection is safe, however soon it is used again. */
  isDistrusted(now: number): boolean {
    return now < this.#distrustedUntil;
  }

  /** A connection has served a request that was not its first. */
  servedAgain(): void {
    if (this.#distrust === 0 || ++this.#kept < SURVIVALS) return;
    this.#distrust = 0;
    this.#distrustedUntil = -Infinity;
    this.#kept = 0;
  }

  /** A connection was still open after `age` milliseconds. */
  survived(age: number): void {
    if (age <= this.limit || ++this.#survivals < SURVIVALS) return;
    this.#survivals = 0;
    this.limit = Math.min(age, Math.max(this.limit * GROWTH, this.limit + MIN_MARGIN));
  }
}
