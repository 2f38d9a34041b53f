/** The demo's table: every phase, and all together, with both agents side by side. */
import Table from 'cli-table3';
import type { Result } from './contest.js';
import type { Sample } from './load.js';

const HEAD = [
  'phase',
  'agent',
  'requests\nper second',
  'p50\nms',
  'p99\nms',
  'connections\nopened',
  'handshakes\nresumed',
  'CPU µs per\nrequest',
  'errors',
  'lost',
];

export class ResultTable {
  readonly #table = new Table({
    head: HEAD,
    colAligns: HEAD.map((_, column) => (column < 2 ? 'left' : 'right')),
    style: { head: [], border: [] },
  });

  add(phase: string, results: Record<string, Result>): void {
    const rows = Object.entries(results);
    for (const [index, [agent, result]] of rows.entries()) {
      const cells = [agent, ...figures(result)];
      this.#table.push(index === 0 ? [{ content: phase, rowSpan: rows.length }, ...cells] : cells);
    }
  }

  toString(): string {
    return this.#table.toString();
  }
}

function figures({ samples, connections, resumed }: Result): string[] {
  const latencies = samples.flatMap((sample) => sample.latencies).toSorted((a, b) => a - b);
  const sum = (of: (sample: Sample) => number): number =>
    samples.reduce((total, sample) => total + of(sample), 0);
  const answered = latencies.length;
  return [
    ((answered / sum(({ elapsed }) => elapsed)) * 1000).toFixed(0),
    quantile(latencies, 0.5).toFixed(1),
    quantile(latencies, 0.99).toFixed(1),
    String(connections),
    String(resumed),
    (sum(({ cpu }) => cpu) / answered).toFixed(0),
    String(sum(({ errors }) => errors.length)),
    String(sum(({ lost }) => lost)),
  ];
}

/** The smallest value that at least the share `q` does not exceed. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN;
}

/** What both agents did in all phases. */
export function together(results: readonly Result[]): Result {
  return {
    samples: results.flatMap(({ samples }) => samples),
    connections: results.reduce((total, { connections }) => total + connections, 0),
    resumed: results.reduce((total, { resumed }) => total + resumed, 0),
  };
}
