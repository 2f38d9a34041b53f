/**
 * Hears the events of a pool's connections (connections/observer.ts), counts and measures them, and publishes them if there are subscribers. It is
 * always on: a warm request costs four additions and one check for subscribers.
 */
import type { AgentPool } from '../connections/agent-pool.js';
import type { Observer } from '../connections/observer.js';
import type { AgentKinds, PooledRequest, PooledSocket } from '../connections/pooled-socket.js';
import type { Origin } from '../identity/identity.js';
import type { QueueState } from '../limits/saturation.js';
import { codeOf, isolate } from '../node/foreign.js';
import type { AgentRequest } from '../node/types.js';
import { monotonicNow } from '../node/timers.js';
import { Counters, refusalCount } from '../pool/counters.js';
import type { Connection, HostPool } from '../pool/records.js';
import type { Refusal } from '../pool/refusal.js';
import { channels, publish } from './channels.js';
import { Durations } from './durations.js';
import type { DurationListener } from './duration-listener.js';
import { HostRecords, recordOf } from './host-records.js';
import type { HostRecord } from './host-records.js';
import type { Pool } from '../pool/pool.js';

type Conn = Connection<AgentKinds>;
type Host = HostPool<AgentKinds>;

export class Recorder implements Observer {
  /** The option `name` of the agent. */
  readonly name: string | undefined;
  /** The counters of all hosts: the pool counts connections, this counts the rest. */
  #total: Counters = new Counters();
  readonly #hosts: HostRecords;
  readonly timeInQueue: Durations = new Durations();
  readonly connectTime: Durations = new Durations();
  readonly connectionAge: Durations = new Durations();
  /** Metrics with histograms of their own. */
  readonly #durationListeners: Set<DurationListener> = new Set();
  /** Milliseconds for which a host without open connections is remembered. Called each time. */
  #keptFor: () => number = () => 0;

  /** @param protocols as of `HostRecords` */
  constructor(name: string | undefined, protocols: 'one' | 'both' = 'one') {
    this.name = name;
    this.#hosts = new HostRecords(protocols);
  }

  /** Counts go to the pool's own counters from now on. */
  attach({ counters, limits }: Pool<AgentKinds>): void {
    this.#total = counters;
    this.#keptFor = () => limits.trimInterval;
  }

  /** Hosts that are shown. */
  shown(now: number): HostRecord[] {
    return this.#hosts.shown(now, this.#keptFor());
  }

  /** @returns a function that stops it */
  listen(listener: DurationListener): () => void {
    this.#durationListeners.add(listener);
    return () => this.#durationListeners.delete(listener);
  }

  // Hosts

  countersOf(origin: Origin<Host>): Counters {
    return this.#hosts.use(origin, monotonicNow(), this.#keptFor());
  }

  retired(host: Host): void {
    recordOf(host).usedAt = monotonicNow();
  }

  get hearsOfSaturation(): boolean {
    return channels.hostSaturated.hasSubscribers || channels.hostDrained.hasSubscribers;
  }

  saturated(host: Host, state: QueueState): void {
    if (channels.hostSaturated.hasSubscribers)
      publish(channels.hostSaturated, { ...state, ...this.#of(host) });
  }

  drained(host: Host, state: QueueState): void {
    if (channels.hostDrained.hasSubscribers) publish(channels.hostDrained, { ...state, ...this.#of(host) });
  }

  // Requests

  came({ counters }: Host): void {
    this.#total.requests++;
    counters.requests++;
  }

  queued({ req }: PooledRequest, host: Host): void {
    this.#total.queued++;
    host.counters.queued++;
    if (channels.requestQueued.hasSubscribers)
      publish(channels.requestQueued, { ...this.#ofRequest(host, req), waiting: host.waiting.size });
  }

  leftQueue({ since, waiter }: PooledRequest): void {
    const waited = monotonicNow() - since;
    this.timeInQueue.record(waited);
    if (!waiter) return;
    const record = recordOf(waiter.host);
    this.#hosts.recordTime(record, waited);
    for (const listener of this.#durationListeners) isolate(() => listener.waited(record.name, waited));
  }

  assigned({ connection, used }: PooledSocket, req: AgentRequest, pending: PooledRequest | undefined): void {
    const { host, id } = connection;
    if (used && !pending?.isResent) {
      this.#total.reused++;
      host.counters.reused++;
    }
    if (!channels.requestAssigned.hasSubscribers) return;
    const waited = pending ? monotonicNow() - pending.since : 0;
    publish(channels.requestAssigned, {
      ...this.#ofRequest(host, req),
      connection: id,
      waited,
      reused: used,
    });
  }

  replayed({ host, id }: Conn, req: AgentRequest, count: number): void {
    this.#total.replayed++;
    host.counters.replayed++;
    if (channels.requestReplayed.hasSubscribers)
      publish(channels.requestReplayed, { ...this.#ofRequest(host, req), connection: id, count });
  }

  refused(host: Host, req: AgentRequest, { limitedBy, waited }: Refusal): void {
    const reason = refusalCount(limitedBy);
    this.#total.refused[reason]++;
    host.counters.refused[reason]++;
    if (channels.requestRefused.hasSubscribers)
      publish(channels.requestRefused, { ...this.#ofRequest(host, req), reason, waited });
  }

  // Connections

  opened({ host, id }: Conn, request: AgentRequest | undefined): void {
    this.#hosts.keep(recordOf(host));
    if (channels.connectionOpen.hasSubscribers)
      publish(channels.connectionOpen, { ...this.#of(host), connection: id, request });
  }

  ready(connection: Conn, handshake: 'full' | 'resumed' | undefined): void {
    this.connectTime.record(connection.readyAt - connection.dialledAt);
    if (!handshake) return;
    this.#total.handshakes[handshake]++;
    connection.host.counters.handshakes[handshake]++;
  }

  gone(connection: Conn): void {
    const { dialledAt, readyAt } = connection;
    // It was given up, or failed, before its dial began. It counts as opened, so that messages add up as the counters do.
    if (readyAt < 0 && dialledAt < 0) this.opened(connection, undefined);
    const age = readyAt < 0 ? 0 : monotonicNow() - readyAt;
    if (readyAt >= 0) this.#tellAge(connection, age);
    if (channels.connectionClose.hasSubscribers) this.#publishClose(connection, age);
  }

  redialled(connection: Conn): void {
    if (channels.connectionClose.hasSubscribers) this.#publishClose(connection, 0, true);
  }

  #tellAge({ host }: Conn, age: number): void {
    this.connectionAge.record(age);
    const { name } = recordOf(host);
    for (const listener of this.#durationListeners) isolate(() => listener.lived(name, age));
  }

  #publishClose(
    connection: Conn,
    age: number,
    isFailure = connection.hasFailed || connection.closeReason === 'connect-failed',
  ): void {
    const { closeReason = 'closed', dialledAt, host, id, pooled, readyAt, served } = connection;
    const code = codeOf(pooled?.error);
    publish(channels.connectionClose, {
      ...this.#of(host),
      connection: id,
      reason: isFailure ? 'connect-failed' : closeReason,
      age,
      connectTime: readyAt < 0 || dialledAt < 0 ? undefined : readyAt - dialledAt,
      requests: served,
      phase: isFailure ? connection.phase : undefined,
      code: typeof code === 'string' ? code : undefined,
    });
  }

  // TLS

  rotated(by: 'updateTls' | 'tls'): void {
    if (channels.tlsRotated.hasSubscribers) publish(channels.tlsRotated, { agent: this.name, by });
  }

  #of(host: Host): { agent: string | undefined; host: string } {
    return { agent: this.name, host: recordOf(host).name };
  }

  #ofRequest(
    host: Host,
    request: AgentRequest,
  ): { agent: string | undefined; host: string; request: AgentRequest } {
    return { ...this.#of(host), request };
  }
}

/** The recorder of a pool: agent/equipment.ts makes one for each. */
export function recorderOf({ observer }: AgentPool): Recorder {
  return observer as Recorder;
}
