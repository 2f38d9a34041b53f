/** Tells what the handle below a socket does at the moment. The socket may be anything. */
import { propertyOf } from './foreign.js';

/** Whether reading from `socket`, which may be anything, is stopped. */
export function isReadingStopped(socket: object): boolean {
  return propertyOf(propertyOf(socket, '_handle'), 'reading') === false;
}

/** Bytes that were handed to the system and not taken by it yet, including those of TLS. */
export function queuedBytes(socket: object): number {
  const handle = propertyOf(socket, '_handle');
  return queuedBy(handle) + queuedBy(propertyOf(handle, '_parent'));
}

function queuedBy(handle: unknown): number {
  const size = propertyOf(handle, 'writeQueueSize');
  return typeof size === 'number' ? size : 0;
}
