/**
 * Finds exchanges that were cut short. After Node's client has called a listener, it has a next step: to send the request after 'socket', to
 * read on after 'response', to free the connection after 'close'. If the listener throws and the process survives, that step is left out,
 * and no event ever tells; the connection would keep its slot for good. The same is true of steps that Node's client puts off to a tick that
 * never comes, because a test tool had faked `process.nextTick`.
 *
 * So connections are inspected twice (recovery.ts) after an uncaught exception, and once a second while requests wait (wait-watch.ts). They are
 * judged by states in which an exchange is found both times only if a step was left out. While nothing throws and no request waits, this
 * costs nothing.
 */
import type { PooledSocket } from '../pooled-socket.js';
import { takesSocketInTick } from '../../node/exchange.js';
import { hasHeardError, isClosed, isHeldBack, isResponseEnded } from '../../node/exchange-end.js';
import { propertyOf } from '../../node/foreign.js';
import { isStillParsing } from '../../node/parsing.js';
import type { AgentRequest } from '../../node/types.js';

/**
 * - `closed`: the socket is closed, and its events were not emitted.
 * - `ready`: it is connected, and its events were not emitted.
 * - `free`: the exchange is over, and the connection could serve the next.
 * - `untold`: a request has it and was not told.
 *
 * In all other states the exchange cannot go on:
 *
 * - `unparsed`: the parser of the response was stopped.
 * - `unsent`: something of the request is not passed on to the socket.
 * - `unfreed`: the response has ended, and the request keeps the socket.
 * - `unread`: the response is not read on.
 * - `failed`: the request has heard of an error of the socket, which stays open.
 */
export type Interruption =
  'closed' | 'ready' | 'free' | 'untold' | 'unparsed' | 'unsent' | 'unfreed' | 'unread' | 'failed';

/** The interruption that `pooled` shows now. A healthy exchange may look interrupted for a moment: see recovery.ts. */
export function interruptionOf(pooled: PooledSocket): Interruption | undefined {
  try {
    return judge(pooled);
  } catch {
    // The stream or the request throws when it is read. That exception must not be the reason for the next inspection.
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
  // A request that got its socket by a call of `createSocket` from outside is ended by that caller.
  if (request.destroyed && isClosed(request) && requestOptions) return 'free';
  if (requestOptions && isUntold(request)) return 'untold';
  if (propertyOf(request, 'socket') !== socket) return undefined;
  if (delivering && isWithoutBody(request.res) && !isStillParsing(socket)) return 'unparsed';
  // Bytes that were written before 'socket' are sent after it; bytes that are written while the socket connects are sent after 'connect'.
  if (isHeldBack(request, socket)) return 'unsent';
  if (isUnfreed(request)) return 'unfreed';
  if (isUnread(request.res)) return 'unread';
  return hasHeardError(socket) ? 'failed' : undefined;
}

/**
 * The progress of the exchange on `pooled`. If it is equal at two moments, nothing was sent, received or read in between, and the same step is
 * still to be taken.
 */
export function progressOf({ request, socket }: PooledSocket): string {
  const amounts = [
    propertyOf(socket, 'bytesRead'),
    propertyOf(socket, 'bytesWritten'),
    propertyOf(socket, 'readableLength'),
    propertyOf(socket, 'writableLength'),
    propertyOf(request?.res, 'readableLength'),
  ];
  // Custom streams may have anything there.
  return amounts.map((amount) => (typeof amount === 'number' ? amount : '')).join(' ');
}

/** A listener of 'response' or of an interim response may have thrown: Node's parser cannot go on then. A listener of 'data' does no harm. */
function isWithoutBody(res: unknown): boolean {
  if (!res) return true;
  return (
    propertyOf(res, 'complete') === false &&
    propertyOf(res, 'readableDidRead') === false &&
    propertyOf(res, 'readableLength') === 0
  );
}

/** Node's client takes a socket that it was given in a tick. Code that wraps `onSocket` may do so at any time. */
function isUntold(req: AgentRequest): boolean {
  return propertyOf(req, 'socket') === null && takesSocketInTick(req);
}

/** A response that flows is read, and its end emitted, in a tick. */
function isUnread(res: AgentRequest['res']): boolean {
  if (!res || res.readableFlowing !== true || res.readableEnded || res.destroyed) return false;
  const { complete, readableHighWaterMark, readableLength } = res;
  return complete || (readableLength > 0 && readableLength >= readableHighWaterMark);
}

/** The request gives the connection back at the end of the response, or at 'finish' if that is later. */
function isUnfreed(request: AgentRequest): boolean {
  if (!request.res?.readableEnded) return false;
  const hasEnded = isResponseEnded(request);
  return hasEnded === false || (hasEnded === true && request.writableFinished && request.shouldKeepAlive);
}
