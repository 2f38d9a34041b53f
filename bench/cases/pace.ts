/**
 * Requests as services send them: each lane rests for some milliseconds between two of its requests, so that its connection is idle for that
 * long. Each contender has a process of its own, and all take each sample at the same time: they rest most of it, and what the machine does besides,
 * which changes from one moment and one process to the next by half, is shared by all. The zero pool is one of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../contenders/contender.js';
import type { ContenderName } from '../contenders/index.js';
import { drive, measure } from '../measure.js';
import { ratios, valuesAt } from '../results.js';
import type { CaseResult } from '../results.js';
import { percentile, summarize } from '../statistics.js';
import { atMost } from '../verdict.js';
import type { Verdict } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

type Method = 'get' | 'post';

interface Pace {
  readonly lanes: number;
  /** Milliseconds. */
  readonly rest: number;
  readonly method: Method;
}

interface PaceSetting extends Pace, Setting {}

/** Milliseconds of a sample, and the requests of all lanes for which it is made longer. */
const SAMPLE = { duration: 8000, requests: 400 };
/**
 * Requests of each setting before it is measured: one after the other without a rest, then those of many lanes that rest, and then those of as many lanes as the setting has.
 * Connections that have rested need other code than those in steady use, and so does an event loop that has nothing else to do. V8 compiles that code anew until it has run
 * thousands of times, and the processor time for it would be measured. A service runs for hours.
 *
 * With one lane the last part takes longer than this agent keeps idle connections, which is 4 s: those of the other lanes are closed when the first sample begins. The other agents
 * keep theirs for two minutes or more.
 */
const SETTLING = { unrested: 20_000, ofMany: 10_000, ofSetting: 5000, lanes: 20, rest: 2 };
/** The beginning of each sample, which does not count: connections that were closed meanwhile are opened again. */
const REOPENING = { duration: 150, rest: 3 };
/** Milliseconds. Two durations that nothing else has, longer than the case takes. */
const OTHER_TIMERS: readonly number[] = [100_000_000, 20_000_000];

const METHODS: readonly Method[] = ['get', 'post'];
const LANES: readonly number[] = [1, 20];

const SETTINGS: readonly PaceSetting[] = METHODS.flatMap((method) =>
  LANES.flatMap((lanes) =>
    [5, 50].map((rest) => ({
      name: `${method.toUpperCase()}, ${lanes === 1 ? '1 lane' : `${lanes} lanes`}, ${rest} ms of rest`,
      lanes,
      rest,
      method,
    })),
  ),
);

/** Rests differ by so much at most, as a share of them: lanes that a busy moment has brought together come apart again. */
const UNEVENNESS = 0.2;
/** Its multiples, without what is before the point, are spread evenly, however many they are. */
const GOLDEN = 0.618034;

/** Milliseconds of the `n`th rest. */
function unevenRest(rest: number, n: number): number {
  return Math.round(rest * (1 - UNEVENNESS + 2 * UNEVENNESS * ((n * GOLDEN) % 1)));
}

/** Whether there is another request, after so many. */
type GoesOn = (sent: number) => boolean;

function forMilliseconds(duration: number): GoesOn {
  const endsAt = performance.now() + duration;
  return () => performance.now() < endsAt;
}

/** @returns what each request took, in milliseconds */
async function runLanes(client: Client, { lanes, rest, method }: Pace, goesOn: GoesOn): Promise<number[]> {
  let sent = 0;
  const latencies: number[] = [];
  const run = async (_: unknown, lane: number): Promise<void> => {
    // They do not march in step.
    await sleep((rest * lane) / lanes);
    for (let n = 0; goesOn(sent); n++) {
      sent++;
      const startedAt = performance.now();
      await send(client, method);
      latencies.push(performance.now() - startedAt);
      await sleep(unevenRest(rest, lane + n * lanes));
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

/** Lets V8 compile what will be measured. */
async function settle(client: Client, { lanes, method }: PaceSetting): Promise<void> {
  const { unrested, ofMany, ofSetting, rest } = SETTLING;
  await drive({ get: () => send(client, method) }, { requests: unrested, concurrency: 1 });
  await runLanes(client, { lanes: SETTLING.lanes, rest, method }, (sent) => sent < ofMany);
  await runLanes(client, { lanes, rest, method }, (sent) => sent < ofSetting);
}

export const pace: Case<PaceSetting> = {
  name: 'pace',
  about: 'requests on open connections that rest between them, all contenders at the same time',
  contenders: ['zero-pool', 'core', 'agentkeepalive', 'undici', 'ours'],
  metrics: [
    { key: 'ratio', title: '× zero pool', digits: 3 },
    { key: 'cpu', title: 'CPU µs/request', digits: 1 },
    { key: 'p50', title: 'p50 ms', digits: 2 },
    { key: 'p99', title: 'p99 ms', digits: 2 },
  ],
  together: { floor: 'zero-pool' },
  limit: 120_000,

  effort: ({ quick }) => ({ rounds: 1, samples: quick ? 1 : 9 }),

  settings: ({ quick }) => (quick ? SETTINGS.slice(0, 1) : SETTINGS),

  /**
   * A service has other timers than its agent's. Node keeps its lists of timers, one for each duration, in one object, and V8 gives that another form with the second list:
   * without these two, the form, and so the cost of each timer, would depend on the contender.
   */
  warmUp() {
    for (const duration of OTHER_TIMERS) setTimeout(() => {}, duration).unref();
  },

  async prepare(contender, setting, target) {
    const { lanes, rest, method } = setting;
    const client = createClient(contender, target, [target.certificate]);
    await settle(client, setting);
    const duration = Math.max(SAMPLE.duration, (SAMPLE.requests * rest) / lanes);
    return {
      async sample() {
        await runLanes(client, { lanes, rest: REOPENING.rest, method }, forMilliseconds(REOPENING.duration));
        let latencies: readonly number[] = [];
        const { cpu } = await measure(
          async () => void (latencies = await runLanes(client, setting, forMilliseconds(duration))),
        );
        return {
          cpu: cpu / latencies.length,
          p50: percentile(latencies, 0.5),
          p99: percentile(latencies, 0.99),
        };
      },
      close: () => client.close(),
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
      const floor = values('zero-pool', metric);
      const greater = values('core', metric).map((value, round) => Math.max(value, floor[round] ?? 0));
      const goal = `${metric}, ${name}: at most 1.10 × the greater of core's and the zero pool's`;
      return atMost(1.1, goal, summarize(ratios(values('ours', metric), greater)));
    }),
  ];
}
