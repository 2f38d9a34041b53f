/**
 * The work of a dispatcher: its running requests, its end, and its events. The dispatcher itself (agent-dispatcher.ts) is a shell around this, and `compose`
 * makes more such shells.
 */
import type { EventEmitter } from 'node:events';
import type { Agent } from 'node:http';
import type { Socket } from 'node:net';
import {
  connectionLost,
  dispatcherClosed,
  dispatcherDestroyed,
  failureOf,
  invalidArgument,
} from './errors.js';
import { Exchange } from './exchange.js';
import type { Owner } from './exchange.js';
import { checkHandler, tellingOf } from './handlers.js';
import { isolate } from './isolate.js';
import { Origins } from './origins.js';
import type { Origin } from './origins.js';
import { outgoing } from './outgoing.js';
import type { Limits } from './outgoing.js';
import { Saturation } from './saturation.js';
import { setImmediate } from './timers.js';
import type { AgentPair, DispatchController, DispatchHandler, DispatchOptions } from './types.js';

export interface CoreOptions {
  readonly limits: Limits;
  readonly maxHeaderSize: number | undefined;
  readonly webSocket: { readonly maxFragments: number; readonly maxPayloadSize: number };
  readonly eventSource: { readonly maxEventSize: number };
}

export class DispatchCore implements Owner {
  isClosed = false;
  isDestroyed = false;
  readonly #emitter: EventEmitter;
  readonly #origins: Origins;
  readonly options: CoreOptions;
  readonly #exchanges = new Set<Exchange>();
  readonly #saturation: Saturation;
  /** Origins for which `dispatch` has returned `false`: those of both protocols may be of one host and port. */
  readonly #busy = new Map<string, Origin>();
  #onIdle: (() => void)[] = [];

  constructor(emitter: EventEmitter, agents: AgentPair, options: CoreOptions) {
    this.#emitter = emitter;
    this.#origins = new Origins(agents);
    this.options = options;
    const all = [agents.http, agents.https].filter((agent): agent is Agent => Boolean(agent));
    this.#saturation = new Saturation([...new Set(all)], (agent, host) => this.#drained(agent, host));
  }

  /** Hot path. */
  dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    if (typeof handler !== 'object' || handler === null) throw invalidArgument('handler must be an object');
    try {
      if (typeof options !== 'object' || options === null) throw invalidArgument('opts must be an object.');
      if (this.isDestroyed) throw dispatcherDestroyed();
      if (this.isClosed) throw dispatcherClosed();
      return this.#dispatch(options, handler);
    } catch (error) {
      // No request has begun, so no 'drain' follows.
      const failure = failureOf(error);
      tellingOf(handler).failed(handler, failure, new NotBegun(failure));
      return true;
    }
  }

  #dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    const origin = this.#origins.of(options.origin);
    const { limits, maxHeaderSize } = this.options;
    const request = outgoing(options, origin, limits, maxHeaderSize);
    checkHandler(handler, request.upgrades);
    this.#saturation.listen();
    const exchange = new Exchange(this, origin, handler, request);
    this.#exchanges.add(exchange);
    exchange.start(request);
    if (!this.#saturation.mustWait(origin.agent, origin.name)) return true;
    this.#busy.set(origin.url.origin, origin);
    return false;
  }

  gotSocket(exchange: Exchange, socket: Socket, isNew: boolean): void {
    const emitter = this.#emitter;
    if (!isNew || emitter.listenerCount('connect') + emitter.listenerCount('disconnect') === 0) return;
    const { url } = exchange.origin;
    let failure: unknown;
    const onReady = (): void => {
      socket.on('error', (error: unknown) => (failure = error));
      socket.on('close', () => {
        // As in undici, there is always an error.
        const error = failure ?? connectionLost(undefined, socket);
        isolate(() => emitter.emit('disconnect', url, [emitter], error));
      });
      isolate(() => emitter.emit('connect', url, [emitter]));
    };
    if (exchange.isConnected) onReady();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', onReady);
  }

  ended(exchange: Exchange, error: unknown): void {
    const emitter = this.#emitter;
    this.#exchanges.delete(exchange);
    if (error !== undefined && !exchange.isConnected && !exchange.aborted) {
      if (emitter.listenerCount('connectionError') > 0)
        isolate(() => emitter.emit('connectionError', exchange.origin.url, [emitter], error));
    }
    if (this.#exchanges.size === 0 && this.#onIdle.length > 0) this.#tellIdle();
  }

  #drained(agent: Agent, host: string): void {
    for (const [key, origin] of this.#busy) {
      if (origin.agent !== agent || origin.name !== host) continue;
      this.#busy.delete(key);
      this.#emitter.emit('drain', origin.url);
    }
  }

  /** Takes no new requests; `onEnd` is called when the running ones are over. */
  close(onEnd: () => void): void {
    this.isClosed = true;
    this.#waitForIdle(onEnd);
  }

  /** Ends the running requests with `error`. */
  destroy(error: unknown, onEnd: () => void): void {
    const isFirst = !this.isDestroyed;
    this.isDestroyed = true;
    this.isClosed = true;
    this.#waitForIdle(onEnd);
    if (!isFirst) return;
    const reason = error ?? dispatcherDestroyed();
    // Not on the caller's stack: handlers may do anything.
    setImmediate(() => {
      for (const exchange of this.#exchanges) exchange.fail(reason);
    });
  }

  #waitForIdle(onEnd: () => void): void {
    this.#onIdle.push(onEnd);
    if (this.#exchanges.size === 0) this.#tellIdle();
  }

  /** Later, when the last handler has heard of its end. */
  #tellIdle(): void {
    this.#saturation.stop();
    const callbacks = this.#onIdle;
    this.#onIdle = [];
    setImmediate(() => {
      this.isDestroyed = true;
      for (const callback of callbacks) isolate(callback);
    });
  }
}

/** The controller of a request that has never begun, for handlers that read its reason. */
class NotBegun implements DispatchController {
  readonly aborted = false;
  readonly paused = false;
  readonly reason: Error;
  readonly rawHeaders = null;
  readonly rawTrailers = null;

  constructor(error: unknown) {
    this.reason = error as Error;
  }

  pause(): void {}
  resume(): void {}
  abort(): void {}
}
