/** Takes `sockets`, `freeSockets` and `requests` of an agent, as they are now. */
import type { Agent, RequestOptions } from 'node:http';
import type { AgentPool, Host } from '../connections/agent-pool.js';
import { loadAgentName } from '../identity/late.js';
import { emptyViews } from './view-shapes.js';
import type { View, Views } from './view-shapes.js';

/** @param names those of hosts that were named already */
export function takeViews(agent: Agent, pool: AgentPool, names: WeakMap<Host, string>): Views {
  const views = emptyViews();
  for (const host of pool.hosts) {
    let name = names.get(host);
    if (name === undefined) names.set(host, (name = nameOf(host, agent, pool)));
    // Released connections for which requests wait count as in use.
    const validatingAs = host.waiting.size > 0 ? views.sockets : views.freeSockets;
    for (const { state, pooled } of host.connections) {
      if (!pooled || state === 'closing') continue;
      const view =
        state === 'idle' ? views.freeSockets : state === 'validating' ? validatingAs : views.sockets;
      add(view, name, pooled.socket);
    }
    if (host.waiting.size === 0) continue;
    for (const { request } of host.waiting) {
      // A request that was destroyed in this turn leaves the queue at its end.
      if (!request.req.destroyed) add(views.requests, name, request.req);
    }
  }
  return views;
}

function add<T>(view: View<T>, name: string, member: T): void {
  (view[name] ??= []).push(member);
}

function nameOf(host: Host, agent: Agent, pool: AgentPool): string {
  const options = pool.optionsOf(host);
  loadAgentName().rememberProfile(options, host.origin.profile.values);
  return agent.getName(options as RequestOptions);
}
