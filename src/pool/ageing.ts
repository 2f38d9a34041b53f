/**
 * The moment at which an idle connection under `minFreeSockets` needs a successor: before it expires, and before it is too old for a request that
 * cannot be sent twice.
 */

/** The moments of an idle connection on which this depends: see `Connection`. */
interface Ageing {
  readonly idleSince: number;
  readonly expiresAt: number;
  readonly safeUntil: number;
}

/**
 * A connection has its successor for this part of its time, and for at most this number of milliseconds: more than the handshakes of all of a host's
 * connections take, on a busy machine.
 */
const LAST_PART = 0.5;
const MAX_LAST = 1000;

/** Milliseconds after which a connection that is usable for `time` milliseconds is to have a successor. */
export function successorAfter(time: number): number {
  return time === Infinity ? Infinity : time - Math.min(time * LAST_PART, MAX_LAST);
}

/** The moment up to which every request may have `connection`, which is idle. */
function readyUntil({ expiresAt, idleSince, safeUntil }: Ageing): number {
  return safeUntil > idleSince ? Math.min(expiresAt, safeUntil) : expiresAt;
}

/** The moment at which `connection`, which is idle, is to have a successor. */
function successorAt(connection: Ageing): number {
  const { idleSince } = connection;
  return idleSince + successorAfter(readyUntil(connection) - idleSince);
}

/** Whether `connection`, which is idle, is about to expire, or will soon be too old for requests that cannot be sent twice. */
export function isAgeing(connection: Ageing, now: number): boolean {
  return successorAt(connection) <= now;
}

/** The moment at which the first of `idle` connections is to have a successor. */
export function nextSuccessor(idle: Iterable<Ageing>): number {
  let next = Infinity;
  for (const connection of idle) next = Math.min(next, successorAt(connection));
  return next;
}
