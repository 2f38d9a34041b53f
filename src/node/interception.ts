/**
 * Mocking and tracing libraries (nock, async-listener, APM tools) put themselves before every agent by replacing Node's own `addRequest`. A
 * request then goes to them first. They let it pass by calling what they have replaced, with one of our agents as `this`; what Node's
 * function does then is known, and brings the request back to the pool:
 *
 * - It looks for a free socket in `freeSockets`, under the name of the host. Views have other keys in that time.
 * - It calls `createSocket`, or, at a limit, pushes the request into `requests` and forgets about it.
 *
 * Whether `addRequest` has been replaced is asked of its source text: a library that was loaded before us has replaced it by then.
 */
import { Agent } from 'node:https';
import type { Capability } from './capability.js';
import { SourceMarks } from './source-marks.js';
import { ownSymbol } from './symbols.js';
import type { AgentRequest } from './types.js';

type AddRequest = (this: object, req: AgentRequest, options: unknown, ...legacy: unknown[]) => void;

/** Of https, which inherits from that of http: a wrapper may stand on either. Node's typings leave out what an agent's own methods are. */
const prototype = Agent.prototype as unknown as { addRequest: AddRequest };

const addRequestMarks = new SourceMarks(
  "an agent's addRequest",
  "every request goes through Node's addRequest first",
  [
    /^function addRequest\(req, options, port\b/,
    /\bthis\.getName\(/,
    /\bthis\.createSocket\(/,
    /\bthis\.reuseSocket\(/,
    /\bthis\.requests\[name\]/,
  ],
  /\b(?:kRequestOptions|kRequestAsyncResource|setRequestSocket)\b/,
);
export const knownAddRequest: Capability = addRequestMarks.capability;

const { toString } = Function.prototype;

/** The function that was found there last; and the same, if it is not Node's own. */
let seen: unknown;
let foreign: unknown;
/** How often something else has been found there. */
let changes = 0;

/** Hot path. The function that stands before Node's `addRequest`; `undefined` if none does. */
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
 * The moment that decides which connections a request may have. A mocking library has a say in those that are opened while it is there;
 * on one that was opened before, what is mocked would reach the real server. So a request that has passed one gets no connection with a
 * lower number than its own; all others have none.
 */
export function numberForRequest(): number {
  return interceptor() === undefined ? 0 : changes;
}

/** The same moment, of a connection that is about to be opened. */
export function numberForConnection(): number {
  interceptor();
  return changes;
}

/** Requests that a wrapper was given and has not let pass yet. It may do so at any time, also when it is not there any more. */
const away = new Set<AgentRequest>();
/** How many there are when those are taken out that have ended otherwise. */
let sweptAt = 64;

export function intercept(agent: object, req: AgentRequest, options: unknown, legacy: unknown[]): void {
  if (away.size >= sweptAt) {
    hasAway();
    sweptAt = 2 * away.size + 64;
  }
  away.add(req);
  try {
    prototype.addRequest.call(agent, req, options, ...legacy);
  } catch (error) {
    away.delete(req);
    throw error;
  }
}

/** `req` has come to the pool. `true`: out of the hands of a wrapper. */
export function comesBack(req: AgentRequest): boolean {
  return away.delete(req);
}

/** Whether Node's `addRequest` may be called with one of our agents: by a wrapper, or by one that has kept a request. */
export function isIntercepted(): boolean {
  return interceptor() !== undefined || hasAway();
}

function hasAway(): boolean {
  for (const req of away) {
    // Mocked, or given up.
    if (req.destroyed || req.socket) away.delete(req);
  }
  return away.size > 0;
}

/** Whether a callback given to `createSocket` is that of Node's `addRequest`: it hands the socket, or the error, to the request itself. */
export function isNodesCallback(callback: unknown): boolean {
  if (typeof callback !== 'function') return false;
  const text = toString.call(callback);
  return text.includes('setRequestSocket(this, req, socket)') && text.includes('req.onSocket(socket, err)');
}

/**
 * The options of a request without those that Node's `addRequest` has put there from the agent. They come before a request's own when a
 * connection is opened, and may be others by then.
 */
export function ownOptionsOf(options: object, agentOptions: object): Record<string, unknown> {
  const own: Record<string, unknown> = Object.assign(Object.create(null), options);
  for (const [name, value] of Object.entries(agentOptions))
    if (own[name] === value) Reflect.deleteProperty(own, name);
  return own;
}

/** The data that Node's `addRequest` leaves on a request that it pushes into `requests`. */
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
