/**
 * Copies of agents: libraries that merge options or configuration copy agents property by property onto the same prototype, without the
 * constructor. At its first use such a copy becomes an agent of its own, with the same options, and with limits that were written to it
 * before. It shares with the original only the objects that its options name. A proxy of an agent, and an object that inherits from one,
 * stand for that agent.
 */
import { types } from 'node:util';
import { equip, optionsForNode, prepare } from './equipment.js';
import type { Kind, NodesAgent } from './kind.js';
import { dropListeners, isListenersField } from '../node/listeners.js';
import { LIVE_LIMITS } from '../options/live-options.js';
import type { PoolingAgentOptions } from '../options/options.js';
import type { AgentPool } from '../connections/agent-pool.js';

/** Finds the pool through a proxy. Its value is a function, because libraries that copy objects do not copy functions. */
const kOwner = Symbol('pooling-https-agent.owner');

type Copied = NodesAgent & { readonly [kOwner]?: () => AgentPool };

const pools = new WeakMap<object, AgentPool>();

/** Notes that `pool` belongs to `agent`, which was constructed, or completed as a copy. */
export function markOwner(agent: object, pool: AgentPool): void {
  pools.set(agent, pool);
  Object.defineProperty(agent, kOwner, { configurable: true, value: () => pool });
}

/** The pool of `agent`, if there is one yet: a copy that was never used has none. */
export function knownPoolOf(agent: object): AgentPool | undefined {
  const pool = pools.get(agent);
  if (pool) return pool;
  const owner = (agent as Copied)[kOwner];
  return owner && (!Object.hasOwn(agent, kOwner) || types.isProxy(agent)) ? owner() : undefined;
}

/**
 * The pool of `agent`, which is made if there is none. `undefined`: `agent` has no options, and so is no copy of an agent.
 *
 * @param kindOf returns the kind of the class
 * @throws as the constructor does
 */
export function poolOfCopy(agent: NodesAgent, kindOf: () => Kind): AgentPool | undefined {
  const known = knownPoolOf(agent);
  if (known) return known;
  const given = agent.options as unknown;
  if (typeof given !== 'object' || given === null) return undefined;

  const kind = kindOf();
  const prepared = prepare(kind, given as PoolingAgentOptions, 'copy');
  const original = (agent as Copied)[kOwner]?.().agent;
  if (original) forgetListeners(agent, original as unknown as NodesAgent);
  const written = Object.getOwnPropertyDescriptors(agent) as Record<string, PropertyDescriptor | undefined>;
  const model = new kind.nodes(optionsForNode(prepared));
  for (const key of Reflect.ownKeys(model)) {
    if (Object.hasOwn(agent, key) || isListenersField(key)) continue;
    Object.defineProperty(agent, key, Object.getOwnPropertyDescriptor(model, key) ?? {});
  }
  const pool = equip(agent, kind, prepared, model.options);
  markOwner(agent, pool);
  for (const name of LIVE_LIMITS) {
    const value: unknown = written[name]?.value;
    if (value !== undefined) Reflect.set(agent, name, value);
  }
  return pool;
}

/** Some libraries copy the listeners, or share the object that holds them: then a listener of one agent would hear the other's events. */
function forgetListeners(copy: NodesAgent, original: NodesAgent): void {
  const added = copy.eventNames().map((event) => {
    const originals = original.rawListeners(event);
    return [event, copy.rawListeners(event).filter((listener) => !originals.includes(listener))] as const;
  });
  dropListeners(copy);
  for (const [event, listeners] of added) {
    for (const listener of listeners) copy.on(event, listener as () => void);
  }
}
