/** Node's own support of proxies (`proxyEnv`), as far as it shows: it marks agents and sockets with symbols. */
import { Agent } from 'node:https';
import { Capability } from './capability.js';
import { isCreateConnectionOwn } from './connect-functions.js';
import { ownSymbol } from './symbols.js';
import type { SocketLike } from './types.js';

/** Without it, the socket that leads to a proxy would be taken for one that leads through it, and requests would go to the proxy as they are. */
export const tunnelMark: Capability = new Capability(
  'a socket shows that it leads to a proxy',
  'agents with "proxyEnv" open no connections',
  marksTunnels,
);

/** Has Node begin a connection through a proxy that there is none of, and end it before anything was done for it. */
function marksTunnels(): boolean | undefined {
  // A function that others have put there is not called on trial.
  if (!isCreateConnectionOwn()) return undefined;
  const proxied = new Agent({ proxyEnv: { https_proxy: 'http://127.0.0.1:9' } } as object);
  const { createConnection } = Agent.prototype as unknown as {
    createConnection(this: object, options: object, callback: () => void): SocketLike;
  };
  const socket = createConnection.call(proxied, { host: 'probe.invalid', port: 443 }, () => {});
  socket.on('error', () => {}).destroy();
  return awaitsTunnel(socket);
}

/** Node's proxy support: the socket that `createConnection` returned is not the tunnel; only its callback brings that. */
export function awaitsTunnel(socket: SocketLike): boolean {
  return ownSymbol(socket, 'kWaitForProxyTunnel') !== undefined;
}

/** Whether Node's agent took in `proxyEnv` (Node 22.21 and 24.5). */
export function hasProxyConfig(agent: object): boolean {
  return ownSymbol(agent, 'kProxyConfig') !== undefined;
}
