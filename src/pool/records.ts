/**
 * The pool's records of hosts, of their connections, and of the requests that wait for one. They refer to each other, so they share
 * a file. Records hold and count; the other files of this folder decide what is done next.
 *
 * Fields are written here and by those files, except for fields that are marked as the driver's.
 */
import type { CloseReason } from './close-reason.js';
import { Counters } from './counters.js';
import type { ConnectPhase } from './counters.js';
import { Entry } from './heap.js';
import { LeastUsed, Random } from './idle-order.js';
import type { IdleOrder } from './idle-order.js';
import type { Kinds } from './kinds.js';
import type { Gateway } from './gateway.js';
import type { HostLimits } from './limits.js';
import { Link, List } from './list.js';
import type { Reservation } from './reservation.js';
import { DEFAULT_PRIORITY, WaitQueue } from './wait-queue.js';

/**
 * - `queued`: in its host's queue.
 * - `dialling`: bound to a connection that is being opened for it alone.
 * - `awaiting-slot`: its request has lost a connection; as soon as that is closed, a new one is opened in its slot, for this waiter alone.
 * - `spare`: it stands for no request: a connection is being opened ahead, for whichever request comes.
 * - `done`: assigned, rejected, refused or aborted.
 */
type WaiterState = 'queued' | 'dialling' | 'awaiting-slot' | 'spare' | 'done';

/** A request that has no connection yet. Where a connection is opened before a request asks for it, a spare waiter stands for the request. */
export class Waiter<K extends Kinds> {
  readonly host: HostPool<K>;
  readonly request: K['request'];
  /** Its request cannot be sent twice, and gets no connection that has been idle for longer than is safe. */
  readonly unreplayable: boolean;
  state: WaiterState = 'queued';
  /** 0 to 7, the most urgent first. Its queue changes it while it is queued. */
  priority: number;
  /** Its number in the order of arrival. A waiter that has lost its connection gets a number below all others. */
  arrival = 0;
  /** The time at which it came, on the monotonic clock, by which the queue timer measures waits. `Infinity`: it may wait for any time. */
  readonly since: number;
  /** The connection being opened on its behalf, or the lost one whose slot it is to get. */
  connection: Connection<K> | undefined = undefined;
  /** Link in the host's queue, among those of its priority. */
  readonly link: Link<Waiter<K>> = new Link(this);
  /** The same for a waiter whose priority was changed. */
  entry: Entry<Waiter<K>> | undefined = undefined;
  /** Link among those that have had no dial started on their behalf (late binding only). */
  undialledLink: Link<Waiter<K>> | undefined = undefined;

  constructor(
    host: HostPool<K>,
    request: K['request'],
    replay: 'replayable' | 'unreplayable' = 'replayable',
    since = Infinity,
    priority: number = DEFAULT_PRIORITY,
  ) {
    this.host = host;
    this.request = request;
    this.unreplayable = replay === 'unreplayable';
    this.since = since;
    this.priority = priority;
  }
}

/**
 * - `connecting`: the driver was asked to dial and has not answered yet.
 * - `active`: leased to a request. (In eager binding that includes the handshake.)
 * - `validating`: just released, and bytes may still come; or about to be leased after it has been idle for long. No request gets it
 *   before the loop has polled.
 * - `idle`: free, and may be leased at any moment.
 * - `closing`: the driver was asked to close it; counts against the limits until the driver says that it is closed.
 * - `closed`: gone, and in no count.
 */
export type ConnectionState = 'connecting' | 'active' | 'validating' | 'idle' | 'closing' | 'closed';

let lastId = 0;

/** One connection, as the pool sees it. */
export class Connection<K extends Kinds> {
  /** Unique in this process: the number of the connection in debug lines. */
  readonly id: number = ++lastId;
  readonly host: HostPool<K>;
  state: ConnectionState = 'connecting';
  /** The driver's: the real connection, as soon as it exists. */
  pooled: K['pooled'] | undefined = undefined;
  /** The waiter that it was opened for, while `connecting`: bound to it (eager), or merely its reason (late). */
  waiter: Waiter<K> | undefined = undefined;
  /** The waiter whose request was lost with it, and that gets its slot when it is closed. */
  replayWaiter: Waiter<K> | undefined = undefined;

  // Moments on the pool's clock. The driver sets the first when it opens the connection, the others when it prepares it to be idle.

  /** From then on it serves no request. */
  retireAt: number = Infinity;
  /** The reason for which it is closed then. */
  retireReason: CloseReason = 'max-age';
  /** When it became idle. -1: it has been leased since. */
  idleSince = -1;
  /** From then on it is not leased. */
  expiresAt: number = Infinity;
  /** From then on it is given only to requests that can be sent twice. `-Infinity`: it was not safe for a moment after its release. */
  safeUntil: number = Infinity;
  /** From then on it is validated before it is leased. */
  validateAt: number = Infinity;

  /** Requests that it may still be given. The driver sets their number when it opens the connection. */
  requestsLeft: number = Infinity;
  /** How long it had been idle when it was leased, in milliseconds. */
  idledFor = 0;
  /** It was leased although it had been idle for longer than is safe. */
  isUnsafe = false;
  closeReason: CloseReason | undefined = undefined;
  /** The number of times that it was leased. */
  served = 0;
  /** Whether it counts as `connecting`: it is not ready to be used yet, and is neither closing nor idle. */
  isConnecting = true;

  /** The driver's: the step that its dial waits for. */
  phase: ConnectPhase = 'createConnection';
  /** The driver's: its dial has ended in an error of its own. */
  hasFailed = false;
  /** The driver's: the times at which its dial began and at which it was ready to be used, on the monotonic clock. -1: not yet. */
  dialledAt = -1;
  readyAt = -1;

  /** Link in the host's list of idle connections. */
  readonly idleLink: Link<Connection<K>> = new Link(this);
  /** Link in the pool's list of all idle connections, least recently used first. */
  readonly lruLink: Link<Connection<K>> = new Link(this);
  /** Link in the pool's wheel of connections that expire. It stays there while the connection is leased. */
  readonly expiryLink: Link<Connection<K>> = new Link(this);
  /** The wheel's own: the slot of the wheel that it is in. (Elsewhere a slot is the capacity for one connection.) */
  expirySlot = 0;
  /** Link in its reservation's list of idle connections. */
  reservationLink: Link<Connection<K>> | undefined = undefined;
  /** Link in its gateway's list of idle connections. */
  gatewayLink: Link<Connection<K>> | undefined = undefined;
  /** Link among the connections that are being opened for no request. */
  spareLink: Link<Connection<K>> | undefined = undefined;
  /** Entry in the host's own order of idle connections, where that has one: see idle-order.ts. */
  entry: Entry<Connection<K>> | undefined = undefined;
  /** The same order's own: the position in it. */
  rank = 0;

  constructor(host: HostPool<K>) {
    this.host = host;
  }
}

/** The hosts of one owner, where several share a pool. Each section is closed for itself. */
export interface Section {
  /** No new request for its hosts is taken, and none of their connections becomes idle. */
  isClosed: boolean;
  /** Its hosts that hold a connection or a waiter: those in `Books.hosts`. Changed by books.ts. */
  size: number;
}

/** One host (more exactly: one identity): its connections by state, and its queue. */
export class HostPool<K extends Kinds> {
  readonly origin: K['origin'];
  /** The section that it belongs to, where several owners share a pool. */
  readonly section: Section | undefined;
  /** The driver's: what it has learned of the host. */
  learned: K['learned'] | undefined = undefined;
  /** The driver's: the way of its connections, directly or through a proxy. */
  route: K['route'] | undefined = undefined;

  /** The counters of this host and port, shared by its identities. */
  readonly counters: Counters;
  /** The limits that hold for it. */
  limits: HostLimits;
  /** The slots that its rule reserves for it and the other hosts of the rule. */
  reservation: ReservationOf<K> | undefined = undefined;
  /** The proxy that it shares with other hosts, if a limit bounds the tunnels through that. */
  gateway: GatewayOf<K> | undefined = undefined;

  /** Every connection that is not closed. Their number is what `maxSockets` limits. */
  readonly connections: Set<Connection<K>> = new Set();
  /** Free connections, the longest idle first. */
  readonly idle: List<Connection<K>> = new List();
  /** The order of the free ones, for 'least-used' and 'random'. */
  #order: IdleOrder<Connection<K>> | undefined = undefined;
  #scheduling: HostLimits['scheduling'] = 'lifo';
  /** The least number of free connections since the last trim, counted whenever one was needed. `Infinity`: none was. */
  idleLow = Infinity;

  /** Requests that wait for a connection. */
  readonly waiting: WaitQueue<Waiter<K>> = new WaitQueue();
  /** The waiters in `waiting` that have had no dial started on their behalf, in order of arrival (late binding only). */
  readonly undialled: List<Waiter<K>> = new List();
  /** The part of `Queues.unserved` that is this host's: `unserved` at the last `Books.recount`. Between two events the two are equal. */
  countedUnserved = 0;
  /** The driver was told that requests have to wait here. */
  saturated = false;

  // Counts, which invariants.ts counts anew.

  /** Waiters in `waiting` that are `unreplayable`. Changed by queues.ts. While a connection is idle, no more than `validating` of the others wait. */
  unreplayable = 0;
  /** Waiters in `waiting` that may not wait for any time: their `since` is finite. Changed by queues.ts. While there is none, no deadline is watched. */
  timed = 0;
  /** Connections in state `validating`. Changed by `beginValidating` and `endValidating` in books.ts. Each is promised to one waiter: see `unserved`. */
  validating = 0;
  /** Connections in state `closing`, which are in `connections`, too. Changed by `beginClosing` and `endClosing` in capacity.ts. */
  closing = 0;
  /**
   * Connections in state `connecting` whose `waiter` is not `dialling`: they are bound to no request. Changed by `beginUnclaimed` and `endUnclaimed` in
   * books.ts. Each is promised to one waiter: see `unserved`.
   */
  unclaimed = 0;

  /** It is given up: no later request names it, and no connection of it is kept idle any more. */
  abandoned = false;

  /** The turn of the event loop in which it dialled last. */
  dialTurn = -1;
  /** Link among the hosts that dial at the end of this turn. */
  readonly pacedLink: Link<HostPool<K>> = new Link(this);

  /** Link among the blocked hosts, in turn (`fairness: 'round-robin'`). */
  readonly blockedLink: Link<HostPool<K>> = new Link(this);
  /** The number of slots that it still gets in its present turn. */
  credit = 0;
  /** Link among the blocked hosts, by age (`fairness: 'fifo'`). */
  blockedEntry: Entry<HostPool<K>> | undefined = undefined;
  /** The key of that: the `arrival` of its oldest waiter, or a lower number, if that waiter has gone since. */
  blockedSince = 0;
  /** Link among the blocked hosts of its reservation. */
  readonly reservationLink: Link<HostPool<K>> = new Link(this);
  /** Link among the hosts that wait at its gateway. */
  readonly gatewayLink: Link<HostPool<K>> = new Link(this);

  /** The earliest deadline of its waiters, on the monotonic clock, or an earlier moment. Valid while `deadlineEntry` is in the heap. */
  deadline = Infinity;
  readonly deadlineEntry: Entry<HostPool<K>> = new Entry<HostPool<K>>(this);

  /** @param limits the pool's own, or a rule's */
  constructor(
    origin: K['origin'],
    limits: HostLimits,
    counters: Counters = new Counters(),
    section?: Section,
  ) {
    this.origin = origin;
    this.section = section;
    this.limits = limits;
    this.counters = counters;
  }

  /**
   * The number of waiters in `waiting` that can count on no connection: all but one for each connection that is validating or unclaimed. The sum over all hosts is
   * `Queues.unserved`.
   */
  get unserved(): number {
    return Math.max(0, this.waiting.size - this.validating - this.unclaimed);
  }

  /** Connections in state `connecting` or `active`: those that are in use or being opened. */
  get inUse(): number {
    return this.connections.size - this.idle.size - this.validating - this.closing;
  }

  /** Whether requests wait that only `maxTotalSockets` holds back. */
  get isBlocked(): boolean {
    return this.blockedLink.list !== undefined || this.blockedEntry?.heap !== undefined;
  }

  /** Whether a request waits for a limit, and not only for the end of this turn. */
  get isStuck(): boolean {
    return this.unserved > 0 && !this.pacedLink.list;
  }

  /** The number of free connections that there will be, if no other request comes. */
  get expectedIdle(): number {
    return this.idle.size + Math.max(0, this.validating + this.unclaimed - this.waiting.size);
  }

  get isEmpty(): boolean {
    return this.connections.size === 0 && this.waiting.size === 0;
  }

  /** Hot path. The free connection that is leased next. */
  get nextIdle(): Connection<K> | undefined {
    if (this.#order) return this.#order.next;
    const { idle } = this;
    return (this.#scheduling === 'lifo' ? idle.tail : idle.head)?.value;
  }

  /** Hot path. */
  addIdle(connection: Connection<K>): void {
    this.idle.push(connection.idleLink);
    this.#order?.add(connection);
  }

  /** Hot path. */
  removeIdle(connection: Connection<K>): void {
    this.idle.remove(connection.idleLink);
    this.#order?.remove(connection);
  }

  /** The number of free connections that were not needed since the last call, although others were. */
  takeUnneeded(): number {
    const { idle, idleLow } = this;
    this.idleLow = Infinity;
    return idleLow === Infinity ? 0 : Math.min(idleLow, idle.size);
  }

  /** `limits.scheduling` may have changed. */
  reorder(random: () => number): void {
    const { scheduling } = this.limits;
    if (scheduling === this.#scheduling) return;
    this.#scheduling = scheduling;
    if (scheduling === 'least-used') this.#order = new LeastUsed();
    else if (scheduling === 'random') this.#order = new Random(random);
    else this.#order = undefined;
    for (const connection of this.idle) this.#order?.add(connection);
  }
}

export type GatewayOf<K extends Kinds> = Gateway<Connection<K>, HostPool<K>>;

export type ReservationOf<K extends Kinds> = Reservation<Connection<K>, HostPool<K>>;
