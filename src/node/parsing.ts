/**
 * Asks the parser of a response whether it still works. A listener that throws on the parser's stack ('response', 'information') stops it for
 * good; one that throws beside it (another 'data' listener of the socket) does not, and nothing else tells the two apart.
 */
import { propertyOf } from './foreign.js';
import type { SocketLike } from './types.js';

/** No bytes, but not without an address: without one they would mean the end of the response. */
const NO_BYTES = Buffer.from([0]).subarray(0, 0);

/**
 * Whether Node's parser has got all that was read from `socket`, and waits for more. Not for use on the parser's own stack. `false` also where
 * that is not known: somebody's listener stands before Node's and may have kept bytes from it, or the parser is none of Node's.
 */
export function isStillParsing(socket: SocketLike): boolean {
  if (socket.listeners('data')[0]?.name !== 'socketOnData') return false;
  const parser = propertyOf(socket, 'parser');
  const execute = propertyOf(parser, 'execute');
  // A parser that works takes the nothing that it is given; one that was stopped repeats its error.
  return typeof execute === 'function' && Reflect.apply(execute, parser, [NO_BYTES]) === 0;
}
