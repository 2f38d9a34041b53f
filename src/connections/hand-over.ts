/**
 * Decides whether a connection may be given to the next request: all of that question, and nothing else.
 *
 * The danger is a response that no request has asked for. If a server sends one response too many, by mistake or because an attacker makes it do so
 * (CVE-2026-48931), a client takes that for the answer to the next request, and every later answer goes to the wrong request. There are three lines
 * of defence:
 *
 * 1. *The exchange itself.* `allowsAnother`: neither side has said `close`, the response did not come before its request was sent whole, and no
 *    byte came that no request had asked for, nor was one sent that the server takes for the next request. The guard (guard.ts) sees every byte from the socket's first day to its last.
 * 2. *Nothing is left that was read.* TLS records come in bursts. While the end of one response is handled, the next record may be decrypted
 *    already, or wait to be. `isQuiet`: the ledger (record-ledger.ts) has seen every byte that came off the wire go to its exchange. Where it
 *    cannot tell, the connection is validated.
 * 3. *Nothing is left in the kernel.* Newer Nodes can ask it: `hasPendingRead` tells of bytes, an end or a reset that were not read yet. A connection is asked in the
 *    moment before it is leased or handed on. If something is there, the connection is validated: the request waits until the loop has polled, and
 *    whatever was there has come up to the guard.
 *
 *    Node 20 has no such question. There the loop's polls decide: it looks at each idle connection in each of them. A connection that was read within the
 *    last `FRESH` milliseconds had nothing there a moment ago. If a connection has rested for longer, bytes that the last poll has found may not have been
 *    read yet, and bytes that came after that poll are not known at all. So
 *    - a request that can be sent twice gets it at once, unless the loop has been busy for `FRESH` milliseconds since the poll. No answer to it can come
 *      before the loop polls again: what is read before that is stray, and the request goes on with another connection, as if it had lost this one;
 *    - for any other request, or after a busy turn, it is validated.
 *
 *    Two things make a poll a proof (poll-count.ts): the connection was idle in it, or one read may follow another in the same poll; and its
 *    bytes come from the system, not from a stream that is made in JavaScript.
 *
 *    The price: a true answer may be taken for a stray one. A poll finds a connection readable because of a late session ticket or key update; a
 *    callback that runs earlier in that poll sends a request on it; and the answer is there when the connection's own callback runs. One read brings
 *    both, and a stray response behind a ticket would look the same. Then the request, which can be sent twice, is sent again.
 *
 * Some kinds cannot be told from an answer by any client: a stray response that reaches the kernel between the question and the write of the next
 * request, and one that is sent later, while a response is awaited. Without the question there are two more: one that comes after the poll, and one that a
 * poll leaves to the next poll because more than a thousand sockets are ready at once.
 */
import type { PooledSocket } from './pooled-socket.js';
import { isLast } from '../lifetimes/keep-alive-hint.js';
import { headSize } from '../node/exchange.js';
import { leavesEndOpen, saysClose } from '../node/request-headers.js';
import { hasDescriptor, hasPendingRead } from '../node/handle.js';
import { currentPoll, isPollCountOpen, polledSince } from '../node/poll-count.js';
import type { Poll } from '../node/poll-count.js';
import type { AgentRequest } from '../node/types.js';

/** Milliseconds for which the result of a poll counts: a loop that is not busy polls more often. */
const FRESH = 2;

/** The number of turns after which a connection counts as validated even if the loop is always busy. */
const MAX_POLLS = 3;

/** Hot path. The request on `pooled` is over. Whether both sides allow for another one. */
export function allowsAnother(pooled: PooledSocket): boolean {
  const { request } = pooled;
  if (pooled.poisoned || pooled.isOneOff || !pooled.tellsUnsent || isLast(pooled.hint)) return false;
  if (!request) return true;
  // A request that was never sent has said nothing.
  if (!isKept(request)) return request.shouldKeepAlive && pooled.isUnsent;
  return !leavesEndOpen(request) || !hasSentBody(pooled, request);
}

function hasSentBody({ bytesWritten }: PooledSocket, request: AgentRequest): boolean {
  return bytesWritten !== undefined && bytesWritten > headSize(request);
}

/** Hot path. Whether `request` and its response allow another request on the connection. */
export function isKept(request: AgentRequest): boolean {
  return request.shouldKeepAlive !== false && !saysClose(request);
}

/** Hot path. Whether `pooled` may be leased now, by all that is known of its socket. */
export function isUsable(pooled: PooledSocket | undefined): boolean {
  if (!pooled || pooled.poisoned) return false;
  const { socket } = pooled;
  try {
    // `writable` is false after `end`, `destroy` and errors; buffered bytes answer no request.
    return socket.writable && !socket.readableEnded && socket.readableLength === 0;
  } catch {
    return false;
  }
}

/** Hot path. Whether all that the loop has read from `pooled` is known to be delivered. */
export function isQuiet({ ledger }: PooledSocket): boolean {
  return ledger.balanced;
}

/**
 * Hot path. Whether the loop has polled just before `now`, by the monotonic clock, so that what the kernel knew of `pooled` then is known
 * here. That something else was read just now does not tell: it may have been found in the same poll as what has kept the loop busy since.
 */
export function isFresh({ polledAt }: PooledSocket, now: number): boolean {
  return now - polledAt < FRESH;
}

/**
 * Hot path. Whether `pooled`, which was just released, may go to a request that waits without another poll.
 *
 * @param now the monotonic clock: read only where the system cannot be asked
 */
export function isReadyForNext(pooled: PooledSocket, now: () => number): boolean {
  if (!isQuiet(pooled)) return false;
  const isPending = hasPendingRead(pooled.socket);
  return isPending === undefined ? isFresh(pooled, now()) : !isPending;
}

/**
 * Hot path. Whether idle `pooled` may be leased at `now`: the system has nothing to read for it. Where that cannot be asked: it was read just now, or
 * the loop has looked for bytes on it just now and `req` can be sent twice. In the last case the guard is told of that poll.
 */
export function isReadyToLease(pooled: PooledSocket, now: number, req: AgentRequest | undefined): boolean {
  const isPending = hasPendingRead(pooled.socket);
  if (isPending !== undefined) return !isPending;
  if (isFresh(pooled, now)) return true;
  if (!req || !pooled.used || !pooled.interceptsDestroy || !pooled.owner.replays.rule.mayRisk(req))
    return false;
  pooled.leasedIn = recentPoll(pooled, now);
  return pooled.leasedIn !== undefined;
}

/** Hot path. The poll of this turn, if `pooled` was idle by then, and it was just before `now`. */
function recentPoll(pooled: PooledSocket, now: number): Poll | undefined {
  const { idleFrom, socket } = pooled;
  // To ask for it takes as long as to ask for the poll. It keeps the one that it had when it was connected.
  pooled.isPolled ??= hasDescriptor(socket);
  const poll = pooled.isPolled ? currentPoll() : undefined;
  if (!poll) {
    // Whether polls are counted is seen by the first connection of which it is asked, and no earlier: Node loads much for it.
    pooled.showsPolls = pooled.isPolled && isPollCountOpen();
    return undefined;
  }
  const polledAt = polledSince(poll, now);
  return idleFrom < polledAt && now - polledAt < FRESH ? poll : undefined;
}

/**
 * The loop has polled once more while `pooled` was validated. Whether that is enough: a busy loop has read before it polled, and the system may have
 * more by now.
 */
export function passPoll(pooled: PooledSocket, now: number): boolean {
  const isPending = hasPendingRead(pooled.socket);
  const isRead = isPending === undefined ? isFresh(pooled, now) || recentPoll(pooled, now) : !isPending;
  if (isRead || pooled.polls >= MAX_POLLS) {
    // Nothing reads from it, or something comes again and again.
    if (isPending) pooled.poisoned = true;
    pooled.polls = 0;
    pooled.ledger.reset();
    return true;
  }
  pooled.polledAt = now;
  pooled.polls++;
  return false;
}
