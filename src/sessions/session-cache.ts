/**
 * TLS sessions for resumption, by identity. The number of identities is bounded; the least recently used one is dropped first. session-key.ts
 * finds the identity of a session, and resumption.ts decides when it is offered. Sessions that have expired, or that cannot be read, are
 * never handed out.
 */
import { functionValue, atLeastOne, atLeastZero, oneOf, optional } from '../validate.js';
import type { Check } from '../validate.js';
import { invalidType } from '../errors.js';
import { RecentlyUsed } from '../recently-used.js';
import { wallClockNow } from '../node/timers.js';
import { isInstanceOfAny, protocolOf } from '../process-wide.js';
import { loadSessionExport, loadTickets } from './late.js';
import type { SealKey } from './seal.js';
import type { SessionKey } from './session-key.js';
import type { Shelf, TicketReuse } from './tickets.js';

/** The options of a `SessionCache`. A wrong type throws `ERR_INVALID_ARG_TYPE`, a number out of range `ERR_OUT_OF_RANGE`. */
export interface SessionCacheOptions {
  /**
   * Identities (host and TLS options) whose sessions are remembered. `0` remembers none. Can be changed later by the
   * property of that name. Default: `100`.
   */
  maxCachedSessions?: number | undefined;
  /**
   * TLS 1.3 tickets kept for each identity, at least 1. This number of connections can start at once, each with a ticket of its own.
   * A ticket takes some 1 to 4 KB. Default: `32`.
   */
  maxTicketsPerIdentity?: number | undefined;
  /**
   * Whether the last TLS 1.3 ticket of an identity may be used more than once. Many servers, Node's among them, give no
   * new ticket on a resumed connection: with `'never'` two of three connections to them resume, with `'allow'` all. The price is that an
   * observer of the network can tell that they come from the same client (RFC 8446, appendix C.4). Default:
   * `'allow'`.
   */
  ticketReuse?: TicketReuse | undefined;
  /** The clock, in milliseconds since the epoch. Default: the wall clock. */
  now?: (() => number) | undefined;
}

/** The counters of a `SessionCache`, since it was made. */
export interface SessionCacheStats {
  /** Connections that were given a session to resume. */
  readonly hits: number;
  /** Connections for which there was no session. */
  readonly misses: number;
  /** Handshakes that resumed a session. */
  readonly resumed: number;
  /** Full handshakes: there was no session, or the server did not take it. */
  readonly full: number;
  /** Sessions that servers gave us, or that were cached by hand. Imported ones are not counted. */
  readonly stored: number;
  /** Sessions dropped because they had expired. */
  readonly expired: number;
  /** Sessions dropped to stay within `maxCachedSessions` and `maxTicketsPerIdentity`. */
  readonly evicted: number;
  /** Sessions dropped because the handshake in which they were offered failed. */
  readonly failed: number;
}

const DEFAULT_MAX = 100;
const DEFAULT_MAX_TICKETS = 32;

const ticketReuse: Check<TicketReuse> = oneOf('allow', 'never');

interface Place {
  readonly shelf: Shelf;
  readonly key: SessionKey;
  /** The agent's generation that stored a session in it last: see `deleteOf`. */
  owner: object | undefined;
}

/** A session whose key nobody has needed yet. */
interface Unfiled {
  readonly keyOf: () => SessionKey;
  readonly session: Buffer;
  readonly owner: object | undefined;
  /** When it came. */
  readonly now: number;
}

const MAX_UNFILED = 32;

/**
 * The mark by which copies of this package recognise each other's caches. Its value is the version of the methods that agents call on a cache: those marked
 * `@internal` below, and `maxCachedSessions`.
 */
const kSessionCache: unique symbol = Symbol.for('pooling-https-agent.SessionCache');
const PROTOCOL = 1;

/** A cache of TLS sessions. By default each agent makes its own. Agents that share a cache resume each other's sessions. */
export class SessionCache {
  /** Only `#file` and what it calls use it: see `#filed`. */
  readonly #places: RecentlyUsed<string, Place>;
  /**
   * Sessions that came since anybody has last asked for one. A key takes longer than all else here (a digest of the authorities that Node trusts), and a process that
   * opens one connection has no use for it.
   */
  #unfiled: Unfiled[] = [];
  readonly #maxTickets: number;
  readonly #ticketReuse: TicketReuse;
  readonly #now: () => number;
  readonly #counts = {
    hits: 0,
    misses: 0,
    resumed: 0,
    full: 0,
    stored: 0,
    expired: 0,
    evicted: 0,
    failed: 0,
  };
  #max: number;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE` for an option that is not valid */
  constructor(given: SessionCacheOptions | null = {}) {
    const options = given ?? {};
    if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
    this.#max = optional(options, 'maxCachedSessions', atLeastZero, DEFAULT_MAX);
    this.#maxTickets = optional(options, 'maxTicketsPerIdentity', atLeastOne, DEFAULT_MAX_TICKETS);
    this.#ticketReuse = optional(options, 'ticketReuse', ticketReuse, 'allow');
    this.#now = optional(options, 'now', functionValue<() => number>, wallClockNow);
    // The bound of this map cannot be changed later: `#trim` keeps ours.
    this.#places = new RecentlyUsed(Infinity);
  }

  /** @internal `0`: a copy of a cache, property by property, which has no sessions and cannot hold any. */
  get [kSessionCache](): number {
    return #places in this ? PROTOCOL : 0;
  }

  /** @internal Also a cache of another copy of this package, if agents of this one can use it. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceOfAny(this, value, SessionCache, kSessionCache, PROTOCOL);
  }

  /** The option of that name. A lower value drops the least recently used identities; `0` forgets all, `null` is the default. */
  get maxCachedSessions(): number {
    return this.#max;
  }

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` */
  set maxCachedSessions(value: number) {
    const max = optional({ maxCachedSessions: value }, 'maxCachedSessions', atLeastZero, DEFAULT_MAX);
    this.#file();
    this.#max = max;
    this.#trim();
  }

  /** The number of identities whose sessions are remembered. */
  get size(): number {
    return this.#filed.size;
  }

  /** A copy of the counters. */
  get stats(): SessionCacheStats {
    this.#file();
    return { ...this.#counts };
  }

  /** Forgets all sessions. */
  clear(): void {
    this.#filed.clear();
  }

  /**
   * Exports all sessions that are not bound to this process, sealed with `key`: a new process can `import` them and resume at once. A session
   * is bound to this process if a function (`checkServerIdentity`, `lookup`, `pskCallback`) or a `secureContext` object is part of its
   * identity.
   *
   * The result is encrypted and authenticated (AES-256-GCM) and shows nothing of hosts or options. With the result and the key, anybody can
   * resume the sessions, and read recorded traffic of TLS 1.2 connections: keep the two apart.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for a key that is not valid, or too short
   */
  export(options: SessionExportOptions): Buffer {
    const now = this.#now();
    const exported: { id: string; clientCertificate: boolean; sessions: Buffer[] }[] = [];
    // The least recently used first, so that an import has the same order.
    for (const id of this.ids) {
      const place = this.#filed.peek(id);
      if (!place) continue;
      const { shelf, key } = place;
      const { portable, clientCertificate } = key;
      this.#expire(shelf, now);
      if (!portable || (clientCertificate && options?.includeClientCertificates !== true)) continue;
      const { sessions } = shelf;
      if (sessions.length > 0) exported.push({ id, clientCertificate, sessions });
    }
    return loadSessionExport().sealExport(exported, options?.key);
  }

  /**
   * Adds the sessions of an export, below those that are there already. All or nothing: an export that is refused changes nothing. Sessions
   * that have expired meanwhile are left out.
   *
   * @returns the number of sessions that were added
   * @throws `ERR_SESSION_IMPORT_FORMAT` (also for more than 256 MiB), `ERR_SESSION_IMPORT_VERSION`, `ERR_SESSION_IMPORT_KEY` (wrong
   * key, or the buffer was changed); `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for a key that is not valid
   */
  import(buffer: Uint8Array, options: SessionImportOptions): number {
    const entries = loadSessionExport().openExport(buffer, options?.key);
    if (this.#max === 0) return 0;
    const now = this.#now();
    let count = 0;
    for (const { id, clientCertificate, sessions } of entries) {
      const known = this.#filed.get(id);
      const place = known ?? newPlace({ id, portable: true, clientCertificate });
      count += place.shelf.addBelow(sessions, now, this.#maxTickets);
      if (!known && place.shelf.size > 0) this.#filed.set(id, place);
    }
    this.#trim();
    return count;
  }

  /** @internal The keys of all identities, the most recently used last. */
  get ids(): string[] {
    return [...this.#filed.keys()].toReversed();
  }

  /** @internal The newest session. It is not handed out. */
  peek(id: string): Buffer | undefined {
    return this.#filed.peek(id)?.shelf.newest;
  }

  /** @internal The session that the next connection offers. */
  take(id: string): Buffer | undefined {
    const shelf = this.#filed.get(id)?.shelf;
    if (shelf) this.#expire(shelf, this.#now());
    const session = shelf?.take(this.#ticketReuse);
    if (session) this.#counts.hits++;
    else this.#counts.misses++;
    if (shelf?.size === 0) this.#filed.delete(id);
    return session;
  }

  /** @internal A session that was taken has not been sent: it is put back. */
  putBack(key: SessionKey, session: Buffer): void {
    if (this.#max === 0) return;
    const place = this.#filed.get(key.id) ?? newPlace(key);
    place.shelf.putBack(session, this.#now());
    this.#filed.set(key.id, place);
    this.#trim();
  }

  /** @internal `take`, for a key that is not known yet: `idOf` is called only if there are sessions. */
  takeIfAny(idOf: () => string): Buffer | undefined {
    if (this.#filed.size > 0) return this.take(idOf());
    this.#counts.misses++;
    return undefined;
  }

  /** @internal */
  store(key: SessionKey, session: Buffer, owner?: object): void {
    this.#file();
    this.#store(key, session, owner, this.#now());
  }

  /** @internal `store`, for a key that is not known yet: `keyOf` is called when the cache is next asked for anything. */
  storeLater(keyOf: () => SessionKey, session: Buffer, owner: object): void {
    if (this.#max === 0) return;
    this.#unfiled.push({ keyOf, session, owner, now: this.#now() });
    if (this.#unfiled.length > MAX_UNFILED) this.#file();
  }

  /** @internal The handshake that offered `session` failed. `all`: other sessions of the identity would fail, too. */
  fail(id: string, session: Buffer, all: boolean): void {
    this.#counts.failed++;
    const shelf = this.#filed.peek(id)?.shelf;
    if (!shelf) return;
    // It is not there if it was taken for good.
    shelf.remove(session);
    if (all) this.#counts.failed += shelf.size;
    if (all || shelf.size === 0) this.#filed.delete(id);
  }

  /** @internal */
  delete(id: string): void {
    this.#filed.delete(id);
  }

  /** @internal Forgets every identity for which `owner` was the last to store a session. */
  deleteOf(owner: object): void {
    for (const [id, place] of this.#filed.entries()) if (place.owner === owner) this.#filed.delete(id);
  }

  /** @internal */
  countHandshake(resumed: boolean): void {
    if (resumed) this.#counts.resumed++;
    else this.#counts.full++;
  }

  #expire(shelf: Shelf, now: number): void {
    this.#counts.expired += shelf.expire(now);
  }

  /** All that is remembered, the sessions that came lately included. */
  get #filed(): RecentlyUsed<string, Place> {
    this.#file();
    return this.#places;
  }

  #file(): void {
    if (this.#unfiled.length === 0) return;
    const unfiled = this.#unfiled;
    this.#unfiled = [];
    try {
      for (const { keyOf, session, owner, now } of unfiled) this.#store(keyOf(), session, owner, now);
    } catch {
      // The process may open no file at the moment. Connections without a session make a full handshake.
    }
  }

  #store(key: SessionKey, session: Buffer, owner: object | undefined, now: number): void {
    if (this.#max === 0) return;
    const place = this.#places.get(key.id) ?? newPlace(key);
    if (!place.shelf.add(session, now)) return;
    place.owner = owner;
    this.#counts.stored++;
    this.#counts.evicted += place.shelf.trim(this.#maxTickets);
    this.#places.set(key.id, place);
    this.#trim();
  }

  #trim(): void {
    while (this.#places.size > this.#max) this.#counts.evicted += this.#places.pop()?.shelf.size ?? 0;
  }
}

/** The options of `SessionCache.export()`. */
export interface SessionExportOptions {
  /** A secret: a passphrase, or at least 16 random bytes. */
  readonly key: SealKey;
  /**
   * Whether to include sessions of identities with a client certificate: a client that resumes one is taken for the owner of the certificate.
   * Default: `false`.
   */
  readonly includeClientCertificates?: boolean | undefined;
}

/** The options of `SessionCache.import()`. */
export interface SessionImportOptions {
  /** The key of the export. */
  readonly key: SealKey;
}

/**
 * The kind of `value`: a usable cache of any copy of this package; a useless copy of a cache; a cache of a version that is not understood; or
 * something else.
 */
export function kindOfCache(value: unknown): 'cache' | 'copy' | 'incompatible' | 'other' {
  const protocol = protocolOf(value, kSessionCache);
  if (protocol === undefined) return 'other';
  if (protocol === 0) return 'copy';
  return protocol === PROTOCOL ? 'cache' : 'incompatible';
}

function newPlace(key: SessionKey): Place {
  return { shelf: new (loadTickets().Shelf)(), key, owner: undefined };
}
