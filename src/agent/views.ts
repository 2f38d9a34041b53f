/**
 * `agent.sockets`, `freeSockets` and `requests` as Node shows them: objects without a prototype, `getName()` to
 * arrays, no empty ones. Snapshots for readers, taken when somebody reads after something has changed; writing to
 * them changes nothing. That keeps the request path free of lists that are searched and spliced.
 */
import type { AgentKinds } from '../connections/pooled-socket.js';
import type { Agent, RequestOptions } from 'node:https';
import { emptyViews, InterceptedViews } from './intercepted-views.js';
import type { View, Views } from './intercepted-views.js';
import { comesBack, isIntercepted } from '../node/interception.js';
import type { Define } from '../options/live-options.js';
import type { HostPool } from '../pool/records.js';
import type { Pool } from '../pool/pool.js';
import type { SocketDriver } from '../connections/driver.js';
import { rememberProfile } from '../identity/agent-name.js';

function takeViews(pool: Pool<AgentKinds>, nameOf: (host: HostPool<AgentKinds>) => string): Views {
  const views = emptyViews();
  for (const host of pool.hosts) {
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

/** For readers. What is written to them is ignored, as Node's own constructor writes, too. */
export function defineViews(define: Define, agent: Agent, driver: SocketDriver): void {
  let views: Views = emptyViews();
  let takenAt = -1;
  const names = new WeakMap<object, string>();

  const current = (): Views => {
    if (takenAt !== driver.pool.changes) {
      views = takeViews(driver.pool, (host) => {
        let name = names.get(host);
        if (name === undefined) {
          const [connection] = host.connections;
          const request = host.waiting.oldest?.request;
          const options =
            connection?.pooled?.options ?? driver.connector.optionsFor(request?.options ?? {}, host.origin);
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

  let intercepted: InterceptedViews | undefined;
  const acquireNoted = (): void => {
    for (const req of intercepted?.takeNoted() ?? []) {
      comesBack(req);
      driver.acquireNoted(req);
    }
  };
  const shown = (): Views => {
    if (!isIntercepted()) return current();
    // Node's addRequest may be the reader, at any time: it notes a host, and a request that it would leave waiting there.
    void RESOLVED.then(acquireNoted);
    return (intercepted ??= new InterceptedViews(current));
  };

  // Not enumerable: who copies an agent is not to copy its sockets.
  define('sockets', () => shown().sockets, ignore, false);
  define('freeSockets', () => shown().freeSockets, ignore, false);
  define('requests', () => shown().requests, ignore, false);
  define('totalSocketCount', () => driver.pool.size, ignore, false);
}

function ignore(): void {}
