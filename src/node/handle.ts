/**
 * Reads the handle below a socket, which does its input and output, counts its bytes and holds the system's descriptor. A custom stream has none, and sockets
 * of mocking tools may have an empty one; then the answer is "not known".
 */
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Capability } from './capability.js';
import { callIfAble } from './foreign.js';
import type { Handle, SocketLike } from './types.js';

/** Whether the stream reads from a handle. A custom stream gets its bytes in some other way. */
export function hasHandle(socket: SocketLike): boolean {
  return Boolean(socket._handle);
}

/** Whether Node itself reads from the socket, when the loop has polled. */
export function isReadByNode(socket: SocketLike): boolean {
  return socket._handle?.onread !== undefined;
}

/** Hot path. Whether the loop is known to read from the socket. */
export function isReading(socket: SocketLike): boolean {
  return socket._handle?.reading === true;
}

/** Stops reading from `socket` until its reader asks for more, or `readOn` is called: the stream takes its reader for a slow one. */
export function pauseReading({ _handle: handle }: SocketLike): void {
  if (!handle?.reading || !handle.readStop) return;
  handle.reading = false;
  handle.readStop();
}

/** Starts reading from `socket` again, if that was stopped. */
export function readOn(socket: SocketLike): void {
  const handle = socket._handle;
  if (handle?.reading !== false || !handle.readStart) return;
  handle.reading = true;
  if (handle.readStart() !== 0) socket.destroy();
}

/** Starts reading from `socket`, which has just connected, unless somebody has paused it. */
export function startReading(socket: SocketLike): void {
  if (callIfAble(socket, 'isPaused') !== true) readOn(socket);
}

/** Node 20 has no such question. */
export const pendingRead: Capability = new Capability(
  'a handle tells whether the system has something for it to read',
  'the event loop has to poll once more before some requests get a connection that was used before',
);

/** Hot path. Whether the system has bytes, an end or an error for `socket` that were not read yet. `undefined`: it cannot be asked. */
export function hasPendingRead({ _handle: handle }: SocketLike): boolean | undefined {
  const raw = rawOf(handle);
  return raw?.hasPendingRead && pendingRead.holds ? raw.hasPendingRead() : undefined;
}

/** Whether the system has a descriptor for it, which it has from the connect on. */
export function hasDescriptor(socket: SocketLike): boolean {
  return (socket._handle?.fd ?? -1) >= 0;
}

export const wireCounter: Capability = new Capability(
  'the handle below a TLS socket counts its bytes',
  'each hand-over of a connection waits until the event loop has polled once more',
);

interface WireCounter {
  readonly bytesRead?: number;
}

/** The object that counts the bytes from the wire of a socket without TLS, all of which are content. `undefined`: there is none. */
export function plainCounterOf(socket: SocketLike): WireCounter | undefined {
  const { _handle: handle } = socket;
  const isPlain = socket instanceof Socket && !(socket instanceof TLSSocket);
  if (!isPlain || handle?.onread === undefined) return undefined;
  return typeof handle.bytesRead === 'number' ? handle : undefined;
}

/** The object that counts the bytes from the wire, below TLS. `undefined`: there is none. */
export function wireCounterOf(socket: SocketLike): WireCounter | undefined {
  const raw = socket._handle?._parent;
  const isCounted = typeof raw?.bytesRead === 'number';
  if (socket instanceof TLSSocket && isReadByNode(socket)) wireCounter.found(isCounted);
  return isCounted && wireCounter.holds ? raw : undefined;
}

/**
 * Hot path. Whether `socket` is known to keep the loop alive. Other code may call `unref()` at any time, so its handle is asked, or that below
 * a TLS socket.
 */
export function isReferenced({ _handle: handle }: SocketLike): boolean {
  return rawOf(handle)?.hasRef?.() === true;
}

/** Whether `unref()` was called on `socket`. */
export function isUnreferenced({ _handle: handle }: SocketLike): boolean {
  return rawOf(handle)?.hasRef?.() === false;
}

function rawOf(handle: Handle | null | undefined): Handle | null | undefined {
  return handle?._parent ?? handle;
}
