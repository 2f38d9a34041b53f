/**
 * Mocking and tracing libraries (nock, async-listener, APM tools) come before every agent by replacing Node's own `addRequest`. A request then goes
 * to them first. They let it pass by calling the function that they have replaced, with one of our agents as `this`. Node's function then brings
 * the request back to the pool:
 *
 * - It searches `freeSockets` for the name of the host, and finds none: the views have other keys in that time.
 * - It calls `createSocket`, or, at a limit, pushes the request into `requests`, and leaves it there.
 *
 * The source text tells whether `addRequest` has been replaced: a library may have done that before this module was loaded.
 */
import http from 'node:http';
import { Agent } from 'node:https';
import type { Capability } from './capability.js';
import { SourceMarks } from './source-marks.js';
import { ownSymbol } from './symbols.js';
import type { AgentRequest } from './types.js';

type AddRequest = (this: object, req: AgentRequest, options: unknown, ...legacy: unknown[]) => void;

/** The prototype of https, which inherits from that of http: a wrapper may be on either. Node's typings lack `addRequest`. */
const prototype = Agent.prototype as unknown as { addRequest: AddRequest };
const httpPrototype = http.Agent.prototype as unknown as { addRequest: AddRequest };

const addRequestMarks = new SourceMarks(
  "an agent's addRequest",
  "every request goes through Node's addRequest first",
  [
    'function addRequest(req, options, port',
    'this.getName(',
    'this.createSocket(',
    'this.reuseSocket(',
    'this.requests[name]',
  ],
  /\b(?:kRequestOptions|kRequestAsyncResource|setRequestSocket)\b/,
);
export const knownAddRequest: Capability = addRequestMarks.capability;

const { toString } = Function.prototype;

/** The function that was found there last; and that function again, if it is not Node's own. */
let seen: unknown;
let foreign: unknown;
/** The number of times that another function was found there. */
let changes = 0;

/** Hot path. The function that has replaced Node's `addRequest`; `undefined` if none has. */
export function interceptor(): unknown {
  const { addRequest } = prototype;
  if (addRequest !== seen) {
    seen = addRequest;
    foreign = addRequestMarks.areOn(addRequest) ? undefined : addRequest;
    changes++;
  }
  return knownAddRequest.holds ? foreign : addRequest;
}

/**
 * A number that decides which connections `req` may have. A mocking library controls the connections that are opened while it is there; on
 * one that was opened before, a mocked request would reach the real server. So a request that has passed such a library gets no connection
 * with a lower number than its own; other requests have no number.
 */
export function numberForRequest(): number {
  return interceptor() === undefined ? 0 : changes;
}

/** The number for a connection that is about to be opened. */
export function numberForConnection(): number {
  interceptor();
  return changes;
}

/** Requests that were given to a wrapper and have not passed yet. They may do so at any time, also when the wrapper is gone. */
const away = new Set<AgentRequest>();
/** The size of `away` at which ended requests are removed from it. */
let sweptAt = 64;

/** `req` goes to what stands in the place of Node's `addRequest`, for one of our `agents`. */
export function intercept(agent: object, req: AgentRequest, options: unknown, legacy: unknown[]): void {
  // A wrapper that stands on the prototype of https alone is not for other agents.
  const { addRequest } = agent instanceof Agent ? prototype : httpPrototype;
  if (away.size >= sweptAt) {
    sweepAway();
    sweptAt = 2 * away.size + 64;
  }
  away.add(req);
  try {
    addRequest.call(agent, req, options, ...legacy);
  } catch (error) {
    away.delete(req);
    throw error;
  }
}

/** `req` has come to the pool. `true`: it has passed a wrapper. */
export function comesBack(req: AgentRequest): boolean {
  return away.delete(req);
}

/** Whether Node's `addRequest` may be called with one of our agents: by a wrapper that is there, or by one that has kept a request. */
export function isIntercepted(): boolean {
  if (interceptor() !== undefined) return true;
  sweepAway();
  return away.size > 0;
}

function sweepAway(): void {
  for (const req of away) {
    // Such requests were mocked, or given up.
    if (req.destroyed || req.socket) away.delete(req);
  }
}

/** Whether a callback given to `createSocket` is that of Node's `addRequest`: it hands the socket, or the error, to the request itself. */
export function isNodesCallback(callback: unknown): boolean {
  if (typeof callback !== 'function') return false;
  const text = toString.call(callback);
  return text.includes('setRequestSocket(this, req, socket)') && text.includes('req.onSocket(socket, err)');
}

/**
 * The options of a request without the agent's, which Node's `addRequest` has added. The agent's options are merged anew when a connection is
 * opened, and may have changed by then.
 */
export function ownOptionsOf(options: object, agentOptions: object): Record<string, unknown> {
  const own: Record<string, unknown> = Object.assign(Object.create(null), options);
  for (const [name, value] of Object.entries(agentOptions))
    if (own[name] === value) Reflect.deleteProperty(own, name);
  return own;
}

/** The data that Node's `addRequest` puts on a request that it pushes into `requests`. */
interface Queued {
  readonly options: object;
  run(fn: () => void): void;
}

export function queuedByNode(req: AgentRequest): Queued {
  const read = (description: string): unknown => {
    const symbol = ownSymbol(req, description);
    return symbol && Reflect.get(req, symbol);
  };
  const options = read('requestOptions');
  const resource = read('requestAsyncResource') as { runInAsyncScope?(fn: () => void): void } | undefined;
  return {
    options: typeof options === 'object' && options !== null ? options : {},
    run: (fn) => (typeof resource?.runInAsyncScope === 'function' ? resource.runInAsyncScope(fn) : fn()),
  };
}
