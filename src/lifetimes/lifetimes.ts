/**
 * The times of a connection's life, for one pool: when it is retired, how long it may be idle, and when it is validated first. Combines
 * the options, the hints of servers and their observed behaviour, and writes the result on the connection as plain numbers, by which
 * the pool decides.
 */
import { debug } from '../debug.js';
import { hostLabel } from '../debug-lines.js';
import type { Connection, HostPool } from '../pool/records.js';
import type { Kinds } from '../pool/kinds.js';
import type { Pool } from '../pool/pool.js';
import type { Named } from '../limits/host-name.js';
import { timeoutOf } from '../options/live-options.js';
import type { Durations } from '../options/live-options.js';
import { Clock } from './clock.js';
import { lastIdleTime, safeIdleTime } from './idle-policy.js';
import { keepAliveHeader, parseKeepAlive } from './keep-alive-hint.js';
import type { KeepAliveHint } from './keep-alive-hint.js';
import { LearnedIdle, SURVIVALS } from './learned-idle.js';
import { monotonicNow } from '../node/timers.js';
import { RecentlyUsed } from '../recently-used.js';
import { Reaper } from './reaper.js';
import { retireTime } from './socket-age.js';

/** The number of hosts whose idle times are remembered; beyond it, the one that was learned longest ago is forgotten. */
const MAX_TAUGHT = 1000;

/**
 * Milliseconds. If a leased connection dies before a response, and was idle for at least this long before its lease, it counts as closed
 * while idle. If it was idle for less, the host counts as one that closes right after an answer.
 */
const MIN_IDLE = 10;

/** Milliseconds after a lease in which an end that has crossed with the request may arrive: the round trip of a slow network. */
const MAX_CROSSING = 1000;

/** The types that this needs of the pool's: the `key` of an origin names the server, and no options of ours. */
interface Living extends Kinds {
  origin: Named & { readonly key: string };
  learned: LearnedIdle;
  /** The time of the last poll in which the loop looked for bytes on it, by the monotonic clock. */
  pooled: { readonly polledAt: number };
}

/** Read each time: users may change it. */
interface Configured {
  readonly options: { readonly timeout?: unknown };
}

export class Lifetimes<K extends Living> {
  readonly #configured: (host: HostPool<K>) => Configured;
  readonly #durations: Readonly<Durations>;
  readonly #pool: Pool<K>;
  readonly #clock: Clock;
  readonly #reaper: Reaper;
  /** Whether the reaper also looks for connections that a peak has left behind. */
  #trimming = false;
  /** Learned idle times by the origin's key: how a server treats idle connections does not depend on our certificates. */
  readonly #taught = new RecentlyUsed<string, LearnedIdle>(MAX_TAUGHT);
  /** The last `Keep-Alive` header seen: a server sends the same every time. */
  #header: string | undefined;
  #hint: KeepAliveHint | undefined;

  /** @param configured the agent of a host */
  constructor(configured: (host: HostPool<K>) => Configured, pool: Pool<K>, durations: Readonly<Durations>) {
    this.#configured = configured;
    this.#durations = durations;
    this.#pool = pool;
    this.#clock = new Clock(() => pool.upkeep.suspect());
    this.#reaper = new Reaper(
      () => this.#clock.now(),
      (now) => Math.min(pool.upkeep.reap(now), this.#trim(now)),
    );
  }

  /** Hot path. The pool's clock. */
  now(): number {
    return this.#clock.now();
  }

  /** Hot path. The time of the monotonic clock for a time that the pool's clock has just shown. */
  monotonicAt(now: number): number {
    return this.#clock.monotonicAt(now);
  }

  /** Gives a new host the idle times that were learned for its key. */
  recall(host: HostPool<K>): void {
    host.learned = this.#taught.get(host.origin.key);
  }

  opened(connection: Connection<K>): void {
    const { maxSocketAge, maxRequestsPerSocket } = connection.host.limits;
    connection.requestsLeft = maxRequestsPerSocket;
    if (maxSocketAge !== Infinity) connection.retireAt = retireTime(this.#clock.at(), maxSocketAge);
  }

  /** Hot path. The hint of a response about its connection. */
  hintOf(rawHeaders: readonly string[] | undefined): KeepAliveHint | undefined {
    const header = rawHeaders && keepAliveHeader(rawHeaders);
    if (header !== this.#header) {
      this.#header = header;
      this.#hint = header === undefined ? undefined : parseKeepAlive(header);
    }
    return this.#hint;
  }

  /**
   * Hot path. `connection` becomes idle. `false`: it may not be idle for any time.
   *
   * @param readAt the time of the last read or poll of it, by the monotonic clock. The server's time runs from then, which may be long
   * ago if the response was read slowly. 0: never
   * @param idleFrom now, by the monotonic clock
   */
  prepareIdle(
    connection: Connection<K>,
    hint: KeepAliveHint | undefined,
    readAt: number,
    idleFrom: number,
  ): boolean {
    const now = this.#clock.at(idleFrom);
    if (connection.host.learned?.isDistrusted(now)) return false;
    if (connection.idleSince < 0)
      this.#setMoments(connection, hint, readAt === 0 ? now : this.#clock.at(readAt));
    if (connection.expiresAt <= now) return false;
    this.#reaper.expect(connection.expiresAt, now);
    if (!this.#trimming && this.#pool.limits.trimInterval > 0) this.#beginTrim(now);
    return true;
  }

  #setMoments(connection: Connection<K>, hint: KeepAliveHint | undefined, since: number): void {
    const { host } = connection;
    const { limits: rules } = host;
    const buffer = this.#durations.agentKeepAliveTimeoutBuffer;
    const last = Math.min(
      lastIdleTime(hint, rules, buffer),
      timeoutOf(this.#configured(host).options) || Infinity,
    );
    connection.idleSince = since;
    connection.expiresAt = Math.min(since + last, connection.retireAt);
    connection.safeUntil = since + safeIdleTime(hint, rules, buffer, host.learned?.safeAge ?? Infinity);
    connection.validateAt = since + rules.validateAfterIdle;
  }

  /** Milliseconds for which any request may have an idle connection of `host`, where its responses give no hint. */
  safeAgeOf({ learned, limits: rules }: HostPool<K>): number {
    const buffer = this.#durations.agentKeepAliveTimeoutBuffer;
    return safeIdleTime(undefined, rules, buffer, learned?.safeAge ?? Infinity);
  }

  /**
   * Hot path. Whether no idle time of a connection is safe: its host was seen to close right after an answer, or no connection is kept
   * idle there. It may serve a request that waits already and can be sent twice.
   *
   * @param hint what the last response said
   */
  isNeverSafe({ host }: Connection<K>, hint: KeepAliveHint | undefined): boolean {
    const { idleTimeout, maxIdleTimeout } = host.limits;
    if (maxIdleTimeout === 0 || (idleTimeout === 0 && hint?.timeout === undefined)) return true;
    return host.learned !== undefined && host.learned.isDistrusted(this.#clock.at());
  }

  /** Hot path. A response came on a connection, which so has survived its last idle time. */
  answered({ host, idledFor, served }: Connection<K>): void {
    const { learned } = host;
    if (!learned) return;
    learned.survived(idledFor);
    if (served > 1) learned.servedAgain();
  }

  /** The host has ended an idle connection. */
  closedWhileIdle({ host, idleSince }: Connection<K>): void {
    this.#teach(host, this.#clock.now() - idleSince);
  }

  /** An idle connection is closed by us: its host has kept it for as long as it was idle. */
  survivedIdle({ host, idleSince }: Connection<K>): void {
    host.learned?.survived(this.#clock.now() - idleSince);
  }

  /** The host had ended an idle connection before it was leased. */
  endedIdle({ host, idledFor }: Connection<K>): void {
    this.#teach(host, idledFor);
  }

  /** The host ended a leased connection before it had answered. */
  endsUnanswered({ host, idledFor, pooled, served }: Connection<K>): void {
    // Too late for an end that has crossed with the request: the server has ended while it worked on it.
    if (pooled && monotonicNow() - pooled.polledAt > idledFor + MAX_CROSSING) return;
    if (idledFor >= MIN_IDLE) this.#teach(host, idledFor);
    // The first and the lost request show nothing. Each other one shows that the host keeps connections.
    else if (served - 2 < SURVIVALS) this.#learnedOf(host).closedAtOnce(this.#clock.now());
  }

  /** `trimInterval` may have been changed. */
  limitsChanged(): void {
    if (this.#pool.idle.size > 0) this.#beginTrim(this.#clock.at());
  }

  /** Nothing is open any more. */
  stop(): void {
    this.#reaper.stop();
    this.#trimming = false;
  }

  #teach(host: HostPool<K>, age: number): void {
    const learned = this.#learnedOf(host);
    learned.closedAt(age);
    debug.enabled &&
      debug(
        '%s ends idle connections after %d ms: safe for %d ms',
        hostLabel(host.origin),
        Math.round(age),
        Math.round(learned.safeAge),
      );
  }

  #learnedOf(host: HostPool<K>): LearnedIdle {
    const { key } = host.origin;
    const learned = this.#taught.get(key) ?? host.learned ?? new LearnedIdle();
    this.#taught.set(key, learned);
    host.learned = learned;
    return learned;
  }

  #beginTrim(now: number): void {
    const end = this.#pool.upkeep.beginTrim(now);
    this.#trimming = end !== Infinity;
    if (this.#trimming) this.#reaper.expect(end, now);
  }

  #trim(now: number): number {
    const next = this.#pool.upkeep.trim(now);
    this.#trimming = next !== Infinity;
    return next;
  }
}
