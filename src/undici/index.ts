/**
 * `pooling-https-agent/undici`: Node's `fetch` and undici over agents like Node's. A dispatcher sends requests over an agent, whose limits, queue, replay and
 * statistics then apply to them; a connector opens connections for undici's own client. undici itself is not imported.
 */
import { constants } from 'node:buffer';
import type { Agent } from 'node:http';
import https from 'node:https';
import { invalidType, outOfRange } from '../errors.js';
import { atLeastOne, atLeastZero, optional, optionsObject } from '../validate.js';
import { AgentDispatcher } from './agent-dispatcher.js';
import { timeoutOption } from './timeouts.js';
import type { AgentPair, DispatcherOptions } from './types.js';

export { connector } from './connector.js';
export type { Connect, ConnectCallback, ConnectOptions, ConnectorOptions } from './connector.js';
export type { AgentDispatcher } from './agent-dispatcher.js';
export type {
  AgentPair,
  DispatchController,
  DispatcherOptions,
  DispatchHandler,
  DispatchOptions,
  EventSourceLimits,
  Interceptor,
  ReceivedHeaders,
  WebSocketLimits,
} from './types.js';

/** undici's own defaults, in milliseconds. */
const TIMEOUT = 300_000;

/**
 * Makes a dispatcher for `fetch(url, { dispatcher })`, of Node and of undici 6 and later, for undici's functions, and for `setGlobalDispatcher`.
 *
 * @param agents an `https.Agent`; or an agent for each protocol. Other origins end with `ERR_INVALID_PROTOCOL`
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
 */
export function dispatcher(agents: Agent | AgentPair, options?: DispatcherOptions | null): AgentDispatcher {
  const given = optionsObject(options);
  const webSocket = optional(given, 'webSocket', objectValue, {});
  const eventSource = optional(given, 'eventSource', objectValue, {});
  return new AgentDispatcher(pairOf(agents), {
    limits: {
      headersTimeout: timeoutOption(given, 'headersTimeout', TIMEOUT),
      bodyTimeout: timeoutOption(given, 'bodyTimeout', TIMEOUT),
      maxResponseSize: optional(given, 'maxResponseSize', size, Infinity),
    },
    maxHeaderSize: optional(given, 'maxHeaderSize', atLeastOne, undefined),
    webSocket: {
      maxFragments: optional(webSocket, 'maxFragments', atLeastZero, 131_072),
      maxPayloadSize: optional(webSocket, 'maxPayloadSize', atLeastZero, 128 * 1024 * 1024),
    },
    eventSource: {
      maxEventSize: optional(eventSource, 'maxEventSize', atLeastZero, constants.MAX_STRING_LENGTH),
    },
  });
}

/** The properties in which versions of undici look for the global dispatcher. */
const GLOBALS = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')];

/**
 * Sets the dispatcher of every `fetch` in this process that names none: of Node's own, and of any undici from 6 on. (undici's own function of this name
 * sets it only for versions that look in the same property.)
 *
 * @throws `ERR_INVALID_ARG_TYPE`
 */
export function setGlobalDispatcher(value: { dispatch: unknown }): void {
  const isDispatcher = typeof value === 'object' && value !== null && typeof value.dispatch === 'function';
  if (!isDispatcher) throw invalidType('dispatcher', 'a dispatcher', value);
  for (const key of GLOBALS) {
    // As undici defines it, so that its own function can set another one.
    Object.defineProperty(globalThis, key, { value, configurable: false, enumerable: false, writable: true });
  }
}

function pairOf(agents: unknown): AgentPair {
  const expected = 'an https.Agent or an object with agents for http and https';
  if (typeof agents !== 'object' || agents === null) throw invalidType('agents', expected, agents);
  if (isAgent(agents)) return pairOfOne(agents);
  const pair = { http: (agents as AgentPair).http, https: (agents as AgentPair).https };
  if (!pair.http && !pair.https) throw invalidType('agents', expected, agents);
  for (const [name, agent] of Object.entries(pair)) {
    if (agent && !isAgent(agent)) throw invalidType(`agents.${name}`, 'an agent', agent);
  }
  return pair;
}

/** An agent of Node's has a `protocol`. Agents without one of their own (agent-base, and all that is built upon it) are for both. */
function pairOfOne(agent: Agent): AgentPair {
  const protocol: unknown = Object.getOwnPropertyDescriptor(agent, 'protocol')?.value;
  if (agent instanceof https.Agent || protocol === 'https:') return { https: agent };
  return protocol === 'http:' ? { http: agent } : { http: agent, https: agent };
}

function isAgent(value: unknown): value is Agent {
  return (
    typeof value === 'object' &&
    value !== null &&
    'addRequest' in value &&
    typeof value.addRequest === 'function'
  );
}

function objectValue(name: string, value: unknown): object {
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'of type object', value);
  return value;
}

function size(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (value === -1) return Infinity;
  if (!(value >= 0)) throw outOfRange(name, 'a number of bytes >= 0, or -1', value);
  return value;
}
