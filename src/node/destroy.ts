/**
 * Intercepts the error of a socket before it is emitted. Some clients give a request up at the 'error' event of its socket, so a loss that callers
 * must not hear of has to be noticed before: in the stream's own `_destroy`.
 */
import type { SocketLike } from './types.js';

type Destroy = (this: SocketLike, error: Error | null, callback: (error?: Error | null) => void) => void;
interface Intercepted {
  _destroy?: Destroy | undefined;
}

/**
 * Asks `isSaved` before an error of the socket is emitted. If it returns true, the socket closes without an error.
 * Returns `false` for a stream that does not read from a handle: it cannot be told whether a response has begun on such a stream.
 */
export function interceptDestroy(socket: SocketLike, isSaved: (error: unknown) => boolean): boolean {
  const intercepted = socket as SocketLike & Intercepted;
  const destroy = intercepted._destroy;
  if (!socket._handle || typeof destroy !== 'function' || destroy !== inherited(socket)) return false;
  intercepted._destroy = function interceptsDestroy(error, callback) {
    const saved = error !== null && isSaved(error);
    destroy.call(this, saved ? null : error, callback);
  };
  return true;
}

/** Nothing is deleted: see `PooledSocket.release`. */
export function restoreDestroy(socket: SocketLike): void {
  (socket as Intercepted)._destroy = inherited(socket);
}

function inherited(socket: SocketLike): Destroy | undefined {
  return (Object.getPrototypeOf(socket) as Intercepted | null)?._destroy;
}
