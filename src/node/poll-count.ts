/**
 * Tells one poll of the event loop from another, and how long ago the last poll can have been. libuv counts the turns of its loop and, after all
 * callbacks of a poll have run, the events that it has found; Node shows both. (One turn has several polls if more events are ready than one
 * poll returns.)
 */
import { Capability } from './capability.js';
import { loopTiming } from './timers.js';

/** Equal numbers mean the same poll, or a moment after it in the same turn of the loop. */
export interface Poll {
  readonly loopCount: number;
  readonly events: number;
}

export const pollCount: Capability = new Capability(
  'the event loop counts its turns and their events',
  'requests wait for one more poll of the event loop before they get a connection that has rested',
  () => (isPoll(loopTiming().uvMetricsInfo) ? undefined : false),
);

function isPoll(metrics: Partial<Poll> | undefined): boolean {
  return typeof metrics?.loopCount === 'number' && typeof metrics.events === 'number';
}

/** Whether polls seem to be counted, and `checkPollCount` is to find out. */
export function isPollCountOpen(): boolean {
  return !pollCount.isKnown && pollCount.holds;
}

/** The poll in which bytes were read first, and whether a later one has not shown that it was counted. */
let readIn: Poll | undefined;
let isDoubtful = false;

/**
 * Bytes are being read that a poll has found: the next ones that are read in a later turn show whether that poll was counted.
 *
 * @returns whether it is known now
 */
export function checkPollCount(): boolean {
  const now = loopTiming().uvMetricsInfo;
  if (!now) pollCount.found(false);
  else if (!readIn) readIn = now;
  // A turn may poll again, but seldom does.
  else if (now.loopCount > readIn.loopCount) {
    if (now.events > readIn.events) pollCount.found(true);
    // The first bytes may have waited in a stream, while the loop found nothing. The next ones cannot: polls that have found something lie between.
    else if (isDoubtful) pollCount.found(false);
    else isDoubtful = true;
  }
  return pollCount.isKnown;
}

/** Hot path. The poll after which the present code runs. `undefined`: not known. */
export function currentPoll(): Poll | undefined {
  return pollCount.isKnown && pollCount.holds ? loopTiming().uvMetricsInfo : undefined;
}

/** Hot path. Whether the loop has not polled again since `poll`, as far as can be told. */
export function isStillIn(poll: Poll): boolean {
  const now = loopTiming().uvMetricsInfo;
  return now !== undefined && now.loopCount === poll.loopCount && now.events === poll.events;
}

/** The turn of the last call, the earliest time of its poll, the time of the call, and the time that the loop had spent waiting by then. */
let turn = -1;
let polledAt = -Infinity;
let lookedAt = -Infinity;
let idleTime = 0;

/**
 * Hot path. The earliest time at which the loop can have polled in this turn, by the monotonic clock: all time since the last call in an earlier
 * turn, except for time spent waiting for events, may belong to this turn.
 *
 * @param poll the current one
 */
export function polledSince(poll: Poll, now: number): number {
  if (poll.loopCount !== turn) {
    turn = poll.loopCount;
    const idle = loopTiming().idleTime;
    polledAt = lookedAt + (idle - idleTime);
    idleTime = idle;
  }
  lookedAt = now;
  return polledAt;
}
