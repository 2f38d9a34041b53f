/**
 * `agent.sockets`, `freeSockets` and `requests` as Node shows them: objects without a prototype, `getName()` to
 * arrays, no empty ones. Snapshots for readers, taken when somebody reads after something has changed; writing to
 * them changes nothing. That keeps the request path free of lists that are searched and spliced.
 */
import type { Agent, RequestOptions } from 'node:https';
import { emptyViews, InterceptedViews } from './intercepted-views.js';
import type { View, Views } from './intercepted-views.js';
import { comesBack, isIntercepted } from '../node/interception.js';
import type { Define } from '../options/live-options.js';
import type { AgentPool, Host, PoolView } from '../connections/agent-pool.js';
import { rememberProfile } from '../identity/agent-name.js';

function takeViews({ hosts }: PoolView, nameOf: (host: Host) => string): Views {
  const views = emptyViews();
  for (const host of hosts) {
    const name = nameOf(host);
    // Released connections that requests wait for are as good as theirs.
    const validatingAs = host.waiting.size > 0 ? views.sockets : views.freeSockets;
    for (const { state, pooled } of host.connections) {
      if (!pooled || state === 'closing') continue;
      const view =
        state === 'idle' ? views.freeSockets : state === 'validating' ? validatingAs : views.sockets;
      add(view, name, pooled.socket);
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

const RESOLVED = Promise.resolve();

/** For readers. A value that is written to them is ignored, as Node's own constructor writes, too. */
export function defineViews(define: Define, agent: Agent, pool: AgentPool): void {
  const { view } = pool;
  let views: Views = emptyViews();
  let takenAt = -1;
  const names = new WeakMap<object, string>();

  const current = (): Views => {
    if (takenAt !== view.changes) {
      views = takeViews(view, (host) => {
        let name = names.get(host);
        if (name === undefined) {
          const options = pool.optionsOf(host);
          rememberProfile(options, host.origin.profile.values);
          name = agent.getName(options as RequestOptions);
          names.set(host, name);
        }
        return name;
      });
      takenAt = view.changes;
    }
    return views;
  };

  let intercepted: InterceptedViews | undefined;
  const acquireNoted = (): void => {
    for (const req of intercepted?.takeNoted() ?? []) {
      comesBack(req);
      pool.acquireNoted(req);
    }
  };
  const shown = (): Views => {
    if (!isIntercepted()) return current();
    // Node's addRequest may be the reader, at any time: it notes a host, and a request that it would leave waiting there.
    void RESOLVED.then(acquireNoted);
    return (intercepted ??= new InterceptedViews(current));
  };

  // Not enumerable: a copy of an agent is not to have its sockets.
  define('sockets', () => shown().sockets, ignore, false);
  define('freeSockets', () => shown().freeSockets, ignore, false);
  define('requests', () => shown().requests, ignore, false);
  define('totalSocketCount', () => view.size, ignore, false);
}

function ignore(): void {}
