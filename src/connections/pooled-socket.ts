/** The real thing behind a pool connection: a socket, the request that has it, and what we have seen on it. */
import { inspect } from 'node:util';
import type { KeepAliveHint } from '../lifetimes/keep-alive-hint.js';
import type { LearnedIdle } from '../lifetimes/learned-idle.js';
import type { Output } from '../node/client-request.js';
import { connectionLabel } from '../debug-lines.js';
import { RecordLedger } from './record-ledger.js';
import { codeOf, propertyOf } from '../node/foreign.js';
import { headMark, isDone, isHeadWritten } from '../node/exchange.js';
import { bytesSent, bytesWritten, countsWrites, isSent } from '../node/socket.js';
import { isStillIn } from '../node/poll-count.js';
import type { Poll } from '../node/poll-count.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { Connection, HostPool, Waiter } from '../pool/records.js';
import type { Pool } from '../pool/pool.js';
import type { ReplayRule } from '../requests/replayable.js';
import type { Resumption } from '../sessions/resumption.js';
import type { DrivenAgent } from './driven-agent.js';
import { PendingRequest } from '../requests/pending-request.js';
import type { Options, Origin } from '../identity/identity.js';

/** The things that this package's pool carries. */
export interface AgentKinds {
  origin: Origin<HostPool<AgentKinds>>;
  pooled: PooledSocket;
  request: PooledRequest;
  learned: LearnedIdle;
}

/** The real thing behind a waiter of the pool: a request that waits, and what it keeps of the connections that it had. */
export class PooledRequest extends PendingRequest {
  waiter: Waiter<AgentKinds> | undefined = undefined;
  /** It had a connection before, and has lost it. */
  isResent = false;
  /** Its dial was refused for the session that it offered, and is to be made without one. */
  refused: Offer | undefined = undefined;
  /** When it came, or has lost its last connection, on the monotonic clock. */
  since = 0;
  /** It was told of as queued: once, however often it waits. */
  #wasQueued = false;
  /** Hears when it leaves its queue, while it is in there. */
  #queueObserver: QueueObserver | undefined = undefined;

  /** It has to wait beyond the turn of the event loop in which it came. */
  enterQueue(observer: QueueObserver): void {
    const { waiter } = this;
    if (this.#wasQueued || this.isResent || waiter?.state !== 'queued') return;
    const { host } = waiter;
    // A connection that was just released is on its way to it.
    if (host.waiting.size <= host.validating) return;
    this.#wasQueued = true;
    this.#queueObserver = observer;
    observer.queued(this, host);
  }

  /** A connection is opened for it, or it has one, or has ended. */
  leaveQueue(): void {
    const observer = this.#queueObserver;
    this.#queueObserver = undefined;
    observer?.leftQueue(this);
  }

  override leave(): void {
    super.leave();
    this.leaveQueue();
  }

  /** Waiting requests show it, and it holds the options: keys. */
  [inspect.custom](): string {
    return `PendingRequest { state: '${this.waiter?.state}' }`;
  }
}

/** Hears of requests that are in a queue: see observer.ts. */
interface QueueObserver {
  queued(pending: PooledRequest, host: HostPool<AgentKinds>): void;
  leftQueue(pending: PooledRequest): void;
}

/** The time that a dial may take: see dial-clock.ts. */
export interface DialTime {
  connection: Connection<AgentKinds>;
  readonly error: Error | undefined;
  readonly isRunning: boolean;
  watch(socket: SocketLike): void;
  unwatch(): void;
  clear(): void;
}

/** A handshake that offers a session of ours, until it is over: see offered-session.ts. */
export interface Offer {
  readonly clock: DialTime | undefined;
  isRefused: boolean;
  lease(req: AgentRequest): void;
  take(): readonly Output[] | undefined;
  end(): void;
}

/** The owner of a pooled socket, which hears its reports: the driver of an agent. */
export interface Owner {
  readonly agent: DrivenAgent;
  readonly pool: Pool<AgentKinds>;
  readonly resumption: Resumption;
  readonly replays: Replaying;
  readonly observer: {
    ready(connection: Connection<AgentKinds>, handshake: 'full' | 'resumed' | undefined): void;
  };
  /** The socket exists, or is ready for a request. */
  connected(pooled: PooledSocket): void;
  /** The exchange on it is over. */
  release(pooled: PooledSocket): void;
  /** It is closed, or the caller's from now on. */
  remove(socket: SocketLike): void;
  /** Its socket is to close. `reason` may be anything. */
  destroySocket(pooled: PooledSocket, reason: unknown): void;
  /** Nothing comes back from `address`. */
  peerDied(address: string): void;
}

/** The questions and reports of a pooled socket about requests that may be sent again. */
interface Replaying {
  readonly rule: ReplayRule;
  lost(pooled: PooledSocket, error?: unknown): boolean;
  closing(pooled: PooledSocket): void;
  redial(pooled: PooledSocket): boolean;
}

const kPooledSocket = Symbol('pooling-https-agent.pooledSocket');
/** Marks the sockets in a pool of any copy of this package, whatever its version. The records of one copy mean nothing to the others. */
const kPooled: unique symbol = Symbol.for('pooling-https-agent.pooled');
interface Marked {
  [kPooledSocket]?: PooledSocket;
  [kPooled]?: true;
}

export class PooledSocket {
  readonly owner: Owner;
  readonly connection: Connection<AgentKinds>;
  readonly socket: SocketLike;
  /** The options that it was dialled with. */
  readonly options: Options;
  /** `agent: false` makes an agent for this one request: nobody could use the connection again, or close it. */
  readonly isOneOff: boolean;
  /** When it was opened, as interception.ts counts. `0`: that is not known, as of a socket from outside. */
  openedIn = 0;
  /** The request that has it. */
  request: AgentRequest | undefined = undefined;
  /** With what options it asked for a connection. `undefined`: it must not be given another one. */
  requestOptions: Options | undefined = undefined;
  /** Whether the socket's counter tells what was sent: not where a mocking library takes the writes (nock 15). */
  readonly #counts: boolean;
  /** Bytes that its socket had sent when it was leased. `undefined`: the socket does not count. */
  #sentBefore: number | undefined = undefined;
  /** Bytes came that answer its request. Only the guard can tell: the socket counts those that answer nobody, too. */
  answered = false;
  /** The bytes that were sent on it since then, where they may be needed again. */
  keptBody: readonly Output[] | undefined = undefined;
  /** It was lost before its request could use it, which is to have another one. */
  replayRequest: PooledRequest | undefined = undefined;
  /** Its handshake offers a session of ours, and is not over. */
  offered: Offer | undefined = undefined;
  /** Bytes that were read are being handed on. Still so when that is over: something has thrown on the way. */
  delivering = false;
  /** A loss is reported before it becomes an error. */
  interceptsDestroy = false;
  /**
   * It has carried a whole exchange: whoever gets it next gets a reused socket. Counters do not tell: what was read before the
   * first exchange may be the answer of a proxy.
   */
  used = false;
  /** Bytes came after a response was complete, or a response before its request was: no request may follow. */
  poisoned = false;
  /** The timer of the request that had it last, if that had one. Another one is somebody's who wants it closed when it is idle. */
  requestTimer: unknown = undefined;
  /** It has become idle, and is made ready to be so for long soon, if it still is. */
  restsSoon = false;
  /** The agent's `keepSocketAlive` has made it ready to be idle for long. */
  rested = false;
  /** The server has said that it waits no longer for a request. */
  dismissed = false;
  /** The hint of the last response about the connection. */
  hint: KeepAliveHint | undefined = undefined;
  /** Where it leads, as `addressOf` writes it, once it is connected. */
  address: string | undefined = undefined;
  /** When the loop last looked for bytes on it. */
  polledAt = 0;
  /** The poll that has found it connected, where that is of use: see `checkPollCount`. */
  connectedIn: Poll | undefined = undefined;
  /** When it became idle, by the monotonic clock. `Infinity`: it has been leased since. */
  idleFrom = Infinity;
  /** The poll after which it was leased, where what that has found may not have been read yet: see hand-over.ts. */
  leasedIn: Poll | undefined = undefined;
  /** Turns of the loop for which it has been validated. */
  polls = 0;
  /** A `push` that somebody had put on this very socket before the guard. */
  ownPush: SocketLike['push'] | undefined = undefined;
  /** The account of all bytes that came off the wire, and of those that were delivered. */
  readonly ledger: RecordLedger;
  /** When the request came that has waited for it, on the monotonic clock; of no request that came later. */
  since = 0;
  /** The value that its 'error' event told last, which may be anything. */
  error: unknown = undefined;
  /** Its request had been destroyed when it said so. */
  isGivenUp = false;

  constructor(owner: Owner, connection: Connection<AgentKinds>, socket: SocketLike, options: Options) {
    this.owner = owner;
    this.connection = connection;
    this.socket = socket;
    this.options = options;
    this.isOneOff = options['agent'] === false;
    this.#counts = countsWrites(socket);
    this.ledger = new RecordLedger(socket);
  }

  /** Sockets show it, and it holds what the socket was opened with: keys. */
  [inspect.custom](): string {
    return `PooledSocket { state: '${this.connection.state}' }`;
  }

  /** The socket is ours from now on. */
  claim(): void {
    const marked = this.socket as Marked;
    marked[kPooledSocket] = this;
    marked[kPooled] = true;
  }

  /** Whether bytes that come now belong to an exchange. */
  get expectsData(): boolean {
    const { connection, request, socket } = this;
    if (connection.state !== 'active' || this.isPremature) return false;
    // The response is complete when Node has taken its parser away; until 'free' the socket is still leased.
    return !isDone(request, socket);
  }

  /** Hot path. A request gets it: what its socket counts from now on is this request's. */
  lease(req: AgentRequest): void {
    this.request = req;
    this.answered = false;
    this.delivering = false;
    this.idleFrom = Infinity;
    this.#sentBefore = this.#counts ? bytesSent(this.socket) : undefined;
  }

  /**
   * Hot path. Nothing of its request has left, so that nothing which comes can be an answer to it. The socket is asked: what Node's
   * client has written may wait there, because somebody has corked it or something else is being written.
   */
  get isUnsent(): boolean {
    if (this.answered) return false;
    const before = this.#sentBefore;
    if (before !== undefined) return bytesSent(this.socket) === before;
    return this.request !== undefined && isHeadWritten(this.request) === false;
  }

  /** Hot path. Bytes that are read now cannot answer its request: nothing of that has left, or they were there before. */
  get isPremature(): boolean {
    return !this.answered && (this.isUnsent || this.precedesLease);
  }

  /** Hot path. Bytes or an end that are read now were found by the poll after which it was leased. */
  get precedesLease(): boolean {
    return this.leasedIn !== undefined && isStillIn(this.leasedIn);
  }

  /** Hot path. Whether it could be told that its request was not sent. If not, an answer might come too early unnoticed. */
  get tellsUnsent(): boolean {
    return this.#sentBefore !== undefined || headMark.holds;
  }

  /** Bytes that were written to its socket since it was leased, whether they have left or not. `undefined`: the socket does not count. */
  get bytesWritten(): number | undefined {
    const written = bytesWritten(this.socket);
    return written === undefined || this.#sentBefore === undefined ? undefined : written - this.#sentBefore;
  }

  /** Hot path. Bytes of an exchange were read. If they have completed it before the request was sent, it is the last one. */
  received(): void {
    const { request } = this;
    if (request?.res?.complete && !this.poisoned && !isSent(request, this.socket)) this.poisoned = true;
  }

  /** The other side has ended it. */
  get endedByPeer(): boolean {
    const code = codeOf(this.error);
    const ended = propertyOf(this.socket, 'readableEnded') === true;
    return this.dismissed || ended || code === 'ECONNRESET' || code === 'EPIPE';
  }

  /** The socket is the caller's from now on. */
  release(): void {
    Reflect.deleteProperty(this.socket, kPooled);
    Reflect.deleteProperty(this.socket, kPooledSocket);
  }
}

/** The name of the connection of `socket` in debug lines. */
export function labelOf(socket: object): string | undefined {
  const pooled = pooledSocketOf(socket);
  return pooled && connectionLabel(pooled.connection);
}

/** Those of all hosts. */
export function* pooledSocketsOf(pool: Pool<AgentKinds>): Generator<PooledSocket, void, undefined> {
  for (const host of pool.hosts) {
    for (const { pooled } of host.connections) if (pooled) yield pooled;
  }
}

/** Whether `socket` is in a pool, of this copy of the package or of another. */
export function isPooled(socket: object): boolean {
  return (socket as Marked)[kPooled] === true;
}

/** Hot path. `undefined`: it is in no pool of this copy. */
export function pooledSocketOf(socket: object): PooledSocket | undefined {
  return (socket as Marked)[kPooledSocket];
}
