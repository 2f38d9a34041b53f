/** The form of `sockets`, `freeSockets` and `requests`: as in Node's agent, objects without a prototype. */
import type { AgentRequest, SocketLike } from '../node/types.js';

export type View<T> = Record<string, T[]>;

export interface Views {
  sockets: View<SocketLike>;
  freeSockets: View<SocketLike>;
  requests: View<AgentRequest>;
}

export function emptyViews(): Views {
  return { sockets: empty(), freeSockets: empty(), requests: empty() };
}

export function empty<T>(): View<T> {
  return Object.create(null) as View<T>;
}
