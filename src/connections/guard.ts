/**
 * The guard against stray bytes. A byte that comes while no response is awaited would be taken for the answer
 * to the next request, and every later answer would shift by one (CVE-2026-48931: response-queue poisoning).
 *
 * It wraps the socket's `push`, through which everything that is read enters the stream, from the socket's first day to its last, and
 * asks the pooled socket whether bytes are expected. So no moment of a hand-over is unguarded, and a request costs nothing more. An idle
 * socket needs no public 'data' listener (nodejs/node#63989). TLS records without data (session tickets) never get here; Node handles
 * the end of the stream (`null`).
 */
import { checkParserMark } from '../node/exchange.js';
import { callIfAble } from '../node/foreign.js';
import { EarlyAnswer, isEarly } from './early-answer.js';
import { hasHandle, isReadByNode, readOn } from '../node/handle.js';
import type { PooledSocket } from './pooled-socket.js';
import type { SocketLike } from '../node/types.js';
import { checkPollCount } from '../node/poll-count.js';
import { monotonicNow } from '../node/timers.js';

export function guard(pooled: PooledSocket, onStray: (pooled: PooledSocket, chunk: Buffer) => void): void {
  const { socket, ledger } = pooled;
  const { push } = socket;
  pooled.push = push;
  // Node's sockets call `push` when the loop has read. A custom stream may call it at any time.
  const isNodes = isReadByNode(socket);
  let begun = false;
  /** Hot path. `false`: the socket wants no more for now. */
  const deliver = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    // An end, or a chunk without a byte, as streams that are made in JavaScript may have them.
    if (!chunk?.length) return push.call(socket, chunk, encoding);
    ledger.add(chunk.length);
    if (!pooled.expectsData) {
      onStray(pooled, chunk);
      return true;
    }
    pooled.answered = true;
    pooled.delivering = true;
    let more = true;
    // `push` would do the same, but takes two microseconds to find out that nothing else is to be done.
    if (begun && isFlowing(socket)) socket.emit('data', chunk);
    else {
      // The first chunk goes through `push`, so that the stream knows that it has been read from.
      begun = isNodes;
      more = push.call(socket, chunk, encoding);
      if (isNodes) checkParserMark(pooled.request, socket);
    }
    pooled.delivering = false;
    pooled.received();
    return more;
  };
  let early: EarlyAnswer | undefined;
  /** Hot path. */
  socket.push = function guarded(chunk: Buffer | null, encoding): boolean {
    // An end does not show that the connection is alive.
    if (chunk) {
      pooled.polledAt = monotonicNow();
      if (pooled.showsPolls) pooled.showsPolls = !checkPollCount();
    }
    if (!early && isNodes && isEarly(pooled, chunk)) early = new EarlyAnswer(pooled, deliver);
    return early?.keeps(chunk) || deliver(chunk, encoding);
  };
}

/** Whether a chunk can go to the 'data' listeners at once, as it is. */
function isFlowing(socket: SocketLike): boolean {
  return socket.readableFlowing === true && socket.readableLength === 0 && socket.readableEncoding === null;
}

/** The socket leaves the pool. See `PooledSocket.release` for why nothing is deleted. */
export function unguard({ push, socket }: PooledSocket): void {
  if (push) socket.push = push;
}

/** An idle socket must be read from, or its end would go unseen; a custom stream must not, or its bytes would be lost. */
export function readWhileIdle({ socket }: PooledSocket): void {
  if (!hasHandle(socket)) callIfAble(socket, 'pause');
  else if (!socket.connecting) readOn(socket);
}
