/** Observes everything that a request writes to its socket, from one moment on. */
import { OutgoingMessage } from 'node:http';
import { Capability } from './capability.js';
import type { AgentRequest } from './types.js';
import type { Output } from './client-request.js';

type Callback = Output['callback'];
type Write = (data: Output['data'], encoding?: unknown, callback?: unknown, size?: number) => boolean;

/** The part of Node's `OutgoingMessage` that is used here. */
interface Writing {
  outputData?: Output[];
  _writeRaw?: Write | undefined;
}

export const writeNotes: Capability = new Capability(
  'all that a request writes goes through one method',
  'a request whose TLS session was refused is not tried once more without one',
  () => typeof (OutgoingMessage.prototype as Writing)._writeRaw === 'function',
);

/**
 * Calls `note` with each piece that `req` still writes, those in its output queue included. `note` returns the callback that replaces the piece's
 * own. `false`: this Node does not allow that.
 */
export function noteWrites(req: AgentRequest, note: (output: Output) => Callback): boolean {
  const writing = req as unknown as Writing;
  const { _writeRaw: write, outputData } = writing;
  if (!writeNotes.holds || typeof write !== 'function' || write !== inherited(req) || !outputData)
    return false;
  for (const output of outputData) output.callback = note(output);
  writing._writeRaw = (data, encoding, callback, size) => {
    const [coding, done] = typeof encoding === 'function' ? [undefined, encoding] : [encoding, callback];
    const output = { data, encoding: coding, callback: done } as Output;
    return write.call(req, data, coding, note(output), size);
  };
  return true;
}

/** Ends the calls of `note` for `req`. Nothing is deleted: V8 would give the request a hash table for its properties, which is slower. */
export function stopNoting(req: AgentRequest): void {
  (req as unknown as Writing)._writeRaw = inherited(req);
}

function inherited(req: object): Write | undefined {
  return (Object.getPrototypeOf(req) as Writing | null)?._writeRaw;
}
