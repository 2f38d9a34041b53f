/**
 * A request that waits for a connection: it keeps its async context, its timeout runs, and it can be destroyed. In Node's
 * client a waiting request has none of these: a destroyed one emits nothing before it is given a socket, and `timeout`
 * runs only on a socket.
 */
import { AsyncResource } from 'node:async_hooks';
import { ClientRequest } from 'node:http';
import { numberForRequest } from '../node/interception.js';
import { connectionReset, falsyFailure } from '../errors.js';
import { codeOf, isolate, later, onOwnStack } from '../node/foreign.js';
import { destroyedWith, markClosed } from '../node/exchange.js';
import { isTunnelTimeout } from '../node/proxy-support.js';
import { timeoutAskedOf } from '../node/request-timeout.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import { nextTick } from '../node/timers.js';
import { processWide } from '../process-wide.js';
import type { Entry } from '../pool/heap.js';
import type { QueueTimer, Timed } from './queue-timer.js';
import type { Options } from '../identity/identity.js';

/** The callback of `agent.createSocket()`: gets an error, or the socket. */
export type Deliver = (error: Error | null, socket?: SocketLike) => void;

/** Requests that have ended: one that an agent has passed on to another waits in both, and must end only once. */
const ended = processWide('ended requests', 1, () => new WeakSet<object>());

const kPending = Symbol('pooling-https-agent.pending');
type Hooked = AgentRequest & { [kPending]?: PendingRequest | undefined };

export class PendingRequest implements Timed {
  readonly req: AgentRequest;
  readonly options: Options;
  /** Gets the socket instead of the request: the callback of `createSocket`. */
  readonly deliver: Deliver | undefined;
  /** The least number that a connection for it may have: see interception.ts. */
  readonly openedSince: number = numberForRequest();
  /** The moment at which its `timeout` is over, and its entry in the heap of these. */
  timesOutAt = Infinity;
  timeoutEntry: Entry<Timed> | undefined = undefined;

  #resource: AsyncResource | undefined = undefined;
  #timer: QueueTimer | undefined = undefined;
  #timedOut = false;
  /** Methods that other code had put on this request before. */
  #ownDestroy: ClientRequest['destroy'] | undefined = undefined;
  #ownSetTimeout: ClientRequest['setTimeout'] | undefined = undefined;
  #onAbort: ((pending: this) => void) | undefined = undefined;

  constructor(req: AgentRequest, options: Options, deliver: Deliver | undefined) {
    this.req = req;
    this.options = options;
    this.deliver = deliver;
  }

  /** The wait begins: all its effects happen in the present async context. */
  enter(): void {
    // Without `requireManualDestroy`: tools that keep something for each async id would keep it for ever.
    this.#resource = new AsyncResource('PendingRequest');
  }

  /**
   * The wait lasts longer than this turn: from now on the request can time out, and be destroyed. `onAbort` is called if it
   * is destroyed before `leave`.
   */
  arm(timer: QueueTimer, timeout: number | undefined, onAbort: (pending: this) => void): void {
    this.#onAbort = onAbort;
    this.#timer = timer;
    const req: Hooked = this.req;
    // Every way to end a request (destroy, abort, AbortSignal, pipeline) goes through its `destroy`.
    if (typeof req.destroy === 'function') {
      if (Object.hasOwn(req, 'destroy')) this.#ownDestroy = req.destroy;
      if (Object.hasOwn(req, 'setTimeout')) this.#ownSetTimeout = req.setTimeout;
      req[kPending] = this;
      req.destroy = destroyWhilePending;
      req.setTimeout = setTimeoutWhilePending;
    }
    // A `setTimeout` between `enter` and now has called Node's own method.
    timer.start(this, timeoutAskedOf(req) ?? timeout ?? 0);
  }

  /** The wait is over: nothing of it stays on the request. */
  leave(): void {
    if (!this.#onAbort) return;
    this.#onAbort = undefined;
    this.#timer?.stop(this);
    const req: Hooked = this.req;
    if (req[kPending] !== this) return;
    // In reverse order of creation, so that the request gets its former shape in V8.
    if (req.setTimeout === setTimeoutWhilePending) {
      if (this.#ownSetTimeout) req.setTimeout = this.#ownSetTimeout;
      else Reflect.deleteProperty(req, 'setTimeout');
    }
    if (req.destroy === destroyWhilePending) {
      if (this.#ownDestroy) req.destroy = this.#ownDestroy;
      else Reflect.deleteProperty(req, 'destroy');
    }
    Reflect.deleteProperty(req, kPending);
  }

  /**
   * Runs `fn` in the async context in which the request was made: at once, or, if it has waited, on a stack of our own, perhaps a moment
   * later. An exception of `fn` does not stop the caller.
   */
  run(fn: () => void): void {
    const resource = this.#resource;
    if (resource) onOwnStack(() => resource.runInAsyncScope(fn));
    else isolate(fn);
  }

  /** `run` for functions that may call a user's `createConnection`: if the request has waited, always a moment later. */
  runLater(fn: () => void): void {
    const resource = this.#resource;
    if (resource) later(() => resource.runInAsyncScope(fn));
    else isolate(fn);
  }

  /** Ends the request without a connection: with the error with which it was destroyed, or else with `given`, which may be anything. */
  fail(given: unknown): void {
    if (this.req.destroyed) {
      this.end();
      return;
    }
    const reason = given || falsyFailure(given);
    this.run(() => {
      if (this.deliver) {
        this.deliver(reason as Error);
      } else if (!this.#isFirstEnd()) {
        // Another agent has ended it.
      } else if (codeOf(reason) === 'ERR_PROXY_TUNNEL') {
        // A Node that supports proxies leaves this error to the agent; an older one emits it like any other.
        nextTick(() => {
          if (isTunnelTimeout(reason) && !this.#timedOut) this.req.emit('timeout');
          closeWith(this.req, reason);
        });
      } else {
        endWith(this.req, reason);
      }
    });
  }

  /** Ends the request, which was destroyed. */
  end(): void {
    const error = this.#reasonOfEnd();
    this.run(() => {
      // The callback needs an error, as there is no socket.
      if (this.deliver) this.deliver(error || hangUp());
      else if (this.#isFirstEnd()) {
        if (error) endWith(this.req, error);
        else onSocket(this.req, null);
      }
    });
  }

  #isFirstEnd(): boolean {
    if (ended.has(this.req)) return false;
    ended.add(this.req);
    return true;
  }

  /** The error with which it ends. `undefined`: Node's client makes the error of a request that was given up before it had a socket. */
  #reasonOfEnd(): Error | undefined {
    const error = destroyedWith(this.req);
    if (error) return error;
    // Callers that call `abort()` after a timeout rely on the 'error' that follows on a socket.
    return this.#timedOut ? hangUp() : undefined;
  }

  /** Node's own `destroy`, and the end of the wait. */
  destroy(error: Error | undefined): void {
    const onAbort = this.#onAbort;
    this.leave();
    this.req.destroy(error);
    onAbort?.(this);
  }

  /** Node's own timeout starts with the socket; ours starts now. */
  setTimeout(timeout: number, callback: (() => void) | undefined): void {
    (this.#ownSetTimeout ?? ClientRequest.prototype.setTimeout).call(this.req, timeout, callback);
    this.#timer?.start(this, timeout);
  }

  /** Its `timeout` is over. It goes on waiting unless a listener ends it. */
  timeOut(): void {
    this.#timedOut = true;
    this.run(() => void this.req.emit('timeout'));
  }
}

/** The wait of `req`, if it was armed. */
export function pendingOf(req: object): PendingRequest | undefined {
  return (req as Partial<Hooked>)[kPending];
}

/** Called without a wait (by a wrapper that was kept after the wait), this calls Node's own. */
function destroyWhilePending(this: Hooked, error?: Error): ClientRequest {
  const pending = this[kPending];
  if (!pending) return ClientRequest.prototype.destroy.call(this, error);
  pending.destroy(error);
  return this;
}

function setTimeoutWhilePending(this: Hooked, timeout: number, callback?: () => void): ClientRequest {
  const pending = this[kPending];
  if (!pending) return ClientRequest.prototype.setTimeout.call(this, timeout, callback);
  pending.setTimeout(timeout, callback);
  return this;
}

/** The error of Node's client. */
function hangUp(): Error {
  return connectionReset('socket hang up');
}

/** Node's onSocket reads the `code` of an error. */
function endWith(req: AgentRequest, error: unknown): void {
  if (isReadable(error)) {
    onSocket(req, null, error as Error);
    return;
  }
  nextTick(closeWith, req, error);
}

function closeWith(req: AgentRequest, error: unknown): void {
  markClosed(req);
  try {
    req.emit('error', error);
  } finally {
    req.emit('close');
  }
}

function isReadable(error: unknown): boolean {
  try {
    void (error as { code?: unknown }).code;
    return true;
  } catch {
    return false;
  }
}

/** Node's typings know neither the `null` nor the error. */
interface Receiver {
  onSocket(socket: SocketLike | null, error?: Error): void;
}

/** Hot path. */
export function onSocket(req: ClientRequest, socket: SocketLike | null, error?: Error): void {
  (req as unknown as Receiver).onSocket(socket, error);
}
