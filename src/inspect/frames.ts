/** Makes the messages of the page out of `stats()`: a sample for the charts, rows for the table. */
import { HOST_FIELDS, SAMPLE_FIELDS } from './feed.js';
import type { AgentFrame, HostField, HostRow, Sample, SampleField } from './feed.js';
import type { Named } from './agents.js';
import type { AgentStats, HostStats } from '../index.js';
import { observationOf } from '../telemetry/observed.js';

/** @param at milliseconds since the epoch */
export function sampleOf(stats: AgentStats, at: number): Sample {
  const { handshakes, timeInQueue } = stats;
  const values: Record<SampleField, number> = {
    ...pick(stats, 'connecting', 'active', 'idle', 'closing', 'waiting', 'requests', 'reused', 'opened'),
    at,
    full: handshakes.full,
    resumed: handshakes.resumed,
    waits: timeInQueue.count,
    waited: Math.round(timeInQueue.count * timeInQueue.mean),
  };
  return SAMPLE_FIELDS.map((field) => values[field]);
}

export function frameOf({ id, name, agent }: Named, stats: AgentStats, sample: Sample): AgentFrame {
  const limits = observationOf(agent)?.maxSockets();
  return {
    id,
    name,
    closed: agent.closed === true,
    sample,
    queued: stats.queued,
    replayed: stats.replayed,
    failed: stats.failed,
    closes: stats.closed,
    refused: stats.refused,
    timeInQueue: stats.timeInQueue,
    connectTime: stats.connectTime,
    connectionAge: stats.connectionAge,
    hosts: Object.entries(stats.hosts ?? {}).map(([host, counters]) =>
      rowOf(host, counters, limits?.get(host)),
    ),
  };
}

function rowOf(host: string, counters: HostStats, maxSockets = Infinity): HostRow {
  const { closed, failed, handshakes, refused, timeInQueue } = counters;
  const values: Record<HostField, number> = {
    ...pick(counters, 'connecting', 'active', 'idle', 'closing', 'waiting'),
    ...pick(counters, 'requests', 'reused', 'queued', 'replayed', 'opened'),
    maxSockets: maxSockets === Infinity ? -1 : maxSockets,
    failed: sum(failed),
    closed: sum(closed),
    refused: sum(refused),
    full: handshakes.full,
    resumed: handshakes.resumed,
    p50: timeInQueue ? round(timeInQueue.p50) : -1,
    p99: timeInQueue ? round(timeInQueue.p99) : -1,
  };
  return [host, ...HOST_FIELDS.map((field) => values[field])];
}

function pick<K extends string>(from: Readonly<Record<K, number>>, ...keys: K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Record<K, number>;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Rounds to the microsecond: more digits would only cost bytes. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
