/**
 * `minFreeSockets`: keeps that number of connections of a host free, beside those in use. It promises
 *
 * - a connection that will soon be too old for some requests is replaced before; the new one is opened first;
 * - no request waits because of it, and no idle connection of others is closed for it: see pool/spares.ts;
 * - failed dials are tried again, ever more seldom, at random times;
 * - it keeps no process alive, except during a look-up or a connect.
 *
 * kept-hosts.ts knows which hosts are kept ready. The pool tells when a host may lack connections; this checks the host when the pool's stack is
 * done, and again when connections may have become too old.
 */
import { AsyncResource } from 'node:async_hooks';
import type { AgentPool, Host } from '../connections/agent-pool.js';
import type { AgentKinds } from '../connections/pooled-socket.js';
import type { HostWatch } from '../connections/dials/spare-connections.js';
import { SpareRequest } from '../connections/dials/spare-request.js';
import type { SpareListener } from '../connections/dials/spare-request.js';
import { debug } from '../debug.js';
import { hostLabel } from '../debug-lines.js';
import type { Options } from '../identity/identity.js';
import { Alarm } from '../node/alarm.js';
import { codeOf, isolate } from '../node/foreign.js';
import { interceptor } from '../node/interception.js';
import { KeptHosts } from './kept-hosts.js';
import { SHORT_LIFE } from './kept-host.js';
import type { KeptHost } from './kept-host.js';
import { monotonicNow } from '../node/timers.js';
import { TurnAlarm } from '../node/turn-alarm.js';
import type { Connection } from '../pool/records.js';

/** Milliseconds after which a host is checked again, where no connection could be opened. */
const LOOK_AGAIN = 500;
/** Milliseconds for which a host is kept ready after its last request, where `trimInterval` is 0. */
const DEFAULT_USE = 60_000;
/** The least number of milliseconds between two checks. */
const MIN_DELAY = 10;
/** Dials that begin in one turn of the event loop. */
const PER_TURN = 2;
/** Turns of the event loop for which requests that are about to get ready connections come first: a handshake takes as long as many requests. */
const MAX_PUT_OFF = 5;

/** Connections that no request has asked for are opened in an async context of their own. */
const NOBODY = new AsyncResource('MinFreeSockets');

export class Warm implements HostWatch, SpareListener {
  readonly #pool: AgentPool;
  readonly #kept: KeptHosts;
  readonly #openedAt = new WeakMap<Connection<AgentKinds>, number>();
  #isStopped = false;
  readonly #soon: TurnAlarm = new TurnAlarm(() => this.look());
  readonly #alarm: Alarm = new Alarm('lets-exit', () => this.#lookNextTurn());
  /** Dials that may begin in this turn of the event loop. */
  #dialsLeft = PER_TURN;

  constructor(pool: AgentPool) {
    this.#pool = pool;
    this.#kept = new KeptHosts(pool);
  }

  // Events of the pool

  used(host: Host, options: Options): void {
    const kept = this.#kept.use(host, options);
    if (!kept) return;
    kept.usedAt = monotonicNow();
    // After `destroy()`, the first request starts all again.
    if (this.#isStopped) {
      this.#isStopped = false;
      this.changed();
    }
    this.#lookSoon(kept);
  }

  /** Hot path where a host has a `minFreeSockets`. */
  short(host: Host): void {
    const kept = this.#kept.of(host);
    if (kept && this.#kept.has(kept)) this.#lookSoon(kept);
    else if (!kept) {
      const options = this.#kept.admit(host);
      if (options) this.used(host, options);
    }
  }

  gone(connection: Connection<AgentKinds>): void {
    const openedAt = this.#openedAt.get(connection);
    if (openedAt === undefined || connection.served > 0) return;
    const { closeReason, host } = connection;
    const isByServer = closeReason === 'closed' || closeReason === 'server-closed';
    const kept = this.#kept.of(host);
    if (kept && isByServer && monotonicNow() - openedAt < SHORT_LIFE) kept.failed(monotonicNow());
  }

  // Ends of dials

  ready(_request: SpareRequest, connection: Connection<AgentKinds>): void {
    this.#openedAt.set(connection, monotonicNow());
    // The time at which it needs a successor is known now.
    this.short(connection.host);
  }

  failed({ waiter }: SpareRequest, reason: unknown): void {
    const kept = waiter && this.#kept.of(waiter.host);
    if (!kept) return;
    debug.enabled &&
      debug('%s is not kept ready for now: %s', hostLabel(waiter.host.origin), codeOf(reason) ?? 'given up');
    // Nothing has failed. Its slot was needed; or it was not kept, and the next one would not be, either.
    if (reason === undefined && this.#pool.spares.obstacle(waiter.host))
      kept.due = Math.max(kept.due, monotonicNow() + LOOK_AGAIN);
    else kept.failed(monotonicNow());
    this.#wakeAt(kept.due);
  }

  // Events of the agent

  /** Limits or rules have changed, or were given for the first time. */
  changed(): void {
    if (this.#isStopped) return;
    this.#kept.obeyRules();
    for (const kept of this.#kept) this.#lookSoon(kept);
  }

  /** Opens nothing more until a request comes. */
  stop(): void {
    this.#isStopped = true;
    this.#kept.clear();
    this.#alarm.clear();
  }

  // Checks

  /** Hot path. */
  #lookSoon(kept: KeptHost): void {
    kept.hasten(monotonicNow);
    this.#lookNextTurn();
  }

  #lookNextTurn(): void {
    if (this.#soon.isSet) this.#soon.await(monotonicNow());
    else this.#soon.set();
  }

  look(): void {
    this.#dialsLeft = PER_TURN;
    const now = monotonicNow();
    let next = Infinity;
    if (this.#pool.isClosed) {
      this.stop();
      return;
    }
    for (const kept of this.#kept) {
      if (kept.due <= now && this.#dialsLeft > 0)
        isolate(() => {
          kept.due = NOBODY.runInAsyncScope(() => this.#lookAt(kept, now));
        });
      next = Math.min(next, kept.due);
    }
    if (next <= now) this.#lookNextTurn();
    else this.#wakeAt(next);
  }

  /** Opens connections that are lacking. Returns the time of the next check. */
  #lookAt(kept: KeptHost, now: number): number {
    const { spares, view } = this.#pool;
    // A mocking library stands before the agent: no real connection may be opened.
    if (interceptor() !== undefined) return now + LOOK_AGAIN;
    const host = this.#kept.hostOf(kept);
    if (!host) return Infinity;
    const { maxFreeSockets, maxSockets, minFreeSockets } = host.limits;
    const least = Math.min(minFreeSockets, maxFreeSockets, maxSockets);
    const isWanted = least > 0 && view.limits.keepAlive && this.#isUsed(kept, host, now);
    if (!isWanted) {
      spares.forget(host);
      // A raised limit calls `changed`.
      if (!kept.hasRule && minFreeSockets === 0) this.#kept.delete(kept);
      return Infinity;
    }
    const isServing = host.waiting.size > 0 && host.validating > 0;
    kept.putOff = isServing ? kept.putOff + 1 : 0;
    if (isServing && kept.putOff <= MAX_PUT_OFF) return now;
    // A dial that fails at once moves `due`, and so ends this loop.
    for (let lack = spares.shortage(host, least); lack > 0 && kept.due <= now; lack--) {
      if (this.#dialsLeft === 0) return now;
      this.#dialsLeft--;
      const request = new SpareRequest(this.#pool.protocol, kept.options, undefined, false);
      request.listen(this);
      if (!spares.open(host, request)) continue;
      spares.forget(host);
      spares.makeWay(host);
      return now + LOOK_AGAIN;
    }
    if (kept.due > now) return kept.due;
    // Connections in use: the time at which they need successors is known when they are idle.
    const most = host.inUse > 0 ? LOOK_AGAIN : this.#useOf(view);
    return now + Math.min(Math.max(spares.nextSuccessorIn(host), MIN_DELAY), most);
  }

  #isUsed(kept: KeptHost, host: Host, now: number): boolean {
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
