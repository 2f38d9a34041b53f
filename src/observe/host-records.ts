/**
 * The counts of single hosts: one record for each `host:port`, for all its identities, which is kept for some time after the last connection is
 * closed. The number of records of hosts that hold nothing is bounded (`MAX_HOSTS`), and so is the number of histograms (`MAX_TIMED`).
 */
import { hostAndPort, normalizeHost, printable, withPort } from '../limits/host-name.js';
import type { Named } from '../limits/host-name.js';
import { Counters } from '../pool/counters.js';
import { Durations } from './durations.js';

/** The number of hosts that are shown at most, and that are remembered while they hold nothing. */
export const MAX_HOSTS = 1000;

/** The number of hosts with a histogram of waiting times: a histogram takes 55 KB. */
export const MAX_TIMED = 100;

export class HostRecord extends Counters {
  /** `host:port`, or, where hosts of both protocols come, `http://host:port`. */
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
  /** The time at which it last began, or ceased, to hold something, on the monotonic clock. */
  usedAt = 0;
  /** The waiting times of its requests, if it is one of the busiest hosts. */
  timeInQueue: Durations | undefined = undefined;

  constructor(name: string, address = name) {
    super();
    this.name = name;
    this.address = address;
  }

  /** Whether it has an open connection or a waiting request. */
  get isHeld(): boolean {
    return this.open > 0 || this.waiting > 0;
  }
}

export class HostRecords {
  readonly #protocols: 'one' | 'both';
  readonly #records = new Map<string, HostRecord>();
  readonly #timed = new Set<HostRecord>();
  /** A lower bound of the queued requests of hosts with a histogram. These numbers only grow, so the bound holds until it is computed again. */
  #leastQueued = 0;
  /** The number of records at which old ones are removed. */
  #sweepsAt = 2 * MAX_HOSTS;

  /** @param protocols whether hosts of both come, so that their names have to tell these apart */
  constructor(protocols: 'one' | 'both' = 'one') {
    this.#protocols = protocols;
  }

  /**
   * The record of `origin`, which is about to be used.
   *
   * @param keptFor milliseconds for which a host that holds nothing is remembered
   */
  use(origin: Named, now: number, keptFor: number): HostRecord {
    const address = addressName(origin);
    const name = this.#protocols === 'both' ? `${origin.protocol?.name ?? 'https:'}//${address}` : address;
    let record = this.#records.get(name);
    if (!record) {
      if (this.#records.size >= this.#sweepsAt) this.#sweep(now, keptFor);
      record = new HostRecord(name, address);
      this.#records.set(name, record);
    }
    record.usedAt = now;
    return record;
  }

  /** A connection of `record` is opened. The record may have been forgotten while it held nothing. */
  keep(record: HostRecord): void {
    if (!this.#records.has(record.name)) this.#records.set(record.name, record);
  }

  get(name: string): HostRecord | undefined {
    return this.#records.get(name);
  }

  /** A request of `record` has waited for this many milliseconds. */
  recordTime(record: HostRecord, milliseconds: number): void {
    record.timeInQueue ??= this.#claim(record);
    record.timeInQueue?.record(milliseconds);
  }

  /** The records that are shown: those that hold something or were used recently; the busiest, if there are too many. */
  shown(now: number, keptFor: number): HostRecord[] {
    this.#sweep(now, keptFor);
    const records = [...this.#records.values()];
    if (records.length <= MAX_HOSTS) return records;
    return records.toSorted(byUse).slice(0, MAX_HOSTS);
  }

  #sweep(now: number, keptFor: number): void {
    const unused: HostRecord[] = [];
    for (const record of this.#records.values()) {
      if (record.isHeld) continue;
      if (now - record.usedAt > keptFor) this.#forget(record);
      else unused.push(record);
    }
    if (unused.length > MAX_HOSTS) {
      const oldestFirst = unused.toSorted((a, b) => a.usedAt - b.usedAt);
      for (const record of oldestFirst.slice(0, unused.length - MAX_HOSTS)) this.#forget(record);
    }
    this.#sweepsAt = 2 * Math.max(this.#records.size, MAX_HOSTS);
  }

  #forget(record: HostRecord): void {
    this.#records.delete(record.name);
    this.#timed.delete(record);
  }

  /** A histogram for `record`: a new one if there may be more, or else in place of that of a less busy host. */
  #claim(record: HostRecord): Durations | undefined {
    // The host may have been forgotten.
    if (this.#records.get(record.name) !== record) return undefined;
    if (this.#timed.size >= MAX_TIMED) {
      if (record.queued <= this.#leastQueued) return undefined;
      let least = record;
      for (const other of this.#timed) if (other.queued < least.queued) least = other;
      this.#leastQueued = least.queued;
      if (least === record) return undefined;
      least.timeInQueue = undefined;
      this.#timed.delete(least);
    }
    this.#timed.add(record);
    this.#leastQueued = Math.min(this.#leastQueued, record.queued);
    return new Durations();
  }
}

/** Sorts records that hold something before others, and busy ones first. */
function byUse(a: HostRecord, b: HostRecord): number {
  return Number(b.isHeld) - Number(a.isHeld) || b.requests - a.requests;
}

/** The name as callers have written it, normalized, and without characters that must not be printed. */
function addressName(origin: Named): string {
  const { host, port } = hostAndPort(origin);
  return printable(withPort(normalizeHost(host), port));
}

/** The record of a host of the pool: its counters object is the record. */
export function recordOf({ counters }: { readonly counters: Counters }): HostRecord {
  return counters as HostRecord;
}
