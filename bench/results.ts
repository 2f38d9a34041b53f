/** The measurements, and the ways to look at them. Plain data: `--json` writes them as they are. */
import type { ContenderName } from './contenders/index.js';
import { summarize } from './statistics.js';
import type { Summary } from './statistics.js';

/** Values by metric. */
export type Sample = Readonly<Record<string, number>>;

export interface Row {
  readonly contender: ContenderName;
  /** The medians of each round's samples. */
  readonly rounds: Sample[];
  /** It took too long and was stopped. */
  stopped: boolean;
}

export interface SettingResult {
  readonly setting: string;
  readonly rows: readonly Row[];
}

export interface CaseResult {
  readonly case: string;
  readonly settings: readonly SettingResult[];
}

/** The values of one contender in one setting of a case. */
export interface Place {
  readonly setting: string;
  readonly contender: ContenderName;
  readonly metric: string;
}

/** One value for each round, or nothing if it was not measured. */
export function valuesAt(result: CaseResult, place: Place): number[] {
  const row = result.settings
    .find(({ setting }) => setting === place.setting)
    ?.rows.find(({ contender }) => contender === place.contender);
  if (!row || row.stopped) return [];
  return row.rounds.map((round) => round[place.metric] ?? NaN);
}

/** The figures of two contenders in the same round are divided, not their medians: a slow round is slow for both. */
export function ratios(values: readonly number[], bases: readonly number[]): number[] {
  return values.slice(0, bases.length).map((value, round) => value / (bases[round] ?? NaN));
}

export function ratioOf(result: CaseResult, place: Place, base: Place): Summary | undefined {
  return summarize(ratios(valuesAt(result, place), valuesAt(result, base)));
}
