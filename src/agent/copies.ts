/**
 * Agents that nobody has constructed: configuration and option-merging libraries copy them, property by property, onto the same prototype.
 * Such a copy becomes an agent of its own when it is first used, as one that is made with the same options; what was written to its limits
 * before holds. It shares with the original what the options name, and nothing else. A proxy of an agent, and an object that
 * inherits from one, are that agent.
 */
import { Agent } from 'node:https';
import { types } from 'node:util';
import { equip, optionsForNode } from './equipment.js';
import type { OwnMethods } from './equipment.js';
import { dropListeners, isListenersField } from '../node/listeners.js';
import { LIVE_LIMITS } from '../options/live-options.js';
import { ownOptions, resolveOptions } from '../options/options.js';
import type { PoolingAgentOptions } from '../options/options.js';
import type { AgentPool } from '../connections/agent-pool.js';

/** Finds the pool through a proxy. A function: those that copy everything do not copy these. */
const kOwner = Symbol('pooling-https-agent.owner');

type Copied = Agent & { readonly [kOwner]?: () => AgentPool };

const pools = new WeakMap<object, AgentPool>();

/** `pool` is that of `agent`, which was constructed or was completed as a copy. */
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
 * The same, and makes it if there is none. `undefined`: it has no options, so it is no copy of an agent.
 *
 * @throws as the constructor does
 */
export function poolOfCopy(agent: Agent, methods: OwnMethods): AgentPool | undefined {
  const known = knownPoolOf(agent);
  if (known) return known;
  const given = agent.options as unknown;
  if (typeof given !== 'object' || given === null) return undefined;

  const own = ownOptions(given as PoolingAgentOptions);
  const resolved = resolveOptions(own);
  const original = (agent as Copied)[kOwner]?.().agent;
  if (original) forgetListeners(agent, original as unknown as Agent);
  const written = Object.getOwnPropertyDescriptors(agent) as Record<string, PropertyDescriptor | undefined>;
  const model = new Agent(optionsForNode(own, resolved));
  for (const key of Reflect.ownKeys(model)) {
    if (Object.hasOwn(agent, key) || isListenersField(key)) continue;
    Object.defineProperty(agent, key, Object.getOwnPropertyDescriptor(model, key) ?? {});
  }
  const pool = equip(agent, own, resolved, model.options, methods);
  markOwner(agent, pool);
  for (const name of LIVE_LIMITS) {
    const value: unknown = written[name]?.value;
    if (value !== undefined) Reflect.set(agent, name, value);
  }
  return pool;
}

/** Some copy the listeners along, or the very object that holds them: what was added to one would be heard by the other, too. */
function forgetListeners(copy: Agent, original: Agent): void {
  const added = copy.eventNames().map((event) => {
    const originals = original.rawListeners(event);
    return [event, copy.rawListeners(event).filter((listener) => !originals.includes(listener))] as const;
  });
  dropListeners(copy);
  for (const [event, listeners] of added) {
    for (const listener of listeners) copy.on(event, listener as () => void);
  }
}

/** Properties that a copy does not have before it is used: the first read makes it an agent of its own. */
export function completeCopies(prototype: object, own: OwnMethods): void {
  for (const name of ['sockets', 'freeSockets', 'requests', 'totalSocketCount', '_sessionCache']) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: Agent) {
        return poolOfCopy(this, own) && Reflect.get(this, name);
      },
      set(this: object, value: unknown) {
        Object.defineProperty(this, name, { configurable: true, enumerable: true, value, writable: true });
      },
    });
  }
}
