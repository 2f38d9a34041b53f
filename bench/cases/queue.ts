/**
 * A long queue behind few connections: whether a request costs more because others wait. A hundred thousand requests that exist at once cost memory, and so garbage
 * collection and cache misses, with any agent; what the agent adds shows against the zero pool with the same queue.
 */
import type { Contender } from '../contenders/contender.js';
import { GROWTH_METRICS, growthVerdicts, prepareGrowth } from '../growth.js';
import { StandingQueue } from '../standing-queue.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface QueueSetting extends Setting {
  readonly waiting: number;
}

const SOCKETS = 10;

export const queue: Case<QueueSetting> = {
  name: 'queue',
  about:
    'CPU per request with a long queue behind few connections, in turn with none, and with the zero pool',
  contenders: ['core', 'ours'],
  onRequest: ['agentkeepalive', 'zero-pool'],
  metrics: GROWTH_METRICS,
  limit: 120_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 2, samples: 3 }),

  settings({ quick }) {
    const waiting = quick ? 10_000 : 100_000;
    return [{ name: `from 0 to ${waiting.toLocaleString('en')} waiting`, waiting }];
  },

  prepare(contender, { waiting }, target) {
    const start = (one: Contender, length: number): Promise<StandingQueue> => {
      const client = createClient(one, target, [target.certificate], { maxSockets: SOCKETS });
      return StandingQueue.start(client, SOCKETS, length);
    };
    return prepareGrowth(async (one) => [await start(one, 0), await start(one, waiting)], contender);
  },

  verdicts: growthVerdicts,
};
