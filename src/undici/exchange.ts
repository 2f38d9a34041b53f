/**
 * One request, from its dispatch to its one end. It runs over Node's client, so that the agent gives it a connection, and translates events for undici's
 * handlers. It is also the controller by which a handler controls it.
 *
 * Whatever happens, the handler hears of one end, once; later events are dropped.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { BodyWriter } from './body-writer.js';
import type { Progress } from './body-writer.js';
import { Deadline } from './deadline.js';
import {
  badUpgrade,
  bodyTimeout,
  connectionLost,
  ended,
  failureOf,
  headersTimeout,
  refused,
  requestAborted,
  responseTooLarge,
} from './errors.js';
import { tellingOf, toldOfPart } from './handlers.js';
import type { Telling } from './handlers.js';
import { isolate } from './isolate.js';
import { listenToBody, listenToRequest, listenToResponse } from './listeners.js';
import type { Hearer } from './listeners.js';
import type { Origin } from './origins.js';
import type { Limits, Outgoing } from './outgoing.js';
import { toBuffers } from './received-headers.js';
import { setTimeout } from './timers.js';
import type { DispatchController, DispatchHandler } from './types.js';

/** The part of the dispatcher that its exchanges call. */
export interface Owner {
  /** The exchange has a connection. */
  gotSocket(exchange: Exchange, socket: Socket, isNew: boolean): void;
  ended(exchange: Exchange, error: unknown): void;
}

/** Milliseconds that a body waits for "100 Continue": servers that do not know of it say nothing (RFC 9110, section 10.1.1). */
const CONTINUE_TIMEOUT = 1000;

export class Exchange implements DispatchController, Hearer, Progress {
  readonly origin: Origin;
  aborted = false;
  reason: Error | null = null;
  /** Whether it has had a connection that was ready. */
  isConnected = false;
  readonly #owner: Owner;
  readonly #handler: DispatchHandler;
  readonly #telling: Telling;
  readonly #limits: Limits;
  readonly #upgrades: boolean;
  #req: ClientRequest | undefined = undefined;
  #res: IncomingMessage | undefined = undefined;
  #writer: BodyWriter | undefined = undefined;
  #deadline: Deadline | undefined = undefined;
  #isEnded = false;
  #isPaused = false;
  /** Whether the response is complete while the handler has paused. */
  #isComplete = false;
  #hasStarted = false;
  /** Whether the body waits for the server's "100 Continue". */
  #isBodyHeld = false;
  #received = 0;
  #rawHeaders: Raw | undefined = undefined;
  #rawTrailers: Raw | undefined = undefined;

  constructor(owner: Owner, origin: Origin, handler: DispatchHandler, { limits, upgrades }: Outgoing) {
    this.#owner = owner;
    this.origin = origin;
    this.#handler = handler;
    this.#telling = tellingOf(handler);
    this.#limits = limits;
    this.#upgrades = upgrades;
  }

  // Calls of the handler

  pause(): void {
    if (this.#isEnded) return;
    this.#isPaused = true;
    this.#res?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#isEnded || !this.#res) return;
    if (this.#isComplete) {
      this.completed(this.#res);
      return;
    }
    this.#deadline?.touch();
    this.#res.resume();
  }

  abort(reason?: unknown): void {
    if (this.aborted || this.#isEnded) return;
    this.aborted = true;
    this.reason = (reason || requestAborted()) as Error;
    this.fail(this.reason);
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  get rawHeaders(): Raw {
    return (this.#rawHeaders ??= this.#res ? toBuffers(this.#res.rawHeaders) : null);
  }

  set rawHeaders(value: Raw) {
    this.#rawHeaders = value;
  }

  get rawTrailers(): Raw {
    return (this.#rawTrailers ??= this.#res ? toBuffers(this.#res.rawTrailers) : null);
  }

  set rawTrailers(value: Raw) {
    this.#rawTrailers = value;
  }

  // The request

  /** Hot path. Calls the handler, and asks the agent for a connection. */
  start(outgoing: Outgoing): void {
    this.#tell(() => this.#telling.started(this.#handler, this));
    if (this.#isEnded) return;
    try {
      this.#send(outgoing);
    } catch (error) {
      this.fail(refused(error));
    }
  }

  #send({ options, body, length, awaitsContinue }: Outgoing): void {
    const req = this.origin.request(options);
    this.#req = req;
    // Node's client drops all headers after the 2000th without a word. Their size is limited: see `maxHeaderSize`.
    req.maxHeadersCount = 0;
    listenToRequest(req, this);
    if (!body) {
      req.end();
      this.sent();
    } else if (body.bytes && !awaitsContinue) {
      req.end(body.bytes);
      this.wrote(body.bytes);
      this.sent();
    } else {
      const inParts = body.bytes ? { parts: [body.bytes], length } : body;
      this.#writer = new BodyWriter(req, inParts, length, this);
      if (awaitsContinue) this.#awaitContinue(req);
    }
  }

  /** Waits for the server's "100 Continue" before the body is sent. */
  #awaitContinue(req: ClientRequest): void {
    this.#isBodyHeld = true;
    req.once('continue', () => this.#releaseBody());
  }

  #releaseBody(): void {
    this.#isBodyHeld = false;
    if (!this.#isEnded && !this.#res) this.#writer?.begin();
  }

  /** @internal For the listeners of Node's client. */
  gotSocket(socket: Socket): void {
    if (this.#isEnded) return;
    const { connecting, secureConnecting } = socket as Partial<TLSSocket> & { secureConnecting?: boolean };
    const isNew = this.#req?.reusedSocket !== true;
    if (connecting || secureConnecting) {
      socket.once(secureConnecting ? 'secureConnect' : 'connect', () => this.#connected());
    } else {
      this.#connected();
    }
    this.#owner.gotSocket(this, socket, isNew);
  }

  /** The body is read only now: one that was not read can be used in another attempt. */
  #connected(): void {
    this.isConnected = true;
    if (this.#isEnded || this.#res) return;
    // Before the body, which may end the request at once.
    this.#deadline ??= new Deadline(() => this.#timedOut());
    this.#deadline.start(this.#limits.headersTimeout);
    if (this.#isBodyHeld) {
      this.#req?.flushHeaders();
      setTimeout(() => this.#releaseBody(), CONTINUE_TIMEOUT).unref();
    } else {
      this.#writer?.begin();
    }
  }

  #timedOut(): void {
    if (this.#isEnded) return;
    if (this.#res) {
      if (this.#isPaused) return;
      this.fail(bodyTimeout(this.#limits.bodyTimeout));
      return;
    }
    // The server waits for a body that the caller has not provided yet: the time does not count.
    const writer = this.#writer;
    if (writer?.isReading && !writer.isBlocked) return;
    this.fail(headersTimeout(this.#limits.headersTimeout));
  }

  // Progress of the body

  wrote(chunk: Buffer): void {
    if (this.#isEnded) return;
    this.#deadline?.touch();
    if (this.#handler.onBodySent) this.#tell(() => toldOfPart(this.#handler, chunk));
  }

  sent(): void {
    if (this.#isEnded) return;
    this.#deadline?.touch();
    if (this.#handler.onRequestSent) this.#tell(() => this.#handler.onRequestSent?.());
  }

  failed(error: unknown): void {
    this.fail(error);
  }

  // The response

  /** @internal */
  informed(status: number, rawHeaders: readonly string[], message: string): void {
    if (this.#isEnded || status === 100 || status === 101) return;
    this.#deadline?.touch();
    this.#begins();
    if (this.#isEnded) return;
    this.#rawHeaders = toBuffers(rawHeaders);
    this.#tell(() => this.#telling.headers(this.#handler, status, rawHeaders, message, this));
    this.#rawHeaders = undefined;
  }

  /** @internal Hot path. */
  responded(res: IncomingMessage): void {
    this.#res = res;
    listenToResponse(res, this);
    if (this.#isEnded) return;
    const { statusCode = 0, statusMessage = '', rawHeaders } = res;
    if (statusCode === 101) {
      // Without a header `Upgrade`: nobody can tell what follows.
      this.fail(badUpgrade(this.#req?.socket ?? null));
      return;
    }
    this.#begins();
    if (this.#isEnded) return;
    this.#deadline?.start(this.#limits.bodyTimeout);
    try {
      this.#telling.headers(this.#handler, statusCode, rawHeaders, statusMessage, this);
    } catch (error) {
      this.abort(error);
    }
    if (this.#isEnded) return;
    if (this.#isPaused) res.pause();
    listenToBody(res);
  }

  #begins(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    if (this.#handler.onResponseStarted) this.#tell(() => this.#handler.onResponseStarted?.());
  }

  /** @internal Hot path. */
  came(chunk: Buffer): void {
    if (this.#isEnded) return;
    this.#deadline?.touch();
    this.#received += chunk.length;
    const { maxResponseSize } = this.#limits;
    if (this.#received > maxResponseSize) {
      this.fail(responseTooLarge(maxResponseSize));
      return;
    }
    try {
      this.#telling.data(this.#handler, chunk, this);
    } catch (error) {
      this.abort(error);
    }
  }

  /** @internal Hot path. */
  completed(res: IncomingMessage): void {
    if (this.#isEnded) return;
    this.#isComplete = true;
    // A stream that was read to its end emits 'end', paused or not.
    if (this.#isPaused) return;
    this.#end(undefined);
    const req = this.#req;
    if (req && !req.writableEnded) {
      // The server has answered before it had the whole request: the rest is not sent.
      this.#writer?.stop();
      req.destroy();
    }
    try {
      this.#telling.completed(this.#handler, res.rawTrailers, this);
    } catch (error) {
      this.#tellFailure(error);
    }
  }

  /** @internal */
  upgraded(res: IncomingMessage, socket: Socket, head: Buffer): void {
    if (this.#isEnded || !this.#upgrades) {
      socket.destroy();
      this.fail(badUpgrade(socket));
      return;
    }
    this.#res = res;
    this.#begins();
    if (head.length > 0) socket.unshift(head);
    if (this.#isEnded) return;
    this.#end(undefined);
    this.#writer?.stop();
    try {
      this.#telling.upgraded(this.#handler, res.statusCode ?? 0, res.rawHeaders, socket, this);
    } catch (error) {
      // The handler may have passed the socket on, to code that listens to it.
      socket.on('error', () => {});
      socket.destroy(error as Error);
      this.#tellFailure(error);
    }
  }

  // The end

  /** @internal An error of Node's client or of the agent. One that comes when all of the response is there is of no concern to it: surplus bytes, for example. */
  erred(error: unknown): void {
    const res = this.#res;
    if (this.#isEnded || res?.complete === true) return;
    const isCutShort =
      res?.headers.connection?.toLowerCase() === 'close' && res.headers['content-length'] !== undefined;
    this.fail(ended(error, this.#req?.socket ?? null, isCutShort));
  }

  /** @internal The request has closed without an error. */
  closed(): void {
    if (!this.#isEnded && !this.#isComplete) this.fail(connectionLost(undefined, this.#req?.socket ?? null));
  }

  /** @internal */
  get hasResponse(): boolean {
    return this.#res !== undefined;
  }

  fail(given: unknown): void {
    if (this.#isEnded) return;
    const error = failureOf(given);
    this.#end(error);
    this.#writer?.stop(error);
    this.#req?.destroy();
    this.#tellFailure(error);
  }

  #tellFailure(error: unknown): void {
    isolate(() => this.#telling.failed(this.#handler, failureOf(error), this));
  }

  #end(error: unknown): void {
    this.#isEnded = true;
    this.#deadline?.stop();
    this.#owner.ended(this, error);
  }

  /** A handler that throws ends its request. */
  #tell(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.abort(error);
    }
  }
}

type Raw = NonNullable<DispatchController['rawHeaders']> | null;
