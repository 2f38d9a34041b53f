/**
 * Decides how long a connection may be idle and still be used, from the server's hint, the user's options, and the observed behaviour of
 * the host. There are two ages: up to the safe age, any request may have the connection; beyond it, up to the last age, only a request that
 * can be sent twice. Pure arithmetic.
 */
import type { KeepAliveHint } from './keep-alive-hint.js';

/** The user's own values, in milliseconds. */
interface IdleRules {
  /** Applies where the server says nothing. */
  readonly idleTimeout: number;
  /** The upper bound, also where the server allows more. */
  readonly maxIdleTimeout: number;
}

/**
 * The safe age in milliseconds. `0`: no age is safe.
 *
 * @param hint what the last response said
 * @param buffer milliseconds by which we stay below the server's time
 * @param learned the safe age that was learned from the host
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
 * The last age in milliseconds, never below the safe one. `0`: the connection is not kept.
 *
 * The learned age does not shorten it: a connection that is open at a greater age shows that the learned age is too low. Nor does the
 * buffer take more than half of the announced time: on any network the server keeps a connection for longer than half, and with
 * `timeout=1` none could be used again otherwise.
 */
export function lastIdleTime(hint: KeepAliveHint | undefined, rules: IdleRules, buffer: number): number {
  const seconds = hint?.timeout;
  const announced =
    seconds === undefined ? rules.idleTimeout : Math.max(seconds * 500, seconds * 1000 - buffer);
  return Math.min(announced, rules.maxIdleTimeout);
}
