/**
 * Many requests at once on an agent that has no connections and no sessions yet. Each contender takes turns with Node's agent in its process, so that both share the
 * load of the machine; Node's agent in turn with itself, without a round trip, shows how well that works.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Contender } from '../contenders/contender.js';
import { loadContender } from '../contenders/index.js';
import { ratioInTurn, takeTurns } from '../in-turn.js';
import { countLookUps } from '../lookup.js';
import { collectGarbage, measure } from '../measure.js';
import { ROUND_TRIPS } from '../network.js';
import type { Target } from '../network.js';
import { valuesAt } from '../results.js';
import type { Sample } from '../results.js';
import { median, percentile, summarize } from '../statistics.js';
import { atMost } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface BurstSetting extends Setting {
  readonly roundTrip: number;
}

const REQUESTS = 200;
/** Turns in one sample. */
const TURNS = 4;
/** Turns at first that do not count: until V8 has optimized all. */
const WARM_UP_TURNS = 10;
/** Milliseconds after which, at the latest, a connection that was begun in vain is open or closed. */
const QUIET = 50;

function setting(roundTrip: number): BurstSetting {
  const name = `${REQUESTS} at once, round trip ${roundTrip} ms`;
  return { name, roundTrip, ...(roundTrip > 0 && { without: ['core'] }) };
}

async function latenciesOf(client: Client): Promise<number[]> {
  const latencies: number[] = [];
  const timed = async (): Promise<void> => {
    const startedAt = performance.now();
    await client.get('localhost');
    latencies.push(performance.now() - startedAt);
  };
  await Promise.all(Array.from({ length: REQUESTS }, timed));
  return latencies;
}

interface Burst {
  readonly cpu: number;
  readonly total: number;
  readonly p50: number;
  readonly p99: number;
  readonly connections: number;
}

/** A burst on a new client, which does not pay for the garbage of earlier ones. */
async function burstOf(contender: Contender, target: Target, roundTrip: number): Promise<Burst> {
  collectGarbage();
  const port = target.farPorts[roundTrip] ?? target.port;
  const client = createClient(contender, target, [target.certificate], { port });
  const lookUps = countLookUps();
  let latencies: number[] = [];
  const work = async (): Promise<void> => void (latencies = await latenciesOf(client));
  const { cpu, wall } = await measure(work, QUIET + 3 * roundTrip);
  const connections = countLookUps() - lookUps;
  client.close();
  await sleep(QUIET + roundTrip);
  return {
    cpu: cpu / 1000,
    total: wall,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    connections,
  };
}

function all(bursts: readonly Burst[], key: keyof Burst): number[] {
  return bursts.map((burst) => burst[key]);
}

/** Medians of the turns, and the ratios to Node's agent. */
async function takeBursts(
  contender: Contender,
  target: Target,
  roundTrip: number,
  turns: number,
): Promise<Sample> {
  const parts = [contender, await loadContender('core')].map((one) => () => burstOf(one, target, roundTrip));
  const [own = [], core = []] = await takeTurns(parts, turns);
  const ratio = (key: keyof Burst): number => ratioInTurn(all(own, key), all(core, key));
  return {
    cpu: median(all(own, 'cpu')),
    coreCpu: median(all(core, 'cpu')),
    ratio: ratio('cpu'),
    total: median(all(own, 'total')),
    coreTotal: median(all(core, 'total')),
    totalRatio: ratio('total'),
    p50: median(all(own, 'p50')),
    p99: median(all(own, 'p99')),
    coreP99: median(all(core, 'p99')),
    p99Ratio: ratio('p99'),
    connections: median(all(own, 'connections')),
  };
}

export const burst: Case<BurstSetting> = {
  name: 'burst',
  about: 'many requests at once, no connection open, in turn with Node’s agent in one process',
  contenders: ['core', 'agentkeepalive', 'undici', 'ours'],
  onRequest: ['zero-pool', 'raw-tls'],
  metrics: [
    { key: 'cpu', title: 'CPU ms', digits: 0 },
    { key: 'coreCpu', title: 'core', digits: 0 },
    { key: 'ratio', title: '× core', digits: 3 },
    { key: 'total', title: 'total ms', digits: 0 },
    { key: 'coreTotal', title: 'core', digits: 0 },
    { key: 'totalRatio', title: '× core', digits: 2 },
    { key: 'p50', title: 'p50 ms', digits: 0 },
    { key: 'p99', title: 'p99 ms', digits: 0 },
    { key: 'coreP99', title: 'core', digits: 0 },
    { key: 'p99Ratio', title: '× core', digits: 2 },
    { key: 'connections', title: 'connections', digits: 0 },
  ],
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 2, samples: 3 }),

  settings: () => [0, ...ROUND_TRIPS].map(setting),

  async warmUp(contender, target) {
    await takeBursts(contender, target, 0, WARM_UP_TURNS);
  },

  prepare: (contender, { roundTrip }, target) => ({
    sample: () => takeBursts(contender, target, roundTrip, TURNS),
    close: () => {},
  }),

  verdicts(result) {
    const judge = (limit: number, roundTrip: number, what: string, metric: string) =>
      atMost(
        limit,
        `Burst at ${roundTrip} ms, ${what}: at most ${limit} × core, in turn`,
        summarize(valuesAt(result, { setting: setting(roundTrip).name, contender: 'ours', metric })),
      );
    return [
      ...judge(0.25, 0, 'CPU', 'ratio'),
      ...judge(1, 0, 'p99', 'p99Ratio'),
      ...judge(0.75, 20, 'p99', 'p99Ratio'),
      ...judge(1, 100, 'p99', 'p99Ratio'),
      ...ROUND_TRIPS.flatMap((roundTrip) => judge(1, roundTrip, 'total', 'totalRatio')),
    ];
  },
};
