/** Types of Node's sockets and requests, with fields that Node's typings leave out, or that are internal. A custom stream may lack most of them. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** The part of a `socket._handle` that is used. */
export interface Handle {
  /** Node's reader. Handles of Node's own sockets have it. */
  onread?: unknown;
  reading?: boolean;
  /** The system's descriptor, negative while there is none. */
  fd?: number;
  readStart?(): number;
  readStop?(): number;
  hasRef?(): boolean;
  /** Whether the system has something that was not read yet. */
  hasPendingRead?(): boolean;
  /** Bytes read by it so far. */
  bytesRead?: number;
  /** Bytes handed to it so far. */
  bytesWritten?: number;
  /** Bytes that the system has not taken yet. */
  writeQueueSize?: number;
  /** The TCP handle below a TLS handle. */
  _parent?: Handle | null;
  asyncReset?(resource: object): void;
  getpeername?(peer: object): number;
  getAsyncId?(): number;
  getProviderType?(): number;
}

/** A request, with fields that Node's typings leave out. */
export interface AgentRequest extends ClientRequest {
  /** The option of that name, milliseconds. */
  timeout?: number;
  /** Set where `setTimeout` was called. */
  timeoutCb?: unknown;
  /** The response, once it has come. */
  res?: IncomingMessage | null;
  /** The head as it will be sent, once that is decided. */
  readonly _header?: string | null;
  /** Whether the head does not say where the body ends, or that another request follows. */
  readonly _last?: boolean;
  /** The length of the body, where that was known when the head was made. */
  readonly _contentLength?: number | null;
  /** Whether the head has been written. */
  readonly _headerSent?: boolean;
}

/** A stream that may be a socket: everything beyond `Duplex` may be missing on a custom connection. */
export interface SocketLike extends Duplex {
  /** Whether TCP is connecting. */
  readonly connecting?: boolean;
  /** Whether the TLS handshake is not over yet. */
  readonly secureConnecting?: boolean;
  /** Milliseconds without traffic until `'timeout'`. */
  readonly timeout?: number | undefined;
  /** Bytes received. */
  readonly bytesRead?: number;
  /** The other side's address. */
  readonly remoteAddress?: string | undefined;
  /** The other side's port. */
  readonly remotePort?: number | undefined;
  /** Bytes sent, and those that wait to be. */
  readonly bytesWritten?: number;
  /** Writes that wait in the stream. */
  readonly writableBuffer?: unknown;
  /** Bytes sent. Of Node's own sockets only. */
  readonly _bytesDispatched?: unknown;
  /** The version of TLS. */
  getProtocol?(): string | null;
  /** Whether the handshake resumed a session. */
  isSessionReused?(): boolean;
  /** The cipher of the connection. */
  getCipher?(): { name: string } | undefined;
  /** As of `net.Socket`, in milliseconds. */
  setTimeout?(timeout: number): unknown;
  /** As of `net.Socket`: TCP keep-alive, its first probe after `initialDelay` milliseconds. */
  setKeepAlive?(enable: boolean, initialDelay: number): unknown;
  /** As of `net.Socket`: disables Nagle's algorithm. */
  setNoDelay?(noDelay: boolean): unknown;
  /** Lets the socket keep the process alive. */
  ref?(): unknown;
  /** Lets the process end while the socket is open. */
  unref?(): unknown;
  /** The request that has the socket. Set by Node's client. */
  _httpMessage?: unknown;
  /** Present while a response is awaited or being parsed. Set by Node's client. */
  parser?: unknown;
  /** @internal The object that binds the socket to the system. */
  _handle?: Handle | null;
}
