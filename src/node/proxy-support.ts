/** Node's own support of proxies (`proxyEnv`), as far as it shows: it marks agents and sockets with symbols. */
import { ownSymbol } from './symbols.js';
import type { SocketLike } from './types.js';

/** Node's proxy support: the socket that `createConnection` returned is not the tunnel; only its callback brings that. */
export function awaitsTunnel(socket: SocketLike): boolean {
  return ownSymbol(socket, 'kWaitForProxyTunnel') !== undefined;
}

/** Whether Node's agent took in `proxyEnv` (Node 22.21 and 24.5). */
export function hasProxyConfig(agent: object): boolean {
  return ownSymbol(agent, 'kProxyConfig') !== undefined;
}
