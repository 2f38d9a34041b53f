/**
 * The growth of a request's cost, from little of something to much of it, beside that of the zero pool. All four take turns in one process. Only the two
 * growths are compared: much of anything costs caches and garbage collection, which the zero pool shows.
 *
 * **Garbage.** Young objects are collected before each part, and again at its end, within what is measured: so each pays for its own garbage, and for moving what survives,
 * which among many waiting requests is nearly all. A collection of the whole heap falls on anybody's part; it is seldom, and a median does not see it.
 */
import type { Case, Subject } from './cases/case.js';
import type { Contender } from './contenders/contender.js';
import { loadContender } from './contenders/index.js';
import { ratioInTurn, takeTurns } from './in-turn.js';
import { collectYoungGarbage, measure } from './measure.js';
import { ratios, valuesAt } from './results.js';
import type { CaseResult, Sample } from './results.js';
import { median, summarize } from './statistics.js';
import { atMost } from './verdict.js';
import type { Verdict } from './verdict.js';

/** Requests with some of it. */
interface Part {
  turn(requests: number): Promise<void>;
  close(): void;
}

/** The requests of one agent. */
type Growing = readonly [little: Part, much: Part];

/** Requests in one part of a turn. */
const REQUESTS = 2000;
/** Turns in one sample. */
const TURNS = 10;
/** Turns before the first sample: until V8 has optimized all. */
const WARM_UP_TURNS = 15;

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

/**
 * The subject of a case that measures growth.
 *
 * @param open opens what an agent needs for its requests
 */
export async function prepareGrowth(
  open: (contender: Contender) => Promise<Growing>,
  contender: Contender,
): Promise<Subject> {
  const parts = [...(await open(contender)), ...(await open(await loadContender('zero-pool')))];
  await measureGrowth(parts, WARM_UP_TURNS);
  return {
    sample: () => measureGrowth(parts, TURNS),
    close() {
      for (const part of parts) part.close();
    },
  };
}

/** @param parts ours with little and with much, and those of the zero pool */
async function measureGrowth(parts: readonly Part[], turns: number): Promise<Sample> {
  const works = parts.map((part) => measured(() => part.turn(REQUESTS)));
  const [little, much, floorLittle, floorMuch] = (await takeTurns(works, turns)) as [
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
    little: median(little) / REQUESTS,
    much: median(much) / REQUESTS,
    floorLittle: median(floorLittle) / REQUESTS,
    floorMuch: median(floorMuch) / REQUESTS,
  };
}

export function growthVerdicts(result: CaseResult): Verdict[] {
  return result.settings.flatMap(({ setting }) => {
    const ratio = summarize(valuesAt(result, { setting, contender: 'ours', metric: 'ratio' }));
    return atMost(1.1, `CPU per request, ${setting}: grows at most 1.10 × as much as with zero pool`, ratio);
  });
}
