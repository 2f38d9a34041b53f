/**
 * Errors with undici's codes and names, and with `instanceof` of its classes, which use a symbol for each code. An error of Node or of the pool stays as it is
 * where undici passes it on, too; otherwise it becomes the cause.
 */
import type { Socket } from 'node:net';

type Code =
  | 'UND_ERR_ABORTED'
  | 'UND_ERR_BODY_TIMEOUT'
  | 'UND_ERR_CLOSED'
  | 'UND_ERR_CONNECT_TIMEOUT'
  | 'UND_ERR_DESTROYED'
  | 'UND_ERR_HEADERS_OVERFLOW'
  | 'UND_ERR_HEADERS_TIMEOUT'
  | 'UND_ERR_INFO'
  | 'UND_ERR_INVALID_ARG'
  | 'UND_ERR_NOT_SUPPORTED'
  | 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'
  | 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  | 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
  | 'UND_ERR_SOCKET';

const NAMES: Readonly<Record<Code, string>> = {
  UND_ERR_ABORTED: 'AbortError',
  UND_ERR_BODY_TIMEOUT: 'BodyTimeoutError',
  UND_ERR_CLOSED: 'ClientClosedError',
  UND_ERR_CONNECT_TIMEOUT: 'ConnectTimeoutError',
  UND_ERR_DESTROYED: 'ClientDestroyedError',
  UND_ERR_HEADERS_OVERFLOW: 'HeadersOverflowError',
  UND_ERR_HEADERS_TIMEOUT: 'HeadersTimeoutError',
  UND_ERR_INFO: 'InformationalError',
  UND_ERR_INVALID_ARG: 'InvalidArgumentError',
  UND_ERR_NOT_SUPPORTED: 'NotSupportedError',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'RequestContentLengthMismatchError',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'ResponseContentLengthMismatchError',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'ResponseExceededMaxSizeError',
  UND_ERR_SOCKET: 'SocketError',
};

type DispatcherError = Error & { readonly code: Code };

function undiciError(code: Code, message: string, cause?: unknown): DispatcherError {
  const error = new Error(message, cause === undefined ? {} : { cause });
  const hidden = { configurable: true, writable: true };
  Object.defineProperties(error, {
    name: { ...hidden, value: NAMES[code] },
    [Symbol.for('undici.error.UND_ERR')]: { value: true },
    [Symbol.for(`undici.error.${code}`)]: { value: true },
  });
  return Object.assign(error, { code });
}

export function invalidArgument(message: string, cause?: unknown): DispatcherError {
  return undiciError('UND_ERR_INVALID_ARG', message, cause);
}

export function notSupported(message: string): DispatcherError {
  return undiciError('UND_ERR_NOT_SUPPORTED', message);
}

export function requestAborted(): DispatcherError {
  return undiciError('UND_ERR_ABORTED', 'Request aborted');
}

export function dispatcherClosed(cause?: unknown): DispatcherError {
  return undiciError('UND_ERR_CLOSED', cause ? messageOf(cause) : 'The dispatcher is closed', cause);
}

export function dispatcherDestroyed(cause?: unknown): DispatcherError {
  return undiciError('UND_ERR_DESTROYED', cause ? messageOf(cause) : 'The dispatcher is destroyed', cause);
}

export function headersTimeout(ms: number): DispatcherError {
  return undiciError('UND_ERR_HEADERS_TIMEOUT', `No response has begun within ${ms} ms (headersTimeout)`);
}

export function bodyTimeout(ms: number): DispatcherError {
  return undiciError(
    'UND_ERR_BODY_TIMEOUT',
    `Nothing of the response's body has come for ${ms} ms (bodyTimeout)`,
  );
}

export function responseTooLarge(max: number): DispatcherError {
  return undiciError(
    'UND_ERR_RES_EXCEEDED_MAX_SIZE',
    `The response's body has more than ${max} bytes (maxResponseSize)`,
  );
}

export function requestLengthMismatch(): DispatcherError {
  return undiciError(
    'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
    'Request body length does not match content-length header',
  );
}

export function badUpgrade(socket: Socket | null): DispatcherError {
  return Object.assign(undiciError('UND_ERR_SOCKET', 'bad upgrade'), { socket: socketInfo(socket) });
}

export function connectTimedOut(message: string, cause?: unknown): DispatcherError {
  return undiciError('UND_ERR_CONNECT_TIMEOUT', message, cause);
}

/** For an origin without an agent for its protocol. The code is Node's own. */
export function noAgentFor(protocol: 'http' | 'https'): Error {
  const other = protocol === 'http' ? 'new PoolingHttpAgent()' : 'new PoolingAgent()';
  const message = `The dispatcher has no agent for ${protocol}: origins. Give it one for each protocol: dispatcher({ http, https }), with ${protocol}: ${other}`;
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_PROTOCOL' });
}

/** Codes of errors about arguments of `https.request`. */
const REFUSED: ReadonlySet<unknown> = new Set([
  'ERR_HTTP_INVALID_HEADER_VALUE',
  'ERR_HTTP_TRAILER_INVALID',
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_ARG_VALUE',
  'ERR_INVALID_CHAR',
  'ERR_INVALID_HTTP_TOKEN',
  'ERR_UNESCAPED_CHARACTERS',
]);

/** undici's error for one that `https.request` has thrown. */
export function refused(error: unknown): unknown {
  return REFUSED.has(propertyOf(error, 'code')) ? invalidArgument(messageOf(error), error) : error;
}

/** The phases of a dial: see `connectTimeout` of `PoolingAgent`. */
const DIALLING: ReadonlySet<unknown> = new Set([
  'proxyConnect',
  'proxySecureConnect',
  'tunnel',
  'createConnection',
  'lookup',
  'connect',
  'secureConnect',
]);

/** undici's error for one that has ended a request. */
export function ended(error: unknown, socket: Socket | null, isCutShort: boolean): unknown {
  switch (propertyOf(error, 'code')) {
    case 'ECONNRESET':
      // An error with a system call is the system's, which undici passes on.
      if (propertyOf(error, 'syscall') !== undefined) return error;
      return isCutShort ? responseLengthMismatch(error) : connectionLost(error, socket);
    case 'ETIMEDOUT':
      return DIALLING.has(propertyOf(error, 'phase')) ? connectTimedOut(messageOf(error), error) : error;
    case 'ERR_AGENT_CLOSED':
      return dispatcherClosed(error);
    case 'ERR_AGENT_DESTROYED':
      return dispatcherDestroyed(error);
    case 'HPE_HEADER_OVERFLOW':
      return undiciError('UND_ERR_HEADERS_OVERFLOW', 'Headers Overflow Error', error);
    default:
      return error;
  }
}

export function connectionLost(cause: unknown, socket: Socket | null): DispatcherError {
  const error = undiciError('UND_ERR_SOCKET', 'other side closed', cause);
  return Object.assign(error, { socket: socketInfo(socket) });
}

function responseLengthMismatch(cause: unknown): DispatcherError {
  return undiciError(
    'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
    'Response body length does not match content-length header',
    cause,
  );
}

/** The error that a handler hears of for one that code of others has thrown: undici's functions take `null`, `undefined` or `0` for a success. */
export function failureOf(error: unknown): unknown {
  return (
    error || undiciError('UND_ERR_ABORTED', `Request aborted: it has failed with ${String(error)}`, error)
  );
}

/** The properties of a failed socket, as in undici's errors. */
function socketInfo(socket: Socket | null): object | null {
  if (!socket) return null;
  const { localAddress, localPort, remoteAddress, remotePort, remoteFamily, bytesRead, bytesWritten } =
    socket;
  return {
    localAddress,
    localPort,
    remoteAddress,
    remotePort,
    remoteFamily,
    timeout: socket.timeout,
    bytesWritten,
    bytesRead,
  };
}

function messageOf(error: unknown): string {
  return String(propertyOf(error, 'message') ?? error);
}

/** Errors may be anything, with getters that throw. */
function propertyOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return Reflect.get(value, name);
  } catch {
    return undefined;
  }
}
