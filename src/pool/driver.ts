/**
 * The orders that the pool gives. connections/ implements it with sockets, the model-based tests with a model. Every method may call back
 * into the pool before it returns. None throws, although some run foreign code. Errors are values that others have thrown or emitted, of any type.
 */
import type { CloseReason } from './close-reason.js';
import type { Connection, HostPool, Waiter } from './records.js';
import type { Kinds } from './kinds.js';
import type { Refusal } from './refusal.js';

export interface Driver<K extends Kinds> {
  /** The pool's clock, in milliseconds; never goes back. */
  now(): number;
  /**
   * Open `connection` with the options of `waiter`'s request. Answer, once, with `connected` or `failed`; where that is `spare`, with
   * `connected` only when it is ready for a request, whatever the binding.
   */
  dial(connection: Connection<K>, waiter: Waiter<K>): void;
  /** Hand `connection` to `waiter`'s request. */
  assign(connection: Connection<K>, waiter: Waiter<K>): void;
  /**
   * Make `connection` ready to be idle and set its moments from `idleSince` on. `false`: it may not be kept. If `idleSince`
   * is set already, `connection` was validated for a request that has gone meanwhile: its idle time goes on.
   */
  prepareIdle(connection: Connection<K>): boolean;
  /** Whether `connection` may be leased now, by all that is known of its socket. Cheap and synchronous. */
  usable(connection: Connection<K>): boolean;
  /**
   * Hot path. Whether the request that waits for `connection` may get it now: nothing of what the loop has read from it is still to be
   * delivered, and the loop has polled it recently enough.
   */
  isReadyForNext(connection: Connection<K>): boolean;
  /** Hot path. Whether `connection` may become idle. `isReadyToLease` is asked before a request gets it. */
  isReadyToIdle(connection: Connection<K>): boolean;
  /** Hot path. Call `validated(connection)` soon: when all that was read for its last exchange has been delivered. */
  validateSoon(connection: Connection<K>): void;
  /**
   * Asked after the loop has polled. `true`: that poll has shown that no stray bytes wait in the kernel for `connection`. `false`: the driver
   * notes this poll, and is asked again after the next one.
   */
  validate(connection: Connection<K>): boolean;
  /** Close it. Answer, once, with `closed`. A connection without a pooled socket is in no count any more: drop the dial. */
  close(connection: Connection<K>, reason: CloseReason, error?: unknown): void;
  /** `connection`, whose `closeReason` is set, is gone. Called once for each connection, for those who count. It must not call back into the pool. */
  gone(connection: Connection<K>): void;
  /** The connection that `spare` stood for is open: idle, or in use already. */
  ready(spare: Waiter<K>, connection: Connection<K>): void;
  /** `host` may have fewer free connections than its `minFreeSockets`. Hot path for hosts with that limit. It must not call back into the pool. */
  short(host: HostPool<K>): void;
  /**
   * Tell `waiter`'s request that it gets no connection. For a spare waiter: its connection was not opened, or not kept; `undefined` says that
   * nothing has failed, and that there is no need for it any more.
   */
  reject(waiter: Waiter<K>, error: unknown): void;
  /** Tell `waiter`'s request that it has waited for too long, or may not wait at all. */
  refuse(waiter: Waiter<K>, refusal: Refusal): void;
  /** A request of `host` has to wait, because a limit is reached. Called at once, for each such request. */
  saturated(host: HostPool<K>): void;
  /** No request waits any more at `host`, which had been `saturated`. */
  drained(host: HostPool<K>): void;
  /**
   * Hot path. Whether an idle connection may be leased without validation: the loop has polled just before `now`, so that a close which the kernel
   * knew of is known here; or a close does no harm to `req`. Bytes of another connection that were read just now prove nothing: they
   * may come from a poll before the work that has kept the loop busy since.
   */
  isReadyToLease(connection: Connection<K>, now: number, req: object | undefined): boolean;
  /** Call `turn()` once, after the event loop has polled for I/O. */
  schedule(): void;
  /** `host` holds nothing any more. */
  retire(host: HostPool<K>): void;
}
