/** The knowledge of the page: the last frame, and the past of each agent, as far back as the charts reach. It draws nothing. */
import { HOST_FIELDS, SAMPLE_FIELDS } from '../src/inspect/feed.js';
import type {
  AgentFrame,
  Frame,
  Hello,
  HostDetails,
  HostField,
  Sample,
  SampleField,
  Times,
} from '../src/inspect/feed.js';

/** All agents together, or the id of one. */
export type Selection = 'all' | number;

export interface Host extends Readonly<Record<HostField, number>> {
  readonly key: string;
  readonly agent: AgentFrame;
  readonly name: string;
}

/** The values that the charts show, in columns, the oldest first. `null`: not known, or not to be said. */
export interface Series {
  /** Seconds since the epoch. */
  readonly at: number[];
  readonly connecting: number[];
  readonly active: number[];
  readonly idle: number[];
  readonly closing: number[];
  readonly waiting: number[];
  /** Each second. */
  readonly requests: (number | null)[];
  /** Those of them on a connection that had served before, and those on a new one. */
  readonly reused: (number | null)[];
  readonly fresh: (number | null)[];
  readonly full: (number | null)[];
  readonly resumed: (number | null)[];
  /** The mean of the requests that stopped waiting in this interval, in milliseconds. */
  readonly wait: (number | null)[];
}

const indexOf = Object.fromEntries(SAMPLE_FIELDS.map((field, index) => [field, index])) as Record<
  SampleField,
  number
>;

export function valueOf(sample: Sample, field: SampleField): number {
  return sample[indexOf[field]] ?? 0;
}

const GAUGES = ['connecting', 'active', 'idle', 'closing', 'waiting'] as const;
const COUNTERS = ['requests', 'reused', 'full', 'resumed', 'waits', 'waited'] as const;

/** The length of "the last minute" in milliseconds. */
const RECENT = 60_000;

/** Closes, failures or refusals, by name. */
export type Tally = Readonly<Record<string, number>>;
type TallyName = 'closes' | 'failed' | 'refused';

export class Model {
  hello: Hello | undefined;
  agents: readonly AgentFrame[] = [];
  details: HostDetails | undefined;
  readonly #history: Map<number, Sample[]> = new Map();
  readonly #tallies: Map<number, { at: number; closes: Tally; failed: Tally; refused: Tally }[]> = new Map();

  /** @param isContinued the same process goes on, and sends only what was missed */
  welcome(hello: Hello, isContinued: boolean): void {
    this.hello = hello;
    if (!isContinued) {
      this.#history.clear();
      this.#tallies.clear();
      this.agents = [];
      this.details = undefined;
    }
    for (const [id, samples] of Object.entries(hello.history)) {
      for (const sample of samples) this.#note(Number(id), sample);
    }
  }

  take({ agents, details }: Frame): void {
    this.agents = agents;
    this.details = details;
    for (const { id, sample, closes, failed, refused } of agents) {
      this.#note(id, sample);
      const at = valueOf(sample, 'at');
      const tallies = this.#tallies.get(id) ?? [];
      this.#tallies.set(id, tallies);
      tallies.push({ at, closes, failed, refused });
      while ((tallies[0]?.at ?? at) < at - RECENT) tallies.shift();
    }
    const known = new Set(agents.map(({ id }) => id));
    for (const id of this.#history.keys()) if (!known.has(id)) this.#history.delete(id);
    for (const id of this.#tallies.keys()) if (!known.has(id)) this.#tallies.delete(id);
  }

  #note(id: number, sample: Sample): void {
    const samples = this.#history.get(id) ?? [];
    this.#history.set(id, samples);
    const at = valueOf(sample, 'at');
    const last = samples.at(-1);
    if (last && valueOf(last, 'at') >= at) return;
    samples.push(sample);
    const oldest = at - (this.hello?.window ?? Infinity);
    while (samples[0] && valueOf(samples[0], 'at') < oldest) samples.shift();
  }

  selected(selection: Selection): readonly AgentFrame[] {
    return selection === 'all' ? this.agents : this.agents.filter(({ id }) => id === selection);
  }

  sum(selection: Selection, field: SampleField): number {
    return this.selected(selection).reduce((sum, { sample }) => sum + valueOf(sample, field), 0);
  }

  /** Percentiles of several agents cannot be added up: the worst is shown. */
  times(selection: Selection, name: 'timeInQueue' | 'connectTime' | 'connectionAge'): Times {
    const all = this.selected(selection).map((agent) => agent[name]);
    const used = all.filter(({ count }) => count > 0);
    const count = used.reduce((sum, times) => sum + times.count, 0);
    const worst = (key: keyof Times): number => Math.max(0, ...used.map((times) => times[key]));
    return {
      count,
      mean: count === 0 ? 0 : used.reduce((sum, times) => sum + times.mean * times.count, 0) / count,
      min: used.length === 0 ? 0 : Math.min(...used.map(({ min }) => min)),
      max: worst('max'),
      p50: worst('p50'),
      p90: worst('p90'),
      p99: worst('p99'),
    };
  }

  /** Each kind with its number since the agents were made, and in the last minute; the most frequent first. */
  tally(selection: Selection, name: TallyName): { kind: string; total: number; recent: number }[] {
    const sums = new Map<string, { total: number; recent: number }>();
    for (const agent of this.selected(selection)) {
      const before = this.#tallies.get(agent.id)?.[0]?.[name] ?? {};
      for (const [kind, total] of Object.entries(agent[name])) {
        const sum = sums.get(kind) ?? { total: 0, recent: 0 };
        sum.total += total;
        sum.recent += total - (before[kind] ?? 0);
        sums.set(kind, sum);
      }
    }
    return [...sums]
      .filter(([, { total }]) => total > 0)
      .map(([kind, { total, recent }]) => ({ kind, total, recent }))
      .toSorted((a, b) => b.total - a.total || a.kind.localeCompare(b.kind));
  }

  hosts(selection: Selection): Host[] {
    return this.selected(selection).flatMap((agent) =>
      agent.hosts.map(([name, ...values]) => {
        const numbers = Object.fromEntries(HOST_FIELDS.map((field, index) => [field, values[index] ?? 0]));
        return { ...(numbers as Record<HostField, number>), agent, name, key: `${agent.id} ${name}` };
      }),
    );
  }

  series(selection: Selection): Series {
    const moments = new Map<number, Record<string, number>>();
    for (const { id } of this.selected(selection)) {
      let before: Sample | undefined;
      for (const sample of this.#history.get(id) ?? []) {
        const at = valueOf(sample, 'at');
        const sums = moments.get(at) ?? {};
        moments.set(at, sums);
        for (const field of GAUGES) sums[field] = (sums[field] ?? 0) + valueOf(sample, field);
        if (before) {
          const seconds = (at - valueOf(before, 'at')) / 1000;
          sums['seconds'] = Math.max(seconds, sums['seconds'] ?? 0);
          for (const field of COUNTERS) {
            sums[field] = (sums[field] ?? 0) + valueOf(sample, field) - valueOf(before, field);
          }
        }
        before = sample;
      }
    }
    const ordered = [...moments].toSorted(([a], [b]) => a - b);
    const gauge = (field: string): number[] => ordered.map(([, sums]) => sums[field] ?? 0);
    const each = (field: string): (number | null)[] =>
      ordered.map(([, sums]) => (sums['seconds'] ? (sums[field] ?? 0) / sums['seconds'] : null));
    return {
      at: ordered.map(([at]) => at / 1000),
      connecting: gauge('connecting'),
      active: gauge('active'),
      idle: gauge('idle'),
      closing: gauge('closing'),
      waiting: gauge('waiting'),
      requests: each('requests'),
      reused: each('reused'),
      // A request counts when it comes, and as reused when it has its connection: the two may be in different intervals.
      fresh: ordered.map(([, { requests = 0, reused = 0, seconds }]) =>
        seconds ? Math.max(0, requests - reused) / seconds : null,
      ),
      full: each('full'),
      resumed: each('resumed'),
      wait: ordered.map(([, { waits, waited }]) => (waits ? Math.max(0, waited ?? 0) / waits : null)),
    };
  }
}
