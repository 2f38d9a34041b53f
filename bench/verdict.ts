/** Whether a goal was met. */
import type { Summary } from './statistics.js';

export interface Verdict {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

/** Judged by the median; the spread is shown beside it. No verdict without a measurement. */
export function atMost(limit: number, goal: string, measured: Summary | undefined, digits = 3): Verdict[] {
  if (!measured) return [];
  return [{ goal, measured: withSpread(measured, digits), met: measured.median <= limit }];
}

export function atLeast(limit: number, goal: string, measured: Summary | undefined, digits = 3): Verdict[] {
  if (!measured) return [];
  return [{ goal, measured: withSpread(measured, digits), met: measured.median >= limit }];
}

export function withSpread(summary: Summary | undefined, digits: number): string {
  if (!summary) return '';
  const { median, min, max } = summary;
  if (min === max) return format(median, digits);
  return `${format(median, digits)} (${format(min, digits)}–${format(max, digits)})`;
}

function format(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
