/**
 * Tells one poll of the event loop from another, and for how long the code of now can have run since the last one. libuv counts the turns of
 * its loop and, after all callbacks of a poll have run, the events that it has found; Node shows both. (One turn has several polls where more
 * events are ready than one poll returns.) Node's client does not tell any of it.
 */
import { Capability } from './capability.js';
import { loopTiming } from './timers.js';

/** Two with the same numbers are the same poll, or come after it in one turn of the loop. */
export interface Poll {
  readonly loopCount: number;
  readonly events: number;
}

export const pollCount: Capability = new Capability(
  'the event loop counts its turns and their events',
  'requests wait for one more poll of the event loop before they get a connection that has rested',
  () => (isPoll(loopTiming.uvMetricsInfo) ? undefined : false),
);

function isPoll(metrics: Partial<Poll> | undefined): boolean {
  return typeof metrics?.loopCount === 'number' && typeof metrics.events === 'number';
}

/** For `checkPollCount`: where a connection stands that is connected just now. */
export function pollOfConnect(): Poll | undefined {
  return pollCount.isKnown || !pollCount.holds ? undefined : loopTiming.uvMetricsInfo;
}

/** Bytes were read from a connection that was connected in the poll `connected`: there was another one in between, for the request. */
export function checkPollCount(connected: Poll): void {
  if (pollCount.isKnown) return;
  const now = loopTiming.uvMetricsInfo;
  if (!now || now.events <= connected.events) pollCount.found(false);
  // The same turn may have polled again. It seldom does.
  else if (now.loopCount > connected.loopCount) pollCount.found(true);
}

/** Hot path. The poll after which the code of now runs. `undefined`: that cannot be told. */
export function currentPoll(): Poll | undefined {
  return pollCount.isKnown && pollCount.holds ? loopTiming.uvMetricsInfo : undefined;
}

/** Hot path. Whether the loop has not polled again since `poll`, as far as the code of now can tell. */
export function isStillIn(poll: Poll): boolean {
  const now = loopTiming.uvMetricsInfo;
  return now !== undefined && now.loopCount === poll.loopCount && now.events === poll.events;
}

/** The turn of the last look, the earliest time of its poll, when the look was, and for how long the loop had waited by then. */
let turn = -1;
let polledAt = -Infinity;
let lookedAt = -Infinity;
let idleTime = 0;

/**
 * Hot path. When the loop has polled in this turn, at the earliest, by the monotonic clock: what the loop has not waited for events since the
 * last look in an earlier turn may all belong to this turn.
 *
 * @param poll that of now
 */
export function polledSince(poll: Poll, now: number): number {
  if (poll.loopCount !== turn) {
    turn = poll.loopCount;
    const idle = loopTiming.idleTime;
    polledAt = lookedAt + (idle - idleTime);
    idleTime = idle;
  }
  lookedAt = now;
  return polledAt;
}
