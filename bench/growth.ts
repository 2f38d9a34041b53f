/**
 * The growth of a request's cost, from little of something to much of it, beside that of the zero pool. All four take turns in one process. Only the two
 * growths are compared: much of anything costs caches and garbage collection, which the zero pool shows.
 *
 * **Garbage.** What is young is collected before each part, and again at its end, within what is measured: so each pays for its own garbage, and for moving what survives,
 * which among many waiting requests is nearly all. A collection of the whole heap falls on anybody's part; it is seldom, and a median does not see it.
 */
import type { Case } from './cases/case.js';
import { ratioInTurn, takeTurns } from './in-turn.js';
import { collectYoungGarbage, measure } from './measure.js';
import { ratios, valuesAt } from './results.js';
import type { CaseResult, Sample } from './results.js';
import { median, summarize } from './statistics.js';
import { atMost } from './verdict.js';
import type { Verdict } from './verdict.js';

/** Requests with little and with much of it. */
export interface Growing {
  little(): Promise<void>;
  much(): Promise<void>;
}

export const GROWTH_METRICS: Case['metrics'] = [
  { key: 'ratio', title: 'growth ÷ zero pool’s', digits: 3 },
  { key: 'growth', title: 'growth', digits: 3 },
  { key: 'floorGrowth', title: 'of zero pool', digits: 3 },
  { key: 'little', title: 'CPU µs/request, little', digits: 1 },
  { key: 'much', title: 'much', digits: 1 },
  { key: 'floorLittle', title: 'zero pool, little', digits: 1 },
  { key: 'floorMuch', title: 'much', digits: 1 },
];

function measured(work: () => Promise<void>): () => Promise<number> {
  return async () => {
    collectYoungGarbage();
    const { cpu } = await measure(async () => {
      await work();
      collectYoungGarbage();
    });
    return cpu;
  };
}

/** @param requests the number in one part */
export async function measureGrowth(
  own: Growing,
  floor: Growing,
  requests: number,
  turns: number,
): Promise<Sample> {
  const works = [() => own.little(), () => own.much(), () => floor.little(), () => floor.much()];
  const [little, much, floorLittle, floorMuch] = (await takeTurns(works.map(measured), turns)) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const growths = ratios(much, little);
  const floorGrowths = ratios(floorMuch, floorLittle);
  return {
    ratio: ratioInTurn(growths, floorGrowths),
    growth: median(growths),
    floorGrowth: median(floorGrowths),
    little: median(little) / requests,
    much: median(much) / requests,
    floorLittle: median(floorLittle) / requests,
    floorMuch: median(floorMuch) / requests,
  };
}

export function growthVerdicts(result: CaseResult): Verdict[] {
  return result.settings.flatMap(({ setting }) => {
    const ratio = summarize(valuesAt(result, { setting, contender: 'ours', metric: 'ratio' }));
    return atMost(1.1, `CPU per request, ${setting}: grows at most 1.10 × as much as with zero pool`, ratio);
  });
}
