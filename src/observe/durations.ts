/**
 * The distribution of a duration: a histogram of Node's, which takes microseconds and 55 KB. Most agents that are ever made (for one request,
 * in a test) see few connections; so the histogram is made, and filled, when there are values enough for it, or when somebody looks.
 */
// oxlint-disable-next-line no-restricted-imports -- a histogram is no clock
import { createHistogram } from 'node:perf_hooks';

/** A distribution, in milliseconds. All zeros where nothing was recorded yet. Values above 1 ms are exact to 0.1 %. */
export interface DurationStats {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

type Histogram = ReturnType<typeof createHistogram>;

const NONE: DurationStats = { count: 0, mean: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };

/** Values that are held before they are recorded: enough that few short-lived agents ever have a histogram. */
const MAX_HELD = 64;

export class Durations {
  #histogram: Histogram | undefined = undefined;
  #held: number[] = [];

  /** How many were recorded. */
  get count(): number {
    return (this.#histogram?.count ?? 0) + this.#held.length;
  }

  record(milliseconds: number): void {
    if (this.#held.push(milliseconds) >= MAX_HELD) this.#flush();
  }

  stats(): DurationStats {
    if (this.count === 0) return { ...NONE };
    const histogram = this.#flush();
    return {
      count: histogram.count,
      mean: histogram.mean / 1000,
      min: histogram.min / 1000,
      max: histogram.max / 1000,
      p50: histogram.percentile(50) / 1000,
      p90: histogram.percentile(90) / 1000,
      p99: histogram.percentile(99) / 1000,
    };
  }

  #flush(): Histogram {
    const histogram = (this.#histogram ??= createHistogram());
    // It takes integers from 1.
    for (const milliseconds of this.#held) histogram.record(Math.max(1, Math.round(milliseconds * 1000)));
    this.#held = [];
    return histogram;
  }
}
