/** The number of connections that resume a TLS session, by the server's count: one after the other, and many at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { drive, measure } from '../measure.js';
import type { Load } from '../measure.js';
import { ROUND_TRIPS } from '../network.js';
import { valuesAt } from '../results.js';
import { summarize } from '../statistics.js';
import { atLeast } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface ResumptionSetting extends Setting {
  readonly load: Load;
  readonly keepAlive: boolean;
  readonly roundTrip: number;
}

const SEQUENCE = 300;
const BURST = 200;
/** Milliseconds after which, at the latest, the server has seen the end of a handshake that is not needed any more. */
const QUIET = 50;

const sequence: ResumptionSetting = {
  name: `${SEQUENCE} connections, one after the other`,
  load: { requests: SEQUENCE, concurrency: 1 },
  keepAlive: false,
  roundTrip: 0,
};

function burst(roundTrip: number): ResumptionSetting {
  return {
    name: `${BURST} requests at once on a cold pool, round trip ${roundTrip} ms`,
    load: { requests: BURST, concurrency: BURST },
    keepAlive: true,
    roundTrip,
  };
}

export const resumption: Case<ResumptionSetting> = {
  name: 'resumption',
  about: 'connections that resume a session',
  contenders: ['core', 'undici', 'ours'],
  onRequest: ['agentkeepalive'],
  metrics: [
    { key: 'cpu', title: 'CPU ms', digits: 0 },
    { key: 'connections', title: 'connections', digits: 0 },
    { key: 'resumed', title: 'resumed', digits: 0 },
  ],
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 3, samples: 2 }),

  settings: () => [sequence, ...[0, ...ROUND_TRIPS].map(burst)],

  async warmUp(contender, target) {
    const client = createClient(contender, target, [target.certificate], { keepAlive: false });
    await drive(client, { requests: 100, concurrency: 1 });
    client.close();
  },

  prepare(contender, { load, keepAlive, roundTrip }, target) {
    const port = target.farPorts[roundTrip] ?? target.port;
    return {
      async sample() {
        const client = createClient(contender, target, [target.certificate], { keepAlive, port });
        const { cpu } = await measure(() => drive(client, load), QUIET + 3 * roundTrip);
        client.close();
        await sleep(QUIET + roundTrip);
        return { cpu: cpu / 1000 };
      },
      close: () => {},
    };
  },

  verdicts(result) {
    const place = { setting: sequence.name, contender: 'ours', metric: 'resumed' } as const;
    const goal = `Of ${sequence.name}: all but the first resume`;
    return atLeast(SEQUENCE - 1, goal, summarize(valuesAt(result, place)), 0);
  },
};
