/**
 * Requests as services send them: each lane rests for some milliseconds between two of its requests, so that its connection is idle for that
 * long. Each contender has a process of its own, in which it and the zero pool are measured in turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Contender } from '../contenders/contender.js';
import { loadContender } from '../contenders/index.js';
import type { ContenderName } from '../contenders/index.js';
import { drive, measure } from '../measure.js';
import type { Target } from '../network.js';
import { ratios, valuesAt } from '../results.js';
import type { CaseResult } from '../results.js';
import { median, percentile, summarize } from '../statistics.js';
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

/** Milliseconds of rest of each lane in one turn, after which it is the other's. */
const TURN = 500;
/** Requests that a turn has at least, of all lanes. */
const LEAST = 20;
/** Turns of each in one sample. */
const TURNS = 2;
/** Requests without a rest when a process has begun, of each client, method and number of lanes. */
const WARM_UP = { requests: 500, turns: 4 };
/**
 * Requests with rests then, of each client and method. Connections that have rested need other code than those in steady use: V8 has to have compiled it, or V8 is measured.
 */
const PACED_WARM_UP = { lanes: 20, rest: 3, turn: 2500 };
/**
 * Requests of each client of a setting before it is measured: without a rest, and with one. V8 has compiled its code for other agents, and compiles much
 * of it anew for a new one: the more code an agent has, the more. With rests of 50 ms that would take all samples; a service has its agents for hours.
 */
const SETTLING = { requests: 5000, rest: 3, turn: 1500 };

/**
 * Requests of each client at the beginning of a sample, which do not count. Since the last sample other processes had their turn, for some seconds: agents that close
 * idle connections have to open new ones first.
 */
const REOPENING = { rest: 3, turn: 150 };

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

/** The contender's, and the floor's. */
async function createClients(contender: Contender, target: Target): Promise<[Client, Client]> {
  const zeroPool = await loadContender('zero-pool');
  return [
    createClient(contender, target, [target.certificate]),
    createClient(zeroPool, target, [target.certificate]),
  ];
}

/** Rests differ by so much at most, as a share of them: lanes that a busy moment has brought together come apart again. */
const UNEVENNESS = 0.2;
/** Its multiples, without what is before the point, are spread evenly, however many they are. */
const GOLDEN = 0.618034;

/** Milliseconds of the `n`th rest. */
function unevenRest(rest: number, n: number): number {
  return Math.round(rest * (1 - UNEVENNESS + 2 * UNEVENNESS * ((n * GOLDEN) % 1)));
}

interface Lanes extends Pace {
  readonly turn: number;
}

/**
 * @param turn milliseconds of rest of each lane
 * @returns what each request took, in milliseconds
 */
async function runLanes(client: Client, { lanes, rest, method, turn }: Lanes): Promise<number[]> {
  const latencies: number[] = [];
  const run = async (_: unknown, lane: number): Promise<void> => {
    // They do not march in step.
    await sleep((rest * lane) / lanes);
    for (let n = 0; n * rest < turn; n++) {
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

interface Turn {
  readonly cpu: number;
  readonly latencies: readonly number[];
}

async function takeTurn(client: Client, setting: PaceSetting): Promise<Turn> {
  let latencies: readonly number[] = [];
  const turn = Math.max(TURN, (LEAST * setting.rest) / setting.lanes);
  const { cpu } = await measure(async () => void (latencies = await runLanes(client, { ...setting, turn })));
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

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 3, samples: 3 }),

  settings: ({ quick }) => (quick ? SETTINGS.slice(0, 1) : SETTINGS),

  async warmUp(contender, target) {
    const clients = await createClients(contender, target);
    for (let turn = 0; turn < WARM_UP.turns; turn++) {
      for (const client of clients) {
        for (const concurrency of LANES) {
          for (const method of METHODS)
            await drive({ get: () => send(client, method) }, { ...WARM_UP, concurrency });
        }
      }
    }
    for (const method of METHODS)
      for (const client of clients) await runLanes(client, { ...PACED_WARM_UP, method });
    for (const client of clients) await client.close();
  },

  async prepare(contender, setting, target) {
    const { lanes, method } = setting;
    const [client, floor] = await createClients(contender, target);
    for (const each of [client, floor]) {
      const sender = { get: () => send(each, method) };
      await drive(sender, { requests: SETTLING.requests, concurrency: lanes });
      await runLanes(each, { ...SETTLING, lanes, method });
    }
    return {
      async sample() {
        const ours: Turn[] = [];
        const floors: Turn[] = [];
        for (const each of [client, floor]) await runLanes(each, { ...REOPENING, lanes, method });
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
