/**
 * Requests as services send them: each lane rests for some milliseconds between two of its requests, so that its connection is idle for that
 * long. Each contender has a process of its own, in which it and the zero pool are measured in turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../contenders/contender.js';
import { loadContender } from '../contenders/index.js';
import type { ContenderName } from '../contenders/index.js';
import { drive, measure } from '../measure.js';
import { ratios, valuesAt } from '../results.js';
import type { CaseResult } from '../results.js';
import { median, percentile, summarize } from '../statistics.js';
import { atMost } from '../verdict.js';
import type { Verdict } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

type Method = 'get' | 'post';

interface PaceSetting extends Setting {
  readonly lanes: number;
  /** Milliseconds. */
  readonly rest: number;
  readonly method: Method;
}

/** Milliseconds of rest in one turn, after which it is the other's. */
const TURN = 600;
/** Turns of each in one sample. */
const TURNS = 3;
/** Requests without a rest before the first sample, of each: until V8 has optimized all. */
const WARM_UP = { requests: 500, turns: 20 };

const SETTINGS: readonly PaceSetting[] = (['get', 'post'] as const).flatMap((method) =>
  [1, 20].flatMap((lanes) =>
    [5, 50].map((rest) => ({
      name: `${method.toUpperCase()}, ${lanes === 1 ? '1 lane' : `${lanes} lanes`}, ${rest} ms of rest`,
      lanes,
      rest,
      method,
    })),
  ),
);

/** @returns what each request took, in milliseconds */
async function runLanes(client: Client, { lanes, rest, method }: PaceSetting): Promise<number[]> {
  const latencies: number[] = [];
  const run = async (_: unknown, lane: number): Promise<void> => {
    // They do not march in step.
    await sleep((rest * lane) / lanes);
    for (let rested = 0; rested < TURN; rested += rest) {
      const startedAt = performance.now();
      await send(client, method);
      latencies.push(performance.now() - startedAt);
      await sleep(rest);
    }
  };
  await Promise.all(Array.from({ length: lanes }, run));
  return latencies;
}

function send(client: Client, method: Method): Promise<void> {
  if (method === 'get') return client.get('localhost');
  if (!client.post) throw new Error('This contender sends no POST');
  return client.post('localhost');
}

interface Turn {
  readonly cpu: number;
  readonly latencies: readonly number[];
}

async function takeTurn(client: Client, setting: PaceSetting): Promise<Turn> {
  let latencies: readonly number[] = [];
  const { cpu } = await measure(async () => void (latencies = await runLanes(client, setting)));
  return { cpu: cpu / latencies.length, latencies };
}

export const pace: Case<PaceSetting> = {
  name: 'pace',
  about: 'requests on open connections that rest between them, in turn with the zero pool in one process',
  contenders: ['core', 'agentkeepalive', 'undici', 'ours'],
  metrics: [
    { key: 'ratio', title: '× zero pool', digits: 3 },
    { key: 'cpu', title: 'CPU µs/request', digits: 1 },
    { key: 'p50', title: 'p50 ms', digits: 2 },
    { key: 'p99', title: 'p99 ms', digits: 2 },
    { key: 'floorP50', title: 'p50 of zero pool', digits: 2 },
    { key: 'floorP99', title: 'p99 of zero pool', digits: 2 },
  ],
  limit: 120_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 9, samples: 1 }),

  settings: ({ quick }) => (quick ? SETTINGS.slice(0, 1) : SETTINGS),

  async prepare(contender, setting, target) {
    const client = createClient(contender, target, [target.certificate]);
    const floor = createClient(await loadContender('zero-pool'), target, [target.certificate]);
    const load = { requests: WARM_UP.requests, concurrency: setting.lanes };
    for (let turn = 0; turn < WARM_UP.turns; turn++) {
      await drive(client, load);
      await drive(floor, load);
    }
    await runLanes(client, setting);
    await runLanes(floor, setting);
    return {
      async sample() {
        const ours: Turn[] = [];
        const floors: Turn[] = [];
        for (let turn = 0; turn < TURNS; turn++) {
          ours.push(await takeTurn(client, setting));
          floors.push(await takeTurn(floor, setting));
        }
        const all = ours.flatMap(({ latencies }) => latencies);
        const ofFloor = floors.flatMap(({ latencies }) => latencies);
        return {
          ratio: median(ours.map(({ cpu }, turn) => cpu / (floors[turn]?.cpu ?? NaN))),
          cpu: median(ours.map(({ cpu }) => cpu)),
          p50: percentile(all, 0.5),
          p99: percentile(all, 0.99),
          floorP50: percentile(ofFloor, 0.5),
          floorP99: percentile(ofFloor, 0.99),
        };
      },
      async close() {
        await client.close();
        await floor.close();
      },
    };
  },

  verdicts: (result) => SETTINGS.flatMap((setting) => verdictsOn(result, setting)),
};

function verdictsOn(result: CaseResult, { name, method }: PaceSetting): Verdict[] {
  const values = (contender: ContenderName, metric: string): number[] =>
    valuesAt(result, { setting: name, contender, metric });
  const ratio = values('ours', 'ratio');
  const isOfGet = method === 'get';
  const toCore = ratios(ratio, values('core', 'ratio'));
  return [
    ...(isOfGet ? atMost(1.1, `CPU, ${name}: at most 1.10 × zero pool`, summarize(ratio)) : []),
    ...(isOfGet ? [] : atMost(1, `CPU, ${name}: at most 1 × core`, summarize(toCore))),
    ...(['p50', 'p99'] as const).flatMap((metric) => {
      const floor = values('ours', metric === 'p50' ? 'floorP50' : 'floorP99');
      const greater = values('core', metric).map((value, round) => Math.max(value, floor[round] ?? 0));
      const goal = `${metric}, ${name}: at most 1.10 × the greater of core's and the zero pool's`;
      return atMost(1.1, goal, summarize(ratios(values('ours', metric), greater)));
    }),
  ];
}
