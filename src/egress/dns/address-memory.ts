/**
 * Remembers which addresses of one name and port have failed, and which one last worked (as RFC 8305, section 7, and OkHttp's RouteDatabase
 * do), and puts addresses in the order in which they are tried. Pure: the clock is handed in.
 *
 * - An address that refused or timed out goes to the end for `FIRST_PENALTY`, for twice as long each further time, up to `MAX_PENALTY`.
 * - While an address is at the end, the one that last worked comes first.
 * - When its time is over, an address gets its position back; if that is the first, one dial tries it, and the others wait for the outcome.
 * - While none has failed, the resolver's order counts: it may be meant to spread connections.
 */
import { RecentlyUsed } from '../../recently-used.js';
import type { Answer } from './addresses.js';
import { canonical } from './addresses.js';

/** Milliseconds. */
export const FIRST_PENALTY = 30_000;
export const MAX_PENALTY = 600_000;
/** Milliseconds for which one dial alone tries an address whose time is over. */
export const TRIAL = 10_000;

/** The number of addresses that are remembered; beyond it, the one whose last event is longest ago is dropped. Services change their addresses often. */
export const MAX_ADDRESSES = 100;

interface Memory {
  /** The number of failures since it last worked. */
  failures: number;
  /** The time of its last failure. */
  failedAt: number;
  /** The time until which it comes last. */
  penalizedUntil: number;
  /** The code of its last error; empty: the attempt took too long, or nothing is known. */
  code: string;
}

/** The last failure of an address that has not worked since. */
export interface Failure {
  readonly code: string;
  readonly at: number;
}

/** Orders addresses between which their history makes no difference. */
type Arrange = (answer: Answer) => Answer;

export class AddressMemory {
  /** The addresses that have failed, and have not worked since. */
  readonly #failed = new RecentlyUsed<string, Memory>(MAX_ADDRESSES);
  #lastWorked: string | undefined = undefined;

  worked(address: string): void {
    const key = canonical(address);
    this.#failed.delete(key);
    this.#lastWorked = key;
  }

  failed(address: string, code: string, now: number): void {
    const key = canonical(address);
    const failures = (this.#failed.peek(key)?.failures ?? 0) + 1;
    const penalty = Math.min(FIRST_PENALTY * 2 ** (failures - 1), MAX_PENALTY);
    this.#failed.set(key, { failures, failedAt: now, penalizedUntil: now + penalty, code });
  }

  failureOf(address: string): Failure | undefined {
    const memory = this.#failed.peek(canonical(address));
    return memory && { code: memory.code, at: memory.failedAt };
  }

  /**
   * The order in which the addresses of `answer` are tried by a dial that begins now.
   *
   * @param arrange orders those that are not at the end. Default: as they come, or the one that last worked first
   */
  order(answer: Answer, now: number, arrange?: Arrange): Answer {
    if (answer.length === 1) return answer;
    if (this.#failed.size === 0) return arrange ? arrange(answer) : answer;
    const good: Answer[number][] = [];
    const bad: [Answer[number], Memory][] = [];
    let isTrial = false;
    for (const one of answer) {
      const memory = this.#failed.peek(canonical(one.address));
      if (memory && memory.penalizedUntil > now) {
        bad.push([one, memory]);
      } else {
        good.push(one);
        if (memory) isTrial = true;
      }
    }
    let ordered: Answer = good;
    if (arrange) ordered = arrange(good);
    else if (bad.length > 0 && !isTrial) ordered = this.#lastWorkedFirst(good);
    const [first] = ordered;
    const tried = first && this.#failed.peek(canonical(first.address));
    if (tried) tried.penalizedUntil = now + TRIAL;
    // If all have failed, the one that failed longest ago is the most likely to be back.
    bad.sort(([, a], [, b]) => a.failedAt - b.failedAt);
    return [...ordered, ...bad.map(([one]) => one)];
  }

  #lastWorkedFirst(good: Answer): Answer {
    const last = good.find(({ address }) => canonical(address) === this.#lastWorked);
    return last && last !== good[0] ? [last, ...good.filter((one) => one !== last)] : good;
  }
}
