/**
 * A long queue behind few connections. A hundred thousand requests that exist at once cost memory, and so garbage
 * collection and cache misses, with any agent; what the agent adds shows against the zero pool with the same queue.
 */
import { collectGarbage, drive, measure } from '../measure.js';
import { flatness } from '../flatness.js';
import { createClient } from './case.js';
import type { Case, Scale, Setting } from './case.js';

interface QueueSetting extends Setting {
  readonly requests: number;
  readonly concurrency: number;
}

const SOCKETS = 10;
const WARM_UP = { requests: 10_000, concurrency: SOCKETS };
const WARM_UP_WAITING = { requests: 5000, concurrency: 1000 };

function setting(waiting: number, requests: number): QueueSetting {
  return { name: `${waiting.toLocaleString('en')} waiting`, requests, concurrency: SOCKETS + waiting };
}

/** Without a queue, and with a long one. */
function settings({ quick }: Scale): [QueueSetting, QueueSetting] {
  const waiting = quick ? 10_000 : 100_000;
  return [setting(0, 10_000), setting(waiting, waiting + SOCKETS)];
}

export const queue: Case<QueueSetting> = {
  name: 'queue',
  about: 'a long queue behind few connections',
  contenders: ['core', 'undici', 'ours', 'zero-pool'],
  onRequest: ['agentkeepalive'],
  metrics: [
    { key: 'cpu', title: 'CPU µs/request', digits: 1 },
    { key: 'rate', title: 'requests/s', digits: 0 },
    { key: 'memory', title: 'peak RSS MB', digits: 0 },
  ],
  limit: 30_000,

  effort: ({ quick }) => ({ rounds: quick ? 1 : 2, samples: 1 }),

  settings,

  prepare(contender, load, target) {
    const client = createClient(contender, target, [target.certificate], { maxSockets: SOCKETS });
    return {
      async sample() {
        // Garbage of earlier contenders must not be paid for; but a forced collection also takes away optimized code.
        collectGarbage();
        await drive(client, WARM_UP);
        await drive(client, WARM_UP_WAITING);
        const { cpu, wall } = await measure(() => drive(client, load));
        return {
          cpu: cpu / load.requests,
          rate: load.requests / (wall / 1000),
          memory: process.resourceUsage().maxRSS / 1024,
        };
      },
      close: () => client.close(),
    };
  },

  verdicts: (result) => flatness(result),
};
