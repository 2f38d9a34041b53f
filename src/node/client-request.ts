/**
 * Takes a request of Node's client off its socket, and makes it ready for another one: what it takes to send a request again. Whether that
 * may be done is not asked here (requests/replayable.ts and connections/replay.ts).
 *
 * Node's client binds a request to a socket by four fields (`req.socket`, `req.parser`, `socket._httpMessage`, `socket.parser`) and by
 * listeners on the socket which find the request through `socket._httpMessage`. So
 *
 * - `socket._httpMessage` becomes a decoy, a response-less request that is over: Node's listeners have something to end, and they free
 *   the parser;
 * - the request is what it was while it waited for its first socket, with what was written of it in its output queue once more. It is sent
 *   by the next socket that it gets (`req.onSocket`).
 *
 * The caller sees one request: one 'response', one 'finish', one 'close'. A second 'socket' event tells of the other socket. (Of a
 * *failed* write, a callback given to `req.end()` may have heard before we do.)
 *
 * The assumptions about Node behind this are tested at their first use, with a fake request. Where one does not hold, nothing is done.
 */
import { OutgoingMessage } from 'node:http';
import { Capability } from './capability.js';
import { hasHeardError } from './exchange.js';
import { ownSymbol } from './symbols.js';
import type { AgentRequest, SocketLike } from './types.js';

/** A piece of the output queue of Node's `OutgoingMessage`. */
export interface Output {
  data: string | Uint8Array | null;
  encoding: BufferEncoding | null | undefined;
  callback: ((error?: Error | null) => void) | null | undefined;
}

/** Fields of a request that Node does not document; and `socket` and `reusedSocket` as they really are, which Node's typings get wrong. */
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

/** Whether a request writes what is in its output queue to the socket that it has. Tried with one that leads nowhere. */
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

/** It has the fields by which it is put back to where it was. */
function isKnown(req: Partial<Internals>): boolean {
  return (
    Array.isArray(req.outputData) &&
    typeof req.outputSize === 'number' &&
    typeof req._headerSent === 'boolean' &&
    (typeof req._header === 'string' || req._header === null) &&
    typeof req.finished === 'boolean'
  );
}

/** The request and the socket know of each other, and Node's client works as we know it. */
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

/** Listeners of Node's client that were seen to look for the request where the decoy is, and to leave it in peace. */
const proven = new Map<string, unknown>();

function endsTheDecoy(socket: SocketLike, event: string, name: string): boolean {
  const listener = socket.listeners(event).find((candidate) => candidate.name === name);
  if (listener && proven.get(name) === listener) return true;
  const sound = listener !== undefined && isSound(listener);
  if (sound) proven.set(name, listener);
  // One that was there before, and is not now, was taken off by somebody; Node's client does so after an error.
  else if (!proven.has(name) && !hasHeardError(socket)) detaching.found(false);
  return sound;
}

/** Tries a listener out on a socket that is none. */
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

/** Nothing of it has left: its header is still to be made, or first in its output queue. */
export function isUnwritten(req: AgentRequest): boolean {
  const { _header: header, _headerSent: isSent, outputData } = internalsOf(req);
  if (!isSent) return true;
  const first = outputData[0]?.data;
  return header !== null && typeof first === 'string' && first.startsWith(header);
}

/** Whether its caller has ended it, and all of it was written to its socket. */
export function isWhollyWritten(req: AgentRequest): boolean {
  const { finished, outputData } = internalsOf(req);
  return finished && outputData.length === 0;
}

/**
 * All of a request that has no body, as it was written. `undefined`: it has one, or that is not known.
 *
 * @param bytes what its socket has taken of it
 */
export function headOf(req: AgentRequest, bytes: number | undefined): readonly Output[] | undefined {
  const { _contentLength, _header, chunkedEncoding } = internalsOf(req);
  if (chunkedEncoding) return undefined;
  // Of a head that was made before the end (headers as a list, `Expect`, `flushHeaders`) Node does not know that nothing has followed.
  if (_contentLength !== 0 && bytes !== _header?.length) return undefined;
  return [{ data: _header, encoding: 'latin1', callback: null }];
}

/** The output that Node is about to send of a request whose caller has ended it. `undefined`: the caller has not, or that is not known. */
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

/** A request that is over, for Node's listeners on a socket that has lost its own. They write to it. */
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

/** `req.setTimeout()` speaks to the socket of the moment: repeat it to the next one. */
function carryTimeout(req: Internals, socket: SocketLike): void {
  const { timeoutCb } = req;
  const { timeout = 0 } = socket;
  const listens = timeoutCb && socket.listeners('timeout').includes(timeoutCb);
  req.once('socket', (next: SocketLike) => {
    if (listens && !next.listeners('timeout').includes(timeoutCb)) next.once('timeout', timeoutCb);
    if ((next.timeout || 0) !== timeout) next.setTimeout?.(timeout);
  });
}

/** Its next socket sends `writes`, whose callbacks were not called yet. */
export function queueWrites(request: AgentRequest, writes: readonly Output[]): void {
  const req = internalsOf(request);
  for (const output of writes) {
    req.outputData.push(output);
    req.outputSize += output.data?.length ?? 0;
  }
  // 'prefinish', and Node's news that a client's request starts (http.client.request.start), come once.
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
