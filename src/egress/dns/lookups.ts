/**
 * Look-ups of names with Node's `dns.lookup`, or the function that replaces it at the moment. It promises
 *
 * - look-ups of one name at one time are one look-up: `getaddrinfo` runs on four threads, which all of the process shares;
 * - each request hears its answer in its own async context, once, and never before the asking call has returned: by then, listeners for
 *   'lookup' have been added to the socket;
 * - a listener that throws, or a request that is given up, stops no other;
 * - each request gets an error object of its own;
 * - a replaced `dns.lookup` (mocks, tracing) is called, and all answers are forgotten when the function changes.
 */
import { AsyncResource } from 'node:async_hooks';
import { noAddress } from '../../errors.js';
import { codeOf, isolate, onOwnStack } from '../../node/foreign.js';
import { setImmediate, setTimeout } from '../../node/timers.js';
import { answerOf } from './addresses.js';
import type { Answer } from './addresses.js';
import { AnswerCache } from './answer-cache.js';
import type { CachePolicy, Entry } from './answer-cache.js';
import { copyOf } from './error-copy.js';

/** The options that Node's sockets give to a `lookup`. */
export interface LookupOptions {
  readonly family?: unknown;
  readonly hints?: unknown;
  readonly all?: unknown;
}

export type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: (error: unknown, addresses?: unknown, family?: unknown) => void,
) => unknown;

/** The answer, or `undefined` and an error. */
type Hear = (error: unknown, answer: Answer | undefined) => void;

/** The module `node:dns`, whose functions others may replace. */
export interface DnsModule {
  readonly lookup: Lookup;
  readonly getDefaultResultOrder?: (() => unknown) | undefined;
}

export interface Question {
  readonly hostname: string;
  readonly options: LookupOptions;
  /** Equal for equal questions. */
  readonly key: string;
  /** The option `lookup`, if the question was put to that. */
  readonly own?: Lookup;
}

/** Milliseconds for which an unanswered look-up is shared. It may be lost: later requests begin another one. */
const SHARED_FOR = 3000;

/** Milliseconds for which a request waits for a new answer where an old one would do: the client response timer of RFC 8767, section 5. */
const STALE_AFTER = 1800;

/** The options that make two questions different. A question with any other option is not shared. */
const ASKED: ReadonlySet<string> = new Set(['family', 'hints', 'all']);

/** `undefined`: an option is set that is not in `ASKED`. */
export function questionOf(hostname: string, options: LookupOptions): Question | undefined {
  for (const name in options) if (!ASKED.has(name)) return undefined;
  const { family, hints } = options;
  return { hostname, options, key: `${String(family ?? 0)} ${String(hints ?? 0)} ${hostname}` };
}

const numbers = new WeakMap<Lookup, number>();
let lastNumber = 0;

/** The same for the option `lookup`. */
export function ownQuestion(hostname: string, options: LookupOptions, own: Lookup): Question {
  let number = numbers.get(own);
  if (number === undefined) {
    number = ++lastNumber;
    numbers.set(own, number);
  }
  return { hostname, options, key: `${String(options.family ?? 0)} own ${number} ${hostname}`, own };
}

/** A request that waits for an answer, in its own async context. */
class Waiting extends AsyncResource {
  #hear: Hear | undefined;

  constructor(hear: Hear) {
    super('PoolingAgentLookup');
    this.#hear = hear;
  }

  /** Later calls do nothing. */
  tell(error: unknown, answer: Answer | undefined): void {
    const hear = this.#hear;
    if (!hear) return;
    this.#hear = undefined;
    isolate(() => this.runInAsyncScope(hear, undefined, error, answer));
  }
}

/** A look-up that is under way. */
class SharedLookup {
  readonly begunAt: number;
  waiting: Waiting[] = [];

  constructor(begunAt: number) {
    this.begunAt = begunAt;
  }
}

export class Lookups {
  readonly #cache: AnswerCache<SharedLookup>;
  readonly #dns: DnsModule;
  readonly #now: () => number;
  #lookup: Lookup | undefined = undefined;
  #order: unknown = undefined;
  /** Goes up when all answers are forgotten. */
  #generation = 0;

  /** @param now milliseconds, by a monotonic clock */
  constructor(policy: CachePolicy, dns: DnsModule, now: () => number) {
    this.#cache = new AnswerCache(policy);
    this.#dns = dns;
    this.#now = now;
  }

  /** The number of names that are remembered, or being looked up. */
  get size(): number {
    return this.#cache.size;
  }

  /** @throws what `dns.lookup` throws: the question is not valid */
  ask(question: Question, hear: Hear): void {
    this.#heedChanges();
    const now = this.#now();
    const entry = this.#cache.use(question.key);
    switch (this.#cache.stateOf(entry, now)) {
      case 'fresh':
        setImmediate(hear, undefined, entry.answer);
        return;
      case 'renew':
        setImmediate(hear, undefined, entry.answer);
        this.#renew(question, entry, now);
        return;
      case 'failed':
        setImmediate(hear, copyOf(entry.failure?.error), undefined);
        return;
      case 'stale':
        this.#wait(question, entry, now, hear, entry.answer);
        return;
      default:
        this.#wait(question, entry, now, hear, undefined);
    }
  }

  /** Asks Node directly, for a question that is not shared. */
  askNode(...args: Parameters<Lookup>): void {
    const { lookup } = this.#dns;
    lookup(...args);
  }

  /** Fetches a new answer that no request waits for. */
  #renew(question: Question, entry: Entry<SharedLookup>, now: number): void {
    if (entry.lookup && now - entry.lookup.begunAt < SHARED_FOR) return;
    try {
      this.#begin(question, entry, now);
    } catch (error) {
      this.#failed(question.key, error, now);
    }
  }

  /** @param old an answer that serves where a new one takes long */
  #wait(
    question: Question,
    entry: Entry<SharedLookup>,
    now: number,
    hear: Hear,
    old: Answer | undefined,
  ): void {
    let shared = entry.lookup;
    if (shared && now - shared.begunAt > STALE_AFTER && old) {
      setImmediate(hear, undefined, old);
      return;
    }
    // Made before the look-up begins, so that its async context is the request's.
    const waiting = new Waiting(hear);
    if (!shared || now - shared.begunAt >= SHARED_FOR) shared = this.#begin(question, entry, now);
    shared.waiting.push(waiting);
    if (old) setTimeout(() => waiting.tell(undefined, old), STALE_AFTER).unref();
  }

  #begin({ hostname, options, key }: Question, entry: Entry<SharedLookup>, now: number): SharedLookup {
    const shared = new SharedLookup(now);
    const generation = this.#generation;
    const lookup = this.#dns.lookup;
    entry.lookup = shared;
    let isCalledBack = false;
    let isBegun = false;
    try {
      lookup(hostname, { ...options, all: true }, (error, addresses, family) => {
        if (isCalledBack) return;
        isCalledBack = true;
        const end = (): void => {
          const isKnown = generation === this.#generation;
          this.#answered(hostname, key, shared, isKnown, { error, addresses, family });
        };
        // A `lookup` that calls back at once does so before a request waits.
        if (isBegun) onOwnStack(end);
        else setImmediate(() => onOwnStack(end));
      });
    } catch (error) {
      if (entry.lookup === shared) entry.lookup = undefined;
      throw error;
    } finally {
      isBegun = true;
    }
    return shared;
  }

  #answered(
    hostname: string,
    key: string,
    shared: SharedLookup,
    isKnown: boolean,
    { error: given, addresses, family }: { error: unknown; addresses: unknown; family: unknown },
  ): void {
    const now = this.#now();
    let answer = given ? undefined : answerOf(addresses, family);
    const error = given || (answer ? undefined : noAddress(hostname));
    const entry = this.#cache.use(key);
    if (entry.lookup === shared) entry.lookup = undefined;
    if (!answer) answer = isKnown ? this.#failed(key, error, now) : undefined;
    else if (isKnown) this.#cache.answered(key, answer, now);
    const { waiting } = shared;
    shared.waiting = [];
    for (const [index, one] of waiting.entries()) {
      if (answer) one.tell(undefined, answer);
      else one.tell(index === 0 ? error : copyOf(error), undefined);
    }
  }

  /** @returns an older answer that may be used */
  #failed(key: string, error: unknown, now: number): Answer | undefined {
    // Node's code for `EAI_NONAME` and `EAI_NODATA`.
    return this.#cache.failed(key, error, codeOf(error) === 'ENOTFOUND', now);
  }

  /** Forgets all answers if the function, or the order of its results, has changed. */
  #heedChanges(): void {
    const { lookup } = this.#dns;
    const order = this.#dns.getDefaultResultOrder?.();
    if (lookup === this.#lookup && order === this.#order) return;
    this.#lookup = lookup;
    this.#order = order;
    this.#generation++;
    this.#cache.clear();
  }
}
