/**
 * The pool's way to the world. connections/ implements it with sockets, the model-based tests with a model. Every method may call back
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
   * is set already, it was only validated, for a request that has gone meanwhile: it stays as old as it was.
   */
  prepareIdle(connection: Connection<K>): boolean;
  /** Whether nothing is known that speaks against leasing it now. Cheap and synchronous. */
  usable(connection: Connection<K>): boolean;
  /**
   * Hot path. Whether the request that waits for `connection` may get it now: nothing of what the loop has read from it is still to be
   * delivered, and the loop has polled it recently enough.
   */
  isReadyForNext(connection: Connection<K>): boolean;
  /** Hot path. The same where no request waits: `isReadyToLease` is asked before one gets it. */
  isReadyToIdle(connection: Connection<K>): boolean;
  /** Hot path. Call `validated(connection)` soon, when what its last exchange still has to say has been said. */
  validateSoon(connection: Connection<K>): void;
  /**
   * The loop has polled. `true`: recently enough to believe that no stray bytes wait in the kernel for `connection`. `false`: that is
   * noted, and asked again after the next poll.
   */
  validate(connection: Connection<K>): boolean;
  /** Close it. Answer, once, with `closed`. A connection without a pooled socket is already forgotten: just drop it. */
  close(connection: Connection<K>, reason: CloseReason, error?: unknown): void;
  /** `connection`, whose `closeReason` is set, is gone. Told once of each, while nothing may call back into the pool. For readers. */
  gone(connection: Connection<K>): void;
  /** The connection that `spare` stood for is open: idle, or in use already. */
  ready(spare: Waiter<K>, connection: Connection<K>): void;
  /** `host` may have fewer free connections than its `minFreeSockets`. Hot path where it has one. Nothing may call back into the pool. */
  short(host: HostPool<K>): void;
  /**
   * Tell `waiter`'s request that it gets no connection. For a spare one: it was not opened, or not kept. `undefined`: nothing has failed,
   * there is no need for it any more.
   */
  reject(waiter: Waiter<K>, error: unknown): void;
  /** Tell `waiter`'s request that it has waited for too long, or may not wait at all. */
  refuse(waiter: Waiter<K>, refusal: Refusal): void;
  /** A request of `host` has to wait, because a limit is reached. Called for each of them, and as soon as one does. */
  saturated(host: HostPool<K>): void;
  /** No request waits any more at `host`, which had been `saturated`. */
  drained(host: HostPool<K>): void;
  /**
   * Hot path. Whether an idle connection may be leased now: the loop has polled just before `now`, and what the kernel knew of `connection`
   * then is known here, or does no harm to `req`. Bytes of another connection that were read just now prove nothing: they
   * may come from the poll before the work that has kept the loop busy since.
   */
  isReadyToLease(connection: Connection<K>, now: number, req: object | undefined): boolean;
  /** Call `turn()` once, after the event loop has polled for I/O. */
  schedule(): void;
  /** `host` holds nothing any more. */
  retire(host: HostPool<K>): void;
}
