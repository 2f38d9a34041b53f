/**
 * The times of a connection's life, for one agent: when it has to go, how long it may be idle, when it is
 * validated first. Brings together the options, what servers say and what they were seen to do, and puts the result on the
 * connection as plain numbers, by which the pool decides.
 */
import { LRUCache } from 'lru-cache';
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
import { Reaper } from './reaper.js';
import { retireTime } from './socket-age.js';

/** Hosts whose lessons are remembered; beyond that the one that was taught longest ago is forgotten. */
const MAX_TAUGHT = 1000;

/**
 * When a leased connection dies before a response, its idle time before the lease, in milliseconds, from which this
 * counts as an idle connection closed. If it dies sooner, the host is believed to close right after an answer.
 */
const MIN_IDLE = 10;

/** Milliseconds after a lease in which we hear of an end that has crossed with the request: what a slow network takes. */
const MAX_CROSSING = 1000;

/** The things that live: connections to origins, of which the key names the server and nothing of ours. */
interface Living extends Kinds {
  origin: Named & { readonly key: string };
  learned: LearnedIdle;
  /** When the loop last looked for bytes on it, by the monotonic clock. */
  pooled: { readonly polledAt: number };
}

/** Read anew each time: users may change it. */
interface Configured {
  readonly options: { readonly timeout?: unknown };
}

export class Lifetimes<K extends Living> {
  readonly #agent: Configured;
  readonly #durations: Readonly<Durations>;
  readonly #pool: Pool<K>;
  readonly #clock: Clock;
  readonly #reaper: Reaper;
  /** The reaper looks for what a peak has left behind, too. */
  #trimming = false;
  /** By the origin's key: what a server does to idle connections does not depend on our certificates. */
  readonly #taught = new LRUCache<string, LearnedIdle>({ max: MAX_TAUGHT });
  /** The last `Keep-Alive` header seen: a server sends the same every time. */
  #header: string | undefined;
  #hint: KeepAliveHint | undefined;

  constructor(agent: Configured, pool: Pool<K>, durations: Readonly<Durations>) {
    this.#agent = agent;
    this.#durations = durations;
    this.#pool = pool;
    this.#clock = new Clock(() => pool.suspect());
    this.#reaper = new Reaper(
      () => this.#clock.now(),
      (now) => Math.min(pool.reap(now), this.#trim(now)),
    );
  }

  /** Hot path. The pool's clock. */
  now(): number {
    return this.#clock.now();
  }

  /** Hot path. The monotonic clock's word for what the pool's has just shown. */
  monotonicAt(now: number): number {
    return this.#clock.monotonicAt(now);
  }

  /** The knowledge of a host that was just made up from its key. */
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
   * Hot path. `connection` is idle from now on, or again. `false`: it cannot be for any time.
   *
   * @param readAt when something was last read from it, or looked for, by the monotonic clock. The server's time runs from then;
   * it may have been long ago, if the response was read slowly. 0: never
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
    const last = Math.min(lastIdleTime(hint, rules, buffer), timeoutOf(this.#agent.options) || Infinity);
    connection.idleSince = since;
    connection.expiresAt = Math.min(since + last, connection.retireAt);
    connection.safeUntil = since + safeIdleTime(hint, rules, buffer, host.learned?.safeAge ?? Infinity);
    connection.validateAt = since + rules.validateAfterIdle;
  }

  /**
   * Hot path. Whether no age of a connection is safe, not even none: its host was seen to close right after an answer, or nothing is kept
   * idle there. It may serve a request that waits already and can be sent twice.
   *
   * @param hint what the last response said
   */
  isNeverSafe({ host }: Connection<K>, hint: KeepAliveHint | undefined): boolean {
    const { idleTimeout, maxIdleTimeout } = host.limits;
    if (maxIdleTimeout === 0 || (idleTimeout === 0 && hint?.timeout === undefined)) return true;
    return host.learned !== undefined && host.learned.isDistrusted(this.#clock.at());
  }

  /** Hot path. A response came on a connection: it had outlived the time for which it was idle before. */
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

  /** An idle connection is closed by us, and its host would have kept it for at least as long as it was idle. */
  survivedIdle({ host, idleSince }: Connection<K>): void {
    host.learned?.survived(this.#clock.now() - idleSince);
  }

  /** The host had ended an idle connection when it was leased. */
  endedIdle({ host, idledFor }: Connection<K>): void {
    this.#teach(host, idledFor);
  }

  /** The host ended a leased connection before it had said anything. */
  endsUnanswered({ host, idledFor, pooled, served }: Connection<K>): void {
    // It had not closed before the request came, but was at work on it.
    if (pooled && monotonicNow() - pooled.polledAt > idledFor + MAX_CROSSING) return;
    if (idledFor >= MIN_IDLE) this.#teach(host, idledFor);
    // Two of them are the first request, and the one that was lost. All others prove that the host keeps connections.
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
    const end = this.#pool.beginTrim(now);
    this.#trimming = end !== Infinity;
    if (this.#trimming) this.#reaper.expect(end, now);
  }

  #trim(now: number): number {
    const next = this.#pool.trim(now);
    this.#trimming = next !== Infinity;
    return next;
  }
}
