/**
 * How far an exchange of Node's client has come, where its API does not say: by the marks that the client puts on the socket and on the
 * request. Where Node sets no such mark, the answer is what is said of each function.
 */
import { propertyOf } from './foreign.js';
import { ownSymbol } from './symbols.js';
import type { AgentRequest, SocketLike } from './types.js';

/** The request that has `socket`, by the word of Node's client or of somebody in its stead. */
export function messageOf(socket: SocketLike): AgentRequest | null | undefined {
  return socket._httpMessage as AgentRequest | null | undefined;
}

/** Hot path. No request has `socket` any more. */
export function forgetMessage(socket: SocketLike): void {
  socket._httpMessage = null;
}

/** Hot path. Whether Node's client parses what comes on `socket`: from the moment when a request has it to the end of the response. */
export function isParsed(socket: SocketLike): boolean {
  return Boolean(socket.parser);
}

/** Hot path. Whether the head of `req` has been written. `undefined`: that is not known. */
export function isHeadWritten(req: AgentRequest): boolean | undefined {
  return req._headerSent;
}

/** Bytes of the head of `req`, once that is decided. */
export function headSize(req: AgentRequest): number {
  return req._header?.length ?? 0;
}

/** Whether 'close' of `req` was emitted. */
export function isClosed(req: AgentRequest): boolean {
  return propertyOf(req, '_closed') === true;
}

/** `req` ends without Node's client: it is destroyed and closed, and says so. */
export function markClosed(req: AgentRequest): void {
  Object.assign(req, { destroyed: true, _closed: true });
}

/** Whether 'end' of the response was emitted. `undefined`: that is not known. */
export function isResponseEnded(req: AgentRequest): boolean | undefined {
  const hasEnded = propertyOf(req, '_ended');
  return typeof hasEnded === 'boolean' ? hasEnded : undefined;
}

/** Whether the request of `socket` has heard of an error of it. */
export function hasHeardError(socket: SocketLike): boolean {
  return propertyOf(socket, '_hadError') === true;
}

/** Whether something was written to `req` that it has not passed on to its socket, or its socket to the system after it was connected. */
export function isHeldBack(req: AgentRequest, socket: SocketLike): boolean {
  const queued = propertyOf(req, 'outputData');
  if (Array.isArray(queued) && queued.length > 0) return true;
  return !socket.connecting && Boolean(propertyOf(socket, '_pendingData'));
}

/** The error that `req.destroy` was called with. */
export function destroyedWith(req: AgentRequest): Error | undefined {
  const reason = ownSymbol(req, 'kError');
  return reason && ((Reflect.get(req, reason) as Error | null | undefined) ?? undefined);
}
