/**
 * Gives a handler of undici 7's kind the methods of undici 6's, too, for interceptors of undici 6. These know no controller, so it gets one here, which
 * pauses by return values, as in undici 6: from the next call on.
 */
import type { Duplex } from 'node:stream';
import { fromRaw, toObject } from './received-headers.js';
import type { DispatchController, DispatchHandler, ReceivedHeaders } from './types.js';
import { WrappedHandler } from './wrapped-handler.js';

export class NewHandler extends WrappedHandler implements DispatchHandler {
  #controller = new Controller(() => {});

  // As undici 6 calls it

  onConnect(abort: (reason?: Error) => void, context?: unknown): void {
    this.#controller = new Controller(abort);
    this.handler.onRequestStart?.(this.#controller, context);
  }

  onUpgrade(statusCode: number, headers: Buffer[], socket: Duplex): void {
    this.#controller.rawHeaders = headers;
    this.handler.onRequestUpgrade?.(this.#controller, statusCode, toObject(fromRaw(headers)), socket);
  }

  onHeaders(statusCode: number, headers: Buffer[], resume: () => void, statusText: string): boolean {
    const controller = this.#controller;
    controller.proceed = resume;
    controller.rawHeaders = headers;
    this.handler.onResponseStart?.(controller, statusCode, toObject(fromRaw(headers)), statusText);
    return !controller.paused;
  }

  onData(chunk: Buffer): boolean {
    this.handler.onResponseData?.(this.#controller, chunk);
    return !this.#controller.paused;
  }

  onComplete(trailers: string[] | null): void {
    this.#controller.rawTrailers = trailers;
    this.handler.onResponseEnd?.(this.#controller, toObject(fromRaw(trailers ?? [])));
  }

  onError(error: Error): void {
    this.onResponseError(this.#controller, error);
  }

  // As undici 7 calls it

  onRequestStart(controller: DispatchController, context: unknown): void {
    this.handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...args: Parameters<NonNullable<DispatchHandler['onRequestUpgrade']>>): void {
    this.handler.onRequestUpgrade?.(...args);
  }

  onResponseStart(...args: Parameters<NonNullable<DispatchHandler['onResponseStart']>>): void {
    this.handler.onResponseStart?.(...args);
  }

  onResponseData(controller: DispatchController, chunk: Buffer): void {
    this.handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: DispatchController, trailers: ReceivedHeaders): void {
    this.handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: DispatchController, error: Error): void {
    if (typeof this.handler.onResponseError !== 'function') throw error;
    this.handler.onResponseError(controller, error);
  }
}

/** Controls a request by the functions that undici 6 has for that. */
class Controller implements DispatchController {
  paused = false;
  aborted = false;
  reason: Error | null = null;
  rawHeaders: Buffer[] | null = null;
  rawTrailers: string[] | null = null;
  /** Lets the response go on. */
  proceed: (() => void) | undefined = undefined;
  readonly #abort: (reason?: Error) => void;

  constructor(abort: (reason?: Error) => void) {
    this.#abort = abort;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.proceed?.();
  }

  abort(reason?: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = (reason as Error | undefined) ?? null;
    this.#abort(reason as Error | undefined);
  }
}
