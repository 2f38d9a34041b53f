/**
 * Asks the parser of a response whether it still works. A listener that throws on the parser's stack ('response', 'information') stops it for
 * good; a listener that throws elsewhere (another 'data' listener of the socket) does not. Nothing else tells the two apart.
 */
import { Capability } from './capability.js';
import { propertyOf } from './foreign.js';
import type { SocketLike } from './types.js';

/** No bytes, but with an address: without one, they would mean the end of the response. */
const NO_BYTES = Buffer.from([0]).subarray(0, 0);

/** The kind of a parser that reads responses. */
const RESPONSE = 2;

export const parserState: Capability = new Capability(
  'a parser that was stopped repeats its error',
  'where a listener has thrown before the body of a response came, the connection is closed',
);

/** Whether a stopped parser repeats its error. Tried with another parser of the same class, without a response. */
function repeatsError(parser: unknown): boolean {
  type Parser = new () => Record<'initialize' | 'execute' | 'close', (...args: unknown[]) => unknown>;
  const probe = new (propertyOf(parser, 'constructor') as Parser)();
  try {
    probe.initialize(RESPONSE, {});
    const isWorking = probe.execute(NO_BYTES) === 0;
    probe.execute(Buffer.from('no response'));
    return isWorking && probe.execute(NO_BYTES) !== 0;
  } finally {
    probe.close();
  }
}

function isTold(parser: unknown): boolean {
  if (!parserState.isKnown) {
    let repeats = false;
    try {
      repeats = repeatsError(parser);
    } catch {
      // This Node works differently.
    }
    parserState.found(repeats);
  }
  return parserState.holds;
}

/**
 * Whether Node's parser has got all that was read from `socket`, and waits for more. Must not be called on the parser's own stack. `false` also
 * if that is not known: a listener before Node's may have kept bytes from it, or the parser is not Node's.
 */
export function isStillParsing(socket: SocketLike): boolean {
  if (socket.listeners('data')[0]?.name !== 'socketOnData') return false;
  const parser = propertyOf(socket, 'parser');
  const execute = propertyOf(parser, 'execute');
  // A working parser accepts the empty bytes; a stopped one repeats its error.
  return typeof execute === 'function' && isTold(parser) && Reflect.apply(execute, parser, [NO_BYTES]) === 0;
}
