/**
 * Calls both kinds of handlers by one interface: those of undici 7 and later have `onRequestStart`, and control a request by its controller; those of
 * undici 6 (and of Node's own fetch up to Node 24) control it by functions and return values.
 */
import type { Duplex } from 'node:stream';
import { invalidArgument } from './errors.js';
import { toBuffers, toObject } from './received-headers.js';
import type { DispatchController, DispatchHandler } from './types.js';

/** The calls of a handler. Each may throw. */
export interface Telling {
  started(handler: DispatchHandler, controller: DispatchController): void;
  /** Called for informational responses, too. */
  headers(
    handler: DispatchHandler,
    status: number,
    raw: readonly string[],
    message: string,
    controller: DispatchController,
  ): void;
  data(handler: DispatchHandler, chunk: Buffer, controller: DispatchController): void;
  completed(handler: DispatchHandler, rawTrailers: readonly string[], controller: DispatchController): void;
  upgraded(
    handler: DispatchHandler,
    status: number,
    raw: readonly string[],
    socket: Duplex,
    controller: DispatchController,
  ): void;
  failed(handler: DispatchHandler, error: unknown, controller: DispatchController): void;
}

const NEW: Telling = {
  started(handler, controller) {
    handler.onRequestStart?.(controller, undefined);
  },
  headers(handler, status, raw, message, controller) {
    handler.onResponseStart?.(controller, status, toObject(raw), message);
  },
  data(handler, chunk, controller) {
    handler.onResponseData?.(controller, chunk);
  },
  completed(handler, rawTrailers, controller) {
    handler.onResponseEnd?.(controller, toObject(rawTrailers));
  },
  upgraded(handler, status, raw, socket, controller) {
    handler.onRequestUpgrade?.(controller, status, toObject(raw), socket);
  },
  failed(handler, error, controller) {
    if (typeof handler.onResponseError !== 'function') throw error;
    handler.onResponseError(controller, error as Error);
  },
};

const OLD: Telling = {
  started(handler, controller) {
    handler.onConnect?.((reason) => controller.abort(reason));
  },
  headers(handler, status, raw, message, controller) {
    toldHeaders(handler, status, toBuffers(raw), message, controller);
  },
  data(handler, chunk, controller) {
    if (handler.onData?.(chunk) === false) controller.pause();
  },
  completed(handler, rawTrailers) {
    toldCompletion(handler, toBuffers(rawTrailers));
  },
  upgraded(handler, status, raw, socket) {
    handler.onUpgrade?.(status, toBuffers(raw), socket);
  },
  failed(handler, error) {
    if (typeof handler.onError !== 'function') throw error;
    handler.onError(error as Error);
  },
};

/** Calls a handler of the old kind. Its return value for an informational response does not pause the final one. */
export function toldHeaders(
  handler: DispatchHandler,
  status: number,
  raw: Buffer[],
  message: string,
  controller: DispatchController,
): void {
  const resume = (): void => controller.resume();
  if (handler.onHeaders?.(status, raw, resume, message) === false && status >= 200) controller.pause();
}

export function toldCompletion(handler: DispatchHandler, rawTrailers: Buffer[]): void {
  handler.onComplete?.(rawTrailers as unknown[] as string[]);
}

export function toldOfPart(handler: DispatchHandler, chunk: unknown): void {
  handler.onBodySent?.(chunk as never, undefined as never);
}

export function tellingOf(handler: DispatchHandler): Telling {
  return typeof handler.onRequestStart === 'function' ? NEW : OLD;
}

/**
 * @param upgrades whether the request asks for another protocol
 * @throws `UND_ERR_INVALID_ARG`
 */
export function checkHandler(handler: DispatchHandler, upgrades: boolean): void {
  if (typeof handler.onRequestStart === 'function') return;
  const names = upgrades ? UPGRADING : RESPONDING;
  for (const name of names) {
    if (typeof handler[name] !== 'function') throw invalidArgument(`invalid ${name} method`);
  }
}

const UPGRADING = ['onConnect', 'onError', 'onUpgrade'] as const;
const RESPONDING = ['onConnect', 'onError', 'onHeaders', 'onData', 'onComplete'] as const;
