/**
 * Sends a request again that was sent on a connection the server had already given up. A server that closes an idle
 * connection and a client that uses it can miss each other by half a round trip, whatever either of them does (RFC 9112, section
 * 9.3.1); what is left is to try again, and the caller need not hear of it.
 *
 * **The rule**, Go's: only on a connection that had served a request before; only before the first byte of the response; only
 * where the loss was the connection's own (reset, broken pipe, end of file) and not somebody's decision (destroy, abort, timeout) or a
 * matter of identity (TLS alerts); at most `max` times; and only what may be sent twice (see replayable.ts), with no body, or with one
 * that we hold; or any request of which the server has nothing, because nothing was written, or because the write of all of it failed.
 *
 * **How.** Node's client binds a request to a socket by four fields (`req.socket`, `req.parser`, `socket._httpMessage`,
 * `socket.parser`) and by listeners on the socket which find the request through `socket._httpMessage`. So
 *
 * - the loss is noticed before anybody else can: an error in the stream's own `_destroy`, before there is an 'error' event (some clients
 *   give a request up when its socket errs); an end of file by our 'end' listener, which stands before those of Node's client;
 * - `socket._httpMessage` becomes a decoy, a response-less request that is over: Node's listeners have something to end, and they free
 *   the parser;
 * - the request is what it was while it waited for its first socket, with what was written of it in its output queue once more.
 *   Whoever hands it a socket (`req.onSocket`) has it sent.
 *
 * The caller sees one request: one 'response', one 'finish', one 'close'. A second 'socket' event tells of the other socket. (Of a
 * *failed* write, a callback given to `req.end()` may have heard before we do.)
 *
 * The internals of Node that this rests on are looked at each time; where they are not as expected nothing is done, and
 * the error goes its usual way.
 */
import type { PooledSocket } from '../connections/pooled-socket.js';
import { codeOf, propertyOf } from './foreign.js';
import { ownSymbol } from './symbols.js';
import type { AgentRequest, SocketLike } from './types.js';

/** A piece of the output queue of Node's `OutgoingMessage`. */
export interface Output {
  data: string | Uint8Array | null;
  encoding: BufferEncoding | null | undefined;
  callback: ((error?: Error | null) => void) | null | undefined;
}

/** What a request is behind its public face, and `socket` and `reusedSocket` as they are, not as they are typed. */
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

/** Requests with a body, up to this many bytes, are held until their exchange is over where that makes them replayable. */
const MAX_HELD = 64 * 1024;

/**
 * What fits into one TLS record (RFC 8446, section 5.1) is written with one system call, or with several if that takes only a part. If
 * any of them fails, the record was cut short, and the server cannot read a byte of it.
 */
const MAX_RECORD = 16 * 1024;

/** The system says that the connection is gone. (Not ETIMEDOUT: then there may be nobody to send to.) */
const LOSSES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** The system would not take what was written. */
function isFailedWrite(error: unknown): boolean {
  return propertyOf(error, 'syscall') === 'write';
}

/** A loss, and not an error that somebody made up: those of the system have a number. */
export function isLoss(error: unknown): boolean {
  return typeof propertyOf(error, 'errno') === 'number' && LOSSES.has(codeOf(error));
}

type Destroy = (this: SocketLike, error: Error | null, callback: (error?: Error | null) => void) => void;
interface Shielded {
  _destroy?: Destroy;
}

/**
 * Has `isSaved` asked before an error becomes one of the socket. If the answer is yes, the socket closes without one.
 * For streams that read from a handle; of others we would not know whether a response has begun.
 */
export function interceptDestroy(
  pooled: PooledSocket,
  isSaved: (pooled: PooledSocket, error: unknown) => boolean,
): void {
  const socket = pooled.socket as SocketLike & Shielded;
  const destroy = socket._destroy;
  if (!socket._handle || typeof destroy !== 'function' || Object.hasOwn(socket, '_destroy')) return;
  socket._destroy = function interceptsDestroy(error, callback) {
    const saved = error !== null && isSaved(pooled, error);
    destroy.call(this, saved ? null : error, callback);
  };
  pooled.interceptsDestroy = true;
}

export function restoreDestroy(pooled: PooledSocket): void {
  if (!pooled.interceptsDestroy) return;
  pooled.interceptsDestroy = false;
  Reflect.deleteProperty(pooled.socket, '_destroy');
}

/**
 * Takes the request off `pooled`, which is lost, and makes it ready for another one. `false`: that cannot be done, and nothing was.
 * What is left to do is to close the connection, and to find another.
 *
 * @param error by which it was lost
 */
export function detachRequest(pooled: PooledSocket, error?: unknown): boolean {
  const { socket } = pooled;
  const req = pooled.request as unknown as Internals | undefined;
  if (!req || !isAsExpected(req, socket)) return false;

  const unwritten = isUnwritten(req);
  const writes = unwritten ? [] : resendable(pooled, req, error);
  if (!writes) return false;

  detach(pooled, req);
  if (!unwritten) sendAgain(req, writes);
  return true;
}

/**
 * The same for a connection that was never secured, so that nothing has left.
 *
 * @param taken gives all that was written, with callbacks that were not called
 */
export function retractUnsent(pooled: PooledSocket, taken: () => readonly Output[] | undefined): boolean {
  const req = pooled.request as unknown as Internals | undefined;
  if (!req || !isAsExpected(req, pooled.socket)) return false;

  const unwritten = isUnwritten(req);
  const writes = unwritten ? [] : taken();
  if (!writes) return false;

  detach(pooled, req);
  if (!unwritten) queueWrites(req, writes);
  return true;
}

function detach(pooled: PooledSocket, req: Internals): void {
  const { socket } = pooled;
  socket._httpMessage = decoy();
  pooled.request = undefined;
  req.socket = null;
  req.parser = null;
  req.reusedSocket = false;
  carryTimeout(req, socket);
}

/**
 * Keeps a request with a body that was given at once, if it could be sent again; called just before Node sends it. Strings are
 * kept as they are, bytes are copied: their owner may reuse them once they are written.
 */
export function keepBody(pooled: PooledSocket): void {
  const req = pooled.request as unknown as Internals | undefined;
  if (!req || !req.finished || !Array.isArray(req.outputData)) return;
  const size = sizeOf(req.outputData);
  if (size > MAX_RECORD && (size > MAX_HELD || !mayRepeat(pooled))) return;
  pooled.keptBody = req.outputData.map(({ data, encoding }) => ({
    data: typeof data === 'string' || !data ? data : Buffer.from(data),
    encoding,
    callback: null,
  }));
}

/** Node's client works as we know it: the request and the socket know of each other, and its listeners are in place. */
function isAsExpected(req: Internals, socket: SocketLike): boolean {
  return (
    req.socket === socket &&
    socket._httpMessage === req &&
    Array.isArray(req.outputData) &&
    typeof req.outputSize === 'number' &&
    typeof req._headerSent === 'boolean' &&
    (typeof req._header === 'string' || req._header === null) &&
    typeof req.finished === 'boolean' &&
    typeof req.onSocket === 'function' &&
    looksAtMessage(socket, 'close', 'socketCloseListener') &&
    looksAtMessage(socket, 'end', 'socketOnEnd')
  );
}

/** Functions of Node's client that were found to look for the request where the decoy is. */
const known = new WeakSet<object>();

function looksAtMessage(socket: SocketLike, event: string, name: string): boolean {
  const listener = socket.listeners(event).find((candidate) => candidate.name === name);
  if (!listener) return false;
  if (known.has(listener)) return true;
  if (!/\breq = (socket|this)\._httpMessage;/.test(Function.prototype.toString.call(listener))) return false;
  known.add(listener);
  return true;
}

/** A request that is over, for Node's listeners on a socket that has lost its own. They write to it. */
function decoy(): object {
  return {
    destroyed: true,
    finished: true,
    outputData: [],
    parser: null,
    res: { complete: true, aborted: true, readable: false },
    socket: { _hadError: true },
    emit: () => false,
  };
}

/** Nothing of it has left: its header is still to be made, or first in its output queue. */
function isUnwritten(req: Internals): boolean {
  if (!req._headerSent) return true;
  const first = req.outputData[0]?.data;
  return req._header !== null && typeof first === 'string' && first.startsWith(req._header);
}

/** Everything that was written of it, if that is known, and may be written again. */
function resendable(pooled: PooledSocket, req: Internals, error: unknown): readonly Output[] | undefined {
  if (!req.finished || req.outputData.length > 0) return undefined;
  const writes = pooled.keptBody ?? headOf(pooled, req);
  if (!writes) return undefined;
  const isUnread = pooled.isUnsent || (isFailedWrite(error) && sizeOf(writes) <= MAX_RECORD);
  return isUnread || mayRepeat(pooled) ? writes : undefined;
}

/** What there is of it, if it has no body. */
function headOf(pooled: PooledSocket, req: Internals): readonly Output[] | undefined {
  const { _contentLength, _header, chunkedEncoding } = req;
  if (chunkedEncoding) return undefined;
  // Of a head that was made before the end (headers as a list, `Expect`, `flushHeaders`) Node does not know that nothing has followed.
  if (_contentLength !== 0 && pooled.bytesWritten !== _header?.length) return undefined;
  return [{ data: _header, encoding: 'latin1', callback: null }];
}

function sizeOf(writes: readonly Output[]): number {
  let size = 0;
  for (const { data } of writes) size += data ? Buffer.byteLength(data) : 0;
  return size;
}

function mayRepeat({ owner, request }: PooledSocket): boolean {
  return request !== undefined && owner.replays.rule.isRepeatable(request);
}

function sendAgain(req: Internals, writes: readonly Output[]): void {
  queueWrites(
    req,
    writes.map(({ data, encoding }) => ({ data, encoding, callback: null })),
  );
  const last = req.outputData.at(-1);
  if (last) last.callback = (error) => sent(req, error);
}

function queueWrites(req: Internals, writes: readonly Output[]): void {
  for (const output of writes) {
    req.outputData.push(output);
    req.outputSize += output.data?.length ?? 0;
  }
  // 'prefinish', and Node's news that a client's request starts (http.client.request.start), come once.
  if (req.finished) req._finish = () => void Reflect.deleteProperty(req, '_finish');
}

/** It was sent again. */
function sent(req: Internals, error: Error | null | undefined): void {
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
