/**
 * Tells whether an exchange waits for the server. It does not while our own side holds it up: a reader that has paused, so that nothing more is
 * read from the socket, or a source that has nothing to upload.
 */
import type { PooledSocket } from '../pooled-socket.js';
import { isHeadWritten } from '../../node/exchange.js';
import { propertyOf } from '../../node/foreign.js';
import { isReadingStopped, queuedBytes } from '../../node/handle-state.js';
import { givenHeader } from '../../node/request-headers.js';
import type { AgentRequest } from '../../node/types.js';

export function isServersTurn(pooled: PooledSocket, request: AgentRequest): boolean {
  const { socket } = pooled;
  // Part of the response waits here for the reader, and more may wait in the kernel. A server that cannot send its response may rightly read no
  // more of the request.
  if (isReadingStopped(socket)) return false;
  if (numberOf(socket, 'readableLength') > 0 && socket.readableFlowing !== true) return false;
  if (unsentBytes(socket) > 0) return true;
  if (!request.writableEnded) return awaitsContinue(pooled, request);
  return !request.res?.complete;
}

/** Bytes that have moved on `socket`: those that were read, and those that the system has taken to send. */
export function movedBytes(socket: object): number {
  return numberOf(socket, 'bytesRead') + numberOf(socket, 'bytesWritten') - unsentBytes(socket);
}

function unsentBytes(socket: object): number {
  return numberOf(socket, 'writableLength') + queuedBytes(socket);
}

/** The body is sent only when the server has asked for it (RFC 9110, section 10.1.1). */
function awaitsContinue({ answered }: PooledSocket, request: AgentRequest): boolean {
  if (answered || !isHeadWritten(request)) return false;
  return /100-continue/i.test(String(givenHeader(request, 'expect')));
}

function numberOf(value: unknown, name: string): number {
  const number = propertyOf(value, name);
  return typeof number === 'number' ? number : 0;
}
