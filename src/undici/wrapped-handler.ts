/** A handler within one that has the methods of both kinds: the calls that undici 6 and later versions make in the same way are passed on. */
import type { DispatchHandler } from './types.js';

export class WrappedHandler {
  protected readonly handler: DispatchHandler;

  constructor(handler: DispatchHandler) {
    this.handler = handler;
  }

  onResponseStarted(): void {
    this.handler.onResponseStarted?.();
  }

  onBodySent(chunk: never, totalBytesSent: never): void {
    this.handler.onBodySent?.(chunk, totalBytesSent);
  }

  onRequestSent(): void {
    this.handler.onRequestSent?.();
  }
}
