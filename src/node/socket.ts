/**
 * Reads a socket, and its internals where Node's API has nothing. A custom stream may lack any of it; then the answer is
 * "not known".
 */
import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { Capability } from './capability.js';
import { propertyOf } from './foreign.js';
import { ownSymbol } from './symbols.js';
import type { AgentRequest, SocketLike } from './types.js';

export function isSocketLike(value: unknown): value is SocketLike {
  const socket = value as Partial<SocketLike> | null | undefined;
  return typeof socket === 'object' && socket !== null && typeof socket.on === 'function' &&
    typeof socket.write === 'function' && typeof socket.destroy === 'function'; // prettier-ignore
}

/** The other side of a connection, as far as the socket tells. */
export interface Peer {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

/**
 * The address and port of the other side, if the socket tells. Its handle is asked first: reading `remoteAddress` would add a property to the socket, and
 * V8 has optimized Node's functions for sockets without it.
 */
export function peerOf(socket: SocketLike): Peer {
  const peer = {};
  if (socket._handle?.getpeername?.(peer) === 0) return peer;
  const address = propertyOf(socket, 'remoteAddress');
  const port = propertyOf(socket, 'remotePort');
  return {
    address: typeof address === 'string' ? address : undefined,
    port: typeof port === 'number' ? port : undefined,
  };
}

export const writableState: Capability = new Capability(
  'the state of a stream takes another high-water mark',
  "a request's highWaterMark holds only on a connection that is opened for it",
  () => {
    const stream = new Writable({ highWaterMark: 2 });
    writeHighWaterMark(stream, 1);
    return stream.writableHighWaterMark === 1;
  },
);

/** Applies a request's `highWaterMark` to a reused socket, as Node 24 does. */
export function setHighWaterMark(socket: SocketLike, highWaterMark: unknown): void {
  if (socket.writableHighWaterMark === highWaterMark || !writableState.holds) return;
  writeHighWaterMark(socket, highWaterMark);
}

function writeHighWaterMark(stream: object, highWaterMark: unknown): void {
  const state: unknown = Reflect.get(stream, '_writableState');
  if (state && typeof state === 'object') Reflect.set(state, 'highWaterMark', highWaterMark);
}

/** The symbol of a socket's timer. Looked for when it is first needed: to make a socket takes a tenth of the time that it takes to load this package. `null`: there is none. */
let kTimeout: symbol | null | undefined;

function timeoutSymbol(): symbol | null {
  return (kTimeout ??= ownSymbol(new Socket(), 'timeout') ?? null);
}

export const socketTimer: Capability = new Capability(
  'a socket shows the timer that runs on it',
  "a socket's own timeout and that of its request are told apart by their length only",
  () => timeoutSymbol() !== null,
);

/** Hot path. The timer that runs on `socket`, or the milliseconds of a custom stream: a value for comparison only. */
export function timerOf(socket: SocketLike): unknown {
  const timer: unknown =
    socketTimer.holds && (socket as unknown as Record<symbol, unknown>)[timeoutSymbol() as symbol];
  return timer || socket.timeout;
}

export const byteCounter: Capability = new Capability(
  'a socket counts the bytes that have left it',
  "a mark of Node's client tells whether a request was sent",
  () => '_bytesDispatched' in Socket.prototype,
);

/** Hot path. Bytes that were handed to the system so far, without those that wait in the stream; `undefined`: not known. */
export function bytesSent(socket: SocketLike): number | undefined {
  const bytes = socket._bytesDispatched;
  return typeof bytes === 'number' && byteCounter.holds ? bytes : undefined;
}

/** Whether the socket counts the bytes that were sent. It does not where a mocking library takes the writes (nock 15). */
export function countsWrites(socket: SocketLike): boolean {
  return !Object.hasOwn(socket, '_writeGeneric');
}

/**
 * Whether all of a request has been handed to the system. Node's 'finish' comes too late to tell: it is emitted a turn
 * of the event loop after the write, and a fast server has answered by then.
 */
export function isSent(req: AgentRequest, socket: SocketLike): boolean {
  if (!req.writableEnded) return false;
  if (socket.writableLength === 0) return true;
  const handle = socket._handle;
  if ((handle?._parent ?? handle)?.writeQueueSize) return false;
  try {
    return handle?.bytesWritten === socket.bytesWritten;
  } catch {
    return isLastWrite(socket);
  }
}

/**
 * Whether the piece that `socket` is passing on is its last. If a TLS socket runs over a stream that is made in JavaScript, the answer may come while the
 * request is still being written. Meanwhile Node's stream has emptied the entries of the pieces that it has taken, and cannot count them.
 */
function isLastWrite({ writableBuffer }: SocketLike): boolean {
  return Array.isArray(writableBuffer) && writableBuffer.every((piece) => piece === null);
}

/** Bytes that were written to `socket` so far, whether they have left or not. `undefined`: not known, or not at this moment (see `isLastWrite`). */
export function bytesWritten(socket: SocketLike): number | undefined {
  const bytes = propertyOf(socket, 'bytesWritten');
  return typeof bytes === 'number' ? bytes : undefined;
}
