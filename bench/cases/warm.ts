/** Requests on open connections: the cost of a request when all goes well. */
import { authorities, authoritiesTitle, MANY_AUTHORITIES } from '../authorities.js';
import type { Client } from '../contenders/contender.js';
import { drive, measure } from '../measure.js';
import { ratioOf } from '../results.js';
import { atMost } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface WarmSetting extends Setting {
  readonly concurrency: number;
  readonly authorities: number;
  readonly caPerRequest: boolean;
  readonly hint: boolean;
  readonly requests: number;
}

const CONCURRENCIES = [1, 10, 100];
/**
 * With the samples that do not count, enough for V8 to have optimized all, which takes 25,000 requests: with less, an agent
 * is the dearer the more code it has. (A new client needs it anew, as optimized code that embeds objects of another client
 * goes with them.) A contender that needs more than this many milliseconds is slow for other reasons.
 */
const WARM_UP_REQUESTS = 10_000;
const WARM_UP_LIMIT = 1500;

async function warmUp(client: Client, concurrency: number): Promise<void> {
  const startedAt = performance.now();
  const requests = WARM_UP_REQUESTS / 10;
  for (let i = 0; i < 10 && performance.now() - startedAt < WARM_UP_LIMIT; i++) {
    await drive(client, { requests, concurrency });
  }
}

function setting(concurrency: number, count: number): WarmSetting {
  return {
    name: `${authoritiesTitle(count)}, concurrency ${concurrency}`,
    concurrency,
    authorities: count,
    caPerRequest: false,
    hint: false,
    requests: count === 1 ? 1000 : 500,
    // With core's long keys a request costs ten times as much, at any concurrency; for the others nothing changes.
    ...(count > 1 && concurrency !== 10 && { without: ['core', 'agentkeepalive', 'undici', 'raw-tls'] }),
  };
}

export const warm: Case<WarmSetting> = {
  name: 'warm',
  about: 'requests on open connections',
  contenders: ['core', 'agentkeepalive', 'undici', 'ours', 'zero-pool', 'raw-tls'],
  metrics: [
    { key: 'cpu', title: 'CPU µs/request', digits: 1 },
    { key: 'rate', title: 'requests/s', digits: 0 },
    { key: 'connections', title: 'opened meanwhile', digits: 1 },
  ],
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 4 } : { rounds: 4, samples: 9, warmUps: 20 }),

  settings({ quick }) {
    if (quick) return [setting(10, 1), setting(10, MANY_AUTHORITIES)];
    return [
      ...CONCURRENCIES.map((concurrency) => setting(concurrency, 1)),
      {
        ...setting(10, 1),
        name: '1 CA, concurrency 10, server sends Keep-Alive',
        hint: true,
        // It counts on the other response.
        without: ['raw-tls'],
      },
      ...CONCURRENCIES.map((concurrency) => setting(concurrency, MANY_AUTHORITIES)),
      {
        ...setting(10, MANY_AUTHORITIES),
        name: `${authoritiesTitle(MANY_AUTHORITIES)} with every request, concurrency 10`,
        caPerRequest: true,
        without: ['agentkeepalive', 'undici', 'raw-tls'],
      },
    ];
  },

  async prepare(contender, { concurrency, requests, ...variant }, target) {
    const client = createClient(contender, target, authorities(target.certificate, variant.authorities), {
      caPerRequest: variant.caPerRequest,
      port: variant.hint ? target.hintPort : target.port,
    });
    await warmUp(client, concurrency);
    return {
      async sample() {
        // The other contenders have had the processor's caches meanwhile.
        await drive(client, { requests: 20 + concurrency, concurrency });
        const { cpu, wall } = await measure(() => drive(client, { requests, concurrency }));
        return { cpu: cpu / requests, rate: requests / (wall / 1000) };
      },
      close: () => client.close(),
    };
  },

  verdicts(result) {
    return [1, MANY_AUTHORITIES].flatMap((count) =>
      CONCURRENCIES.flatMap((concurrency) => {
        const { name } = setting(concurrency, count);
        const ours = { setting: name, contender: 'ours', metric: 'cpu' } as const;
        const ratio = ratioOf(result, ours, { ...ours, contender: 'zero-pool' });
        return atMost(1.1, `CPU per warm request, ${name}: at most 1.10 × zero pool`, ratio);
      }),
    );
  },
};
