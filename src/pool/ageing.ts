/** When an idle connection that is to be there always needs a successor: before it expires, and before it is too old for a request that cannot be sent twice. */
/** The moments of an idle connection that count: see `Connection`. */
interface Ageing {
  readonly idleSince: number;
  readonly expiresAt: number;
  readonly safeUntil: number;
}

/** The part of its time that it has a successor for, and the most of that, in milliseconds: what a handshake takes, and more. */
const LAST_PART = 0.25;
const MAX_LAST = 1000;

/** Until when `connection`, which is idle, is good for every request. */
function readyUntil({ expiresAt, idleSince, safeUntil }: Ageing): number {
  return safeUntil > idleSince ? Math.min(expiresAt, safeUntil) : expiresAt;
}

/** When `connection`, which is idle, is to have a successor. */
function successorAt(connection: Ageing): number {
  const until = readyUntil(connection);
  return until - Math.min((until - connection.idleSince) * LAST_PART, MAX_LAST);
}

/** Whether `connection`, which is idle, is about to expire, or will soon be no good for requests that cannot be sent twice. */
export function isAgeing(connection: Ageing, now: number): boolean {
  return successorAt(connection) <= now;
}

/** When the first of `idle` connections is to have a successor. */
export function nextSuccessor(idle: Iterable<Ageing>): number {
  let next = Infinity;
  for (const connection of idle) next = Math.min(next, successorAt(connection));
  return next;
}
