/**
 * The pool's records: of hosts, of their connections, and of the requests that wait for one. They refer to each other and are
 * one concept. Records hold and count; the other files of this folder decide what is to be done next.
 *
 * Fields are written here and by those files, except for those that are marked as the driver's.
 */
import type { CloseReason } from './close-reason.js';
import { Counters } from './counters.js';
import type { ConnectPhase } from './counters.js';
import { Entry } from './heap.js';
import { LeastUsed, Random } from './idle-order.js';
import type { IdleOrder } from './idle-order.js';
import type { Kinds } from './kinds.js';
import type { HostLimits } from './limits.js';
import { Link, List } from './list.js';
import type { Reservation } from './reservation.js';
import { DEFAULT_PRIORITY, WaitQueue } from './wait-queue.js';

/**
 * - `queued`: in its host's queue.
 * - `dialling`: bound to a connection that is being opened for it alone.
 * - `awaiting-place`: its request has lost a connection; as soon as that is closed, one is opened in its place, for it alone.
 * - `spare`: no request: a connection is being opened that is to be ready for whichever request comes.
 * - `done`: assigned, rejected, refused or aborted; the pool has nothing more to do with it.
 */
export type WaiterState = 'queued' | 'dialling' | 'awaiting-place' | 'spare' | 'done';

/** A request that has no connection yet; or what stands in the place of one, where a connection is opened before a request asks for it. */
export class Waiter<K extends Kinds> {
  readonly host: HostPool<K>;
  readonly request: K['request'];
  /** Its request cannot be sent twice, and gets no connection that has been idle for longer than is safe. */
  readonly unreplayable: boolean;
  state: WaiterState = 'queued';
  /** 0 to 7, the most urgent first. Its queue changes it while it is queued. */
  priority: number;
  /** Its number among all that ever waited: one with a lower number has waited longer, or comes before those that have. */
  arrival = 0;
  /** When it came, on the monotonic clock, by which the queue timer measures waits. `Infinity`: it may wait for any time. */
  readonly since: number;
  /** The connection being opened on its behalf, or the lost one whose place it is to get. */
  connection: Connection<K> | undefined = undefined;
  /** Place in the host's queue, among those of its priority. */
  readonly link: Link<Waiter<K>> = new Link(this);
  /** The same for one whose priority was changed. */
  entry: Entry<Waiter<K>> | undefined = undefined;
  /** Place among those that have had no dial started on their behalf (late binding only). */
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
 * - `validating`: released in this turn of the event loop, and not known to be quiet, or about to be leased after it has been
 *   idle for long: no request gets it before the loop has polled.
 * - `idle`: free, and may be leased at any moment.
 * - `closing`: the driver was asked to close it; counts against the limits until the driver says that it is closed.
 * - `closed`: gone, and in no count.
 */
export type ConnectionState = 'connecting' | 'active' | 'validating' | 'idle' | 'closing' | 'closed';

let lastId = 0;

/** One connection, as the pool sees it. */
export class Connection<K extends Kinds> {
  /** Unique in this process: what it is called in debug output. */
  readonly id: number = ++lastId;
  readonly host: HostPool<K>;
  state: ConnectionState = 'connecting';
  /** The driver's: the real connection, as soon as there is one. */
  pooled: K['pooled'] | undefined = undefined;
  /** The waiter that it was opened for, while `connecting`: bound to it (eager), or merely its reason (late). */
  waiter: Waiter<K> | undefined = undefined;
  /** The waiter whose request was sent on it when it was lost, and that gets its place when it is closed. */
  replayWaiter: Waiter<K> | undefined = undefined;

  // Moments on the pool's clock. The driver sets the first one when it opens the connection, the others when it prepares it to be idle.

  /** From then on it serves no request. */
  retireAt: number = Infinity;
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
  /** For how long it had been idle when it was leased, in milliseconds. */
  idledFor = 0;
  /** It was leased although it had been idle for longer than is safe. */
  isUnsafe = false;
  closeReason: CloseReason | undefined = undefined;
  /** How often it was leased. */
  served = 0;
  /** It is counted as `connecting`: it is not ready to be used, and neither closes nor is idle. */
  isConnecting = true;

  /** The driver's: what its dial waits for. */
  phase: ConnectPhase = 'createConnection';
  /** The driver's: its dial has ended in an error of its own. */
  hasFailed = false;
  /** The driver's: when its dial began, and when it was ready to be used, on the monotonic clock. -1: that has not happened. */
  dialledAt = -1;
  readyAt = -1;

  /** Place in the host's list of idle connections. */
  readonly idleLink: Link<Connection<K>> = new Link(this);
  /** Place in the pool's list of all idle connections, least recently used first. */
  readonly lruLink: Link<Connection<K>> = new Link(this);
  /** Place in the pool's wheel of connections that expire. It keeps it while it is leased. */
  readonly expiryLink: Link<Connection<K>> = new Link(this);
  expirySlot = 0;
  /** Place in its reservation's list of idle connections. */
  reservationLink: Link<Connection<K>> | undefined = undefined;
  /** Place among the connections that are being opened for no request. */
  spareLink: Link<Connection<K>> | undefined = undefined;
  /** Place in the host's own order of idle connections, where it has one. */
  entry: Entry<Connection<K>> | undefined = undefined;
  rank = 0;

  constructor(host: HostPool<K>) {
    this.host = host;
  }
}

/** One host (more exactly: one identity): its connections by state, and its queue. */
export class HostPool<K extends Kinds> {
  readonly origin: K['origin'];
  /** The driver's: its knowledge of the host, if it has any. */
  learned: K['learned'] | undefined = undefined;

  /** The counts of it, and of other identities of the same host. */
  readonly counters: Counters;
  /** The limits that hold for it. */
  limits: HostLimits;
  /** The places that are reserved for it and other hosts, if any are. */
  reservation: ReservationOf<K> | undefined = undefined;

  /** Every connection that is not closed. Their number is what `maxSockets` limits. */
  readonly connections: Set<Connection<K>> = new Set();
  /** Free connections, the longest idle first. */
  readonly idle: List<Connection<K>> = new List();
  /** Where 'lifo' and 'fifo' do not say which of the free ones is next. */
  #order: IdleOrder<Connection<K>> | undefined = undefined;
  #scheduling: HostLimits['scheduling'] = 'lifo';
  /** The least number of free connections since the last trim, while they were in use; `Infinity`: none was. */
  idleLow = Infinity;

  /** Requests without a connection. */
  readonly waiting: WaitQueue<Waiter<K>> = new WaitQueue();
  /** Those that have had no dial started on their behalf, in order of arrival (late binding only). */
  readonly undialled: List<Waiter<K>> = new List();
  /** `unserved` as the sum over all hosts has it: see queues.ts. */
  countedUnserved = 0;
  /** The pool has told that requests have to wait here. */
  saturated = false;

  /** Waiters in the queue whose requests cannot be sent twice: see `Waiter.unreplayable`. */
  unreplayable = 0;
  /** Waiters in the queue that may not wait for any time. */
  timed = 0;
  /** Connections in state `validating`. */
  validating = 0;
  /** Connections in state `closing`. */
  closing = 0;
  /** Connections in state `connecting` that are bound to no request: they serve whichever waiter is next. */
  unclaimed = 0;

  /** Nothing of it is kept idle any more. */
  abandoned = false;

  /** The turn of the event loop in which it dialled last. */
  dialTurn = -1;
  /** Place among the hosts that dial at the end of this turn. */
  readonly pacedLink: Link<HostPool<K>> = new Link(this);

  /** Place among the blocked hosts, in turn (`fairness: 'round-robin'`). */
  readonly blockedLink: Link<HostPool<K>> = new Link(this);
  /** Places that it still gets in this turn of its own. */
  credit = 0;
  /** Place among the blocked hosts, by age (`fairness: 'fifo'`). */
  blockedEntry: Entry<HostPool<K>> | undefined = undefined;
  blockedSince = 0;
  /** Place among the blocked hosts of its reservation. */
  readonly reservationLink: Link<HostPool<K>> = new Link(this);

  /** No request of it waits in vain before this moment on the monotonic clock, while `deadlineEntry` is in the heap. */
  deadline = Infinity;
  readonly deadlineEntry: Entry<HostPool<K>> = new Entry<HostPool<K>>(this);

  /** @param limits the pool's own, or a rule's */
  constructor(origin: K['origin'], limits: HostLimits, counters: Counters = new Counters()) {
    this.origin = origin;
    this.limits = limits;
    this.counters = counters;
  }

  /** How many waiters can count on no connection that is already on its way to them. */
  get unserved(): number {
    return Math.max(0, this.waiting.size - this.validating - this.unclaimed);
  }

  /** Connections that are in use or being opened. */
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

  /** How many free connections there will be, if no other request comes. */
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

  /** How many free connections were not needed once since this was last taken, while others were. */
  takeUnneeded(): number {
    const { idle, idleLow } = this;
    this.idleLow = Infinity;
    return idleLow === Infinity ? 0 : Math.min(idleLow, idle.size);
  }

  /** Obeys `limits.scheduling` from now on. */
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

export type ReservationOf<K extends Kinds> = Reservation<Connection<K>, HostPool<K>>;
