/**
 * `minFreeSockets`: so many connections of a host are free at any time, beside those in use. It promises
 *
 * - one that is too old, or will soon be no good for every request, is replaced before, the new one first;
 * - no request waits because of it, and no idle connection of others goes for it: see pool/spares.ts;
 * - where nothing can be opened it is tried again, ever more seldom, and never at the same time as everybody else;
 * - it keeps no process alive, but for the moment of a look-up or a connect.
 *
 * Hosts with a rule of their own are kept ready from the beginning, others from their first request until they were not used for a while.
 * The pool tells of a lack; this looks at it when the stack of that is done, and once more when time may have brought one.
 */
import { AsyncResource } from 'node:async_hooks';
import type { AgentPool, Host } from '../connections/agent-pool.js';
import type { AgentKinds } from '../connections/pooled-socket.js';
import type { HostWatch } from '../connections/spare-connections.js';
import { SpareRequest } from '../connections/spare-request.js';
import type { SpareListener } from '../connections/spare-request.js';
import { debug } from '../debug.js';
import { hostLabel } from '../debug-lines.js';
import type { Options } from '../identity/identity.js';
import { Alarm } from '../node/alarm.js';
import { codeOf, isolate } from '../node/foreign.js';
import { interceptor } from '../node/interception.js';
import { monotonicNow, setImmediate } from '../node/timers.js';
import type { Connection } from '../pool/records.js';

/** Milliseconds until the first new try, and at most, until the next one after a failure. Each is drawn between half of that and all of it. */
const FIRST_RETRY = 200;
const MAX_RETRY = 30_000;
/** A connection that the server closes sooner, unused, is as good as one that has failed. Milliseconds. */
const SHORT_LIFE = 1000;
/** Milliseconds after which a place is looked for again, where there was none. */
const LOOK_AGAIN = 500;
/** For how long a host is kept ready after its last request where `trimInterval` is 0. Milliseconds. */
const DEFAULT_USE = 60_000;
/** The least time between two looks. Milliseconds. */
const MIN_DELAY = 10;

/** The options that a connection to one host is opened with. */
interface Kept {
  readonly options: Options;
  /** It has a rule of its own: its last use does not matter. */
  readonly hasRule: boolean;
  /** The host of now: TLS options may change. */
  host: Host | undefined;
  usedAt: number;
  failures: number;
  failedAt: number;
  /** When it is looked at again. */
  due: number;
}

/** Options of a request that are about the request alone. */
const OF_A_REQUEST = ['agent', 'auth', 'headers', 'method', 'path', 'priority', 'signal', 'timeout'] as const;

/** A connection that is opened by itself is in nobody's async context. */
const NOBODY = new AsyncResource('MinFreeSockets');

/** Begins to keep connections ready, where an option says so, and goes on when it is changed. */
export function keepWarm(pool: AgentPool): void {
  const warm = new Warm(pool);
  pool.spares.watch = warm;
  warm.changed();
}

class Warm implements HostWatch, SpareListener {
  readonly #pool: AgentPool;
  readonly #kept = new Set<Kept>();
  readonly #byHost = new WeakMap<Host, Kept>();
  readonly #openedAt = new WeakMap<Connection<AgentKinds>, number>();
  /** Those with a rule of their own, by `host:port`. */
  readonly #byRule = new Map<string, Kept>();
  /** Options of hosts with a function that was never seen before: it may come with one request and never again. */
  readonly #onProbation = new WeakMap<Host, Options>();
  #isStopped = false;
  #isLooking = false;
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.look());

  constructor(pool: AgentPool) {
    this.#pool = pool;
  }

  // Events of the pool

  used(host: Host, options: Options): void {
    let kept = this.#byHost.get(host);
    if (!kept) {
      if (options['agent'] === false) return;
      if (host.origin.profile.onProbation) {
        this.#onProbation.set(host, options);
        return;
      }
      const own: Record<string, unknown> = Object.assign(Object.create(null), options);
      for (const name of OF_A_REQUEST) Reflect.deleteProperty(own, name);
      own['servername'] = host.origin.servername;
      kept = this.#keep(own, false);
      kept.host = host;
      this.#byHost.set(host, kept);
    }
    kept.usedAt = monotonicNow();
    this.#kept.add(kept);
    // After `destroy()` all goes on with the first request.
    if (this.#isStopped) {
      this.#isStopped = false;
      this.changed();
    }
    this.#lookSoon(kept);
  }

  /** Hot path where a host has a `minFreeSockets`. */
  short(host: Host): void {
    const kept = this.#byHost.get(host);
    if (kept && this.#kept.has(kept)) this.#lookSoon(kept);
    else if (!kept) this.#admit(host);
  }

  /** A second request has come with the same function. */
  #admit(host: Host): void {
    const options = this.#onProbation.get(host);
    if (!options || host.origin.profile.onProbation) return;
    this.#onProbation.delete(host);
    this.used(host, options);
  }

  gone(connection: Connection<AgentKinds>): void {
    const openedAt = this.#openedAt.get(connection);
    if (openedAt === undefined || connection.served > 0) return;
    const { closeReason, host } = connection;
    const isByServer = closeReason === 'closed' || closeReason === 'server-closed';
    const kept = this.#byHost.get(host);
    if (kept && isByServer && monotonicNow() - openedAt < SHORT_LIFE) this.#failed(kept);
  }

  // Ends of dials

  ready(_request: SpareRequest, connection: Connection<AgentKinds>): void {
    this.#openedAt.set(connection, monotonicNow());
    // When it needs a successor is known now.
    this.short(connection.host);
  }

  failed({ waiter }: SpareRequest, reason: unknown): void {
    const kept = waiter && this.#byHost.get(waiter.host);
    if (!kept) return;
    debug.enabled &&
      debug('%s is not kept ready for now: %s', hostLabel(waiter.host.origin), codeOf(reason) ?? 'given up');
    // Where nothing has failed, its place was needed.
    if (reason === undefined) kept.due = Math.max(kept.due, monotonicNow() + LOOK_AGAIN);
    else this.#failed(kept);
    this.#wakeAt(kept.due);
  }

  // Events of the agent

  /** Limits or rules have changed, or were given for the first time. */
  changed(): void {
    if (this.#isStopped) return;
    const before = new Set(this.#byRule.keys());
    for (const { host, port = 443 } of this.#pool.hostsKeptReady) {
      const name = `${host} ${port}`;
      before.delete(name);
      const kept = this.#byRule.get(name);
      if (kept) this.#kept.add(kept);
      else
        this.#byRule.set(
          name,
          this.#keep(Object.assign(Object.create(null), { host, port, path: null }), true),
        );
    }
    for (const name of before) {
      const kept = this.#byRule.get(name);
      if (kept) this.#kept.delete(kept);
      this.#byRule.delete(name);
    }
    for (const kept of this.#kept) this.#lookSoon(kept);
  }

  /** Nothing is opened any more before a request comes. */
  stop(): void {
    this.#isStopped = true;
    this.#kept.clear();
    this.#alarm.clear();
  }

  #keep(options: Options, hasRule: boolean): Kept {
    const kept: Kept = { options, hasRule, host: undefined, usedAt: 0, failures: 0, failedAt: 0, due: 0 };
    this.#kept.add(kept);
    return kept;
  }

  #failed(kept: Kept): void {
    const now = monotonicNow();
    const before = retryAfter(kept.failures);
    // Failures of long ago say nothing about now.
    if (now - kept.failedAt > Math.max(2 * before, 2 * SHORT_LIFE)) kept.failures = 0;
    // Connections that are opened together fail together.
    if (kept.failures > 0 && now < kept.due) return;
    kept.failures++;
    kept.failedAt = now;
    kept.due = now + retryAfter(kept.failures) * (0.5 + Math.random() / 2);
  }

  // Looking

  /** Hot path. */
  #lookSoon(kept: Kept): void {
    if (kept.failures === 0 || monotonicNow() >= kept.due) kept.due = 0;
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(look, this);
  }

  look(): void {
    this.#isLooking = false;
    const now = monotonicNow();
    let next = Infinity;
    if (this.#pool.view.isClosed) {
      this.stop();
      return;
    }
    for (const kept of this.#kept) {
      if (kept.due <= now)
        isolate(() => {
          kept.due = NOBODY.runInAsyncScope(() => this.#lookAt(kept, now));
        });
      next = Math.min(next, kept.due);
    }
    this.#wakeAt(next);
  }

  /** Opens what is lacking. Returns when to look again. */
  #lookAt(kept: Kept, now: number): number {
    const { spares, view } = this.#pool;
    // A mocked server is to see no real connection.
    if (interceptor() !== undefined) return now + LOOK_AGAIN;
    const host = this.#hostOf(kept);
    if (!host) return Infinity;
    const { maxFreeSockets, maxSockets, minFreeSockets } = host.limits;
    const least = Math.min(minFreeSockets, maxFreeSockets, maxSockets);
    const isWanted = least > 0 && view.limits.keepAlive && this.#isUsed(kept, host, now);
    if (!isWanted) {
      spares.forget(host);
      // A limit that is raised tells of itself.
      if (!kept.hasRule && minFreeSockets === 0) this.#kept.delete(kept);
      return Infinity;
    }
    // A dial that fails at once puts the others off.
    for (let lack = spares.shortage(host, least); lack > 0 && kept.due <= now; lack--) {
      const request = new SpareRequest(kept.options, undefined, false);
      request.listen(this);
      if (!spares.open(host, request)) continue;
      spares.forget(host);
      spares.makeWay(host);
      return now + LOOK_AGAIN;
    }
    if (kept.due > now) return kept.due;
    // When what is in use now will need a successor is not known yet.
    const most = host.inUse > 0 ? LOOK_AGAIN : this.#useOf(view);
    return now + Math.min(Math.max(spares.nextSuccessorIn(host), MIN_DELAY), most);
  }

  /** The host of `kept`, by the TLS options of now. `undefined`: it is none; then it is not kept any more. */
  #hostOf(kept: Kept): Host | undefined {
    try {
      const host = this.#pool.spares.hostFor(new SpareRequest(kept.options, undefined, false));
      const other = this.#byHost.get(host);
      if (other && other !== kept && this.#kept.has(other)) {
        // After a change of TLS options, both mean the same.
        if (!kept.hasRule) {
          other.usedAt = Math.max(other.usedAt, kept.usedAt);
          this.#kept.delete(kept);
          return undefined;
        }
        this.#kept.delete(other);
      }
      kept.host = host;
      this.#byHost.set(host, kept);
      return host;
    } catch {
      this.#kept.delete(kept);
      return undefined;
    }
  }

  #isUsed(kept: Kept, host: Host, now: number): boolean {
    if (kept.hasRule) return true;
    const poolNow = this.#pool.spares.now();
    for (const { idleSince, served, state } of host.connections) {
      if (state === 'active') kept.usedAt = now;
      else if (state === 'idle' && served > 0)
        kept.usedAt = Math.max(kept.usedAt, now - (poolNow - idleSince));
    }
    if (host.waiting.size > 0) kept.usedAt = now;
    const isUsed = now - kept.usedAt <= this.#useOf(this.#pool.view);
    if (!isUsed) this.#kept.delete(kept);
    return isUsed;
  }

  #useOf({ limits }: AgentPool['view']): number {
    return limits.trimInterval || DEFAULT_USE;
  }

  #wakeAt(at: number): void {
    const now = monotonicNow();
    if (at < this.#alarm.at || (at < Infinity && this.#alarm.isLost(now)))
      this.#alarm.set(at, now, MIN_DELAY);
  }
}

function look(warm: Warm): void {
  warm.look();
}

/** Milliseconds, before chance has its part. */
function retryAfter(failures: number): number {
  return failures === 0 ? 0 : Math.min(FIRST_RETRY * 2 ** (failures - 1), MAX_RETRY);
}
