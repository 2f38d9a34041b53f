/** Finds the timeout that `req.setTimeout` was called with before the request had a socket. Node keeps it in a listener, and nowhere else. */
import { ClientRequest } from 'node:http';
import { Capability } from './capability.js';
import type { AgentRequest } from './types.js';

type SocketListener = (socket: unknown) => void;

/** The milliseconds that a request's 'socket' listener sets on a socket, if it is one of Node's `req.setTimeout`. */
function timeoutSetBy(listener: SocketListener): number | undefined {
  let timeout: number | undefined;
  listener({ connecting: false, once: () => {}, setTimeout: (value: number) => void (timeout = value) });
  return timeout;
}

const { setTimeout } = ClientRequest.prototype;

/** The source text of Node's listener. `undefined`: `req.setTimeout` works some other way. */
function findTimeoutListener(): string | undefined {
  const listeners: SocketListener[] = [];
  const once = (event: string, listener: SocketListener): void => {
    if (event === 'socket') listeners.push(listener);
  };
  // Not an EventEmitter: its methods become slower with each kind of object that V8 sees. Bun and Deno start a timer at once, which emits 'timeout'.
  const request = { timeoutCb: null, socket: null, once, on: once, emit: () => false };
  try {
    setTimeout.call(request as unknown as ClientRequest, 1);
    const found = listeners.filter((listener) => timeoutSetBy(listener) === 1);
    return found.length === 1 ? String(found[0]) : undefined;
  } catch {
    return undefined;
  }
}

/** Looked for when it is first needed. `null`: not found. */
let timeoutListener: string | null | undefined;

function listenerText(): string | null {
  return (timeoutListener ??= findTimeoutListener() ?? null);
}

export const waitingTimeout: Capability = new Capability(
  'a request keeps the timeout that it was given before it has a socket',
  '`req.setTimeout()` before a request waits counts from the moment when it has a connection',
  () => listenerText() !== null,
);

/**
 * The milliseconds that `req.setTimeout` was called with before `req` had a socket. Node keeps them in a listener that sets them
 * on the socket, and nowhere else.
 */
export function timeoutAskedOf(req: AgentRequest): number | undefined {
  if (!req.timeoutCb || !waitingTimeout.holds) return undefined;
  const listeners = req.listeners('socket') as SocketListener[];
  const last = listeners.findLast((listener) => String(listener) === listenerText());
  return last && timeoutSetBy(last);
}
