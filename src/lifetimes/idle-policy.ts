/**
 * How long a connection may be idle and still be used, from what the server says, what the user says, and what the host
 * was seen to do. Two ages: up to the safe one, any request may have it; beyond that, up to the last one, only a
 * request that can be sent twice. Pure arithmetic.
 */
import type { KeepAliveHint } from './keep-alive-hint.js';

/** The user's own values, in milliseconds. */
export interface IdleRules {
  /** Where the server says nothing. */
  readonly idleTimeout: number;
  /** The most, also where the server says more. */
  readonly maxIdleTimeout: number;
}

/**
 * The safe age in milliseconds. `0`: none is.
 *
 * @param hint what the last response said
 * @param buffer milliseconds by which we stay below the server's word
 * @param learned the safe age that the host taught
 */
export function safeIdleTime(
  hint: KeepAliveHint | undefined,
  rules: IdleRules,
  buffer: number,
  learned: number,
): number {
  const seconds = hint?.timeout;
  const announced = seconds === undefined ? rules.idleTimeout : Math.max(0, seconds * 1000 - buffer);
  return Math.min(announced, learned, rules.maxIdleTimeout);
}

/**
 * The last age in milliseconds; never below the safe one. `0`: it is not kept.
 *
 * The lesson of the host does not shorten it: a connection that is older than others were when they were closed, and is
 * still open, proves the lesson wrong. Nor does the buffer take more than half of the time announced: the server
 * keeps it longer than that on any network, and a `timeout=1` would not be worth a connection otherwise.
 */
export function lastIdleTime(hint: KeepAliveHint | undefined, rules: IdleRules, buffer: number): number {
  const seconds = hint?.timeout;
  const announced =
    seconds === undefined ? rules.idleTimeout : Math.max(seconds * 500, seconds * 1000 - buffer);
  return Math.min(announced, rules.maxIdleTimeout);
}
