/**
 * Decides whether a request may be sent once more, and with which bytes, and has it taken off its lost connection. A server that closes an idle
 * connection and a client that uses it can miss each other by half a round trip, whatever either of them does (RFC 9112, section 9.3.1);
 * the remedy is to try again, and the caller need not hear of it.
 *
 * **The rule**, Go's: only on a connection that had served a request before; only before the first byte of the response; only
 * where the loss was the connection's own (reset, broken pipe, end of file) and not a decision (destroy, abort, timeout) or a
 * matter of identity (TLS alerts); at most `max` times (replay.ts asks for all that); and only what may be sent twice
 * (requests/replayable.ts), with no body, or with one that we hold; or any request of which the server has nothing, because nothing was
 * written, or because the write of all of it failed.
 */
import type { PooledSocket } from '../pooled-socket.js';
import {
  copyOf,
  detach,
  headOf,
  isDetachable,
  isUnwritten,
  isWhollyWritten,
  queueAgain,
  queueWrites,
  sizeOf,
  unsentOutputOf,
} from '../../node/client-request.js';
import type { Output } from '../../node/client-request.js';
import { isFailedWrite } from '../../node/system-errors.js';
import type { AgentRequest } from '../../node/types.js';

/** Requests with a body, up to this many bytes, are held until their exchange is over where that makes them replayable. */
const MAX_HELD = 64 * 1024;

/**
 * A request that fits into one TLS record (RFC 8446, section 5.1) is written with one system call, or with several if that takes only a part. If
 * any of them fails, the record was cut short, and the server cannot read a byte of it.
 */
const MAX_RECORD = 16 * 1024;

/** Keeps a request with a body that was given at once, if it could be sent again; called just before Node sends it. */
export function keepBody(pooled: PooledSocket): void {
  const output = pooled.request && unsentOutputOf(pooled.request);
  if (!output) return;
  const size = sizeOf(output);
  if (size > MAX_RECORD && (size > MAX_HELD || !mayRepeat(pooled))) return;
  pooled.keptBody = copyOf(output);
}

/**
 * Takes the request off `pooled`, which is lost, and makes it ready for another one. `false`: that is not possible, and nothing has changed.
 * Then the connection can only be closed.
 *
 * @param error by which it was lost
 */
export function detachRequest(pooled: PooledSocket, error?: unknown): boolean {
  return takeOff(pooled, (req) => resendable(pooled, req, error), queueAgain);
}

/**
 * The same for a connection that was never secured, so that no byte has left.
 *
 * @param taken returns all that was written, with callbacks that were not called
 */
export function detachUnsent(pooled: PooledSocket, taken: () => readonly Output[] | undefined): boolean {
  return takeOff(pooled, taken, queueWrites);
}

function takeOff(
  pooled: PooledSocket,
  writesOf: (req: AgentRequest) => readonly Output[] | undefined,
  queue: (req: AgentRequest, writes: readonly Output[]) => void,
): boolean {
  const { request: req, socket } = pooled;
  if (!req || !isDetachable(req, socket)) return false;
  const unwritten = isUnwritten(req);
  const writes = unwritten ? [] : writesOf(req);
  if (!writes) return false;
  detach(req, socket);
  pooled.request = undefined;
  if (!unwritten) queue(req, writes);
  return true;
}

/** All that was written of the request, if that is known and may be written again. */
function resendable(pooled: PooledSocket, req: AgentRequest, error: unknown): readonly Output[] | undefined {
  if (!isWhollyWritten(req)) return undefined;
  const writes = pooled.keptBody ?? headOf(req, pooled.bytesWritten);
  if (!writes) return undefined;
  const isUnread = pooled.isUnsent || (isFailedWrite(error) && sizeOf(writes) <= MAX_RECORD);
  return isUnread || mayRepeat(pooled) ? writes : undefined;
}

function mayRepeat({ owner, request }: PooledSocket): boolean {
  return request !== undefined && owner.replays.rule.isRepeatable(request);
}
