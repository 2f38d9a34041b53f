/** Node's own support of proxies (`proxyEnv`). This agent does not use it, but a user's `createConnection` may. */
import { propertyOf } from './foreign.js';
import { ownSymbol } from './symbols.js';
import type { SocketLike } from './types.js';

/** Whether the socket that `createConnection` has returned is the connection to a proxy: only the callback brings the tunnel then. */
export function awaitsTunnel(socket: SocketLike): boolean {
  return ownSymbol(socket, 'kWaitForProxyTunnel') !== undefined;
}

/** Whether a tunnel was not opened because that took too long. */
export function isTunnelTimeout(reason: unknown): boolean {
  return Boolean(propertyOf(reason, 'proxyTunnelTimeout'));
}
