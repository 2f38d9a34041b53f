/** Judges whether a request's cost stays the same from one setting to another. */
import { ratios, valuesAt } from './results.js';
import type { CaseResult } from './results.js';
import { summarize } from './statistics.js';
import { atMost } from './verdict.js';
import type { Verdict } from './verdict.js';

/**
 * From a case's first setting to its second. Two answers: as it is, and compared with how much dearer the zero
 * pool's requests became, which is what the sockets, the requests and their garbage cost by themselves.
 */
export function flatness(result: CaseResult): Verdict[] {
  const [from, to] = result.settings;
  if (!from || !to) return [];
  const growth = (contender: 'ours' | 'zero-pool'): number[] =>
    ratios(
      valuesAt(result, { setting: to.setting, contender, metric: 'cpu' }),
      valuesAt(result, { setting: from.setting, contender, metric: 'cpu' }),
    );
  const ours = growth('ours');
  const beyondFloor = ratios(ours, growth('zero-pool'));
  const range = `from ${from.setting} to ${to.setting}`;
  return [
    ...atMost(1.1, `CPU per request, ${range}: grows at most 1.10 ×`, summarize(ours)),
    ...atMost(1.1, 'The same, divided by the growth of zero pool: at most 1.10', summarize(beyondFloor)),
  ];
}
