/** Observes everything that a request writes to its socket, from one moment on. */
import { OutgoingMessage } from 'node:http';
import { Capability } from './capability.js';
import type { AgentRequest } from './types.js';
import type { Output } from './client-request.js';

type Callback = Output['callback'];
type Write = (data: Output['data'], encoding?: unknown, callback?: unknown, size?: number) => boolean;

/** Node's `OutgoingMessage`, as far as this is concerned. */
interface Writing {
  outputData?: Output[];
  _writeRaw?: Write;
}

export const writeNotes: Capability = new Capability(
  'all that a request writes goes through one method',
  'a request whose TLS session was refused is not tried once more without one',
  () => typeof (OutgoingMessage.prototype as Writing)._writeRaw === 'function',
);

/**
 * Tells of all that `req` has still to write, what waits in its output queue included: `note` returns the callback that stands in for the
 * one of the piece. `false`: that cannot be told.
 */
export function noteWrites(req: AgentRequest, note: (output: Output) => Callback): boolean {
  const writing = req as unknown as Writing;
  const { _writeRaw: inherited, outputData } = writing;
  if (!writeNotes.holds || typeof inherited !== 'function' || Object.hasOwn(req, '_writeRaw') || !outputData)
    return false;
  for (const output of outputData) output.callback = note(output);
  writing._writeRaw = (data, encoding, callback, size) => {
    const [coding, done] = typeof encoding === 'function' ? [undefined, encoding] : [encoding, callback];
    const output = { data, encoding: coding, callback: done } as Output;
    return inherited.call(req, data, coding, note(output), size);
  };
  return true;
}

/** Nothing more is told of `req`. */
export function stopNoting(req: AgentRequest): void {
  Reflect.deleteProperty(req, '_writeRaw');
}
