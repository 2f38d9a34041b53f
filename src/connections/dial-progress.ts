/**
 * How far a dial has come: which step it waits for, and when its connection is ready to be used. Told by the socket's own events; for those who
 * count and publish, and nothing is decided by it.
 */
import { isIP } from 'node:net';
import { pooledSocketOf } from './pooled-socket.js';
import type { PooledSocket } from './pooled-socket.js';
import { callIfAble } from '../node/foreign.js';
import { hasDescriptor } from '../node/handle.js';
import { monotonicNow } from '../node/timers.js';
import type { SocketLike } from '../node/types.js';

/** The dial of `pooled` has brought its socket. Called before anybody else has it. */
export function followDial(pooled: PooledSocket): void {
  const { connection, options, socket } = pooled;
  if (socket.connecting) {
    // A `lookup` that answers at once has done so before anybody could listen: then there is a descriptor by now.
    const isFound = options['path'] || isIP(String(options['host'])) !== 0 || hasDescriptor(socket);
    connection.phase = isFound ? 'connect' : 'lookup';
    if (!isFound) socket.on('lookup', onLookup);
    socket.on('connect', onConnect);
  } else if (socket.secureConnecting) {
    connection.phase = 'secureConnect';
  } else {
    isReady(pooled);
    return;
  }
  if (!socket.secureConnecting) return;
  // Node's listener of 'secure' emits 'secureConnect', unless the peer is not to be trusted. Ours comes before those of others, which may look at us then.
  socket.prependListener(socket.listenerCount('secure') > 0 ? 'secureConnect' : 'secure', onSecure);
}

/** The dial is over. */
export function unfollowDial({ socket }: PooledSocket): void {
  socket.removeListener('lookup', onLookup);
  socket.removeListener('connect', onConnect);
  socket.removeListener('secureConnect', onSecure);
  socket.removeListener('secure', onSecure);
}

/** `pooled` is ready to be used. It may be told twice. */
export function isReady(pooled: PooledSocket): void {
  const { connection, owner, socket } = pooled;
  if (connection.readyAt >= 0) return;
  connection.readyAt = monotonicNow();
  unfollowDial(pooled);
  owner.pool.ready(connection);
  owner.observer.ready(connection, handshakeOf(socket));
}

/** Whether the dial of `pooled`, which is lost, has ended in an error of its own, and not by anybody's decision. */
export function hasFailed({ connection, error, isGivenUp, offered }: PooledSocket): boolean {
  if (connection.readyAt >= 0) return false;
  if (offered?.isRefused) return true;
  return error !== undefined && !isGivenUp && connection.closeReason === undefined;
}

function handshakeOf(socket: SocketLike): 'full' | 'resumed' | undefined {
  if (typeof socket.isSessionReused !== 'function') return undefined;
  return callIfAble(socket, 'isSessionReused') === true ? 'resumed' : 'full';
}

function onLookup(this: SocketLike, error: unknown): void {
  const pooled = pooledSocketOf(this);
  if (pooled && !error) pooled.connection.phase = 'connect';
}

function onConnect(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  if (!pooled) return;
  if (this.secureConnecting) pooled.connection.phase = 'secureConnect';
  else isReady(pooled);
}

function onSecure(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  if (pooled && !this.destroyed) isReady(pooled);
}
