/**
 * The lesson that a host teaches about how long it keeps idle connections: the least age at which it was seen to close one. Two
 * numbers a host, whatever happens; the same events always teach the same.
 *
 * A lesson may be wrong: a server that restarts closes connections of every age. So it is unlearned, slowly: when
 * several connections in a row were older than that and still open, the limit is raised by half, and so on.
 *
 * Some servers answer and close without saying so: a request on a connection that was free for no time is lost. Then no age is safe, and
 * because a connection that is closed after each answer can prove nothing, it is time that heals: 10 s, and twice as long after each
 * relapse, up to 10 minutes. Losses within that time are one relapse. It is forgotten altogether when several connections in a row have
 * served one more request.
 */

/** Connections in a row that have to outlive the limit before it is raised. */
export const SURVIVALS = 8;
const GROWTH = 1.5;

/** The least and the most that we stay below the limit, in milliseconds; in between it is a quarter. */
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
  /** For how long it was distrusted last, in milliseconds, and until when it is. */
  #distrust = 0;
  #distrustedUntil = -Infinity;
  /** Connections in a row that have served one more request at once. */
  #kept = 0;

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
