/** Moves a socket from the async context of one request to that of the next, as Node's agent does. */
import { Capability } from './capability.js';
import { isReadByNode } from './handle.js';
import { ownSymbol } from './symbols.js';
import type { Handle, SocketLike } from './types.js';

export const contextReset: Capability = new Capability(
  'a handle goes on in another async context',
  'events of a reused socket run in the async context of an earlier request',
);

/** The resource that async_hooks shows for a handle that serves another request: as in Node's agent. */
class ReusedHandle {
  /** Only declared: a field that is defined takes as long again as the object. */
  declare readonly handle: Handle;

  constructor(handle: Handle) {
    this.handle = handle;
  }

  /** A getter, because the handle must be asked, and few read it. */
  get type(): number | undefined {
    return this.handle.getProviderType?.();
  }
}

let asyncIdSymbol: symbol | undefined;

function setAsyncId(socket: SocketLike, id: number): void {
  asyncIdSymbol ??= ownSymbol(socket, 'async_id_symbol');
  if (asyncIdSymbol) (socket as unknown as Record<symbol, number>)[asyncIdSymbol] = id;
}

/** While idle, a socket belongs to no async context. */
export function clearAsyncId(socket: SocketLike): void {
  if (socket._handle) setAsyncId(socket, -1);
}

/**
 * Hot path. Puts a socket, and so all its events, into the async context of the request that has it now; of a TLS socket the TCP handle below,
 * too, which reports a lost connection. (Node's agent leaves that handle in the context of the request for which the connection was
 * opened.)
 */
export function resetAsyncId(socket: SocketLike): void {
  const handle = socket._handle;
  if (!handle?.asyncReset) {
    if (isReadByNode(socket)) contextReset.found(false);
    return;
  }
  if (!contextReset.holds) return;
  handle.asyncReset(new ReusedHandle(handle));
  // The handle below runs nothing but the end of the connection, and is its own resource: to give a handle another one takes as long as all else here.
  const raw = handle._parent;
  raw?.asyncReset?.(raw);
  if (handle.getAsyncId) setAsyncId(socket, handle.getAsyncId());
}
