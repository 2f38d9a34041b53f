/**
 * Finds exchanges that an exception has cut short. After Node's client has called a listener it has something to do: to send the
 * request after 'socket', to read on after 'response', to free the connection after 'close'. Where the listener throws and the process
 * goes on, that is left out, and no event ever tells; the connection would keep its place under the limits for good.
 *
 * So, after an uncaught exception, connections are examined, in two turns of the event loop. They are judged by states alone which no exchange is in from one
 * turn of the event loop to the next unless a step was left out. While nothing throws, this costs nothing.
 */
import type { PooledSocket } from './pooled-socket.js';
import { hasHeardError, isClosed, isHeldBack, isResponseEnded } from '../node/exchange.js';
import { propertyOf } from '../node/foreign.js';

/**
 * - `closed`: the socket is closed, and nobody was told.
 * - `ready`: it is connected, and nobody was told.
 * - `free`: the exchange is over, and the connection could serve the next.
 * - `broken`: the exchange cannot go on.
 */
export type Interruption = 'closed' | 'ready' | 'free' | 'broken';

export class Interrupted {
  #suspects = new WeakMap<PooledSocket, Interruption>();

  /**
   * What is to be found now, and was at the look before.
   *
   * @param isFirst there was none before, or it was long ago
   */
  look(pooledSockets: Iterable<PooledSocket>, isFirst: boolean): Map<PooledSocket, Interruption> {
    const before = this.#suspects;
    this.#suspects = new WeakMap();
    const found = new Map<PooledSocket, Interruption>();
    for (const pooled of pooledSockets) {
      const interruption = interruptionOf(pooled);
      if (!interruption) continue;
      if (!isFirst && before.get(pooled) === interruption) found.set(pooled, interruption);
      else this.#suspects.set(pooled, interruption);
    }
    return found;
  }
}

function interruptionOf(pooled: PooledSocket): Interruption | undefined {
  try {
    return judge(pooled);
  } catch {
    // A stream or a request that does not let itself be read. Thrown on, it would be the reason for the next look.
    return undefined;
  }
}

function judge({ connection, delivering, request, socket }: PooledSocket): Interruption | undefined {
  if (socket.closed) return 'closed';
  if (socket.destroyed) return undefined;
  if (connection.state === 'connecting') {
    return socket.connecting || socket.secureConnecting ? undefined : 'ready';
  }
  if (connection.state !== 'active' || !request) return undefined;
  if (request.destroyed && isClosed(request)) return 'free';
  if (propertyOf(request, 'socket') !== socket) return undefined;
  const isBroken =
    (delivering && isWithoutBody(request.res)) ||
    // After 'socket', what was written until then is sent; what is written while the socket connects, after 'connect'.
    isHeldBack(request, socket) ||
    isUnfreed(request) ||
    hasHeardError(socket);
  return isBroken ? 'broken' : undefined;
}

/** A listener of 'response' or of an interim response has thrown: Node's parser is of no use any more. One of 'data' does not harm it. */
function isWithoutBody(res: unknown): boolean {
  if (!res) return true;
  return (
    propertyOf(res, 'complete') === false &&
    propertyOf(res, 'readableDidRead') === false &&
    propertyOf(res, 'readableLength') === 0
  );
}

/** With the end of the response, or with 'finish' if that is later, the request gives the connection back. */
function isUnfreed(request: NonNullable<PooledSocket['request']>): boolean {
  if (!request.res?.readableEnded || request.destroyed !== false) return false;
  const hasEnded = isResponseEnded(request);
  return hasEnded === false || (hasEnded === true && request.writableFinished && request.shouldKeepAlive);
}
