/**
 * A name and a port to which connections lead (from one local address): the known addresses of the name, the connections to each, and their
 * failures.
 */
import { AddressMemory } from './address-memory.js';
import type { Failure } from './address-memory.js';
import type { Answer } from './addresses.js';
import { canonical } from './addresses.js';
import { rotated } from './rotation.js';
import type { Load } from './rotation.js';
import { ownQuestion } from './lookups.js';
import type { Lookup, LookupOptions, Question } from './lookups.js';

/** A dial, or the connection that has come of it. */
export interface Leading {
  /** The address that it leads to, or tries first. `undefined`: not known yet. */
  readonly address: string | undefined;
  /** The key of its question. */
  readonly key: string | undefined;
}

/** An address of a name, for statistics. */
export interface AddressState {
  readonly address: string;
  /** Connections to it, including those that are being opened. */
  readonly connections: number;
  /** Whether the last answer has it. */
  readonly isCurrent: boolean;
  /** Its last failure, if it has not worked since. */
  readonly failure: Failure | undefined;
}

/** The number of answers in a row that must lack an address before it counts as gone: balancers answer with a choice of addresses. */
const ANSWERS_WITHOUT = 2;

/** The answers to one question of dials. Most dials ask the same question. */
interface Heard {
  readonly question: Question;
  answer: Answer;
  /** The last answer that was compared with the connections. */
  compared: Answer | undefined;
  /** Addresses of connections that the last answers lacked, each with the number of these answers. */
  readonly missing: Map<string, number>;
}

/** The number of questions beyond which those without open connections are forgotten: each request may bring its own `lookup`. */
const MANY_QUESTIONS = 8;

export class Destination {
  /** `host:port`. */
  readonly name: string;
  readonly memory: AddressMemory = new AddressMemory();
  /** Dials and connections that are not over. */
  readonly dials: Set<Leading> = new Set();
  /** The time of the last look-up for changes. */
  askedAt = -Infinity;
  readonly #loads = new Map<string, Load>();
  readonly #heard = new Map<string, Heard>();
  #ownQuestion: Question | undefined = undefined;
  #turns = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** The addresses of `answer`, in the order in which a dial that begins now tries them. */
  order(answer: Answer, now: number, rotates: boolean): Answer {
    if (!rotates) return this.memory.order(answer, now);
    return this.memory.order(answer, now, (good) =>
      rotated(good, (address) => this.#loads.get(canonical(address))),
    );
  }

  /** A connection leads to `address`, or is about to. */
  hold(address: string): void {
    let load = this.#loads.get(address);
    if (!load) {
      load = { connections: 0, turn: 0 };
      this.#loads.set(address, load);
    }
    load.connections++;
  }

  /** A dial tries `address` first. */
  takeTurn(address: string): void {
    const load = this.#loads.get(address);
    if (load) load.turn = ++this.#turns;
  }

  letGo(address: string): void {
    const load = this.#loads.get(address);
    if (!load || --load.connections > 0) return;
    // Turns of current addresses are kept.
    if (!this.#isCurrent(address)) this.#loads.delete(address);
  }

  /** A dial has heard `answer`. */
  heard(question: Question, answer: Answer): void {
    const heard = this.#heard.get(question.key);
    if (heard?.answer === answer) return;
    if (heard) {
      heard.answer = answer;
    } else {
      if (this.#heard.size >= MANY_QUESTIONS) this.#forgetQuestions();
      this.#heard.set(question.key, { question, answer, compared: undefined, missing: new Map() });
    }
    this.#forgetLoads();
  }

  /** The question of a dial with a `lookup` of its own: mostly the same as of the last one. */
  ownQuestion(hostname: string, options: LookupOptions, own: Lookup): Question {
    const last = this.#ownQuestion;
    if (last?.own === own && last.hostname === hostname && last.options.family === options.family)
      return last;
    return (this.#ownQuestion = ownQuestion(hostname, options, own));
  }

  /** The last answer to `question` of which a dial has heard. */
  lastAnswerTo({ key }: Question): Answer | undefined {
    return this.#heard.get(key)?.answer;
  }

  /** The questions that dials of open connections have asked. */
  questions(): Question[] {
    this.#forgetQuestions();
    return Array.from(this.#heard.values(), ({ question }) => question);
  }

  /** `answer` counts for `question` now: connections to addresses that it lacks may have to go. The same answer counts once. */
  compare({ key }: Question, answer: Answer): void {
    const heard = this.#heard.get(key);
    if (!heard || heard.compared === answer) return;
    heard.answer = answer;
    heard.compared = answer;
    const has = new Set(answer.map(({ address }) => canonical(address)));
    const lacking = new Set<string>();
    for (const dial of this.dials) {
      const { address } = dial;
      if (dial.key === key && address !== undefined && !has.has(address)) lacking.add(address);
    }
    const { missing } = heard;
    for (const address of missing.keys()) if (!lacking.has(address)) missing.delete(address);
    for (const address of lacking) missing.set(address, (missing.get(address) ?? 0) + 1);
    this.#forgetLoads();
  }

  /** Whether the name has the address of this dial no more. */
  isGone({ address, key }: Leading): boolean {
    if (address === undefined || key === undefined) return false;
    return (this.#heard.get(key)?.missing.get(address) ?? 0) >= ANSWERS_WITHOUT;
  }

  #isCurrent(address: string): boolean {
    for (const { answer } of this.#heard.values())
      if (answer.some((one) => canonical(one.address) === address)) return true;
    return false;
  }

  /** Forgets questions without open connections. */
  #forgetQuestions(): void {
    const keys = new Set<string | undefined>();
    for (const { key } of this.dials) keys.add(key);
    for (const key of this.#heard.keys()) if (!keys.has(key)) this.#heard.delete(key);
  }

  /** Forgets addresses that neither an answer nor a connection has. */
  #forgetLoads(): void {
    for (const [address, { connections }] of this.#loads)
      if (connections === 0 && !this.#isCurrent(address)) this.#loads.delete(address);
  }

  /** For statistics: the addresses of the last answers, and others to which connections lead. */
  addresses(): AddressState[] {
    const current = new Set<string>();
    for (const { answer } of this.#heard.values())
      for (const { address } of answer) current.add(canonical(address));
    const all = new Set(current);
    for (const [address, { connections }] of this.#loads) if (connections > 0) all.add(address);
    return Array.from(all, (address) => ({
      address,
      connections: this.#loads.get(address)?.connections ?? 0,
      isCurrent: current.has(address),
      failure: this.memory.failureOf(address),
    }));
  }
}
