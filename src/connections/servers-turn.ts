/**
 * Whether an exchange waits for the server, as far as can be told from here. It does not while our own side holds it up: a reader
 * that has paused, so that nothing more is read from the socket, or a source that has nothing to upload.
 */
import type { PooledSocket } from './pooled-socket.js';
import { isHeadWritten } from '../node/exchange.js';
import { propertyOf } from '../node/foreign.js';
import { isReadingStopped, queuedBytes } from '../node/handle.js';
import type { AgentRequest } from '../node/types.js';

export function isServersTurn(pooled: PooledSocket, request: AgentRequest): boolean {
  const { socket } = pooled;
  // Of what the server has sent, something waits here for the reader; whether more waits in the kernel cannot be told. A server
  // that cannot get rid of its response may rightly take no more of the request.
  if (isReadingStopped(socket)) return false;
  if (numberOf(socket, 'readableLength') > 0 && socket.readableFlowing !== true) return false;
  if (unsentBytes(socket) > 0) return true;
  if (!request.writableEnded) return awaitsContinue(pooled, request);
  return !request.res?.complete;
}

/** Bytes that have moved on `socket`: those read, and those that the system has taken. */
export function movedBytes(socket: object): number {
  return numberOf(socket, 'bytesRead') + numberOf(socket, 'bytesWritten') - unsentBytes(socket);
}

function unsentBytes(socket: object): number {
  return numberOf(socket, 'writableLength') + queuedBytes(socket);
}

/** Its body follows when the server has said that it may (RFC 9110, section 10.1.1). */
function awaitsContinue({ answered }: PooledSocket, request: AgentRequest): boolean {
  if (answered || !isHeadWritten(request) || typeof request.getHeader !== 'function') return false;
  return /100-continue/i.test(String(request.getHeader('expect')));
}

function numberOf(value: unknown, name: string): number {
  const number = propertyOf(value, name);
  return typeof number === 'number' ? number : 0;
}
