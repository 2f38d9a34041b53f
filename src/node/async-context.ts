/** The async context of a socket that goes from one request to the next, as Node's agent sets it. */
import { ownSymbol } from './symbols.js';
import type { Handle, SocketLike } from './types.js';

/** The resource that async_hooks sees for a handle that goes on to another request: as in Node's agent. */
class ReusedHandle {
  readonly type: number | undefined;
  readonly handle: Handle;

  constructor(type: number | undefined, handle: Handle) {
    this.type = type;
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

/** Handles of one kind have one prototype, and one type. */
let lastKind: unknown;
let lastType: number | undefined;

function typeOf(handle: Handle): number | undefined {
  const kind = handle.constructor;
  if (kind !== lastKind) {
    lastKind = kind;
    lastType = handle.getProviderType?.();
  }
  return lastType;
}

/** Hot path. A reused socket starts in the async context of the request that has it now. */
export function resetAsyncId(socket: SocketLike): void {
  const handle = socket._handle;
  if (!handle?.asyncReset) return;
  handle.asyncReset(new ReusedHandle(typeOf(handle), handle));
  if (handle.getAsyncId) setAsyncId(socket, handle.getAsyncId());
}
