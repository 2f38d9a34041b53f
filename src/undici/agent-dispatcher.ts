/** A dispatcher with undici's interface: `dispatch`, `compose`, `close`, `destroy`, and events. dispatch-core.ts does the work. */
import { EventEmitter } from 'node:events';
import type { AnyListener } from '../agent/events.js';
import { forInterceptor } from './both-handler.js';
import { DispatchCore } from './dispatch-core.js';
import type { CoreOptions } from './dispatch-core.js';
import { invalidArgument, notSupported, dispatcherDestroyed } from './errors.js';
import type { AgentPair, Dispatch, DispatchHandler, DispatchOptions, Interceptor } from './types.js';

/** Not a private field, because methods are called on the proxies that `compose` makes. */
const kCore = Symbol('pooling-https-agent.dispatcher');

type Callback = (error: Error | null, data: null) => void;

/** Typed as in undici; Node's types are looser. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- more types of methods that exist
export interface AgentDispatcher {
  /** The listeners of an event, as in Node. */
  listeners(event: string | symbol): AnyListener[];
  /** The listeners of an event, with the wrappers of `once`, as in Node. */
  rawListeners(event: string | symbol): AnyListener[];
}

/**
 * Sends requests over agents like Node's. It owns none of their connections: `close` and `destroy` end its own requests, and the agents go on.
 *
 * Emits, with the arguments of undici's events: 'connect', 'disconnect' and 'connectionError' for connections that were opened for its requests, and 'drain' when a host for
 * which `dispatch` has returned `false` has connections again.
 */
export class AgentDispatcher extends EventEmitter {
  /** @internal */
  readonly [kCore]: DispatchCore;

  /** @internal */
  constructor(agents: AgentPair, options: CoreOptions) {
    super();
    this[kCore] = new DispatchCore(this, agents, options);
  }

  /** Whether `close()` or `destroy()` was called. */
  get closed(): boolean {
    return this[kCore].isClosed;
  }

  /** Whether `destroy()` was called, or all requests have ended after `close()`. */
  get destroyed(): boolean {
    return this[kCore].isDestroyed;
  }

  /** Read by undici's WebSocket. Without it, undici 6 and 7 have no limits. */
  get webSocketOptions(): {
    /** Parts of one message. `0`: any number. */
    readonly maxFragments: number;
    /** Bytes of one message. `0`: any size. */
    readonly maxPayloadSize: number;
  } {
    return this[kCore].options.webSocket;
  }

  /** Read by undici's EventSource. */
  get eventSourceOptions(): {
    /** Characters of one event. `0`: any number. */
    readonly maxEventSize: number;
  } {
    return this[kCore].options.eventSource;
  }

  /**
   * Sends a request, and calls `handler` with its outcome. Errors, also those of arguments, go to the handler, or are thrown if it has no method for them.
   *
   * @returns `false`: the request was taken, but requests to its host wait for connections; 'drain' tells when they do no more
   */
  dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    return this[kCore].dispatch(options, handler);
  }

  /**
   * This dispatcher, behind interceptors such as undici's `interceptors.retry()`; the last one given sees a request first.
   *
   * @throws `UND_ERR_INVALID_ARG`
   */
  compose(...interceptors: readonly (Interceptor | readonly Interceptor[])[]): this {
    let dispatch: Dispatch = (options, handler) => this.dispatch(options, handler);
    for (const interceptor of interceptors.flat() as readonly unknown[]) {
      if (interceptor === undefined || interceptor === null) continue;
      if (typeof interceptor !== 'function') throw invalidArgument('interceptors must be functions');
      const next: unknown = Reflect.apply(interceptor, undefined, [dispatch]);
      if (typeof next !== 'function') throw invalidArgument('an interceptor must return a function');
      dispatch = (options, handler) => (next as Dispatch)(options, forInterceptor(handler));
    }
    const composed = dispatch;
    return new Proxy(this, {
      get: (target, key): unknown => (key === 'dispatch' ? composed : Reflect.get(target, key)),
    });
  }

  /**
   * Takes no more requests (they end with `UND_ERR_CLOSED`), and waits for those that are under way.
   *
   * @throws `UND_ERR_INVALID_ARG` for a callback that is no function
   */
  close(): Promise<void>;
  close(callback: () => void): void;
  close(callback?: Callback): Promise<void> | void {
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.close(((error: Error | null) => (error ? reject(error) : resolve())) as () => void);
      });
    }
    if (typeof callback !== 'function') throw invalidArgument('invalid callback');
    const core = this[kCore];
    if (core.isDestroyed) {
      void Promise.resolve().then(() => callback(dispatcherDestroyed(), null));
      return;
    }
    core.close(() => callback(null, null));
  }

  /**
   * Ends all requests that are under way with `error` (default: one with the code `UND_ERR_DESTROYED`), and takes no more.
   *
   * @throws `UND_ERR_INVALID_ARG` for a callback that is no function
   */
  destroy(): Promise<void>;
  destroy(error: Error | null): Promise<void>;
  destroy(callback: () => void): void;
  destroy(error: Error | null, callback: () => void): void;
  destroy(error?: Error | null | Callback, callback?: Callback): Promise<void> | void {
    if (typeof error === 'function') {
      this.destroy(null, error as () => void);
      return;
    }
    if (callback === undefined) {
      return new Promise((resolve) => {
        this.destroy(error ?? null, resolve);
      });
    }
    if (typeof callback !== 'function') throw invalidArgument('invalid callback');
    this[kCore].destroy(error, () => callback(null, null));
  }

  /** @throws `UND_ERR_NOT_SUPPORTED`: undici's own function does it, `request(url, { dispatcher })` */
  request(..._args: never[]): never {
    throw useFunction('request');
  }

  /** @throws `UND_ERR_NOT_SUPPORTED`: undici's own function does it, `stream(url, { dispatcher }, factory)` */
  stream(..._args: never[]): never {
    throw useFunction('stream');
  }

  /** @throws `UND_ERR_NOT_SUPPORTED`: undici's own function does it, `pipeline(url, { dispatcher }, handler)` */
  pipeline(..._args: never[]): never {
    throw useFunction('pipeline');
  }

  /** @throws `UND_ERR_NOT_SUPPORTED`: undici's own function does it, `connect(url, { dispatcher })` */
  connect(..._args: never[]): never {
    throw useFunction('connect');
  }

  /** @throws `UND_ERR_NOT_SUPPORTED`: undici's own function does it, `upgrade(url, { dispatcher })` */
  upgrade(..._args: never[]): never {
    throw useFunction('upgrade');
  }
}

function useFunction(name: string): Error {
  return notSupported(
    `dispatcher.${name}() is undici's own: import { ${name} } from 'undici', and give it { dispatcher }`,
  );
}
