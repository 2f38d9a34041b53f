/** The async context of a socket that goes from one request to the next, as Node's agent sets it. */
import { Capability } from './capability.js';
import { isReadByNode } from './handle.js';
import { ownSymbol } from './symbols.js';
import type { Handle, SocketLike } from './types.js';

export const contextReset: Capability = new Capability(
  'a handle goes on in another async context',
  'what happens on a socket that is used again runs in the async context of an earlier request',
);

/** The resource that async_hooks sees for a handle that goes on to another request: as in Node's agent. */
class ReusedHandle {
  readonly type: number | undefined;
  readonly handle: Handle;

  constructor(handle: Handle) {
    this.type = handle.getProviderType?.();
    this.handle = handle;
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
 * Hot path. A socket belongs to the async context of the request that has it now, with all that is read from it and said of it. Of a TLS
 * socket the TCP handle below counts, too: it tells when the connection is lost. (Node's agent leaves that one in the context of the request
 * that has opened the connection.)
 */
export function resetAsyncId(socket: SocketLike): void {
  const handle = socket._handle;
  if (!handle?.asyncReset) {
    if (isReadByNode(socket)) contextReset.found(false);
    return;
  }
  if (!contextReset.holds) return;
  handle.asyncReset(new ReusedHandle(handle));
  const raw = handle._parent;
  raw?.asyncReset?.(new ReusedHandle(raw));
  if (handle.getAsyncId) setAsyncId(socket, handle.getAsyncId());
}
