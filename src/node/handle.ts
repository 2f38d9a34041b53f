/**
 * Reads the handle below a socket, which does its input and output, counts its bytes and holds the system's descriptor. A custom stream has none, and sockets of
 * mocking tools may have one that tells nothing; then the answer is that nothing is known.
 */
import { TLSSocket } from 'node:tls';
import { Capability } from './capability.js';
import { propertyOf } from './foreign.js';
import type { Handle, SocketLike } from './types.js';

/** Whether the stream reads from a handle. A custom stream gets its bytes in some other way. */
export function hasHandle(socket: SocketLike): boolean {
  return Boolean(socket._handle);
}

/** Whether what comes is read by Node itself, when the loop has polled. */
export function isReadByNode(socket: SocketLike): boolean {
  return socket._handle?.onread !== undefined;
}

/** Hot path. Whether the loop is known to read what comes. */
export function isReading(socket: SocketLike): boolean {
  return socket._handle?.reading === true;
}

/** Whether nothing is read from `socket` for now, whatever that is. */
export function isReadingStopped(socket: object): boolean {
  return propertyOf(propertyOf(socket, '_handle'), 'reading') === false;
}

/** Nothing is read from `socket` until somebody asks it for more, or `readOn` is called: it takes itself for one whose reader is slow. */
export function pauseReading({ _handle: handle }: SocketLike): void {
  if (!handle?.reading || !handle.readStop) return;
  handle.reading = false;
  handle.readStop();
}

/** `socket` is read from again, if it was not. */
export function readOn(socket: SocketLike): void {
  const handle = socket._handle;
  if (handle?.reading !== false || !handle.readStart) return;
  handle.reading = true;
  if (handle.readStart() !== 0) socket.destroy();
}

/** The system has a descriptor for it: it was told where to connect. */
export function hasDescriptor(socket: SocketLike): boolean {
  return (socket._handle?.fd ?? -1) >= 0;
}

/** Bytes that were handed to the system and not taken by it yet, those of TLS included. */
export function queuedBytes(socket: object): number {
  const handle = propertyOf(socket, '_handle');
  return queuedBy(handle) + queuedBy(propertyOf(handle, '_parent'));
}

function queuedBy(handle: unknown): number {
  const size = propertyOf(handle, 'writeQueueSize');
  return typeof size === 'number' ? size : 0;
}

export const wireCounter: Capability = new Capability(
  'the handle below a TLS socket counts its bytes',
  'each hand-over of a connection waits until the event loop has polled once more',
);

/** The counter of the bytes that come off the wire, below TLS. `undefined`: there is none. */
export function wireCounterOf(socket: SocketLike): { readonly bytesRead?: number } | undefined {
  const raw = socket._handle?._parent;
  const isCounted = typeof raw?.bytesRead === 'number';
  if (socket instanceof TLSSocket && isReadByNode(socket)) wireCounter.found(isCounted);
  return isCounted && wireCounter.holds ? raw : undefined;
}

/**
 * Hot path. Whether `socket` is known to keep the loop alive. Others may have said that it need not, at any time, so that its
 * handle is asked, or, of a TLS socket, the one below.
 */
export function isReferenced({ _handle: handle }: SocketLike): boolean {
  return rawOf(handle)?.hasRef?.() === true;
}

/** Whether somebody has said of `socket` that it need not keep the loop alive. */
export function isUnreferenced({ _handle: handle }: SocketLike): boolean {
  return rawOf(handle)?.hasRef?.() === false;
}

function rawOf(handle: Handle | null | undefined): Handle | null | undefined {
  return handle?._parent ?? handle;
}
