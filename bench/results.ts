/** The measurements, and the ways to look at them. Plain data: `--json` writes them as they are. */
import type { ContenderName } from './contenders/index.js';
import { summarize } from './statistics.js';
import type { Summary } from './statistics.js';

/** Values by metric. */
export type Sample = Readonly<Record<string, number>>;

export interface Row {
  readonly contender: ContenderName;
  /** The medians of each round's samples; where all take each sample at the same time, every sample by itself. */
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

/** One value for each round in which it was measured. */
export function valuesAt(result: CaseResult, place: Place): number[] {
  const row = result.settings
    .find(({ setting }) => setting === place.setting)
    ?.rows.find(({ contender }) => contender === place.contender);
  if (!row || row.stopped) return [];
  return valuesOf(row.rounds, place.metric);
}

/** The values of those samples that have it. */
export function valuesOf(samples: readonly Sample[], metric: string): number[] {
  return samples.flatMap((sample) => sample[metric] ?? []);
}

/** Adds `ratio`, the CPU of each divided by that of the floor. No sample has one where the floor has none. */
export function withRatios(
  samples: readonly (Sample | undefined)[],
  floor: Sample | undefined,
): (Sample | undefined)[] {
  const base = floor?.['cpu'];
  if (base === undefined) return [...samples];
  return samples.map((sample) => sample && { ...sample, ratio: (sample['cpu'] ?? NaN) / base });
}

/** The figures of two contenders in the same round are divided, not their medians: a slow round is slow for both. */
export function ratios(values: readonly number[], bases: readonly number[]): number[] {
  return values.slice(0, bases.length).map((value, round) => value / (bases[round] ?? NaN));
}

export function ratioOf(result: CaseResult, place: Place, base: Place): Summary | undefined {
  return summarize(ratios(valuesAt(result, place), valuesAt(result, base)));
}
