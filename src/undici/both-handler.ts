/**
 * Gives a handler the methods of both kinds (one of undici 6's kind here, one of undici 7's in new-handler.ts): interceptors of undici 6 call the old ones, those of undici 7 and later the new ones, without
 * checking which kind they got. The headers that an interceptor passes on count, not those in their raw form, which few interceptors change, too.
 */
import type { Duplex } from 'node:stream';
import { invalidArgument } from './errors.js';
import { NewHandler } from './new-handler.js';
import { toldCompletion, toldHeaders } from './handlers.js';
import { toRaw } from './received-headers.js';
import type { DispatchController, DispatchHandler, ReceivedHeaders } from './types.js';
import { WrappedHandler } from './wrapped-handler.js';

/** The handler to give to an interceptor. */
export function forInterceptor(handler: DispatchHandler): DispatchHandler {
  if (typeof handler !== 'object' || handler === null) throw invalidArgument('handler must be an object');
  const isNew = typeof handler.onRequestStart === 'function';
  if (isNew && typeof handler.onConnect === 'function') return handler;
  return isNew ? new NewHandler(handler) : new OldHandler(handler);
}

class OldHandler extends WrappedHandler implements DispatchHandler {
  onConnect(abort: (reason?: Error) => void, context?: unknown): void {
    this.handler.onConnect?.(abort, context);
  }

  onUpgrade(statusCode: number, headers: Buffer[], socket: Duplex): void {
    this.handler.onUpgrade?.(statusCode, headers, socket);
  }

  onHeaders(statusCode: number, headers: Buffer[], resume: () => void, statusText: string): boolean | void {
    return this.handler.onHeaders?.(statusCode, headers, resume, statusText);
  }

  onData(chunk: Buffer): boolean | void {
    return this.handler.onData?.(chunk);
  }

  onComplete(trailers: string[] | null): void {
    this.handler.onComplete?.(trailers);
  }

  onError(error: Error): void {
    if (typeof this.handler.onError !== 'function') throw error;
    this.handler.onError(error);
  }

  onRequestStart(controller: DispatchController, context: unknown): void {
    this.handler.onConnect?.((reason) => controller.abort(reason), context);
  }

  onRequestUpgrade(
    controller: DispatchController,
    statusCode: number,
    headers: ReceivedHeaders,
    socket: Duplex,
  ): void {
    this.handler.onUpgrade?.(statusCode, toRaw(headers ?? controller?.rawHeaders), socket);
  }

  onResponseStart(
    controller: DispatchController,
    statusCode: number,
    headers: ReceivedHeaders,
    statusMessage = '',
  ): void {
    toldHeaders(
      this.handler,
      statusCode,
      toRaw(headers ?? controller?.rawHeaders),
      statusMessage,
      controller,
    );
  }

  onResponseData(controller: DispatchController, chunk: Buffer): void {
    if (this.handler.onData?.(chunk) === false) controller.pause();
  }

  onResponseEnd(controller: DispatchController, trailers: ReceivedHeaders): void {
    toldCompletion(this.handler, toRaw(trailers ?? controller?.rawTrailers));
  }

  onResponseError(...[, error]: [controller: DispatchController, error: Error]): void {
    this.onError(error);
  }
}
