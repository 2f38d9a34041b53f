/**
 * `minFreeSockets: 5` over a server that closes idle connections after a second, without saying so: bursts of 5 requests that cannot be sent twice, and how many of
 * these bursts find 5 connections ready. The server has a process of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PoolingAgent } from '../../src/index.js';
import { findsReady, Lag } from '../../test/support/bursts.js';
import { IDLE_TIME } from '../../test/support/idle-closing.js';
import { lookup } from '../lookup.js';
import { valuesAt } from '../results.js';
import { summarize } from '../statistics.js';
import { atLeast } from '../verdict.js';
import type { Case, Setting } from './case.js';

interface ReadySetting extends Setting {
  readonly tries: number;
}

const BURST = 5;
/** Bursts in a hundred that have to find all. */
const LIMIT = 99;
/** Milliseconds between two bursts, at least and at most: they come at all points of a cycle. */
const BETWEEN_BURSTS = [0.9 * IDLE_TIME, 1.7 * IDLE_TIME] as const;

export const ready: Case<ReadySetting> = {
  name: 'ready',
  about: `minFreeSockets: ${BURST}, and a server that closes idle connections after a second`,
  contenders: ['ours'],
  metrics: [
    { key: 'found', title: `bursts of 100 that find ${BURST}`, digits: 0 },
    { key: 'dials', title: 'opened per burst', digits: 1 },
    { key: 'lag', title: 'loop held ms at most', digits: 0 },
  ],
  limit: 600_000,

  effort: () => ({ rounds: 1, samples: 1 }),

  settings: ({ quick }) => [{ name: `${quick ? 5 : 100} bursts`, tries: quick ? 5 : 100 }],

  prepare(_contender, { tries }, { certificate, idlePort }) {
    const hosts = { [`localhost:${idlePort}`]: { minFreeSockets: BURST } };
    const agent = new PoolingAgent({ ca: certificate, ...{ lookup }, hosts });
    return {
      async sample() {
        // The first cycle: the server teaches what it does.
        await sleep(2 * IDLE_TIME);
        const lag = new Lag();
        const before = agent.stats({ hosts: false }).opened;
        const [least, most] = BETWEEN_BURSTS;
        let found = 0;
        for (let i = 0; i < tries; i++) {
          if (await findsReady(agent, idlePort, BURST)) found++;
          await sleep(least + Math.random() * (most - least));
        }
        lag.stop();
        const dials = (agent.stats({ hosts: false }).opened - before) / tries;
        return { found: (found * 100) / tries, dials, lag: lag.take().most };
      },
      close: () => agent.destroy(),
    };
  },

  verdicts: (result) =>
    result.settings.flatMap(({ setting }) => {
      const found = summarize(valuesAt(result, { setting, contender: 'ours', metric: 'found' }));
      return atLeast(LIMIT, `${setting} of ${BURST}: at least ${LIMIT} of 100 find ${BURST}`, found, 0);
    }),
};
