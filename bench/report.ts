/** The printed report: a table for each setting, and the verdicts. */
import type { Case } from './cases/case.js';
import type { ContenderName } from './contenders/index.js';
import { ratioOf, valuesOf } from './results.js';
import type { CaseResult, SettingResult } from './results.js';
import { summarize } from './statistics.js';
import { table } from './table.js';
import { withSpread } from './verdict.js';
import type { Verdict } from './verdict.js';

/** The contenders by whose first metric that of every other is divided. */
const BASES: readonly ContenderName[] = ['core', 'zero-pool'];

export function caseReport(bench: Case, result: CaseResult): string {
  const tables = result.settings.map((setting) => settingReport(bench, result, setting));
  return [`# ${bench.name}: ${bench.about}`, ...tables].join('\n\n');
}

function settingReport(bench: Case, result: CaseResult, { setting, rows }: SettingResult): string {
  // A case whose contenders share each moment has its ratio: one of different moments would say less.
  const hasRatio = bench.metrics.some(({ key }) => key === 'ratio');
  const bases = BASES.filter((base) => !hasRatio && rows.some(({ contender }) => contender === base));
  const [main] = bench.metrics;
  const head = ['', ...bench.metrics.map(({ title }) => title), ...bases.map((base) => `× ${base}`)];
  const body = rows.map((row) => {
    if (row.stopped) return [row.contender, `stopped after ${bench.limit / 1000} s`];
    const place = { setting, contender: row.contender, metric: main?.key ?? '' };
    return [
      row.contender,
      ...bench.metrics.map(({ key, digits }) => withSpread(summarize(valuesOf(row.rounds, key)), digits)),
      ...bases.map((base) => withSpread(ratioOf(result, place, { ...place, contender: base }), 2)),
    ];
  });
  return `${setting}\n${table(head, body, ['left', ...head.slice(1).map(() => 'right' as const)])}`;
}

export function verdictReport(verdicts: readonly Verdict[]): string {
  const body = verdicts.map(({ goal, measured, met }) => [goal, measured, met ? 'yes' : 'NO']);
  return `# Goals\n\n${table(['goal', 'measured: median (min–max)', 'met'], body, ['left', 'right', 'left'])}`;
}
