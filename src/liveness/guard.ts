/**
 * The guard against stray bytes. A byte that comes while no response is awaited would be taken for the answer
 * to the next request, and every later answer would shift by one (CVE-2026-48931: response-queue poisoning).
 *
 * It stands before the handle's reader from the socket's first day to its last and asks the channel whether
 * bytes are expected, so that no moment of a hand-over is unguarded and nothing is done per request. Below the
 * stream, because an idle socket must have no public 'data' listener (nodejs/node#63989). TLS records that carry
 * no data (session tickets) never get here; end of file and errors (no buffer) are Node's to handle.
 *
 * A custom stream without a handle is paused while idle instead, and looked at before it is leased.
 */
import type { Channel } from '../channel.js';
import type { Handle } from '../node-internals.js';

/** Puts the guard on the channel's current handle. Node may have made a new one while connecting (RFC 8305). */
export function guard(channel: Channel, onStray: (channel: Channel) => void): void {
  const handle = channel.socket._handle;
  if (!handle || handle === channel.guarded || typeof handle.onread !== 'function') return;
  const reader = handle.onread;
  channel.guarded = handle;
  channel.reader = reader;
  handle.onread = function guarded(this: Handle, data) {
    channel.polledAt = performance.now();
    if (data !== undefined) channel.ledger.add(data.byteLength);
    if (data === undefined || channel.expectsData) return reader.call(this, data);
    onStray(channel);
    return undefined;
  };
}

/** Gives the handle its own reader back: the socket leaves the pool. */
export function unguard(channel: Channel): void {
  if (channel.guarded) channel.guarded.onread = channel.reader;
  channel.guarded = undefined;
}

/**
 * Lets a request that is sent in the loop's check phase be 'finished' before its response is read. Node reports that a
 * TLS write is done at the start of the next check phase; a fast server's response is read in the poll before it, and
 * a response that ends before its request has finished keeps the socket from being freed.
 */
export function hold({ socket }: Channel): void {
  const handle = socket._handle;
  if (!handle?.reading || !handle.readStop || !handle.readStart) return;
  handle.readStop();
  setImmediate(() => {
    if (socket._handle === handle && handle.reading && handle.readStart?.() !== 0) socket.destroy();
  });
}

/** An idle socket must be read from, or its end would go unseen. */
export function watch(channel: Channel): void {
  const { socket } = channel;
  const handle = socket._handle;
  if (!handle) {
    socket.pause();
  } else if (!socket.connecting && handle.reading === false && handle.readStart) {
    handle.reading = true;
    if (handle.readStart() !== 0) socket.destroy();
  }
}
