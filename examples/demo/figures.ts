/** The figures that the samples of a phase come to. */
import { median, percentile } from '../../bench/statistics.js';
import type { Name, Result, Results } from './contest.js';
import type { Sample } from './load.js';

export interface Figures {
  /** Requests answered in a second: the median of the turns, so that a pause of the machine in one of them counts little. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of this process for each request. */
  readonly cpu: number;
}

export function figuresOf({ samples }: Result): Figures {
  const latencies = samples.flatMap((sample) => sample.latencies);
  const cpu = samples.reduce((total, sample) => total + sample.cpu, 0);
  return {
    rate: median(samples.map(rateOf)),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpu: cpu / latencies.length,
  };
}

/**
 * How many times as many requests in a second an agent answered as Node's. It is the median of the rounds: the turns of a round follow each other, so
 * that the other load of the machine is about the same for all of them.
 */
export function ratioOf(results: Results, name: Name): number {
  const base = results['https.Agent'].samples.map(rateOf);
  return median(results[name].samples.map((sample, round) => rateOf(sample) / (base[round] ?? NaN)));
}

function rateOf({ latencies, elapsed }: Sample): number {
  return (latencies.length / elapsed) * 1000;
}
