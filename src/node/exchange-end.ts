/** Tells of an exchange of Node's client that seems to be stuck how far it has come, by internal marks. */
import { propertyOf } from './foreign.js';
import type { AgentRequest, SocketLike } from './types.js';

/** Whether 'close' of `req` was emitted. */
export function isClosed(req: AgentRequest): boolean {
  return propertyOf(req, '_closed') === true;
}

/** Whether 'end' of the response was emitted. `undefined`: that is not known. */
export function isResponseEnded(req: AgentRequest): boolean | undefined {
  const hasEnded = propertyOf(req, '_ended');
  return typeof hasEnded === 'boolean' ? hasEnded : undefined;
}

/** Whether the request of `socket` has heard of an error of the socket. */
export function hasHeardError(socket: SocketLike): boolean {
  return propertyOf(socket, '_hadError') === true;
}

/** Whether `req` has not passed on to its socket all that was written to it, or its connected socket has not passed it on to the system. */
export function isHeldBack(req: AgentRequest, socket: SocketLike): boolean {
  const queued = propertyOf(req, 'outputData');
  if (Array.isArray(queued) && queued.length > 0) return true;
  return !socket.connecting && Boolean(propertyOf(socket, '_pendingData'));
}
