/**
 * Finds exchanges that were cut short. After Node's client has called a listener it has something to do: to send the
 * request after 'socket', to read on after 'response', to free the connection after 'close'. Where the listener throws and the process
 * goes on, that is left out, and no event ever tells; the connection would keep its place under the limits for good. The same is true of
 * what Node's client puts off to a tick that never comes, because a test tool had put a fake in the place of `process.nextTick`.
 *
 * So, after an uncaught exception, and now and then while requests wait (wait-watch.ts), connections are looked at, twice (recovery.ts). They
 * are judged by states alone which no exchange is in both times unless a step was left out. While nothing throws and nobody waits, this
 * costs nothing.
 */
import type { PooledSocket } from './pooled-socket.js';
import { hasHeardError, isClosed, isHeldBack, isResponseEnded, takesSocketInTick } from '../node/exchange.js';
import { propertyOf } from '../node/foreign.js';
import { isStillParsing } from '../node/parsing.js';
import type { AgentRequest } from '../node/types.js';

/**
 * - `closed`: the socket is closed, and nobody was told.
 * - `ready`: it is connected, and nobody was told.
 * - `free`: the exchange is over, and the connection could serve the next.
 * - `untold`: a request has it and was not told.
 * - `broken`: the exchange cannot go on.
 */
export type Interruption = 'closed' | 'ready' | 'free' | 'untold' | 'broken';

/** The interruption that `pooled` shows at this moment. It may look so for a moment though all is well: see recovery.ts. */
export function interruptionOf(pooled: PooledSocket): Interruption | undefined {
  try {
    return judge(pooled);
  } catch {
    // A stream or a request that does not let itself be read. Thrown on, it would be the reason for the next look.
    return undefined;
  }
}

function judge(pooled: PooledSocket): Interruption | undefined {
  const { connection, delivering, request, requestOptions, socket } = pooled;
  if (socket.closed) return 'closed';
  if (socket.destroyed) return undefined;
  if (connection.state === 'connecting') {
    return socket.connecting || socket.secureConnecting ? undefined : 'ready';
  }
  if (connection.state !== 'active' || !request) return undefined;
  // One that came by `createSocket` of somebody else ends when that somebody likes.
  if (request.destroyed && isClosed(request) && requestOptions) return 'free';
  if (requestOptions && isUntold(request)) return 'untold';
  if (propertyOf(request, 'socket') !== socket) return undefined;
  const isBroken =
    (delivering && isWithoutBody(request.res) && !isStillParsing(socket)) ||
    // After 'socket', what was written until then is sent; what is written while the socket connects, after 'connect'.
    isHeldBack(request, socket) ||
    isUnfreed(request) ||
    isUnread(request.res) ||
    hasHeardError(socket);
  return isBroken ? 'broken' : undefined;
}

/** A listener of 'response' or of an interim response may have thrown: Node's parser is of no use then. One of 'data' does not harm it. */
function isWithoutBody(res: unknown): boolean {
  if (!res) return true;
  return (
    propertyOf(res, 'complete') === false &&
    propertyOf(res, 'readableDidRead') === false &&
    propertyOf(res, 'readableLength') === 0
  );
}

/** Node's client hands over a socket that it was given in a tick. Somebody who stands before it may do so when they like. */
function isUntold(req: AgentRequest): boolean {
  return propertyOf(req, 'socket') === null && takesSocketInTick(req);
}

/** A response that flows is read in a tick as far as it has come, and its end is told in one. */
function isUnread(res: AgentRequest['res']): boolean {
  if (!res || res.readableFlowing !== true || res.readableEnded || res.destroyed) return false;
  const { complete, readableHighWaterMark, readableLength } = res;
  return complete || (readableLength > 0 && readableLength >= readableHighWaterMark);
}

/** With the end of the response, or with 'finish' if that is later, the request gives the connection back. */
function isUnfreed(request: AgentRequest): boolean {
  if (!request.res?.readableEnded) return false;
  const hasEnded = isResponseEnded(request);
  return hasEnded === false || (hasEnded === true && request.writableFinished && request.shouldKeepAlive);
}
