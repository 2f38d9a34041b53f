/**
 * `npm run bench:pace-table -- FILE…`: the table of docs/figures.md that shows what a request costs at pace, from the results that
 * `npm run bench -- --case pace --json FILE` has written, one file for each Node.
 */
import { readFile } from 'node:fs/promises';
import { CONTENDERS } from './contenders/index.js';
import type { Environment } from './environment.js';
import type { CaseResult } from './results.js';
import { valuesAt } from './results.js';
import { summarize } from './statistics.js';
import { withSpread } from './verdict.js';

interface Measured {
  readonly environment: Environment;
  readonly results: readonly CaseResult[];
}

const files = process.argv.slice(2);
if (files.length === 0) throw new Error('Which files? npm run bench:pace-table -- FILE…');
const measured = await Promise.all(
  files.map(async (file) => {
    const { environment, results } = JSON.parse(await readFile(file, 'utf8')) as Measured;
    const result = results.find((candidate) => candidate.case === 'pace');
    if (!result) throw new Error(`${file} has no case "pace"`);
    return { node: environment.node.replace(/^v(\d+\.\d+).*/, '$1'), result };
  }),
);
const settings = measured[0]?.result.settings ?? [];
// All is divided by the zero pool: its own column would say nothing.
const shown = CONTENDERS.filter(
  (name) =>
    name !== 'zero-pool' && settings.some(({ rows }) => rows.some(({ contender }) => contender === name)),
);
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

console.log(row(['CPU ÷ zero pool', 'Node', ...shown]));
console.log(row(['---', '---', ...shown.map(() => '---')]));
for (const { setting } of settings) {
  for (const { node, result } of measured) {
    const cells = shown.map((contender) =>
      withSpread(summarize(valuesAt(result, { setting, contender, metric: 'ratio' })), 2),
    );
    console.log(row([setting, node, ...cells]));
  }
}
