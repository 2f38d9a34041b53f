/** Node's sockets and requests, with what its typings leave out and what lies behind its public face. A custom stream may have little of it. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** A `socket._handle`, as far as we touch it. */
export interface Handle {
  /** Node's reader. Handles of Node's own sockets have it. */
  onread?: unknown;
  reading?: boolean;
  /** The system's descriptor, negative while there is none. */
  fd?: number;
  readStart?(): number;
  readStop?(): number;
  hasRef?(): boolean;
  /** Bytes read by it so far. */
  bytesRead?: number;
  /** Bytes handed to it so far. */
  bytesWritten?: number;
  /** Bytes that the system has not taken yet. */
  writeQueueSize?: number;
  /** Of a TLS handle: the TCP handle below. */
  _parent?: Handle | null;
  asyncReset?(resource: object): void;
  getpeername?(peer: object): number;
  getAsyncId?(): number;
  getProviderType?(): number;
}

/** A request, with what Node's typings leave out. */
export interface AgentRequest extends ClientRequest {
  /** The option of that name, milliseconds. */
  timeout?: number;
  /** Set where `setTimeout` was called. */
  timeoutCb?: unknown;
  res?: IncomingMessage | null;
  /** The head as it will be sent, once that is decided. */
  readonly _header?: string | null;
  /** Whether the head has been written. */
  readonly _headerSent?: boolean;
}

/** A stream that may be a socket: everything beyond `Duplex` may be missing on a custom connection. */
export interface SocketLike extends Duplex {
  readonly connecting?: boolean;
  readonly secureConnecting?: boolean;
  readonly timeout?: number | undefined;
  readonly bytesRead?: number;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Bytes sent, and those that wait to be. */
  readonly bytesWritten?: number;
  /** Writes that wait in the stream. */
  readonly writableBuffer?: unknown;
  /** Bytes sent. Of Node's own sockets only. */
  readonly _bytesDispatched?: unknown;
  getProtocol?(): string | null;
  isSessionReused?(): boolean;
  getCipher?(): { name: string } | undefined;
  setTimeout?(timeout: number): unknown;
  setKeepAlive?(enable: boolean, initialDelay: number): unknown;
  setNoDelay?(noDelay: boolean): unknown;
  ref?(): unknown;
  unref?(): unknown;
  /** The request that has the socket. Set by Node's client. */
  _httpMessage?: unknown;
  /** Present while a response is awaited or being parsed. Set by Node's client. */
  parser?: unknown;
  _handle?: Handle | null;
}
