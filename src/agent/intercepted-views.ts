/**
 * `sockets`, `freeSockets` and `requests` while Node's own `addRequest` may be using them: see interception.ts. Readers see the real state, under
 * keys that begin as ever (`host:port:`) and have a mark at their end. Node's `addRequest` looks hosts up by their names, without the mark, so
 * it finds none of our sockets, and its own entries are kept apart. No view is built for that: a request costs the same with one connection
 * and with thousands.
 */
import type { AgentRequest, SocketLike } from '../node/types.js';
import { empty, emptyViews } from './view-shapes.js';
import type { View, Views } from './view-shapes.js';

/** No name ends like this: after its last colon comes an option, or a digest. */
const MARK = ':(intercepted)';

export class InterceptedViews implements Views {
  readonly sockets: View<SocketLike>;
  readonly freeSockets: View<SocketLike>;
  readonly requests: View<AgentRequest>;
  #noted: Views = emptyViews();

  /** @param read builds the views without marks */
  constructor(read: () => Views) {
    this.sockets = this.#view('sockets', read);
    this.freeSockets = this.#view('freeSockets', read);
    this.requests = this.#view('requests', read);
  }

  /** Takes the requests that Node's `addRequest` has left waiting. */
  takeNoted(): AgentRequest[] {
    const { requests } = this.#noted;
    this.#noted = emptyViews();
    return Object.values(requests).flat();
  }

  #view<K extends keyof Views>(kind: K, read: () => Views): Views[K] {
    const noted = (): object => this.#noted[kind];
    let from: unknown;
    let last = empty<unknown>();
    const marked = (): object => {
      const view = read()[kind] as View<unknown>;
      // Kept, because readers ask again for each key.
      if (view !== from) last = withMarks(view);
      from = view;
      return last;
    };
    return new Proxy(empty<never>(), {
      get: (_target, key) => Reflect.get(isMarked(key) ? marked() : noted(), key) as unknown,
      set: (_target, key, value) => {
        // To views of sockets, Node's `addRequest` adds only an empty list for the host at hand.
        if (kind !== 'requests') this.#noted = { ...this.#noted, [kind]: empty() };
        return Reflect.set(noted(), key, value);
      },
      deleteProperty: (_target, key) => Reflect.deleteProperty(noted(), key),
      has: (_target, key) => Reflect.has(marked(), key),
      ownKeys: () => Reflect.ownKeys(marked()),
      getOwnPropertyDescriptor: (_target, key) => Reflect.getOwnPropertyDescriptor(marked(), key),
    }) as Views[K];
  }
}

function isMarked(key: string | symbol): boolean {
  return typeof key === 'string' && key.endsWith(MARK);
}

function withMarks(view: View<unknown>): View<unknown> {
  const marked = empty<unknown>();
  for (const [name, members] of Object.entries(view)) marked[name + MARK] = members;
  return marked;
}
