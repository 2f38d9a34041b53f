/**
 * `agent.sockets`, `freeSockets` and `requests` as Node shows them: objects without a prototype, `getName()` to
 * arrays, no empty ones. Snapshots for readers, taken when somebody reads after something has changed; writing to
 * them changes nothing. That keeps the request path free of lists that are searched and spliced.
 */
import type { AgentKinds } from './channel.js';
import type { AgentRequest, SocketLike } from './node-internals.js';
import type { Agent, RequestOptions } from 'node:https';
import { isIntercepted } from './interception.js';
import type { HostPool } from './pool/host-pool.js';
import type { Pool } from './pool/pool.js';
import type { SocketDriver } from './socket-driver.js';
import { rememberProfile } from './tls/name.js';

type View<T> = Record<string, T[]>;

interface Views {
  sockets: View<SocketLike>;
  freeSockets: View<SocketLike>;
  requests: View<AgentRequest>;
}

function emptyViews(): Views {
  return { sockets: empty(), freeSockets: empty(), requests: empty() };
}

function empty<T>(): View<T> {
  return Object.create(null) as View<T>;
}

function takeViews(pool: Pool<AgentKinds>, nameOf: (host: HostPool<AgentKinds>) => string): Views {
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
    if (host.waiting.size === 0) continue;
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

/** For readers. What is written to them is ignored, as Node's own constructor writes, too. */
export function defineViews(agent: Agent, driver: SocketDriver): void {
  let views: Views = emptyViews();
  let takenAt = -1;
  const names = new WeakMap<object, string>();

  const current = (): Views => {
    if (isIntercepted()) {
      // Node's addRequest may be working on them: nothing of ours for it to take, room for what it notes.
      if (takenAt !== -1) views = emptyViews();
      takenAt = -1;
      return views;
    }
    if (takenAt !== driver.pool.changes) {
      views = takeViews(driver.pool, (host) => {
        let name = names.get(host);
        if (name === undefined) {
          const [connection] = host.connections;
          const request = host.waiting.oldest?.request;
          const options =
            connection?.channel?.options ?? driver.dialler.optionsFor(request?.options ?? {}, host.origin);
          rememberProfile(options, host.origin.profile.values);
          name = agent.getName(options as RequestOptions);
          names.set(host, name);
        }
        return name;
      });
      takenAt = driver.pool.changes;
    }
    return views;
  };

  const define = (name: string, get: () => unknown): void => {
    Object.defineProperty(agent, name, { configurable: true, enumerable: true, get, set: () => {} });
  };
  define('sockets', () => current().sockets);
  define('freeSockets', () => current().freeSockets);
  define('requests', () => current().requests);
  define('totalSocketCount', () => driver.pool.size);
}
