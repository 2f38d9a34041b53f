/**
 * TLS sessions for resumption, by identity: bounded, the least recently used identity goes first. Holds and hands out;
 * what a session belongs to (session-key.ts) and when it is offered (resumption.ts) is decided elsewhere. Sessions that have
 * expired, or that cannot be read, are never handed out.
 */
import { LRUCache } from 'lru-cache';
import { functionValue, atLeastOne, atLeastZero, oneOf, optional } from '../validate.js';
import type { Check } from '../validate.js';
import { invalidType } from '../errors.js';
import { wallClockNow } from '../node/timers.js';
import { isInstanceOfAny, protocolOf } from '../process-wide.js';
import { openExport, sealExport } from './session-export.js';
import type { SealKey } from './seal.js';
import type { SessionKey } from './session-key.js';
import { Shelf } from './tickets.js';
import type { TicketReuse } from './tickets.js';

export interface SessionCacheOptions {
  /**
   * Identities (host and TLS options) whose sessions are remembered. `0` remembers none. Can be changed later: see
   * the property. Default: `100`.
   */
  maxCachedSessions?: number | undefined;
  /**
   * TLS 1.3 tickets kept for each identity, at least 1. As many connections as that can start at once, each with a
   * ticket of its own. A ticket takes some 1 to 4 KB. Default: `32`.
   */
  maxTicketsPerIdentity?: number | undefined;
  /**
   * Whether the last TLS 1.3 ticket of an identity may be used more than once. Many servers, Node's among them, give no
   * new ticket on a resumed connection: with `'never'` two of three connections to them resume, with `'allow'` all, at the
   * price that somebody who watches the network can tell that they come from the same client (RFC 8446, appendix
   * C.4). Default: `'allow'`.
   */
  ticketReuse?: TicketReuse | undefined;
  /** The clock, in milliseconds since the epoch. Default: the wall clock. */
  now?: (() => number) | undefined;
}

/** Since the cache was made. */
export interface SessionCacheStats {
  /** Connections that were given a session to resume. */
  readonly hits: number;
  /** Connections for which there was none. */
  readonly misses: number;
  /** Handshakes that resumed a session. */
  readonly resumed: number;
  /** Handshakes in full: there was no session, or the server did not take it. */
  readonly full: number;
  /** Sessions that servers gave us, or that were cached by hand. Imported ones are not counted. */
  readonly stored: number;
  /** Sessions dropped because their time was over. */
  readonly expired: number;
  /** Sessions dropped to stay within `maxCachedSessions` and `maxTicketsPerIdentity`. */
  readonly evicted: number;
  /** Sessions dropped because the handshake that they were offered in failed. */
  readonly failed: number;
}

const DEFAULT_MAX = 100;
const DEFAULT_MAX_TICKETS = 32;

const ticketReuse: Check<TicketReuse> = oneOf('allow', 'never');

interface Place {
  readonly shelf: Shelf;
  readonly key: SessionKey;
  /** The agent's generation that stored into it last: see `deleteOf`. */
  owner: object | undefined;
}

/**
 * Copies of this package know each other's caches by it. Its value is the version of what agents call on a cache: the methods marked `@internal` below, and
 * `maxCachedSessions`.
 */
const kSessionCache: unique symbol = Symbol.for('pooling-https-agent.SessionCache');
const PROTOCOL = 1;

/** A cache of TLS sessions. Agents make one each by default; give several the same one, and they resume each other's. */
export class SessionCache {
  readonly #places: LRUCache<string, Place>;
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
    // Its own bound cannot be changed later: ours is kept by `#trim`.
    this.#places = new LRUCache({ maxSize: Number.MAX_SAFE_INTEGER, sizeCalculation: () => 1 });
  }

  /** @internal `0`: a copy of one, property by property, which has none of its sessions, and nothing to keep any in. */
  get [kSessionCache](): number {
    return #places in this ? PROTOCOL : 0;
  }

  /** @internal Also a cache of another copy of this package, if agents of this one can use it. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceOfAny(this, value, SessionCache, kSessionCache, PROTOCOL);
  }

  /** The option of that name. Lowered, what is above it goes; `0` forgets everything, `null` is the default. */
  get maxCachedSessions(): number {
    return this.#max;
  }

  set maxCachedSessions(value: number) {
    this.#max = optional({ maxCachedSessions: value }, 'maxCachedSessions', atLeastZero, DEFAULT_MAX);
    this.#trim();
  }

  /** Identities that sessions are remembered for. */
  get size(): number {
    return this.#places.size;
  }

  /** A copy of the counters. */
  get stats(): SessionCacheStats {
    return { ...this.#counts };
  }

  /** Forgets all sessions. */
  clear(): void {
    this.#places.clear();
  }

  /**
   * All sessions that are not bound to this process, sealed with `key`: for a new process, that `import`s them and
   * resumes at once. Sessions stay bound to this process where a function (`checkServerIdentity`, `lookup`, `pskCallback`) or a
   * `secureContext` object is part of the identity.
   *
   * The result is encrypted and authenticated (AES-256-GCM) and shows nothing of hosts or options. Somebody who has both it and
   * the key can resume the sessions, and read traffic that was recorded of TLS 1.2 connections: keep them apart.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for a key that is none, or too short
   */
  export(options: SessionExportOptions): Buffer {
    const now = this.#now();
    const exported: { id: string; clientCertificate: boolean; sessions: Buffer[] }[] = [];
    // Least recently used first: so an import leaves the same order behind.
    for (const id of this.ids) {
      const place = this.#places.peek(id);
      if (!place) continue;
      const { shelf, key } = place;
      const { portable, clientCertificate } = key;
      this.#expire(shelf, now);
      if (!portable || (clientCertificate && options?.includeClientCertificates !== true)) continue;
      const { sessions } = shelf;
      if (sessions.length > 0) exported.push({ id, clientCertificate, sessions });
    }
    return sealExport(exported, options?.key);
  }

  /**
   * Takes in what another cache exported, below the sessions that are there already. All or nothing: what is refused
   * changes nothing. Sessions that have expired meanwhile are left out.
   *
   * @returns how many sessions were taken in
   * @throws `ERR_SESSION_IMPORT_FORMAT` (also for more than 256 MiB), `ERR_SESSION_IMPORT_VERSION`, `ERR_SESSION_IMPORT_KEY` (wrong
   * key, or the buffer was changed); `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for a key that is none
   */
  import(buffer: Uint8Array, options: SessionImportOptions): number {
    const entries = openExport(buffer, options?.key);
    if (this.#max === 0) return 0;
    const now = this.#now();
    let count = 0;
    for (const { id, clientCertificate, sessions } of entries) {
      const known = this.#places.get(id);
      const place = known ?? newPlace({ id, portable: true, clientCertificate });
      count += place.shelf.addBelow(sessions, now, this.#maxTickets);
      if (!known && place.shelf.size > 0) this.#places.set(id, place);
    }
    this.#trim();
    return count;
  }

  /** @internal The keys of all identities, the most recently used last. */
  get ids(): string[] {
    return [...this.#places.rkeys()];
  }

  /** @internal The newest session, to look at. */
  peek(id: string): Buffer | undefined {
    return this.#places.peek(id)?.shelf.newest;
  }

  /** @internal The session that the next connection is to offer. */
  take(id: string): Buffer | undefined {
    const shelf = this.#places.get(id)?.shelf;
    if (shelf) this.#expire(shelf, this.#now());
    const session = shelf?.take(this.#ticketReuse);
    if (session) this.#counts.hits++;
    else this.#counts.misses++;
    if (shelf?.size === 0) this.#places.delete(id);
    return session;
  }

  /** @internal What was taken has not been sent: it is as good as new. */
  putBack(key: SessionKey, session: Buffer): void {
    if (this.#max === 0) return;
    const place = this.#places.get(key.id) ?? newPlace(key);
    place.shelf.putBack(session, this.#now());
    this.#places.set(key.id, place);
    this.#trim();
  }

  /** @internal */
  store(key: SessionKey, session: Buffer, owner?: object): void {
    if (this.#max === 0) return;
    const place = this.#places.get(key.id) ?? newPlace(key);
    if (!place.shelf.add(session, this.#now())) return;
    place.owner = owner;
    this.#counts.stored++;
    this.#counts.evicted += place.shelf.trim(this.#maxTickets);
    this.#places.set(key.id, place);
    this.#trim();
  }

  /** @internal The handshake that offered `session` failed. `all`: in a way that the others will, too. */
  fail(id: string, session: Buffer, all: boolean): void {
    this.#counts.failed++;
    const shelf = this.#places.peek(id)?.shelf;
    if (!shelf) return;
    // Not there if it was taken for good.
    shelf.remove(session);
    if (all) this.#counts.failed += shelf.size;
    if (all || shelf.size === 0) this.#places.delete(id);
  }

  /** @internal */
  delete(id: string): void {
    this.#places.delete(id);
  }

  /** @internal Forgets every identity that `owner` stored for last. */
  deleteOf(owner: object): void {
    for (const [id, place] of this.#places.entries()) if (place.owner === owner) this.#places.delete(id);
  }

  /** @internal */
  countHandshake(resumed: boolean): void {
    if (resumed) this.#counts.resumed++;
    else this.#counts.full++;
  }

  #expire(shelf: Shelf, now: number): void {
    this.#counts.expired += shelf.expire(now);
  }

  #trim(): void {
    while (this.#places.size > this.#max) this.#counts.evicted += this.#places.pop()?.shelf.size ?? 0;
  }
}

export interface SessionExportOptions {
  /** A secret of the owner's: a passphrase, or at least 16 random bytes. */
  readonly key: SealKey;
  /**
   * Also sessions of identities with a client certificate: somebody who resumes one is taken for the certificate's owner.
   * Default: `false`.
   */
  readonly includeClientCertificates?: boolean | undefined;
}

export interface SessionImportOptions {
  /** The key of the export. */
  readonly key: SealKey;
}

/**
 * The meaning of `value` to an agent: a cache of any copy of this package; the remains of one that was copied; a cache of a version that is
 * not understood; or something else.
 */
export function kindOfCache(value: unknown): 'cache' | 'copy' | 'incompatible' | 'other' {
  const protocol = protocolOf(value, kSessionCache);
  if (protocol === undefined) return 'other';
  if (protocol === 0) return 'copy';
  return protocol === PROTOCOL ? 'cache' : 'incompatible';
}

function newPlace(key: SessionKey): Place {
  return { shelf: new Shelf(), key, owner: undefined };
}
