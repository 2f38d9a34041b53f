/**
 * The distribution of a duration, by a histogram of Node's, which counts microseconds and takes 55 KB. Most agents (for one request, in a test) and
 * most hosts see few connections, so the histogram is made only when there are enough values. Few values are kept as a list, and the result of a
 * distribution that has not changed is kept.
 */
// oxlint-disable-next-line no-restricted-imports -- a histogram is no clock, and this is its type
import type { RecordableHistogram } from 'node:perf_hooks';

/** A distribution, in milliseconds. All zeros where nothing was recorded yet. Values above 1 ms are exact to 0.1 %. */
export interface DurationStats {
  /** The number of recorded values. */
  readonly count: number;
  /** Their mean, in milliseconds. */
  readonly mean: number;
  /** The shortest value. */
  readonly min: number;
  /** The longest value. */
  readonly max: number;
  /** The median. */
  readonly p50: number;
  /** 90 % of the values are not longer. */
  readonly p90: number;
  /** 99 % of the values are not longer. */
  readonly p99: number;
}

/** Node loads histograms at their first use. */
function createHistogram(): RecordableHistogram {
  return process.getBuiltinModule('node:perf_hooks').createHistogram();
}

const NONE: DurationStats = { count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };

/** The number of values that are kept as a list before a histogram is made. */
const MAX_HELD = 64;

export class Durations {
  #histogram: RecordableHistogram | undefined = undefined;
  #held: number[] = [];
  /** The sum of all values, in microseconds. The histogram would go through all its buckets to find the mean. */
  #sum = 0;
  /** The last result, while it holds. */
  #last: DurationStats | undefined = undefined;

  /** The number of recorded values. */
  get count(): number {
    return (this.#histogram?.count ?? 0) + this.#held.length;
  }

  record(milliseconds: number): void {
    // A histogram takes integers from 1.
    const microseconds = Math.max(1, Math.round(milliseconds * 1000));
    this.#sum += microseconds;
    this.#last = undefined;
    if (this.#held.push(microseconds) >= MAX_HELD) this.#flush();
  }

  stats(): DurationStats {
    const last = (this.#last ??= this.#stats());
    return { ...last };
  }

  #stats(): DurationStats {
    const { count } = this;
    if (count === 0) return NONE;
    const mean = this.#sum / count / 1000;
    if (!this.#histogram) return { count, mean, ...extremesOf(this.#held) };
    const histogram = this.#flush();
    return {
      count,
      mean,
      min: histogram.min / 1000,
      max: histogram.max / 1000,
      p50: histogram.percentile(50) / 1000,
      p90: histogram.percentile(90) / 1000,
      p99: histogram.percentile(99) / 1000,
    };
  }

  #flush(): RecordableHistogram {
    const histogram = (this.#histogram ??= createHistogram());
    for (const microseconds of this.#held) histogram.record(microseconds);
    this.#held = [];
    return histogram;
  }
}

/** The results that a histogram with these `values` would have. */
function extremesOf(values: readonly number[]): Omit<DurationStats, 'count' | 'mean'> {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (rank: number): number => (sorted[Math.max(1, Math.round(rank)) - 1] ?? 0) / 1000;
  const count = sorted.length;
  return {
    min: at(1),
    max: at(count),
    p50: at(0.5 * count),
    p90: at(0.9 * count),
    p99: at(0.99 * count),
  };
}
