/**
 * The guard against stray bytes. A byte that comes while no response is awaited would be taken for the answer
 * to the next request, and every later answer would shift by one (CVE-2026-48931: response-queue poisoning).
 *
 * It stands before the socket's `push`, through which everything that is read enters the stream, from the socket's first
 * day to its last, and asks the pooled socket whether bytes are expected: no moment of a hand-over is unguarded, and nothing is
 * done per request. An idle socket gets no public 'data' listener for it (nodejs/node#63989). TLS records that carry no
 * data (session tickets) never get here; the end of the stream (`null`) is Node's to handle.
 */
import { checkParserMark } from '../node/exchange.js';
import { callIfAble } from '../node/foreign.js';
import { EarlyAnswer } from './early-answer.js';
import { hasDescriptor, hasHandle, isReadByNode, readOn } from '../node/handle.js';
import type { PooledSocket } from './pooled-socket.js';
import type { SocketLike } from '../node/types.js';
import { checkPollCount } from '../node/poll-count.js';
import { monotonicNow } from '../node/timers.js';

export function guard(pooled: PooledSocket, onStray: (pooled: PooledSocket, chunk: Buffer) => void): void {
  const { socket, ledger } = pooled;
  const { push } = socket;
  if (Object.hasOwn(socket, 'push')) pooled.ownPush = push;
  // Of a custom stream we don't know from where it calls `push`; Node's sockets do so when the loop has read.
  const isNodes = isReadByNode(socket);
  let begun = false;
  /** Hot path. `false`: the socket wants no more for now. */
  const deliver = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    if (!chunk) return push.call(socket, chunk, encoding);
    ledger.add(chunk.length);
    if (!pooled.expectsData) {
      onStray(pooled, chunk);
      return true;
    }
    pooled.answered = true;
    pooled.delivering = true;
    let more = true;
    // `push` would do this as well, and little else: two microseconds of it are spent to find that out.
    if (begun && isFlowing(socket)) socket.emit('data', chunk);
    else {
      // The first chunk is pushed, so that the stream knows that it has been read from.
      begun = isNodes;
      more = push.call(socket, chunk, encoding);
      if (isNodes) {
        checkParserMark(pooled.request, socket);
        if (pooled.connectedIn && hasDescriptor(socket)) checkPollCount(pooled.connectedIn);
      }
    }
    pooled.delivering = false;
    pooled.received();
    return more;
  };
  const early = isNodes ? new EarlyAnswer(pooled, deliver) : undefined;
  /** Hot path. */
  socket.push = function guarded(chunk: Buffer | null, encoding): boolean {
    // An end is no sign of life.
    if (chunk) pooled.polledAt = monotonicNow();
    return early?.keeps(chunk) || deliver(chunk, encoding);
  };
}

/** Whether what comes now goes straight to the 'data' listeners, as it is. */
function isFlowing(socket: SocketLike): boolean {
  return socket.readableFlowing === true && socket.readableLength === 0 && socket.readableEncoding === null;
}

/** The socket leaves the pool. */
export function unguard({ socket, ownPush }: PooledSocket): void {
  if (ownPush) socket.push = ownPush;
  else Reflect.deleteProperty(socket, 'push');
}

/** An idle socket must be read from, or its end would go unseen; a custom stream must not, or its bytes would be lost. */
export function watch({ socket }: PooledSocket): void {
  if (!hasHandle(socket)) callIfAble(socket, 'pause');
  else if (!socket.connecting) readOn(socket);
}
