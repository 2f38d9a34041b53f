/**
 * The counts of single hosts: one record for each `host:port`, whatever identities it is reached by, and for some time after nothing of it
 * is open any more. It promises that hosts which hold nothing are few (`MAX_HOSTS`), and that few have a histogram (`MAX_TIMED`).
 */
import { hostAndPort } from '../limits/host-name.js';
import type { Named } from '../limits/host-name.js';
import { normalizeHost, withPort } from '../limits/pattern.js';
import { Counters } from '../pool/counters.js';
import { Durations } from './durations.js';

/** Hosts that are shown at most, and that are remembered while nothing of them is open. */
export const MAX_HOSTS = 1000;

/** Hosts of which it is known how long their requests were in the queue: a histogram takes 55 KB. */
export const MAX_TIMED = 100;

export class HostRecord extends Counters {
  /** `host:port`. */
  readonly name: string;
  /** When a request asked for it while nothing of it was open, or when nothing was any more, on the monotonic clock. */
  usedAt = 0;
  /** How long its requests were in the queue, if it is one of the busiest. */
  timeInQueue: Durations | undefined = undefined;

  constructor(name: string) {
    super();
    this.name = name;
  }

  /** Whether anything of it is open, or waits. */
  get isHeld(): boolean {
    return this.open > 0 || this.waiting > 0;
  }
}

export class HostRecords {
  readonly #records = new Map<string, HostRecord>();
  readonly #timed = new Set<HostRecord>();
  /** The number of records at which those that are of no use any more are looked for. */
  #sweepsAt = 2 * MAX_HOSTS;

  /**
   * The record of `origin`, of which a request is to use something now.
   *
   * @param keptFor milliseconds for which a host is remembered of which nothing is open
   */
  use(origin: Named, now: number, keptFor: number): HostRecord {
    const name = recordName(origin);
    let record = this.#records.get(name);
    if (!record) {
      if (this.#records.size >= this.#sweepsAt) this.#sweep(now, keptFor);
      record = new HostRecord(name);
      this.#records.set(name, record);
    }
    record.usedAt = now;
    return record;
  }

  /** Something of `record` is opened. It may have been forgotten while nothing of it was. */
  keep(record: HostRecord): void {
    if (!this.#records.has(record.name)) this.#records.set(record.name, record);
  }

  get(name: string): HostRecord | undefined {
    return this.#records.get(name);
  }

  /** A request of `record` was in the queue for so long. */
  recordTime(record: HostRecord, milliseconds: number): void {
    record.timeInQueue ??= this.#claim(record);
    record.timeInQueue?.record(milliseconds);
  }

  /** Those that are shown: what holds something, or was used of late, the busiest if that are too many. */
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

  /** A histogram for `record`, if one is left, or if a less busy host has one. */
  #claim(record: HostRecord): Durations | undefined {
    // A host may be counted on after it was forgotten.
    if (this.#records.get(record.name) !== record) return undefined;
    if (this.#timed.size >= MAX_TIMED) {
      let least = record;
      for (const other of this.#timed) if (other.queued < least.queued) least = other;
      if (least === record) return undefined;
      least.timeInQueue = undefined;
      this.#timed.delete(least);
    }
    this.#timed.add(record);
    return new Durations();
  }
}

/** Those that hold something first, the busiest first. */
function byUse(a: HostRecord, b: HostRecord): number {
  return Number(b.isHeld) - Number(a.isHeld) || b.requests - a.requests;
}

/** The name that callers have written, in one form, and without what must not be printed. */
function recordName(origin: Named): string {
  const { host, port } = hostAndPort(origin);
  // oxlint-disable-next-line no-control-regex -- these are what must not be printed
  return withPort(normalizeHost(host), port).replaceAll(/[\0-\x1f\x7f]/g, '?');
}

/** The record of a host of the pool: its counters are records of ours. */
export function recordOf({ counters }: { readonly counters: Counters }): HostRecord {
  return counters as HostRecord;
}
