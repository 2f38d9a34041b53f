/**
 * Makes an `https.Agent` of Node's one with a pool: the pool itself, its live properties, its listeners. For an agent that is being
 * constructed, and for one that was copied.
 */
import type { Agent } from 'node:https';
import { onAgentFree } from '../connections/free-listener.js';
import { kPool } from '../connections/pool-key.js';
import { unsupported } from '../errors.js';
import { defineDurations, defineLimits } from '../options/live-options.js';
import { keepWarm } from '../lifecycle/warm.js';
import { hideListeners } from '../node/listeners.js';
import { hasProxyConfig } from '../node/proxy-support.js';
import { Recorder } from '../observe/recorder.js';
import type { PoolingAgentOptions, ResolvedOptions } from '../options/options.js';
import { definerFor } from './own-properties.js';
import { Resumption } from '../sessions/resumption.js';
import type { SessionMethods } from '../sessions/resumption.js';
import { defineSessionViews } from './session-views.js';
import { AgentPool } from '../connections/agent-pool.js';
import { labelOf } from '../connections/pooled-socket.js';
import type { DrivenAgent } from '../connections/driven-agent.js';
import { defineViews } from './views.js';

/** The methods that are not called where nobody has overridden them. */
export interface OwnMethods extends SessionMethods {
  keepSocketAlive: DrivenAgent['keepSocketAlive'];
}

/** The options as Node's own constructor takes them: it knows but two words for `scheduling`, and no digits for `maxTotalSockets`. */
export function optionsForNode(own: PoolingAgentOptions, { limits }: ResolvedOptions): object {
  const { scheduling: _scheduling, maxTotalSockets: _maxTotalSockets, ...known } = own;
  return { ...known, keepAlive: limits.keepAlive };
}

/**
 * @param nodes what Node's constructor has made of the options
 * @param methods as they were when nobody had overridden them
 */
export function equip(
  agent: Agent,
  own: PoolingAgentOptions,
  resolved: ResolvedOptions,
  nodes: object,
  methods: OwnMethods,
): AgentPool {
  const { scheduling, maxTotalSockets } = own;
  // The same once more: Node's is in V8's dictionary mode, and is looked through at every request. Readers find all as it was given.
  const options = {
    ...nodes,
    ...(scheduling && { scheduling }),
    ...(maxTotalSockets && { maxTotalSockets }),
  };
  agent.options = Object.setPrototypeOf(options, null) as typeof agent.options;

  // Node 20 takes neither from the options.
  const { defaultPort, protocol } = resolved;
  Object.assign(agent, { defaultPort, protocol });
  // A subclass, or whoever else, may have a use of its own for that name.
  Object.defineProperty(agent, 'name', { ...OWN_PROPERTY, value: resolved.name });
  if ((own as { proxyEnv?: unknown }).proxyEnv && !hasProxyConfig(agent)) {
    throw unsupported('The option "proxyEnv"');
  }

  const driven = agent as unknown as DrivenAgent & SessionMethods;
  const resumption = new Resumption(driven, methods, resolved.sessionCache, labelOf);
  const pool = new AgentPool(
    driven,
    resolved,
    methods.keepSocketAlive,
    resumption,
    new Recorder(resolved.name),
  );
  const define = definerFor(agent, pool);
  defineDurations(define, resolved.durations);
  defineLimits(define, resolved.limits, () => pool.limitsChanged());
  defineViews(define, agent, pool);
  defineSessionViews(define, resolved.sessionCache);

  // A copy may have them already.
  agent.removeListener('free', onAgentFree).on('free', onAgentFree);
  agent.removeListener('newListener', onNewListener).on('newListener', onNewListener);
  if (agent.listenerCount('keylog') > 0) pool.enableKeylog();
  // A copy of an agent does not get this: listeners of one are not the other's.
  hideListeners(agent);
  keepWarm(pool);
  return pool;
}

const OWN_PROPERTY = { configurable: true, enumerable: true, writable: true };

interface Pooled {
  readonly [kPool]: AgentPool;
}

function onNewListener(this: unknown, event: string | symbol): void {
  if (event === 'keylog') (this as Pooled)[kPool].enableKeylog();
}
