/** The agents that the page shows. Each keeps a number and a unique name while it is in the list. */
import { invalidReturn, invalidType } from '../errors.js';
import { Names } from '../telemetry/names.js';
import { identityOf, isObserved } from '../telemetry/observed.js';
import type { Observed } from '../telemetry/observed.js';

/** One agent, several of them (an array or a set may change later), or a function that returns them. */
export type Agents = Observed | Iterable<Observed> | (() => Iterable<Observed>);

export interface Named {
  readonly id: number;
  readonly name: string;
  readonly agent: Observed;
}

const EXPECTED = 'an agent, several of them in an array or a set, or a function that returns such';

export class AgentList {
  readonly #list: () => Iterable<unknown>;
  /** Weak references: an agent that has left the list can be collected. */
  readonly #ids: WeakMap<object, number> = new WeakMap();
  #last = 0;

  /** @throws `ERR_INVALID_ARG_TYPE` */
  constructor(agents: unknown) {
    this.#list = listOf(agents);
    if (typeof agents !== 'function') {
      for (const agent of this.#list()) if (!isObserved(agent)) throw invalidType('agents', EXPECTED, agent);
    }
  }

  /**
   * The present agents. An agent that occurs twice, also as a lent one, counts once, and other values are left out: the list may be any list of the program.
   * @throws what the function throws
   */
  all(): Named[] {
    const named: Named[] = [];
    const names = new Names();
    const seen = new Set<object>();
    for (const agent of this.#list()) {
      if (!isObserved(agent)) continue;
      const identity = identityOf(agent);
      if (seen.size === seen.add(identity).size) continue;
      named.push({ id: this.#idOf(identity), name: names.claim(agent.name), agent });
    }
    return named;
  }

  #idOf(identity: object): number {
    let id = this.#ids.get(identity);
    if (id === undefined) this.#ids.set(identity, (id = ++this.#last));
    return id;
  }
}

function listOf(agents: unknown): () => Iterable<unknown> {
  if (isObserved(agents)) return () => [agents];
  if (typeof agents === 'function') {
    return () => {
      const list: unknown = Reflect.apply(agents, undefined, []);
      if (isObserved(list)) return [list];
      if (!isIterable(list)) throw invalidReturn('an iterable of agents', 'agents', list);
      return list;
    };
  }
  if (!isIterable(agents)) throw invalidType('agents', EXPECTED, agents);
  // An iterator that can be used only once is read now.
  const iterator: unknown = agents[Symbol.iterator]();
  const list = iterator === agents ? [...agents] : agents;
  return () => list;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
