/**
 * The few places where we look behind Node's public API, all in one file. Every one is found by a feature test,
 * and where it is not found, what it serves is left out.
 */
import { EventEmitter } from 'node:events';
import { ClientRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { propertyOf } from './foreign.js';

/** What `socket._handle` is, as far as we touch it. */
export interface Handle {
  /** Node's reader. Handles of Node's own sockets have it. */
  onread?: unknown;
  reading?: boolean;
  /** The system's descriptor, negative while there is none. */
  fd?: number;
  readStart?(): number;
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

export function isSocketLike(value: unknown): value is SocketLike {
  const socket = value as Partial<SocketLike> | null | undefined;
  return typeof socket === 'object' && socket !== null && typeof socket.on === 'function' &&
    typeof socket.write === 'function' && typeof socket.destroy === 'function'; // prettier-ignore
}

export function ownSymbol(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
}

/** Node's proxy support: the socket that `createConnection` returned is not the tunnel; only its callback brings that. */
export function awaitsTunnel(socket: SocketLike): boolean {
  return ownSymbol(socket, 'kWaitForProxyTunnel') !== undefined;
}

/** Whether Node's agent took in `proxyEnv` (Node 22.21 and 24.5). */
export function hasProxyConfig(agent: object): boolean {
  return ownSymbol(agent, 'kProxyConfig') !== undefined;
}

/**
 * Where a socket leads, as far as it tells. Its handle is asked first: `remoteAddress` would be kept as one more property of the
 * socket, at a time when Node's functions have been optimized for sockets without it.
 */
export function peerOf(socket: SocketLike): { address?: string | undefined; port?: number | undefined } {
  const peer = {};
  if (socket._handle?.getpeername?.(peer) === 0) return peer;
  const address = propertyOf(socket, 'remoteAddress');
  const port = propertyOf(socket, 'remotePort');
  return {
    address: typeof address === 'string' ? address : undefined,
    port: typeof port === 'number' ? port : undefined,
  };
}

/** As it was when we were loaded: tracers may replace it later. */
const nodesEmit: unknown = Reflect.get(EventEmitter.prototype, 'emit');

/** Hot path. Whether `listener` alone hears `event`, and `emit` is Node's. `false`: that is not known. */
export function hasOnlyListener(emitter: object, event: string, listener: unknown): boolean {
  const { _events, emit } = emitter as { _events?: Record<string, unknown>; emit?: unknown };
  return emit === nodesEmit && _events?.[event] === listener;
}

/** The resource that async_hooks sees for a handle that goes on to another request: as in Node's agent. */
class ReusedHandle {
  readonly type: number | undefined;
  readonly handle: Handle;

  constructor(type: number | undefined, handle: Handle) {
    this.type = type;
    this.handle = handle;
  }
}

let asyncIdSymbol: symbol | undefined;

function setAsyncId(socket: SocketLike, id: number): void {
  asyncIdSymbol ??= ownSymbol(socket, 'async_id_symbol');
  if (asyncIdSymbol) (socket as unknown as Record<symbol, number>)[asyncIdSymbol] = id;
}

/** While idle, a socket belongs to no async context. */
export function clearAsyncId(socket: SocketLike): void {
  if (socket._handle) setAsyncId(socket, -1);
}

/** Handles of one kind have one prototype, and one type. */
let lastKind: unknown;
let lastType: number | undefined;

function typeOf(handle: Handle): number | undefined {
  const kind = handle.constructor;
  if (kind !== lastKind) {
    lastKind = kind;
    lastType = handle.getProviderType?.();
  }
  return lastType;
}

/** Hot path. A reused socket starts in the async context of the request that has it now. */
export function resetAsyncId(socket: SocketLike): void {
  const handle = socket._handle;
  if (!handle?.asyncReset) return;
  handle.asyncReset(new ReusedHandle(typeOf(handle), handle));
  if (handle.getAsyncId) setAsyncId(socket, handle.getAsyncId());
}

/** A request's `highWaterMark` holds on a reused socket, too, as in Node 24. */
export function setHighWaterMark(socket: SocketLike, highWaterMark: unknown): void {
  if (socket.writableHighWaterMark === highWaterMark) return;
  const state: unknown = Reflect.get(socket, '_writableState');
  if (state && typeof state === 'object') Reflect.set(state, 'highWaterMark', highWaterMark);
}

/** A longer timer would fire at once; Node takes this for longer timeouts of requests and sockets, too. */
export const MAX_TIMEOUT: number = 2 ** 31 - 1;

const kTimeout = ownSymbol(new Socket(), 'timeout');

/** Hot path. What stands for the timer that runs on `socket` now: the timer, or of a custom stream its milliseconds. */
export function timerOf(socket: SocketLike): unknown {
  const timer: unknown = kTimeout && (socket as unknown as Record<symbol, unknown>)[kTimeout];
  return timer ?? socket.timeout;
}

type SocketListener = (socket: unknown) => void;

/** The milliseconds that a request's 'socket' listener sets on a socket, if it is one of Node's `req.setTimeout`. */
function timeoutSetBy(listener: SocketListener): number | undefined {
  let timeout: number | undefined;
  listener({ connecting: false, once: () => {}, setTimeout: (value: number) => void (timeout = value) });
  return timeout;
}

/** How Node's listener looks. `undefined`: `req.setTimeout` works some other way. */
function findTimeoutListener(): string | undefined {
  const listeners: SocketListener[] = [];
  const once = (event: string, listener: SocketListener): void => {
    if (event === 'socket') listeners.push(listener);
  };
  // Not an EventEmitter: V8 makes its methods slower with each kind that they meet.
  const request = { timeoutCb: null, socket: null, once, on: once };
  try {
    ClientRequest.prototype.setTimeout.call(request as unknown as ClientRequest, 1);
    const found = listeners.filter((listener) => timeoutSetBy(listener) === 1);
    return found.length === 1 ? String(found[0]) : undefined;
  } catch {
    return undefined;
  }
}

const timeoutListener = findTimeoutListener();

/**
 * What `req.setTimeout` was called with before `req` had a socket, in milliseconds. Node keeps it in a listener that sets it
 * on the socket, and nowhere else.
 */
export function timeoutAskedOf(req: AgentRequest): number | undefined {
  if (!req.timeoutCb || timeoutListener === undefined) return undefined;
  const listeners = req.listeners('socket') as SocketListener[];
  const last = listeners.findLast((listener) => String(listener) === timeoutListener);
  return last && timeoutSetBy(last);
}

/** The error that `req.destroy` was called with. */
export function destroyedWith(req: AgentRequest): Error | undefined {
  const reason = ownSymbol(req, 'kError');
  return reason && ((Reflect.get(req, reason) as Error | null | undefined) ?? undefined);
}

let unwraps: boolean | undefined;

/**
 * Whether Node takes off a session the mark that it puts on in 22.23, 24.21 and 26: whom it was authenticated for.
 * Asked of `setSession` itself, with nothing behind it.
 */
export function unwrapsSessions(): boolean {
  if (unwraps !== undefined) return unwraps;
  unwraps = false;
  const handle = { setSession: (session: Buffer | undefined) => void (unwraps = session?.length === 1) };
  const socket = { _handle: handle, _tlsOptions: { servername: 'a' } };
  try {
    // Node's typings leave it out.
    const { setSession } = TLSSocket.prototype as unknown as { setSession(session: Buffer): void };
    setSession.call(socket, Buffer.from('\0nodejs:tls:session:1\0\0\x01as', 'latin1'));
  } catch {
    // Not as we know it: sessions are passed on as they are.
  }
  return unwraps;
}

/** Hot path. Bytes handed to the system so far, without those that wait in the stream; `undefined`: it does not tell. */
export function bytesSent(socket: SocketLike): number | undefined {
  const bytes = socket._bytesDispatched;
  return typeof bytes === 'number' ? bytes : undefined;
}

/**
 * Hot path. Whether `socket` is known to keep the loop alive. Others may have said that it need not, at any time, so that its
 * handle is asked, or, of a TLS socket, the one below.
 */
export function isReferenced({ _handle: handle }: SocketLike): boolean {
  const raw = handle?._parent ?? handle;
  return raw?.hasRef?.() === true;
}

/** Whether somebody has said of `handle` that it need not keep the loop alive. */
export function isUnreferenced(handle: Handle): boolean {
  const raw = handle._parent ?? handle;
  return raw.hasRef?.() === false;
}

/**
 * Whether all of a request has been handed to the system. Node's 'finish' comes too late to tell: it is emitted a turn
 * of the event loop after the write, and a fast server has answered by then.
 */
export function isSent(req: AgentRequest, socket: SocketLike): boolean {
  if (!req.writableEnded) return false;
  if (socket.writableLength === 0) return true;
  const handle = socket._handle;
  return handle?.bytesWritten === socket.bytesWritten && !handle?._parent?.writeQueueSize;
}
