/**
 * Takes a request of Node's client off its socket, and makes it ready for another one, so that it can be sent again. requests/replayable.ts and
 * connections/losses/replay.ts decide whether it may be.
 *
 * Node's client binds a request to a socket by four fields (`req.socket`, `req.parser`, `socket._httpMessage`, `socket.parser`) and by
 * listeners on the socket which find the request through `socket._httpMessage`. So
 *
 * - `socket._httpMessage` becomes a decoy, a response-less request that is over: Node's listeners have something to end, and they free
 *   the parser;
 * - the request gets the state that it had while it waited for its first socket, with all that was written of it in its output queue again. It is
 *   sent by the next socket that it gets (`req.onSocket`).
 *
 * The caller sees one request: one 'response', one 'finish', one 'close'. A second 'socket' event announces the other socket. (A callback that was
 * given to `req.end()` may hear of a *failed* write before we do.)
 *
 * These assumptions about Node are tested at their first use, with a fake request. If one does not hold, no request is sent again.
 */
import { OutgoingMessage } from 'node:http';
import { Capability } from './capability.js';
import { hasHeardError } from './exchange-end.js';
import { ownSymbol } from './symbols.js';
import type { AgentRequest, SocketLike } from './types.js';

/** A piece of the output queue of Node's `OutgoingMessage`. */
export interface Output {
  data: string | Uint8Array | null;
  encoding: BufferEncoding | null | undefined;
  callback: ((error?: Error | null) => void) | null | undefined;
}

/** Fields of a request that Node does not document; and the true types of `socket` and `reusedSocket`, which Node's typings get wrong. */
interface Internals extends Omit<AgentRequest, 'socket' | 'reusedSocket'> {
  socket: SocketLike | null;
  reusedSocket: boolean;
  parser: unknown;
  outputData: Output[];
  outputSize: number;
  _header: string | null;
  _headerSent: boolean;
  _contentLength: number | null;
  /** 'end' of the response was emitted. */
  _ended: boolean;
  _finish?: () => void;
  timeoutCb?: ((this: SocketLike) => void) | null;
}

function internalsOf(req: AgentRequest): Internals {
  return req as unknown as Internals;
}

export const resending: Capability = new Capability(
  'a request sends what is in its output queue',
  'requests that lose their connection are not sent again, and end with the error',
  sendsItsQueue,
);

export const detaching: Capability = new Capability(
  'what a request listens to on its socket finds it through the socket',
  'requests that lose their connection are not sent again, and end with the error',
);

/** Whether a request writes its output queue to its socket. Tried with a fake socket. */
function sendsItsQueue(): boolean {
  const written: unknown[] = [];
  const socket = {
    writable: true,
    cork: doNothing,
    uncork: doNothing,
    write: (data: unknown) => written.push(data) > 0,
  };
  const message = new OutgoingMessage() as OutgoingMessage & Partial<Internals> & { _flush(): void };
  const { outputData } = message;
  if (!isKnown(message) || !outputData) return false;
  outputData.push({ data: 'probe', encoding: 'latin1', callback: null });
  Object.assign(message, { socket, finished: true, outputSize: 5, _finish: doNothing });
  message._flush();
  return written.length === 1 && written[0] === 'probe' && message.outputSize === 0;
}

function doNothing(): void {}

/** Whether `req` has the fields that are reset. */
function isKnown(req: Partial<Internals>): boolean {
  return (
    Array.isArray(req.outputData) &&
    typeof req.outputSize === 'number' &&
    typeof req._headerSent === 'boolean' &&
    (typeof req._header === 'string' || req._header === null) &&
    typeof req.finished === 'boolean'
  );
}

/** Whether `request` can be taken off `socket`: both refer to each other, and Node's client works as expected. */
export function isDetachable(request: AgentRequest, socket: SocketLike): boolean {
  const req = internalsOf(request);
  return (
    req.socket === socket &&
    socket._httpMessage === req &&
    typeof req.onSocket === 'function' &&
    isKnown(req) &&
    resending.holds &&
    detaching.holds &&
    endsTheDecoy(socket, 'close', 'socketCloseListener') &&
    endsTheDecoy(socket, 'end', 'socketOnEnd')
  );
}

/** Listeners of Node's client that were found to use the decoy, and to do no harm to the request. */
const proven = new Map<string, unknown>();

function endsTheDecoy(socket: SocketLike, event: string, name: string): boolean {
  const listener = socket.listeners(event).find((candidate) => candidate.name === name);
  if (listener && proven.get(name) === listener) return true;
  const sound = listener !== undefined && isSound(listener);
  if (sound) proven.set(name, listener);
  // A listener that was proven, and is absent now, was removed: Node's client does so after an error.
  else if (!proven.has(name) && !hasHeardError(socket)) detaching.found(false);
  return sound;
}

/** Tries a listener on a fake socket. */
function isSound(listener: unknown): boolean {
  let asked = false;
  const events: string[] = [];
  const fake = {
    parser: null,
    get _httpMessage() {
      asked = true;
      return decoy((event) => events.push(event) > 0);
    },
    destroy: doNothing,
    end: doNothing,
    removeListener: doNothing,
  };
  try {
    Reflect.apply(listener as () => void, fake, []);
  } catch {
    return false;
  }
  return asked && !events.includes('error');
}

/** Whether nothing of `req` has left: its head is still to be made, or is first in its output queue. */
export function isUnwritten(req: AgentRequest): boolean {
  const { _header: header, _headerSent: isSent, outputData } = internalsOf(req);
  if (!isSent) return true;
  const first = outputData[0]?.data;
  return header !== null && typeof first === 'string' && first.startsWith(header);
}

/** Whether the caller has ended `req`, and all of it was written to its socket. */
export function isWhollyWritten(req: AgentRequest): boolean {
  const { finished, outputData } = internalsOf(req);
  return finished && outputData.length === 0;
}

/**
 * The whole text of a request without a body, as it was written. `undefined`: it has a body, or that is not known.
 *
 * @param bytes the number of bytes that its socket has taken
 */
export function headOf(req: AgentRequest, bytes: number | undefined): readonly Output[] | undefined {
  const { _contentLength, _header, chunkedEncoding } = internalsOf(req);
  if (chunkedEncoding) return undefined;
  // If the head was made before the end (headers as a list, `Expect`, `flushHeaders`), Node does not know that no body has followed.
  if (_contentLength !== 0 && bytes !== _header?.length) return undefined;
  return [{ data: _header, encoding: 'latin1', callback: null }];
}

/** The output that Node is about to send of a request that its caller has ended. `undefined`: it is not ended, or that is not known. */
export function unsentOutputOf(req: AgentRequest): readonly Output[] | undefined {
  const { finished, outputData } = internalsOf(req);
  return finished && Array.isArray(outputData) ? outputData : undefined;
}

/** Strings are kept as they are; bytes are copied: their owner may reuse them once they are written. */
export function copyOf(writes: readonly Output[]): readonly Output[] {
  return writes.map(({ data, encoding }) => ({
    data: typeof data === 'string' || !data ? data : Buffer.from(data),
    encoding,
    callback: null,
  }));
}

export function sizeOf(writes: readonly Output[]): number {
  let size = 0;
  for (const { data } of writes) size += data ? Buffer.byteLength(data) : 0;
  return size;
}

/** Takes `request` off `socket`, as `isDetachable` has allowed. */
export function detach(request: AgentRequest, socket: SocketLike): void {
  const req = internalsOf(request);
  socket._httpMessage = decoy();
  req.socket = null;
  req.parser = null;
  req.reusedSocket = false;
  carryTimeout(req, socket);
}

/** A request that is over, for Node's listeners on a socket that has lost its own request. They write to it. */
function decoy(emit: (event: string) => boolean = () => false): object {
  return {
    destroyed: true,
    finished: true,
    outputData: [],
    parser: null,
    res: { complete: true, aborted: true, readable: false },
    socket: { _hadError: true },
    emit,
  };
}

/** `req.setTimeout()` has set its time on the present socket: it is repeated on the next one. */
function carryTimeout(req: Internals, socket: SocketLike): void {
  const { timeoutCb } = req;
  const { timeout = 0 } = socket;
  const listens = timeoutCb && socket.listeners('timeout').includes(timeoutCb);
  req.once('socket', (next: SocketLike) => {
    if (listens && !next.listeners('timeout').includes(timeoutCb)) next.once('timeout', timeoutCb);
    if ((next.timeout || 0) !== timeout) next.setTimeout?.(timeout);
  });
}

/** Has the next socket of `request` send `writes`, whose callbacks were not called yet. */
export function queueWrites(request: AgentRequest, writes: readonly Output[]): void {
  const req = internalsOf(request);
  for (const output of writes) {
    req.outputData.push(output);
    req.outputSize += output.data?.length ?? 0;
  }
  // 'prefinish', and Node's message on the channel http.client.request.start, come once.
  if (req.finished) req._finish = () => void Reflect.deleteProperty(req, '_finish');
}

/** Its next socket sends `writes`, all of which were written before: their callbacks, and 'finish', may have come already. */
export function queueAgain(request: AgentRequest, writes: readonly Output[]): void {
  const req = internalsOf(request);
  queueWrites(
    request,
    writes.map(({ data, encoding }) => ({ data, encoding, callback: null })),
  );
  const last = req.outputData.at(-1);
  if (last) last.callback = (error) => sentAgain(req, error);
}

function sentAgain(req: Internals, error: Error | null | undefined): void {
  if (error) return;
  // Node 24 and later emit no 'finish' when the first write has failed; the older ones always do.
  const finished = ownSymbol(req, 'kWritableFinished');
  if (finished && Reflect.get(req, finished) === false) {
    const flushError = ownSymbol(req, 'kFlushError');
    if (flushError) Reflect.set(req, flushError, null);
    Reflect.set(req, finished, true);
    req.emit('finish');
  } else if (req._ended && !req.destroyed) {
    // A response that was all there before this waits for 'finish' to free its socket: there will be none.
    for (const listener of req.listeners('finish'))
      if (listener.name === 'requestOnFinish') listener.call(req);
  }
}
