/**
 * Gives an agent of Node's its pool, its live properties and its listeners: when it is constructed, or when it was copied and is used
 * for the first time.
 */
import { onAgentFree } from '../connections/free-listener.js';
import { kPool } from '../connections/pool-key.js';
import { defineDurations, defineLimits } from '../options/live-options.js';
import { keepWarm } from '../lifecycle/minimum.js';
import { hideListeners } from '../node/listeners.js';
import { Recorder } from '../observe/recorder.js';
import { ownOptions, resolveOptions } from '../options/options.js';
import type { PoolingAgentOptions, ResolvedOptions } from '../options/options.js';
import { definerFor } from './own-properties.js';
import { AgentPool } from '../connections/agent-pool.js';
import type { Sharing } from '../connections/sharing.js';
import type { DrivenAgent } from '../connections/driven-agent.js';
import type { Kind, NodesAgent, TransportMaker } from './kind.js';
import { kSharing } from './sharing-key.js';
import { defineViews } from './views.js';

interface SharingOptions {
  readonly [kSharing]?: Sharing;
}

/** The options of an agent, checked. */
interface Prepared {
  readonly own: PoolingAgentOptions;
  readonly resolved: ResolvedOptions;
  readonly transportFor: TransportMaker;
  /** The pool that it shares with another agent. */
  readonly sharing: Sharing | undefined;
}

/**
 * Checks the options of a constructor.
 *
 * @param protocols of an agent that shares no pool
 * @throws as the constructor
 */
export function prepare(
  { protocol, prepare: prepareMore }: Kind,
  options: PoolingAgentOptions | null,
  protocols: 'copy' | 'one' = 'one',
): Prepared {
  const own = ownOptions(options);
  const sharing = (own as SharingOptions)[kSharing];
  Reflect.deleteProperty(own, kSharing);
  const alone = resolveOptions(own, protocol, sharing ? 'both' : protocols);
  const resolved = sharing?.settle(alone) ?? alone;
  return { own, resolved, transportFor: prepareMore(own, resolved.maxSecureContexts), sharing };
}

/** The options as Node's own constructor takes them: it knows but two words for `scheduling`, and no digits for `maxTotalSockets`. */
export function optionsForNode({ own, resolved: { limits } }: Prepared): object {
  // Without `proxyEnv`: Node's agent would lead connections through the proxy a second time.
  const { scheduling: _scheduling, maxTotalSockets: _maxTotalSockets, proxyEnv: _proxyEnv, ...known } = own;
  return { ...known, keepAlive: limits.keepAlive };
}

/** Node's own handlers of these two events would run a second pool beside ours. */
export function dropNodesHandlers(agent: NodesAgent): void {
  agent.removeAllListeners('free').removeAllListeners('newListener');
}

/** @param nodes what Node's constructor has made of the options */
export function equip(
  agent: NodesAgent,
  kind: Kind,
  { own, resolved, transportFor, sharing }: Prepared,
  nodes: object,
): AgentPool {
  const { scheduling, maxTotalSockets, proxyEnv } = own;
  // A copy of Node's object, which is in V8's slow dictionary mode and would be read at every request. Readers find all options as they were given.
  const options = {
    ...nodes,
    ...(scheduling && { scheduling }),
    ...(maxTotalSockets && { maxTotalSockets }),
    ...(proxyEnv !== undefined && { proxyEnv }),
  };
  agent.options = Object.setPrototypeOf(options, null) as object;

  // Node 20 takes neither of these from the options.
  const { defaultPort, protocol } = resolved;
  Object.assign(agent, { defaultPort, protocol });
  // A subclass may have a property of this name: it may be redefined.
  Object.defineProperty(agent, 'name', { ...OWN_PROPERTY, value: resolved.name });

  const driven = agent as unknown as DrivenAgent;
  const transport = transportFor(driven);
  const record = (): Recorder => new Recorder(resolved.name, sharing ? 'both' : 'one');
  const observer = sharing?.observer(record) ?? record();
  const pool = new AgentPool(driven, resolved, kind.methods, transport, observer, sharing);
  const define = definerFor(agent, pool);
  defineDurations(define, resolved.durations);
  defineLimits(define, resolved.limits, () => pool.limitsChanged());
  defineViews(define, agent, pool);
  kind.define(define, transport);

  // A copied agent may have these listeners already.
  agent.removeListener('free', onAgentFree).on('free', onAgentFree);
  agent.removeListener('newListener', onNewListener).on('newListener', onNewListener);
  if (agent.listenerCount('keylog') > 0) pool.enableKeylog();
  // Not enumerable, so that a copy of an agent does not get the original's listeners.
  hideListeners(agent);
  keepWarm(pool);
  hastenReads(agent);
  return pool;
}

/**
 * Accessors in place of Node's own properties put an agent into V8's dictionary mode, and a warm request reads some dozen of its properties. V8 takes an object
 * out of that mode if it is the prototype of another one and often read.
 */
function hastenReads(agent: object): void {
  Object.create(agent);
}

const OWN_PROPERTY = { configurable: true, enumerable: true, writable: true };

interface Pooled {
  readonly [kPool]: AgentPool;
}

function onNewListener(this: unknown, event: string | symbol): void {
  if (event === 'keylog') (this as Pooled)[kPool].enableKeylog();
}
