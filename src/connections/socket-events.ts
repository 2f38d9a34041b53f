/**
 * The pool's listeners on sockets: one set of functions for all sockets, added when the pool takes a socket over and removed when it leaves.
 * They find the owner through the pooled socket.
 */
import { pooledSocketOf } from './pooled-socket.js';
import type { Offer, PooledSocket } from './pooled-socket.js';
import { connectionReset } from '../errors.js';
import { deadAddress } from './losses/dead-peers.js';
import { noteConnected, noteReady, unfollowDial } from './dials/dial-progress.js';
import { onAgentFree } from './free-listener.js';
import { guard, unguard } from './guard.js';
import { interceptDestroy, restoreDestroy } from '../node/destroy.js';
import { startReading } from '../node/handle.js';
import { isLoss } from '../node/system-errors.js';
import { callIfAble, isolate } from '../node/foreign.js';
import { nextTick } from '../node/timers.js';
import { hasOnlyListener } from '../node/listeners.js';
import { timerOf } from '../node/socket.js';
import type { SocketLike } from '../node/types.js';

interface Listening {
  readonly event: string;
  readonly listener: (this: SocketLike, error: unknown) => void;
}

/** Objects and no pairs, because these would be taken apart by an iterator each. */
const LISTENERS: readonly Listening[] = [
  { event: 'free', listener: onFree },
  { event: 'end', listener: onEnd },
  { event: 'close', listener: onClose },
  { event: 'error', listener: onError },
  { event: 'timeout', listener: onTimeout },
  { event: 'agentRemove', listener: onAgentRemove },
];

/** @param keylog whether the agent's 'keylog' has a listener */
export function listen(pooled: PooledSocket, keylog: boolean): void {
  const { socket } = pooled;
  // Listeners first, then our own properties: Node's own functions become slower with each new shape of socket that V8 sees.
  for (const { event, listener } of LISTENERS) socket.on(event, listener);
  if (socket.connecting) socket.on('connect', onConnect);
  if (keylog) listenToKeylog(pooled);
  pooled.claim();
  guard(pooled, onStray);
  const { replays, transport } = pooled.owner;
  if (replays.rule.max > 0 || transport.isOffered(socket))
    pooled.interceptsDestroy = interceptDestroy(socket, (error) => isSaved(pooled, error));
  if (!socket.connecting) arm(pooled);
}

export function listenToKeylog({ socket }: PooledSocket): void {
  socket.on('keylog', onKeylog);
}

/** Late binding: reports when the socket can be handed to a request. `false`: it can be now. */
export function awaitReady({ socket }: PooledSocket): boolean {
  // A `new TLSSocket` that was made by hand begins its handshake only when something is written. One of tls.connect begins at once; its
  // listener of 'secure' emits 'secureConnect'.
  if (socket.secureConnecting && socket.listenerCount('secure') > 0) socket.once('secureConnect', onReady);
  else if (socket.connecting) socket.once('connect', onReady);
  else return false;
  return true;
}

export function stopListening(pooled: PooledSocket): void {
  const { owner, socket } = pooled;
  owner.young.delete(pooled);
  // A socket that has closed emits nothing more, and is not listened to.
  if (!socket.destroyed) {
    for (const { event, listener } of LISTENERS) socket.removeListener(event, listener);
    socket.removeListener('keylog', onKeylog);
    socket.removeListener('connect', onConnect);
    unfollowDial(pooled);
  }
  unguard(pooled);
  if (pooled.interceptsDestroy) restoreDestroy(socket);
  pooled.interceptsDestroy = false;
}

function onConnect(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  if (!pooled) return;
  // Node begins to read a connection without TLS after the listeners of 'connect', one of which sends the request and emits 'finish'. If a
  // listener throws there and the process survives, Node never begins, and the response would never come.
  if (!pooled.owner.transport.isLayered) startReading(this);
  arm(pooled);
  noteConnected(pooled);
}

/** The socket is connected. */
function arm(pooled: PooledSocket): void {
  const { options, owner, socket } = pooled;
  // Node 20 and 22 do not heed the option on a TLS socket.
  if (options['noDelay']) callIfAble(socket, 'setNoDelay', true);
  owner.names?.connected(pooled);
  owner.young.add(pooled);
}

function onReady(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  if (!pooled) return;
  noteReady(pooled);
  pooled.owner.connected(pooled);
}

function onKeylog(this: SocketLike, line: Buffer): void {
  pooledSocketOf(this)?.owner.agent.emit('keylog', line, this);
}

/** The status that some servers send before they close an idle connection (RFC 9110, section 15.5.9). */
const TIMED_OUT = /^HTTP\/1\.[01] 408/;

/** Bytes came that no request has asked for. */
function onStray(pooled: PooledSocket, chunk: Buffer): void {
  const { connection, owner } = pooled;
  if (connection.state !== 'active') {
    pooled.dismissed = TIMED_OUT.test(chunk.toString('latin1', 0, 16));
    owner.pool.close(connection, pooled.dismissed ? 'server-closed' : 'poisoned');
  } else if (pooled.isPremature) {
    // These bytes are no answer to this request: it goes on with another connection, or ends.
    if (owner.replays.lost(pooled)) return;
    const error = connectionReset('The server wrote before the request was sent');
    owner.pool.close(connection, 'poisoned', error);
  } else {
    // A request that still reads its complete response may finish; no request may follow.
    pooled.poisoned = true;
  }
}

function onFree(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  if (!pooled) return;
  const { owner, options } = pooled;
  // Hot path: the event is emitted only if it has other listeners than ours.
  if (hasOnlyListener(owner.agent, 'free', onAgentFree)) owner.release(pooled);
  else owner.agent.emit('free', this, options);
}

/** End of file. Stands before Node's own listener, which ends the request that is waiting for a response. */
function onEnd(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  pooled?.owner.replays.lost(pooled);
}

/** Whether the request on a failing connection goes on with another one: the connection was reset, or its session was refused. */
function isSaved(pooled: PooledSocket, error: unknown): boolean {
  if (pooled.offered && isRefused(pooled, pooled.offered, error)) return true;
  if (!isLoss(error)) return false;
  pooled.error = error;
  return pooled.owner.replays.lost(pooled, error);
}

/** Whether a handshake has failed that will be tried once more without a session. */
function isRefused(pooled: PooledSocket, offered: Offer, error: unknown): boolean {
  const { connection, owner, socket } = pooled;
  if (connection.state !== 'active' && connection.state !== 'connecting') return false;
  if (!owner.transport.refuses(socket, error)) return false;
  offered.isRefused = true;
  offered.clock?.unwatch();
  // The clock runs on for the next socket.
  pooled.clock = undefined;
  pooled.error = error;
  // With late binding no request has it; then it is dialled again when it has closed.
  if (connection.state === 'connecting' || owner.replays.redial(pooled)) return true;
  offered.clock?.clear();
  return false;
}

function onClose(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  if (!pooled) return;
  const { owner, options, request } = pooled;
  // Node's client has emitted 'close' now. Were the connection still to be kept, it would do so again as soon as the
  // response is read to its end, which a slow reader does later.
  if (request?.res?.complete) request.shouldKeepAlive = false;
  owner.replays.closing(pooled);
  isolate(() => owner.agent.removeSocket(this, options));
  // The pool takes it out also where `removeSocket` is overridden.
  owner.remove(this);
}

/**
 * This listener stays for the socket's whole life: an error between two requests must not become an uncaught one. After the handshake Node emits errors of a
 * TLS socket without destroying it, and marks it as if its request had heard of the error: a request that got it then would end with 'close'
 * alone.
 */
function onError(this: SocketLike, error: unknown): void {
  const pooled = pooledSocketOf(this);
  if (!pooled) return;
  pooled.error = error;
  pooled.isGivenUp ||= pooled.request?.destroyed === true;
  pooled.poisoned = true;
  if (pooled.connection.readyAt < 0) pooled.owner.names?.failed(pooled);
  if (!this.destroyed) endFailed(pooled, error);
  const dead = deadAddress(error, pooled.address);
  if (dead !== undefined) pooled.owner.peerDied(dead);
}

/** The socket of `pooled` has failed, and is still open. */
function endFailed(pooled: PooledSocket, error: unknown): void {
  const { connection, owner } = pooled;
  if (connection.state === 'idle' || connection.state === 'validating') {
    owner.pool.close(connection, 'server-closed');
  } else {
    // The socket is destroyed later, after the listeners of Node's client, which end the request that has it, and those of others. A request without such
    // listeners yet gets this error then.
    nextTick(destroyFailed, pooled, error);
  }
}

function destroyFailed(pooled: PooledSocket, error: unknown): void {
  if (!pooled.socket.destroyed) pooled.owner.destroySocket(pooled, error);
}

/** The socket's own timer, which code of users may have set in `keepSocketAlive`, in a listener of 'free', or later. */
function onTimeout(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  const state = pooled?.connection.state;
  if (pooled && pooled.requestTimer !== timerOf(this) && (state === 'idle' || state === 'validating')) {
    pooled.owner.pool.close(pooled.connection, 'idle-timeout');
  }
}

/** Upgrade or CONNECT: the socket is the caller's. */
function onAgentRemove(this: SocketLike): void {
  const pooled = pooledSocketOf(this);
  if (!pooled) return;
  const { owner, options } = pooled;
  owner.remove(this);
  isolate(() => owner.agent.removeSocket(this, options));
}
