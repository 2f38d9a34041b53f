/**
 * Compares results with a baseline. Only ratios are compared, of CPU times that were measured in turn in one process: these are nearly the same on
 * different machines, and at different times.
 *
 * **Noise.** Rounds of the same code differ by 1 to 3 % on a quiet machine. So a change counts only where the ranges of the two do not
 * overlap, every round of now lying on the same side of every round of then, and the medians differ by more than `TOLERANCE`.
 * Anything else is noise, whichever way it points.
 */
import type { CaseResult, Place } from './results.js';
import { valuesAt } from './results.js';
import { summarize } from './statistics.js';
import type { Summary } from './statistics.js';

/** The least change of the median that counts. */
export const TOLERANCE = 0.02;

type Change = 'slower' | 'faster' | 'noise';

interface Comparison {
  readonly setting: string;
  readonly before: Summary;
  readonly now: Summary;
  readonly change: Change;
}

/** Values of which less is better. */
function judge(before: Summary, now: Summary): Change {
  const share = now.median / before.median - 1;
  if (now.min > before.max && share > TOLERANCE) return 'slower';
  if (now.max < before.min && share < -TOLERANCE) return 'faster';
  return 'noise';
}

/** The settings that both have. */
export function compare(before: CaseResult, now: CaseResult, of: Omit<Place, 'setting'>): Comparison[] {
  return now.settings.flatMap(({ setting }) => {
    const place = { ...of, setting };
    const [was, is] = [summarize(valuesAt(before, place)), summarize(valuesAt(now, place))];
    return was && is ? [{ setting, before: was, now: is, change: judge(was, is) }] : [];
  });
}
