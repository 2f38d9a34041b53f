/**
 * Writes the body of a request that comes in parts, no faster than the connection takes it, and checks its length: otherwise the server would wait for
 * missing bytes, or read surplus bytes as the next request.
 */
import type { ClientRequest } from 'node:http';
import { chunkOf } from './body.js';
import type { Body, Parts, StreamLike } from './body.js';
import { requestAborted, requestLengthMismatch } from './errors.js';
import { isolate } from './isolate.js';
import { setImmediate } from './timers.js';

/** Hears of the progress. */
export interface Progress {
  wrote(chunk: Buffer): void;
  sent(): void;
  failed(error: unknown): void;
}

export class BodyWriter {
  /** Whether the connection takes no more at the moment. */
  isBlocked = false;
  readonly #req: ClientRequest;
  readonly #body: Body;
  /** The length that was announced. `undefined`: the body is sent in chunks. */
  readonly #length: number | undefined;
  readonly #progress: Progress;
  #written = 0;
  #isDone = false;
  #hasBegun = false;
  #proceed: (() => void) | undefined = undefined;
  #stopReading: ((error: unknown) => void) | undefined = undefined;

  constructor(req: ClientRequest, body: Body, length: number | undefined, progress: Progress) {
    this.#req = req;
    this.#body = body;
    this.#length = length;
    this.#progress = progress;
    // The stream may fail before it is read, and may have no other listener.
    body.stream?.on('error', this.#onError);
  }

  /** A second call has no effect. */
  begin(): void {
    if (this.#hasBegun || this.#isDone) return;
    this.#hasBegun = true;
    this.#req.on('drain', () => {
      this.isBlocked = false;
      const proceed = this.#proceed;
      this.#proceed = undefined;
      proceed?.();
    });
    const { stream, parts } = this.#body;
    if (stream) this.#attempt(() => this.#readStream(stream));
    else if (parts) void this.#readParts(parts);
  }

  /** Whether there is more to be read. */
  get isReading(): boolean {
    return this.#hasBegun && !this.#isDone;
  }

  /** The request is over: nothing more is read. A source that was not read yet stays as it is, for another attempt. */
  stop(error?: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    if (!this.#hasBegun) this.#body.stream?.removeListener('error', this.#onError);
    isolate(() => this.#stopReading?.(error));
    const proceed = this.#proceed;
    this.#proceed = undefined;
    proceed?.();
  }

  readonly #onError = (error: unknown): void => this.#fail(error);

  #fail(error: unknown): void {
    if (this.#isDone) return;
    this.stop(error);
    this.#progress.failed(error);
  }

  /** An exception of the stream, or of Node's client, ends the request. */
  #attempt(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @returns whether the connection takes more at once */
  #write(given: unknown): boolean {
    const chunk = chunkOf(given);
    if (chunk.length === 0) return true;
    const length = this.#length;
    if (length !== undefined && this.#written + chunk.length > length) throw requestLengthMismatch();
    const req = this.#req;
    if (length === undefined && this.#written === 0 && !req.headersSent)
      req.setHeader('transfer-encoding', 'chunked');
    this.#written += chunk.length;
    const takesMore = req.write(chunk);
    if (!takesMore) this.isBlocked = true;
    this.#progress.wrote(chunk);
    return takesMore;
  }

  #end(): void {
    if (this.#isDone) return;
    if (this.#length !== undefined && this.#written !== this.#length) {
      this.#fail(requestLengthMismatch());
      return;
    }
    this.#attempt(() => this.#req.end());
    if (this.#isDone) return;
    this.#isDone = true;
    isolate(() => this.#stopReading?.(undefined));
    this.#progress.sent();
  }

  #readStream(stream: StreamLike): void {
    const onData = (chunk: unknown): void => {
      if (this.#isDone) return;
      this.#attempt(() => {
        if (this.#write(chunk)) return;
        stream.pause?.();
        this.#proceed = () => {
          if (!this.#isDone) this.#attempt(() => stream.resume?.());
        };
      });
    };
    const onEnd = (): void => this.#end();
    // The error of the stream, if there is one, comes a moment later; or it has come before the stream was given to the request.
    const onClose = (): void => void setImmediate(() => this.#fail(stream.errored ?? requestAborted()));
    this.#stopReading = (error) => {
      stream.removeListener('data', onData);
      stream.removeListener('end', onEnd);
      stream.removeListener('close', onClose);
      stream.destroy?.(error);
    };
    if (stream.readableEnded === true) {
      setImmediate(onEnd);
      return;
    }
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('close', onClose);
    if (stream.closed === true || stream.destroyed === true) onClose();
    else stream.resume?.();
  }

  async #readParts(parts: Parts): Promise<void> {
    try {
      const iterator = iteratorOf(parts);
      this.#stopReading = () => void leave(iterator);
      for (;;) {
        const { done, value } = await nextOf(iterator, () => (this.#stopReading = undefined));
        if (this.#isDone) return;
        if (done === true) break;
        if (!this.#write(value)) await new Promise<void>((resolve) => (this.#proceed = resolve));
        if (this.#isDone) return;
      }
      this.#stopReading = undefined;
      this.#end();
    } catch (error) {
      this.#fail(error);
    }
  }
}

/** As `for await` would have it. */
function iteratorOf(parts: Parts): AsyncIterator<unknown> {
  const { [Symbol.asyncIterator]: method } = parts as Partial<AsyncIterable<unknown>>;
  return method ? Reflect.apply(method, parts, []) : inTurn(parts as Iterable<unknown>);
}

/** Promises are awaited. */
async function* inTurn(parts: Iterable<unknown>): AsyncGenerator<unknown> {
  yield* parts;
}

/** An iterator that fails has ended by itself: as in `for await`, it is not told to clean up then. */
async function nextOf(
  iterator: AsyncIterator<unknown>,
  onEnded: () => void,
): Promise<IteratorResult<unknown>> {
  try {
    return await iterator.next();
  } catch (error) {
    onEnded();
    throw error;
  }
}

/** Lets the iterator clean up, and ignores the result. */
async function leave(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // The iterator is not needed any more.
  }
}
