/**
 * `npm run bench:compare`: checks whether a warm request has become slower. Runs the case `overhead`, which takes some two minutes, and compares
 * its ratios to the zero pool with those of baseline.json. Fails if one is slower by more than noise.
 *
 * A change that is meant to cost something takes a new baseline with it, made on a quiet machine:
 * `npm run bench -- --case overhead --json bench/baseline.json`.
 */
import { readFile } from 'node:fs/promises';
import { overhead } from './cases/overhead.js';
import { compare, TOLERANCE } from './comparison.js';
import { environment, header } from './environment.js';
import type { Environment } from './environment.js';
import type { CaseResult } from './results.js';
import { runCase } from './run.js';
import { table } from './table.js';
import { withSpread } from './verdict.js';

interface Measured {
  readonly environment: Environment;
  readonly results: readonly CaseResult[];
}

const MAKE = 'npm run bench -- --case overhead --json bench/baseline.json';

/** Read from where it lies, not from the build. */
const BASELINE = new URL('../../bench/baseline.json', import.meta.url);

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function baseline(): Promise<{ where: Environment; before: CaseResult }> {
  const text = await readFile(BASELINE, 'utf8').catch((error: unknown) => {
    throw new Error(`There is no baseline: make one by \`${MAKE}\``, { cause: error });
  });
  const { environment: where, results } = JSON.parse(text) as Measured;
  const before = results.find((result) => result.case === overhead.name);
  if (!before) throw new Error(`bench/baseline.json has no case "${overhead.name}"`);
  return { where, before };
}

const { where, before } = await baseline();
const here = environment(process.argv.slice(2));
console.log(`${header(here)}\n\nBaseline: Node ${where.node}, ${where.cpu}, ${where.date}`);
const now = await runCase(overhead, {
  quick: false,
  hosts: 0,
  rounds: undefined,
  only: [],
  profiles: undefined,
  progress,
});
progress('');
const comparisons = compare(before, now, { contender: 'ours', metric: 'ratio' });
const body = comparisons.map(({ setting, ...values }) => [
  setting,
  withSpread(values.before, 3),
  withSpread(values.now, 3),
  values.change,
]);
console.log(`\nCPU per warm request, × zero pool: median (least–greatest)`);
console.log(table(['', 'baseline', 'now', ''], body, ['left', 'right', 'right', 'left']));
console.log(`"noise": the ranges overlap, or the medians differ by less than ${TOLERANCE * 100} %.`);
if (comparisons.some(({ change }) => change === 'slower')) process.exitCode = 1;
