/**
 * Whether a connection may be given to the next request: all of that question, and nothing else.
 *
 * The danger is a response that nobody has asked for. A server that sends one too many, by mistake or because somebody has made it
 * (CVE-2026-48931), would have it taken for the answer to the next request, and every later answer would go to the wrong one. Three lines of defence
 * stand in its way:
 *
 * 1. *The exchange itself.* `allowsAnother`: neither side has said `close`, the response did not come before its request was sent whole, and no
 *    byte came that no request had asked for. The guard (guard.ts) sees every byte from the socket's first day to its last.
 * 2. *Nothing is left that was read.* TLS records come in bursts. While the end of one response is handled, the next record may be decrypted
 *    already, or wait to be. `isQuiet`: the ledger (record-ledger.ts) has seen every byte that came off the wire go to its exchange. Where it
 *    cannot tell, the connection is validated.
 * 3. *Nothing is left in the kernel.* The loop looks at each idle connection in each poll. A connection that was read within the last `FRESH`
 *    milliseconds had nothing there a moment ago. Bytes that the last poll has found on a connection that has rested for longer may not have been read
 *    yet, and what came after that poll is not known at all. So
 *    - a request that can be sent twice gets it at once, unless the loop has been busy for `FRESH` milliseconds since the poll. No answer to it can come
 *      before the loop polls again: what is read before that is stray, and the request goes on with another connection, as if it had lost this one;
 *    - for any other request, or after a busy turn, it is validated: the request waits until the loop has polled, and whatever was there has
 *      come up to the guard.
 *
 *    Two things make a poll a proof (poll-count.ts): the connection was idle in it, or one read may follow another in the same poll; and its
 *    bytes come from the system, not from a stream that is made in JavaScript.
 *
 *    The price is an answer that is taken for stray: a connection is readable in a poll because of a late session ticket or key update, gets
 *    a request from a callback that runs earlier in that poll, and the answer is there when its own callback runs. One read brings both, and
 *    a stray response behind a ticket would look the same. So the request, which can be sent twice, is.
 *
 * Nobody can detect these: a stray response that reaches the kernel between the poll and the write of the next request, one that is sent
 * later, while a response is awaited, and one that a poll leaves to the next because more than a thousand sockets are ready at once. Nobody
 * can tell these from an answer.
 */
import type { PooledSocket } from './pooled-socket.js';
import { isLast } from '../lifetimes/keep-alive-hint.js';
import { saysClose } from '../node/request-headers.js';
import { hasDescriptor } from '../node/handle.js';
import { currentPoll, polledSince } from '../node/poll-count.js';
import type { Poll } from '../node/poll-count.js';
import type { AgentRequest } from '../node/types.js';

/** Milliseconds for which a poll is believed: a loop that is not busy polls more often. */
const FRESH = 2;

/** A loop that is always busy is not waited for longer than this many turns. */
const MAX_POLLS = 3;

/** Hot path. The request that has `pooled` leaves it: whether the two sides allow for another one. */
export function allowsAnother(pooled: PooledSocket): boolean {
  const { request } = pooled;
  if (pooled.poisoned || pooled.isOneOff || !pooled.tellsUnsent || isLast(pooled.hint)) return false;
  // A request that was never sent has said nothing.
  return !request || isKept(request) || (request.shouldKeepAlive && pooled.isUnsent);
}

/** Hot path. As far as `request` and its response say, another one may follow on its connection. */
export function isKept(request: AgentRequest): boolean {
  return request.shouldKeepAlive !== false && !saysClose(request);
}

/** Hot path. Whether nothing is known that speaks against leasing `pooled` now. */
export function isUsable(pooled: PooledSocket | undefined): boolean {
  if (!pooled || pooled.poisoned) return false;
  const { socket } = pooled;
  try {
    // `writable` is false after `end`, `destroy` and errors; buffered bytes are an answer to nobody.
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
 * Hot path. Whether idle `pooled` may be leased at `now`: it was read just now, or the loop has looked for bytes on it just now and `req` can be
 * sent twice. In the latter case the guard is told of that poll.
 */
export function isReadyToLease(pooled: PooledSocket, now: number, req: AgentRequest | undefined): boolean {
  if (isFresh(pooled, now)) return true;
  if (!req || !pooled.used || !pooled.interceptsDestroy || !pooled.owner.replays.rule.mayRisk(req))
    return false;
  pooled.leasedIn = recentPoll(pooled, now);
  return pooled.leasedIn !== undefined;
}

/** Hot path. The poll of this turn, if `pooled` was idle by then, and it was just before `now`. */
function recentPoll({ idleFrom, socket }: PooledSocket, now: number): Poll | undefined {
  const poll = hasDescriptor(socket) ? currentPoll() : undefined;
  if (!poll) return undefined;
  const polledAt = polledSince(poll, now);
  return idleFrom < polledAt && now - polledAt < FRESH ? poll : undefined;
}

/** The loop has polled once more while `pooled` was validated. Whether that is enough: a busy loop has read before it polled. */
export function passPoll(pooled: PooledSocket, now: number): boolean {
  if (isFresh(pooled, now) || recentPoll(pooled, now) || pooled.polls >= MAX_POLLS) {
    pooled.polls = 0;
    pooled.ledger.reset();
    return true;
  }
  pooled.polledAt = now;
  pooled.polls++;
  return false;
}
