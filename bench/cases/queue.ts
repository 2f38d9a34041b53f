/**
 * A long queue behind few connections: whether a request costs more because others wait. A hundred thousand requests that exist at once cost memory, and so garbage
 * collection and cache misses, with any agent; what the agent adds shows against the zero pool with the same queue.
 */
import type { Client } from '../contenders/contender.js';
import { loadContender } from '../contenders/index.js';
import { GROWTH_METRICS, growthVerdicts, measureGrowth } from '../growth.js';
import type { Growing } from '../growth.js';
import { StandingQueue } from '../standing-queue.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface QueueSetting extends Setting {
  readonly waiting: number;
}

interface Queues extends Growing {
  close(): void;
}

const SOCKETS = 10;
/** Requests in one part of a turn. */
const REQUESTS = 2000;
/** Turns in one sample. */
const TURNS = 10;
/** Turns before the first sample: until V8 has optimized all. */
const WARM_UP_TURNS = 15;

async function createQueues(create: () => Client, waiting: number): Promise<Queues> {
  const none = await StandingQueue.start(create(), SOCKETS, 0);
  const long = await StandingQueue.start(create(), SOCKETS, waiting);
  return {
    little: () => none.turn(REQUESTS),
    much: () => long.turn(REQUESTS),
    close() {
      none.close();
      long.close();
    },
  };
}

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

  async prepare(contender, { waiting }, target) {
    const create = (one: typeof contender) => (): Client =>
      createClient(one, target, [target.certificate], { maxSockets: SOCKETS });
    const own = await createQueues(create(contender), waiting);
    const floor = await createQueues(create(await loadContender('zero-pool')), waiting);
    await measureGrowth(own, floor, REQUESTS, WARM_UP_TURNS);
    return {
      sample: () => measureGrowth(own, floor, REQUESTS, TURNS),
      close() {
        own.close();
        floor.close();
      },
    };
  },

  verdicts: growthVerdicts,
};
