/** Many requests at once on an agent that has no connections yet. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../contenders/contender.js';
import { drive, measure } from '../measure.js';
import { ROUND_TRIPS } from '../network.js';
import { ratioOf } from '../results.js';
import { percentile } from '../statistics.js';
import { atLeast, atMost } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface BurstSetting extends Setting {
  readonly roundTrip: number;
}

const REQUESTS = 200;
/** Milliseconds after which, at the latest, a connection that was begun in vain is open or closed. */
const QUIET = 50;

function setting(roundTrip: number): BurstSetting {
  return { name: `${REQUESTS} at once, round trip ${roundTrip} ms`, roundTrip };
}

async function burstOf(client: Client): Promise<number[]> {
  const latencies: number[] = [];
  const timed = async (): Promise<void> => {
    const startedAt = performance.now();
    await client.get('localhost');
    latencies.push(performance.now() - startedAt);
  };
  await Promise.all(Array.from({ length: REQUESTS }, timed));
  return latencies;
}

export const burst: Case<BurstSetting> = {
  name: 'burst',
  about: 'many requests at once, no connection open',
  contenders: ['core', 'agentkeepalive', 'undici', 'ours', 'zero-pool', 'raw-tls'],
  metrics: [
    { key: 'cpu', title: 'CPU ms', digits: 0 },
    { key: 'total', title: 'total ms', digits: 0 },
    { key: 'p50', title: 'p50 ms', digits: 0 },
    { key: 'p99', title: 'p99 ms', digits: 0 },
    { key: 'connections', title: 'connections', digits: 0 },
  ],
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 3, samples: 2 }),

  settings: () => [0, ...ROUND_TRIPS].map(setting),

  async warmUp(contender, target) {
    const client = createClient(contender, target, [target.certificate]);
    await burstOf(client);
    await drive(client, { requests: 1000, concurrency: 10 });
    client.close();
    const another = createClient(contender, target, [target.certificate]);
    await burstOf(another);
    another.close();
  },

  prepare(contender, { roundTrip }, target) {
    const port = target.farPorts[roundTrip] ?? target.port;
    return {
      async sample() {
        const client = createClient(contender, target, [target.certificate], { port });
        let latencies: number[] = [];
        const work = async (): Promise<void> => void (latencies = await burstOf(client));
        const { cpu, wall } = await measure(work, QUIET + 3 * roundTrip);
        client.close();
        await sleep(QUIET + roundTrip);
        return {
          cpu: cpu / 1000,
          total: wall,
          p50: percentile(latencies, 0.5),
          p99: percentile(latencies, 0.99),
        };
      },
      close: () => {},
    };
  },

  verdicts(result) {
    const compare = (roundTrip: number, metric: string, contender: 'ours' | 'core') => {
      const place = { setting: setting(roundTrip).name, metric };
      const base = contender === 'ours' ? 'core' : 'ours';
      return ratioOf(result, { ...place, contender }, { ...place, contender: base });
    };
    return [
      ...atLeast(3, 'Burst at 0 ms, CPU: core at least 3 × ours', compare(0, 'cpu', 'core')),
      ...atMost(1, 'Burst at 0 ms, p99: below 1 × core', compare(0, 'p99', 'ours')),
      ...ROUND_TRIPS.flatMap((roundTrip) =>
        ['p99', 'total'].flatMap((metric) => {
          const goal = `Burst at ${roundTrip} ms, ${metric}: at most 1 × core`;
          return atMost(1, goal, compare(roundTrip, metric, 'ours'));
        }),
      ),
    ];
  },
};
