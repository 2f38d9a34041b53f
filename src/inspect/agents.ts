/** The agents that are looked at: each has a number and a name of its own for as long as it is there. */
import { invalidReturn, invalidType } from '../errors.js';
import { Names } from '../telemetry/names.js';
import { isObserved } from '../telemetry/observed.js';
import type { Observed } from '../telemetry/observed.js';

/** One agent, several of them (an array or a set may change later), or a function that tells which. */
export type Agents = Observed | Iterable<Observed> | (() => Iterable<Observed>);

export interface Named {
  readonly id: number;
  readonly name: string;
  readonly agent: Observed;
}

const EXPECTED = 'an agent, several of them in an array or a set, or a function that returns such';

export class AgentList {
  readonly #list: () => Iterable<unknown>;
  /** Weak: who looks at an agent keeps none alive that has left the list. */
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
   * Those of now. An agent that comes twice counts once, and anything else is left out: the list may be any that a program keeps.
   * @throws what the function throws
   */
  all(): Named[] {
    const named: Named[] = [];
    const names = new Names();
    for (const agent of new Set(this.#list())) {
      if (!isObserved(agent)) continue;
      named.push({ id: this.#idOf(agent), name: names.claim(agent.name), agent });
    }
    return named;
  }

  #idOf(agent: Observed): number {
    let id = this.#ids.get(agent);
    if (id === undefined) this.#ids.set(agent, (id = ++this.#last));
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
  // A list that can be gone through only once is gone through now.
  const iterator: unknown = agents[Symbol.iterator]();
  const list = iterator === agents ? [...agents] : agents;
  return () => list;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
