/**
 * The moment before an error becomes one of a socket. Some clients give a request up as soon as its socket errs, so a loss that is to stay
 * unheard has to be noticed before there is an 'error' event: in the stream's own `_destroy`.
 */
import type { SocketLike } from './types.js';

type Destroy = (this: SocketLike, error: Error | null, callback: (error?: Error | null) => void) => void;
interface Intercepted {
  _destroy?: Destroy;
}

/**
 * Has `isSaved` asked before an error becomes one of the socket. If the answer is yes, the socket closes without one.
 * Returns `false` for a stream that does not read from a handle: of such a one we would not know whether a response has begun.
 */
export function interceptDestroy(socket: SocketLike, isSaved: (error: unknown) => boolean): boolean {
  const intercepted = socket as SocketLike & Intercepted;
  const destroy = intercepted._destroy;
  if (!socket._handle || typeof destroy !== 'function' || Object.hasOwn(socket, '_destroy')) return false;
  intercepted._destroy = function interceptsDestroy(error, callback) {
    const saved = error !== null && isSaved(error);
    destroy.call(this, saved ? null : error, callback);
  };
  return true;
}

export function restoreDestroy(socket: SocketLike): void {
  Reflect.deleteProperty(socket, '_destroy');
}
