/** The real connection behind a `Connection` of the pool: a socket, the request that has it, and what was seen on it. */
import { inspect } from 'node:util';
import type { Route } from '../egress/routes.js';
import type { KeepAliveHint } from '../lifetimes/keep-alive-hint.js';
import type { LearnedIdle } from '../lifetimes/learned-idle.js';
import type { Output } from '../node/client-request.js';
import { connectionLabel } from '../debug-lines.js';
import type { ProxyServer } from '../limits/proxy-choice.js';
import type { Attempt } from './dials/transport.js';
import { addressOf } from './losses/dead-peers.js';
import { RecordLedger } from './record-ledger.js';
import { codeOf, propertyOf } from '../node/foreign.js';
import { headMark, isDone, isHeadWritten } from '../node/exchange.js';
import { bytesSent, bytesWritten, countsWrites, isSent, peerOf } from '../node/socket.js';
import type { Peer } from '../node/socket.js';
import { isStillIn } from '../node/poll-count.js';
import type { Poll } from '../node/poll-count.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { Connection, HostPool, Waiter } from '../pool/records.js';
import type { Pool } from '../pool/pool.js';
import type { ReplayRule } from '../requests/replayable.js';
import type { DrivenAgent } from './driven-agent.js';
import { PendingRequest } from '../requests/pending-request.js';
import type { Options, Origin } from '../identity/identity.js';

/** The types of the values that the pool carries here. */
export interface AgentKinds {
  origin: Origin<HostPool<AgentKinds>>;
  pooled: PooledSocket;
  request: PooledRequest;
  learned: LearnedIdle;
  route: Route;
}

/** The real request behind a `Waiter` of the pool: a request that waits, and its history. */
export class PooledRequest extends PendingRequest {
  waiter: Waiter<AgentKinds> | undefined = undefined;
  /** Connections that it was given, and that were closed before it heard of them. */
  missed = 0;
  /** It had a connection before, and has lost it. */
  isResent = false;
  /** Set where its dial was refused for the session that it offered: the dial is to be made without one. */
  refused: Offer | undefined = undefined;
  /** The time at which it came, or has lost its last connection, on the monotonic clock. */
  since = 0;
  /** Whether the observer was told that it is queued: once, however often it waits. */
  #wasQueued = false;
  /** Hears when it leaves its queue. Set while it is in there. */
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

  /** `util.inspect` of a waiting request shows this object, and its options hold keys. */
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
  lookedUp(address: string): void;
  unwatch(): void;
  clear(): void;
}

/** A handshake that offers a session of ours, until `end` is called, when it is over: see offered-session.ts. */
export interface Offer {
  readonly clock: DialTime | undefined;
  isRefused: boolean;
  lease(req: AgentRequest): void;
  take(): readonly Output[] | undefined;
  end(): void;
}

/** The owner of a pooled socket, which hears its reports: the parts of an agent (parts.ts). */
export interface Owner {
  readonly agent: DrivenAgent;
  readonly pool: Pool<AgentKinds>;
  readonly transport: SocketQuestions;
  readonly replays: Replaying;
  readonly young: { add(pooled: PooledSocket): void; delete(pooled: PooledSocket): void };
  readonly observer: {
    ready(connection: Connection<AgentKinds>, handshake: 'full' | 'resumed' | undefined): void;
  };
  /** Hears of sockets that were dialled by name. `undefined`: Node looks names up. */
  readonly names: Record<'connected' | 'failed' | 'ready', (pooled: PooledSocket) => void> | undefined;
  /** The socket exists, or is ready for a request. */
  connected(pooled: PooledSocket): void;
  /** `pooled` offers a session that may be refused. `undefined`: nothing is noted for that. */
  offer(pooled: PooledSocket, clock: DialTime | undefined): Offer | undefined;
  /** The exchange on it is over. */
  release(pooled: PooledSocket): void;
  /** The socket is closed, or belongs to the caller from now on. */
  remove(socket: SocketLike): void;
  /** Its socket is to close. `reason` may be anything. */
  destroySocket(pooled: PooledSocket, reason: unknown): void;
  /** Nothing comes back from `address`. */
  peerDied(address: string): void;
}

/** The questions of a pooled socket about itself: see transport.ts. */
interface SocketQuestions {
  readonly isLayered: boolean;
  forwarderOf(socket: object): ProxyServer | undefined;
  isOffered(socket: object): boolean;
  refuses(socket: SocketLike, error: unknown): boolean;
}

/** The questions and reports of a pooled socket about requests that may be sent again. */
interface Replaying {
  readonly rule: ReplayRule;
  lost(pooled: PooledSocket, error?: unknown): boolean;
  closing(pooled: PooledSocket): void;
  redial(pooled: PooledSocket): boolean;
}

const kPooledSocket = Symbol('pooling-https-agent.pooledSocket');
/** Marks sockets that are in a pool of any copy of this package, whatever its version. One copy cannot read the records of another. */
const kPooled: unique symbol = Symbol.for('pooling-https-agent.pooled');
interface Marked {
  [kPooledSocket]?: PooledSocket | undefined;
  [kPooled]?: true | undefined;
}

export class PooledSocket {
  readonly owner: Owner;
  readonly connection: Connection<AgentKinds>;
  readonly socket: SocketLike;
  /** The options that it was dialled with. */
  readonly options: Options;
  /** Whether it belongs to an agent of `agent: false`, which is made for one request: no other request could use the connection, or close it. */
  readonly isOneOff: boolean;
  /** The proxy that gets the requests on it, and forwards them. */
  readonly forwarder: ProxyServer | undefined;
  /** The time at which it was opened, as interception.ts counts. `0`: not known, as of a socket from outside. */
  openedIn = 0;
  /** The request in whose async context it was opened, until a request gets it. `undefined`: it may have been opened in any context. */
  openedFor: AgentRequest | undefined = undefined;
  /** The request that has it. */
  request: AgentRequest | undefined = undefined;
  /** The options with which that request asked for a connection. `undefined`: it must not be given another one. */
  requestOptions: Options | undefined = undefined;
  /** Whether the socket's counter shows what was sent. It does not where a mocking library takes the writes (nock 15). */
  readonly #counts: boolean;
  /** Bytes that its socket had sent when it was leased. `undefined`: the socket does not count. */
  #sentBefore: number | undefined = undefined;
  /** Whether bytes of an answer to its request came. Only the guard can tell: the socket's count includes stray bytes. */
  answered = false;
  /** All that its request was about to send when it got the socket, head and body, where that may be sent again. */
  keptBody: readonly Output[] | undefined = undefined;
  /** Set where it was lost before Node's client had taken it: its request, which is to get another connection. */
  replayRequest: PooledRequest | undefined = undefined;
  /** The time of its dial, if that is limited. Cleared when it is ready, or closed; until then it hears of each step. */
  clock: DialTime | undefined = undefined;
  /** Hears when the handshake is over, where the pool has dialled. */
  attempt: Pick<Attempt, 'awaitHandshake' | 'secured'> | undefined = undefined;
  /** Set while a handshake that offers a session of ours is under way. */
  offered: Offer | undefined = undefined;
  /** Whether bytes that were read are being handed on. If it is still set when that is over, a listener has thrown. */
  delivering = false;
  /** A loss is reported before it becomes an error. */
  interceptsDestroy = false;
  /**
   * Whether it has carried a whole exchange: its next request gets a reused socket. Byte counts do not tell: the first bytes may be the
   * answer of a proxy.
   */
  used = false;
  /** Whether bytes came after a response was complete, or a response before its request was sent whole: no request may follow. */
  poisoned = false;
  /** The timer of the request that had it last, if that had one. Any other timer was set by code that wants the idle socket closed. */
  requestTimer: unknown = undefined;
  /** Whether it has just become idle: if it still is in a moment, it is made ready to stay idle. */
  restsSoon = false;
  /** Whether the agent's `keepSocketAlive` has made it ready to stay idle. */
  rested = false;
  /** Whether the server has said that it waits for no further request. */
  dismissed = false;
  /** The last response's `Keep-Alive` hint. */
  hint: KeepAliveHint | undefined = undefined;
  /** The other side, once it was asked for. */
  #peer: Peer | undefined = undefined;
  /** The time of the last poll in which the loop looked for bytes on it. */
  polledAt = 0;
  /** Whether its bytes are to show that polls are counted: see `checkPollCount`. */
  showsPolls = false;
  /** Whether the bytes on it come from the system's polls. `undefined`: nobody has asked yet. */
  isPolled: boolean | undefined = undefined;
  /** The time at which it became idle, by the monotonic clock. `Infinity`: it has been leased since. */
  idleFrom = Infinity;
  /** The poll after which it was leased, where bytes that this poll has found may not have been read yet: see hand-over.ts. */
  leasedIn: Poll | undefined = undefined;
  /** Turns of the loop for which it has been validated. */
  polls = 0;
  /** The `push` that the guard stands before. */
  push: SocketLike['push'] | undefined = undefined;
  /** The account of all bytes that came off the wire, and of those that were delivered. */
  readonly ledger: RecordLedger;
  /** The time at which the request that has waited for it came, on the monotonic clock. No later request sets it. */
  since = 0;
  /** The value of its last 'error' event, which may be of any type. */
  error: unknown = undefined;
  /** Whether its request had been destroyed before that error. */
  isGivenUp = false;

  constructor(owner: Owner, connection: Connection<AgentKinds>, socket: SocketLike, options: Options) {
    this.owner = owner;
    this.connection = connection;
    this.socket = socket;
    this.options = options;
    this.isOneOff = options['agent'] === false;
    this.forwarder = owner.transport.forwarderOf(socket);
    this.#counts = countsWrites(socket);
    this.ledger = new RecordLedger(socket);
  }

  /** The other side. Where it has failed before anybody has asked, it is not known. */
  get peer(): Peer {
    return (this.#peer ??= peerOf(this.socket));
  }

  /** The address and port of the other side, as `addressOf` writes them. `undefined`: not known. */
  get address(): string | undefined {
    const { address, port } = this.peer;
    return address === undefined ? undefined : addressOf(address, port);
  }

  /** `util.inspect` of the socket shows this object, and its options hold keys. */
  [inspect.custom](): string {
    return `PooledSocket { state: '${this.connection.state}' }`;
  }

  /** Marks the socket as one of this pool. */
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

  /** Hot path. `req` gets it: bytes that its socket counts from now on are this request's. */
  lease(req: AgentRequest): void {
    this.request = req;
    this.answered = false;
    this.delivering = false;
    this.idleFrom = Infinity;
    this.#sentBefore = this.#counts ? bytesSent(this.socket) : undefined;
  }

  /**
   * Hot path. Whether nothing of its request has left, so that bytes which come cannot be an answer to it. The socket is asked: bytes that Node's
   * client has written may wait there, because the socket is corked or still writing others.
   */
  get isUnsent(): boolean {
    if (this.answered) return false;
    const before = this.#sentBefore;
    if (before !== undefined) return bytesSent(this.socket) === before;
    return this.request !== undefined && isHeadWritten(this.request) === false;
  }

  /** Hot path. Whether bytes that are read now cannot answer its request: nothing of that has left, or they were there before. */
  get isPremature(): boolean {
    return !this.answered && (this.isUnsent || this.precedesLease);
  }

  /** Hot path. Whether bytes or an end that are read now were found by the poll after which it was leased. */
  get precedesLease(): boolean {
    return this.leasedIn !== undefined && isStillIn(this.leasedIn);
  }

  /** Hot path. Whether it can tell that its request was not sent. If not, an answer that comes too early is not noticed. */
  get tellsUnsent(): boolean {
    return this.#sentBefore !== undefined || headMark.holds;
  }

  /** Bytes that were written to its socket since it was leased, whether they have left or not. `undefined`: the socket does not count. */
  get bytesWritten(): number | undefined {
    const written = bytesWritten(this.socket);
    return written === undefined || this.#sentBefore === undefined ? undefined : written - this.#sentBefore;
  }

  /** Hot path. Bytes of an exchange were read. If these have completed it before the request was sent whole, no further request follows. */
  received(): void {
    const { request } = this;
    if (request?.res?.complete && !this.poisoned && !isSent(request, this.socket)) this.poisoned = true;
  }

  /** Whether the other side has ended it. */
  get endedByPeer(): boolean {
    const code = codeOf(this.error);
    const ended = propertyOf(this.socket, 'readableEnded') === true;
    return this.dismissed || ended || code === 'ECONNRESET' || code === 'EPIPE';
  }

  /**
   * The socket is closed, or belongs to the caller from now on. Nothing is deleted: V8 would give the socket a hash table for its properties, which takes
   * three kilobytes and is slower.
   */
  release(): void {
    const marked = this.socket as Marked;
    marked[kPooled] = undefined;
    marked[kPooledSocket] = undefined;
  }
}

/** The name of the connection of `socket` in debug lines. */
export function labelOf(socket: object): string | undefined {
  const pooled = pooledSocketOf(socket);
  return pooled && connectionLabel(pooled.connection);
}

/** The pooled sockets of all hosts. */
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
