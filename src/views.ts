/**
 * `agent.sockets`, `freeSockets` and `requests` as Node shows them: objects without a prototype, `getName()` to
 * arrays, no empty ones. Snapshots for readers, taken when somebody reads after something has changed; writing to
 * them changes nothing. That keeps the request path free of lists that are searched and spliced.
 */
import type { AgentKinds } from './channel.js';
import type { AgentRequest, SocketLike } from './node-internals.js';
import type { HostPool } from './pool/host-pool.js';
import type { Pool } from './pool/pool.js';

type View<T> = Record<string, T[]>;

export interface Views {
  sockets: View<SocketLike>;
  freeSockets: View<SocketLike>;
  requests: View<AgentRequest>;
}

export function emptyViews(): Views {
  return { sockets: empty(), freeSockets: empty(), requests: empty() };
}

function empty<T>(): View<T> {
  return Object.create(null) as View<T>;
}

export function takeViews(pool: Pool<AgentKinds>, nameOf: (host: HostPool<AgentKinds>) => string): Views {
  const views = emptyViews();
  for (const host of pool.hosts) {
    const name = nameOf(host);
    // Released connections that requests wait for are as good as theirs.
    const settlesAs = host.waiting.size > 0 ? views.sockets : views.freeSockets;
    for (const { state, channel } of host.connections) {
      if (!channel || state === 'closing') continue;
      const view = state === 'idle' ? views.freeSockets : state === 'settling' ? settlesAs : views.sockets;
      add(view, name, channel.socket);
    }
    for (const { request } of host.waiting) {
      // One that was destroyed in this turn leaves the queue with it.
      if (!request.req.destroyed) add(views.requests, name, request.req);
    }
  }
  return views;
}

function add<T>(view: View<T>, name: string, member: T): void {
  (view[name] ??= []).push(member);
}
