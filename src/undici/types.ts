/**
 * The types of undici 6, 7 and 8 that are used here. They are written out, not imported, so that they are the same whether undici is installed or
 * not.
 */
import type { Agent } from 'node:http';
import type { Duplex } from 'node:stream';

/** The headers of a response: lower-case names; those that came several times as lists. */
export type ReceivedHeaders = Record<string, string | string[] | undefined>;

/** Controls one request. Handlers of undici 7 and later get it with each call. */
export interface DispatchController {
  /** Stops reading from the connection. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** Ends the request and its connection with `reason`. Default: an error with the code `UND_ERR_ABORTED`. No effect when the request is over. */
  abort(reason?: unknown): void;
  /** Whether the request is paused. */
  readonly paused: boolean;
  /** Whether `abort` was called. */
  readonly aborted: boolean;
  /** The reason for which it was aborted. */
  readonly reason: Error | null;
  /** The headers of the response: names and values in turn, as they came. */
  rawHeaders?: Buffer[] | string[] | ReceivedHeaders | null;
  /** The trailers of the response, likewise. */
  rawTrailers?: Buffer[] | string[] | ReceivedHeaders | null;
}

/**
 * Hears of one request. A handler with `onRequestStart` is one of undici 7 and later, any other one of undici 6. It hears of one end, once: by `onResponseEnd`,
 * `onRequestUpgrade` or `onResponseError`; or by `onComplete`, `onUpgrade` or `onError`.
 */
export interface DispatchHandler {
  /** The request begins; it can be aborted from now on. */
  onRequestStart?(controller: DispatchController, context: unknown): void;
  /** The connection has left HTTP, and belongs to the handler. */
  onRequestUpgrade?(
    controller: DispatchController,
    statusCode: number,
    headers: ReceivedHeaders,
    socket: Duplex,
  ): void;
  /** A response begins, perhaps an informational one (below 200). */
  onResponseStart?(
    controller: DispatchController,
    statusCode: number,
    headers: ReceivedHeaders,
    statusMessage?: string,
  ): void;
  /** A part of its body. */
  onResponseData?(controller: DispatchController, chunk: Buffer): void;
  /** The response is complete. */
  onResponseEnd?(controller: DispatchController, trailers: ReceivedHeaders): void;
  /** The request has failed. */
  onResponseError?(controller: DispatchController, error: Error): void;

  /** undici 6: the request begins. */
  onConnect?(abort: (reason?: Error) => void, context?: unknown): void;
  /** undici 6: the connection has left HTTP, and belongs to the handler. */
  onUpgrade?(statusCode: number, headers: Buffer[], socket: Duplex): void;
  /** undici 6: a response begins, perhaps an informational one (below 200). `false` pauses it until `resume` is called. */
  onHeaders?(statusCode: number, headers: Buffer[], resume: () => void, statusText: string): boolean | void;
  /** undici 6: a part of its body. `false` pauses it. */
  onData?(chunk: Buffer): boolean | void;
  /** undici 6: the response is complete. Trailers are of type `Buffer[]`, as in undici, whose typings say otherwise. */
  onComplete?(trailers: string[] | null): void;
  /** undici 6: the request has failed. */
  onError?(error: Error): void;

  /** The first byte of a response has come. */
  onResponseStarted?(): void;
  /** A part of the request's body was sent: a Buffer, as with undici, whose typings name numbers. */
  onBodySent?(chunk: never, totalBytesSent: never): void;
  /** All of the request was sent. */
  onRequestSent?(): void;
}

/** One request. Names, units and defaults are undici's. */
export interface DispatchOptions {
  /** Protocol, host and port, without a path. */
  origin?: string | URL | undefined;
  /** Begins with `/`, or is a URL. For `CONNECT`: the target's host and port. */
  path: string;
  /** The method, which is sent in capitals. */
  method: string;
  /** Text, bytes, a stream, anything that is iterable (synchronously or not), a Blob, a FormData. Default: none. */
  body?: unknown;
  /** Names and values in turn, an object, or pairs. Default: none. */
  headers?: unknown;
  /** Becomes the query of `path`, which must have none then. */
  query?: Record<string, unknown> | null | undefined;
  /** The protocol to which the connection changes. */
  upgrade?: boolean | string | null | undefined;
  /** Milliseconds within which the response must begin, after the request was sent; `0`: any time. Default: the dispatcher's. */
  headersTimeout?: number | null | undefined;
  /** Milliseconds between two parts of the response's body; `0`: any time. Default: the dispatcher's. */
  bodyTimeout?: number | null | undefined;
  /** Whether the request is the last one on its connection. */
  reset?: boolean | null | undefined;
  /** Whether the body waits until the server asks for it (`Expect: 100-continue`), or a second has passed. */
  expectContinue?: boolean | null | undefined;
  /** The name that is expected in the certificate, if it is not the origin's. */
  servername?: string | null | undefined;
  /** The urgency of the request if it has to wait for a connection: 0 (the most urgent) to 7. Default: 3. See `PoolingAgent`. */
  priority?: number | undefined;
  /** Only for pipelining, which there is none of. */
  idempotent?: boolean | null | undefined;
  /** Only for pipelining, which there is none of. */
  blocking?: boolean | null | undefined;
  /** For undici 6's own functions, which read it. */
  throwOnError?: boolean | null | undefined;
  /** `0` only: redirects are followed by `interceptors.redirect()`. */
  maxRedirections?: number | null | undefined;
}

export type Dispatch = (options: DispatchOptions, handler: DispatchHandler) => boolean;

/** An interceptor of undici, of any version: takes a `dispatch` and returns another one. */
export type Interceptor = (dispatch: never) => unknown;

/** The agents by protocol: the result of `createAgents()`, or any two. */
export interface AgentPair {
  /** For `http:` origins: a `PoolingHttpAgent`, or any other `http.Agent`. */
  readonly http?: Agent | null | undefined;
  /** For `https:` origins: a `PoolingAgent`, or any other `https.Agent`. */
  readonly https?: Agent | null | undefined;
}

/** The options of `dispatcher`. */
export interface DispatcherOptions {
  /** Milliseconds within which a response must begin, after the request was sent; `0`: any time. Default: 300,000. */
  readonly headersTimeout?: number | null | undefined;
  /** Milliseconds between two parts of a response's body; `0`: any time. Default: 300,000. */
  readonly bodyTimeout?: number | null | undefined;
  /** Bytes of a response's body; a longer one ends its request with `UND_ERR_RES_EXCEEDED_MAX_SIZE`. `-1` and `Infinity`: any size. Default: `-1`. */
  readonly maxResponseSize?: number | null | undefined;
  /** The limits of undici's WebSockets over this dispatcher. */
  readonly webSocket?: WebSocketLimits | null | undefined;
  /** The limits of undici's EventSources over this dispatcher. */
  readonly eventSource?: EventSourceLimits | null | undefined;
  /** Bytes of a response's headers. Default: Node's (16 KiB, or `--max-http-header-size`). */
  readonly maxHeaderSize?: number | null | undefined;
}

/** As undici has them. */
export interface WebSocketLimits {
  /** Parts of one message. `0`: any number. Default: 131,072. */
  readonly maxFragments?: number | null | undefined;
  /** Bytes of one message. `0`: any size. Default: 134,217,728 (128 MiB). */
  readonly maxPayloadSize?: number | null | undefined;
}

/** As undici has them. */
export interface EventSourceLimits {
  /** Characters of one event. `0`: any number. Default: as many as a string can have. */
  readonly maxEventSize?: number | null | undefined;
}
