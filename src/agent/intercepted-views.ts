/**
 * `sockets`, `freeSockets` and `requests` while Node's own `addRequest` may be working on them: see interception.ts. Readers see the
 * truth, under keys that begin as ever (`host:port:`) and have a mark at their end. Node's `addRequest` looks hosts up by their names, without the
 * mark: it finds nothing of ours, and what it notes goes to a place aside. Nothing is gathered for that, so that a request costs the same
 * with one connection and with thousands.
 */
import type { AgentRequest, SocketLike } from '../node/types.js';

export type View<T> = Record<string, T[]>;

export interface Views {
  sockets: View<SocketLike>;
  freeSockets: View<SocketLike>;
  requests: View<AgentRequest>;
}

/** No name ends like that: after the last colon stands an option, or a digest. */
const MARK = ':(intercepted)';

export class InterceptedViews implements Views {
  readonly sockets: View<SocketLike>;
  readonly freeSockets: View<SocketLike>;
  readonly requests: View<AgentRequest>;
  #noted: Views = emptyViews();

  /** @param read the views as they are otherwise */
  constructor(read: () => Views) {
    this.sockets = this.#view('sockets', read);
    this.freeSockets = this.#view('freeSockets', read);
    this.requests = this.#view('requests', read);
  }

  /** The requests that Node has noted as waiting. They are the caller's now. */
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
      // Readers come back for each key.
      if (view !== from) last = withMarks(view);
      from = view;
      return last;
    };
    return new Proxy(empty<never>(), {
      get: (_target, key) => Reflect.get(isMarked(key) ? marked() : noted(), key) as unknown,
      set: (_target, key, value) => {
        // Of the sockets it notes but an empty list for the host of the moment.
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

export function emptyViews(): Views {
  return { sockets: empty(), freeSockets: empty(), requests: empty() };
}

function empty<T>(): View<T> {
  return Object.create(null) as View<T>;
}
