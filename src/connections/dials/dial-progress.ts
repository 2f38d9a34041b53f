/**
 * Follows the steps of a dial by the socket's own events, up to the moment at which its connection is ready to be used. Counters, observers and
 * the deadline of the dial hear of the steps: nothing else is decided by them.
 */
import { pooledSocketOf } from '../pooled-socket.js';
import type { PooledSocket } from '../pooled-socket.js';
import { isAddress } from '../../identity/server-name.js';
import { callIfAble } from '../../node/foreign.js';
import { hasDescriptor } from '../../node/handle.js';
import { monotonicNow } from '../../node/timers.js';
import type { SocketLike } from '../../node/types.js';

/** The dial of `pooled` has brought its socket. Called before other code gets the socket. */
export function followDial(pooled: PooledSocket): void {
  const { connection, options, socket } = pooled;
  if (socket.connecting) {
    // A `lookup` that answers at once has done so before a listener could be added. Then the socket has a descriptor.
    const isFound = options['path'] || isAddress(String(options['host'])) || hasDescriptor(socket);
    connection.phase = isFound ? 'connect' : 'lookup';
    if (!isFound) socket.on('lookup', lookedUp);
  } else if (socket.secureConnecting) {
    connection.phase = 'secureConnect';
  } else {
    noteReady(pooled);
    return;
  }
  if (!socket.secureConnecting) return;
  // Node's listener of 'secure' emits 'secureConnect', unless the peer is not trusted. Our listener comes first: those of others may read our counters.
  socket.prependListener(socket.listenerCount('secure') > 0 ? 'secureConnect' : 'secure', secured);
}

/** The socket leaves the pool alive. (The listeners stay until then: to take them off costs each connection more than they do.) */
export function unfollowDial({ attempt, connection, socket }: PooledSocket): void {
  socket.removeListener('lookup', lookedUp);
  socket.removeListener('secureConnect', secured);
  socket.removeListener('secure', secured);
  if (connection.readyAt < 0) attempt?.awaitHandshake(socket);
}

/** `pooled` is ready to be used. May be called twice. */
export function noteReady(pooled: PooledSocket): void {
  const { connection, forwarder, owner, socket } = pooled;
  if (connection.readyAt >= 0) return;
  connection.readyAt = monotonicNow();
  pooled.clock?.clear();
  pooled.offered?.end();
  owner.pool.ready(connection);
  owner.names?.ready(pooled);
  // TLS to a proxy is no handshake with an origin.
  const handshake = forwarder ? undefined : handshakeOf(socket);
  if (handshake) pooled.attempt?.secured(socket, handshake === 'resumed');
  owner.observer.ready(connection, handshake);
}

/** Whether the dial of `pooled`, which is lost, has ended in an error of its own, and not because it was given up. */
export function hasFailed({ connection, error, isGivenUp, offered }: PooledSocket): boolean {
  if (connection.readyAt >= 0) return false;
  if (offered?.isRefused) return true;
  return error !== undefined && !isGivenUp && connection.closeReason === undefined;
}

function handshakeOf(socket: SocketLike): 'full' | 'resumed' | undefined {
  if (typeof socket.isSessionReused !== 'function') return undefined;
  return callIfAble(socket, 'isSessionReused') === true ? 'resumed' : 'full';
}

function lookedUp(this: SocketLike, error: unknown, address: string): void {
  const pooled = pooledSocketOf(this);
  if (!pooled || error) return;
  pooled.connection.phase = 'connect';
  pooled.clock?.lookedUp(address);
}

/** TCP is connected. */
export function noteConnected(pooled: PooledSocket): void {
  if (pooled.socket.secureConnecting) pooled.connection.phase = 'secureConnect';
  else noteReady(pooled);
}

function secured(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  if (pooled && !this.destroyed) noteReady(pooled);
}
