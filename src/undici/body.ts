/** The body of a request: its kind, its length, and its parts. */
import { isAnyArrayBuffer } from 'node:util/types';
import { isBlob, partsOf } from './blob.js';
import { invalidArgument } from './errors.js';
import { encodeForm } from './form-data.js';

/** A stream of Node's, or one like it, such as those of the package `readable-stream`. */
export interface StreamLike {
  on(event: string, listener: (...args: never[]) => void): unknown;
  removeListener(event: string, listener: (...args: never[]) => void): unknown;
  pipe: unknown;
  pause?(): unknown;
  resume?(): unknown;
  destroy?(error?: unknown): unknown;
  readonly closed?: boolean;
  readonly destroyed?: boolean;
  readonly errored?: unknown;
  readonly readableEnded?: boolean;
}

/** Parts that are read one by one. */
export type Parts = AsyncIterable<unknown> | Iterable<unknown>;

/** A body has one of `bytes`, `stream` and `parts`. */
export interface Body {
  readonly bytes?: Buffer;
  readonly stream?: StreamLike;
  readonly parts?: Parts;
  /** The length in bytes, if it is known in advance. */
  readonly length: number | undefined;
  /** The content type, which applies if the headers have none. */
  readonly type?: string;
}

/** @throws `UND_ERR_INVALID_ARG` for a value that is no body */
export function bodyOf(given: unknown): Body | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'string') return bytesOf(Buffer.from(given));
  if (typeof given !== 'object') throw invalidArgument(EXPECTED);
  if (isStream(given)) return { stream: given, length: undefined };
  if (ArrayBuffer.isView(given)) return bytesOf(viewOf(given));
  if (isAnyArrayBuffer(given)) return bytesOf(Buffer.from(given));
  if (isFormData(given)) return encodeForm(given);
  if (isBlob(given)) return { parts: partsOf(given), length: given.size, type: given.type };
  if (Symbol.asyncIterator in given || Symbol.iterator in given)
    return { parts: given as Parts, length: undefined };
  throw invalidArgument(EXPECTED);
}

const EXPECTED =
  'body must be a string, a Buffer, a Readable stream, an iterable, an async iterable, a Blob or a FormData';

/** @throws for a value that is no chunk of bytes */
export function chunkOf(given: unknown): Buffer {
  if (Buffer.isBuffer(given)) return given;
  if (typeof given === 'string') return Buffer.from(given);
  if (ArrayBuffer.isView(given)) return viewOf(given);
  if (isAnyArrayBuffer(given)) return Buffer.from(given);
  throw invalidArgument('The parts of a body must be strings, Buffers or typed arrays');
}

/** Empty bytes are no body. */
function bytesOf(bytes: Buffer): Body | undefined {
  return bytes.length > 0 ? { bytes, length: bytes.length } : undefined;
}

function viewOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function isStream(value: object): value is StreamLike {
  const { pipe, on } = value as { pipe?: unknown; on?: unknown };
  return typeof pipe === 'function' && typeof on === 'function';
}

const FORM_METHODS = ['append', 'delete', 'get', 'getAll', 'has', 'set'];

/** Node's own, undici's, and those of other packages are recognised by their methods. */
function isFormData(value: object): value is Iterable<[string, unknown]> {
  return (
    Reflect.get(value, Symbol.toStringTag) === 'FormData' &&
    FORM_METHODS.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}
