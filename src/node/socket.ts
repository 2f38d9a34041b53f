/**
 * Reads a socket, and its internals where Node's API says nothing. A custom stream may lack any of it, and then the
 * answer is that nothing is known.
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

/**
 * The address and port of the other side, as far as the socket tells. Its handle is asked first: `remoteAddress` would be kept as one more property of the
 * socket, at a time when Node's functions have been optimized for sockets without it.
 */
export function peerOf(socket: SocketLike): { address?: string | undefined; port?: number | undefined } {
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

/** A request's `highWaterMark` holds on a reused socket, too, as in Node 24. */
export function setHighWaterMark(socket: SocketLike, highWaterMark: unknown): void {
  if (socket.writableHighWaterMark === highWaterMark || !writableState.holds) return;
  writeHighWaterMark(socket, highWaterMark);
}

function writeHighWaterMark(stream: object, highWaterMark: unknown): void {
  const state: unknown = Reflect.get(stream, '_writableState');
  if (state && typeof state === 'object') Reflect.set(state, 'highWaterMark', highWaterMark);
}

const kTimeout = ownSymbol(new Socket(), 'timeout');

export const socketTimer: Capability = new Capability(
  'a socket shows the timer that runs on it',
  "a socket's own timeout is told from its request's by its length alone",
  () => kTimeout !== undefined,
);

/** Hot path. The timer that runs on `socket` now, or, of a custom stream, its milliseconds: a value to compare, and nothing else. */
export function timerOf(socket: SocketLike): unknown {
  const timer: unknown =
    kTimeout && socketTimer.holds && (socket as unknown as Record<symbol, unknown>)[kTimeout];
  return timer || socket.timeout;
}

export const byteCounter: Capability = new Capability(
  'a socket counts the bytes that have left it',
  "whether a request was sent is told by what Node's client has written",
  () => '_bytesDispatched' in Socket.prototype,
);

/** Hot path. Bytes handed to the system so far, without those that wait in the stream; `undefined`: it does not tell. */
export function bytesSent(socket: SocketLike): number | undefined {
  const bytes = socket._bytesDispatched;
  return typeof bytes === 'number' && byteCounter.holds ? bytes : undefined;
}

/** Whether the socket's counter tells what was sent: not where a mocking library takes the writes (nock 15). */
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
  if (handle?._parent?.writeQueueSize) return false;
  try {
    return handle?.bytesWritten === socket.bytesWritten;
  } catch {
    return isLastWrite(socket);
  }
}

/**
 * Whether the piece that `socket` is just passing on is its last. Below a TLS socket may be a stream that is made in JavaScript, on which the answer comes
 * while the request is still being written. Meanwhile Node's stream has nothing in the place of each piece that it has taken, and cannot count them.
 */
function isLastWrite({ writableBuffer }: SocketLike): boolean {
  return Array.isArray(writableBuffer) && writableBuffer.every((piece) => piece === null);
}

/** Bytes that were written to `socket` so far, whether they have left or not. `undefined`: it does not tell, or not now (see `isLastWrite`). */
export function bytesWritten(socket: SocketLike): number | undefined {
  const bytes = propertyOf(socket, 'bytesWritten');
  return typeof bytes === 'number' ? bytes : undefined;
}
