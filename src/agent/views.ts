/**
 * `agent.sockets`, `freeSockets` and `requests` as Node shows them: objects without a prototype, from `getName()` to
 * arrays that are not empty. They are snapshots, taken when they are read after a change; writing to them changes nothing.
 * So no request has to search or splice lists.
 */
import type { Agent } from 'node:http';
import type { InterceptedViews } from './intercepted-views.js';
import { loadInterceptedViews, loadTakenViews } from './late.js';
import { emptyViews } from './view-shapes.js';
import type { Views } from './view-shapes.js';
import { comesBack, isIntercepted } from '../node/interception.js';
import type { Define } from '../options/live-options.js';
import type { AgentPool, Host } from '../connections/agent-pool.js';

const RESOLVED = Promise.resolve();

/** Defines the three properties. Writing to them is ignored: Node's own constructor writes to them. */
export function defineViews(define: Define, agent: Agent, pool: AgentPool): void {
  const { view } = pool;
  let views: Views = emptyViews();
  let takenAt = -1;
  const names = new WeakMap<Host, string>();

  const current = (): Views => {
    if (takenAt !== view.changes) {
      views = loadTakenViews().takeViews(agent, pool, names);
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
    // The reader may be Node's `addRequest`, which then adds a host, and a request that it would leave waiting there.
    void RESOLVED.then(acquireNoted);
    if (!intercepted) {
      const { InterceptedViews: Loaded } = loadInterceptedViews();
      intercepted = new Loaded(current);
    }
    return intercepted;
  };

  // Not enumerable, so that a copy of an agent does not get its sockets.
  define('sockets', () => shown().sockets, ignore, false);
  define('freeSockets', () => shown().freeSockets, ignore, false);
  define('requests', () => shown().requests, ignore, false);
  define('totalSocketCount', () => view.size, ignore, false);
}

function ignore(): void {}
