/**
 * Remembers answers for a time. Pure: the clock is handed in.
 *
 * - For `ttl` an answer is fresh.
 * - For as long again it is still used, while a new one is fetched: a name that is dialled all the time never waits.
 * - If fetching has failed, it is used until it is older than `ttl` and `maxStale` together (RFC 8767).
 * - A name that does not exist is remembered for `ttl`, at most a second. A failure of the resolver itself is not: the next request may have more luck.
 *
 * Beyond `maxEntries` the name that was asked for longest ago is forgotten.
 */
import { RecentlyUsed } from '../../recently-used.js';
import type { Answer } from './addresses.js';

export interface CachePolicy {
  /** Milliseconds. */
  readonly ttl: number;
  /** Milliseconds; may be `Infinity`. */
  readonly maxStale: number;
  /** At least 1; may be `Infinity`. */
  readonly maxEntries: number;
}

/** Milliseconds: the longest time for which a failure is remembered, and the shortest between two tries in the background. */
export const FAILURE_TTL = 1000;

/** The answer and the failure of one question. `L` is the type of a look-up that is under way. */
export class Entry<L> {
  answer: Answer | undefined = undefined;
  answeredAt = -Infinity;
  /** The failure of the last look-up. */
  failure: { readonly error: unknown; readonly isDefinite: boolean } | undefined = undefined;
  failedAt = -Infinity;
  lookup: L | undefined = undefined;
}

/**
 * - `fresh`: the answer is used.
 * - `renew`: it is used, and a new one is fetched in the background.
 * - `stale`: a new one is fetched. If that fails, or takes long, the old one is used.
 * - `failed`: the failure is used.
 * - `unknown`: an answer is fetched.
 */
export type State = 'fresh' | 'renew' | 'stale' | 'failed' | 'unknown';

export class AnswerCache<L> {
  readonly #policy: CachePolicy;
  readonly #entries: RecentlyUsed<string, Entry<L>>;

  constructor(policy: CachePolicy) {
    this.#policy = policy;
    this.#entries = new RecentlyUsed(policy.maxEntries);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry of `key`, which counts as asked for now: an empty one if there was none. */
  use(key: string): Entry<L> {
    let entry = this.#entries.get(key);
    if (!entry) this.#entries.set(key, (entry = new Entry<L>()));
    return entry;
  }

  stateOf(entry: Entry<L>, now: number): State {
    const { ttl } = this.#policy;
    const { answer, answeredAt, failure, failedAt } = entry;
    const age = now - answeredAt;
    if (answer && age < ttl) return 'fresh';
    if (failure) {
      const sinceFailure = now - failedAt;
      if (answer && this.#isUsable(age)) return sinceFailure < FAILURE_TTL ? 'fresh' : 'renew';
      return failure.isDefinite && sinceFailure < Math.min(ttl, FAILURE_TTL) ? 'failed' : 'unknown';
    }
    if (!answer) return 'unknown';
    if (age < 2 * ttl) return 'renew';
    return this.#isUsable(age) ? 'stale' : 'unknown';
  }

  /** Whether an answer of this age may be used if no other can be had. */
  #isUsable(age: number): boolean {
    const { maxStale, ttl } = this.#policy;
    return maxStale > 0 && age < ttl + maxStale;
  }

  answered(key: string, answer: Answer, now: number): void {
    const { maxStale, ttl } = this.#policy;
    if (ttl + maxStale === 0) {
      this.#entries.delete(key);
      return;
    }
    const entry = this.use(key);
    entry.answer = answer;
    entry.answeredAt = now;
    entry.failure = undefined;
  }

  /**
   * @param isDefinite whether the error says that the name does not exist
   * @returns an older answer that may be used
   */
  failed(key: string, error: unknown, isDefinite: boolean, now: number): Answer | undefined {
    const entry = this.#entries.peek(key);
    if (entry?.answer && this.#isUsable(now - entry.answeredAt)) {
      entry.failure = { error, isDefinite };
      entry.failedAt = now;
      return entry.answer;
    }
    if (isDefinite && this.#policy.ttl > 0) {
      const kept = this.use(key);
      kept.answer = undefined;
      kept.failure = { error, isDefinite };
      kept.failedAt = now;
    } else {
      this.#entries.delete(key);
    }
    return undefined;
  }

  clear(): void {
    this.#entries.clear();
  }
}
