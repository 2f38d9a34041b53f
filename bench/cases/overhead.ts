/**
 * The cost that an agent adds to Node's client: warm requests over it and over the zero pool, in turn, in one process, so that both share the
 * load of the machine and the state of V8. In the case `warm` each is alone in its process; there, Node's functions are optimized for one kind
 * of agent only, and the scheduler's choice of processors counts, too.
 */
import { authorities, authoritiesTitle, MANY_AUTHORITIES } from '../authorities.js';
import { loadContender } from '../contenders/index.js';
import { measureInTurn } from '../in-turn.js';
import { drive } from '../measure.js';
import type { Load } from '../measure.js';
import { valuesAt } from '../results.js';
import { summarize } from '../statistics.js';
import { atMost } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface OverheadSetting extends Setting {
  readonly concurrency: number;
  readonly authorities: number;
}

/** Requests in one turn of each. */
const REQUESTS = 500;
/** Turns of each in one sample. */
const TURNS = 20;
/** The same before the first sample: until V8 has optimized all. */
const WARM_UP_TURNS = 50;

const SETTINGS: readonly OverheadSetting[] = [1, MANY_AUTHORITIES].flatMap((count) =>
  [1, 10, 100].map((concurrency) => ({
    name: `${authoritiesTitle(count)}, concurrency ${concurrency}`,
    concurrency,
    authorities: count,
  })),
);

export const overhead: Case<OverheadSetting> = {
  name: 'overhead',
  about: 'requests on open connections, in turn with the zero pool in one process',
  contenders: ['ours'],
  onRequest: ['core', 'agentkeepalive'],
  metrics: [
    { key: 'ratio', title: '× zero pool', digits: 3 },
    { key: 'cpu', title: 'CPU µs/request', digits: 1 },
    { key: 'floor', title: 'zero pool', digits: 1 },
  ],
  limit: 120_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 3, samples: 3 }),

  settings: ({ quick }) => (quick ? SETTINGS.slice(0, 1) : SETTINGS),

  async prepare(contender, { concurrency, authorities: count }, target) {
    const ca = authorities(target.certificate, count);
    const client = createClient(contender, target, ca);
    const floor = createClient(await loadContender('zero-pool'), target, ca);
    const load: Load = { requests: REQUESTS, concurrency };
    for (let turn = 0; turn < WARM_UP_TURNS; turn++) {
      await drive(client, load);
      await drive(floor, load);
    }
    return {
      async sample() {
        const { cpu, floor: floorCpu, ratio } = await measureInTurn(client, floor, load, TURNS);
        return { ratio, cpu, floor: floorCpu };
      },
      async close() {
        await client.close();
        await floor.close();
      },
    };
  },

  verdicts: (result) =>
    SETTINGS.flatMap(({ name }) => {
      const ratio = summarize(valuesAt(result, { setting: name, contender: 'ours', metric: 'ratio' }));
      return atMost(1.1, `CPU per warm request, in one process, ${name}: at most 1.10 × zero pool`, ratio);
    }),
};
