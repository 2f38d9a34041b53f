/**
 * The cost of a new connection: one after the other, each for one request. There are two floors, both with a context
 * that is ready: raw TLS is `tls.connect` and fixed bytes; the zero pool adds a request of Node's client, as every agent must.
 */
import { authorities, authoritiesTitle, MANY_AUTHORITIES } from '../authorities.js';
import { drive, measure } from '../measure.js';
import type { Load } from '../measure.js';
import type { ContenderName } from '../contenders/index.js';
import { ratioOf } from '../results.js';
import type { CaseResult } from '../results.js';
import type { Summary } from '../statistics.js';
import { atLeast, atMost } from '../verdict.js';
import type { Verdict } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface ConnectSetting extends Setting {
  readonly authorities: number;
  readonly resume: boolean;
  readonly looksUp: boolean;
}

const COUNTS = [1, MANY_AUTHORITIES];
const OTHERS = ['core', 'undici'] as const;
/** Some tenths of a second: in shorter samples the collection of garbage, and other work of the machine, come to more than what is measured. */
const SAMPLE: Load = { requests: 200, concurrency: 1 };

/** Connections after which V8 has optimized all, and the milliseconds that they may take: a slower contender is slow for other reasons. */
interface WarmUp {
  readonly connections: number;
  readonly limit: number;
}

/** Before the first setting of a process. V8 optimizes code once: the other settings run the same code, but for a few functions. */
const FIRST: WarmUp = { connections: 4000, limit: 8000 };
const LATER: WarmUp = { connections: 600, limit: 1500 };
let warmUp = FIRST;

function setting(count: number, resume: boolean, looksUp = false): ConnectSetting {
  const handshakes = resume ? 'sessions resumed' : 'full handshakes';
  const name = `${authoritiesTitle(count)}, ${handshakes}${looksUp ? ', localhost looked up' : ''}`;
  // Raw TLS and undici would need other code for it.
  return { name, authorities: count, resume, looksUp, ...(looksUp && { without: ['undici', 'raw-tls'] }) };
}

const SETTINGS = [
  ...COUNTS.flatMap((count) => [setting(count, false), setting(count, true)]),
  setting(1, false, true),
  setting(1, true, true),
];

export const connect: Case<ConnectSetting> = {
  name: 'connect',
  about: 'a new connection for every request, one after the other',
  contenders: ['core', 'undici', 'ours', 'zero-pool', 'raw-tls'],
  onRequest: ['agentkeepalive'],
  metrics: [
    { key: 'cpu', title: 'CPU µs/connection', digits: 0 },
    { key: 'wall', title: 'µs/connection', digits: 0 },
    { key: 'connections', title: `opened for ${SAMPLE.requests}`, digits: 0 },
    { key: 'resumed', title: 'of these resumed', digits: 1 },
  ],
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 2 } : { rounds: 3, samples: 4 }),

  settings: () => SETTINGS,

  async prepare(contender, { authorities: count, looksUp, resume }, target) {
    const client = createClient(contender, target, authorities(target.certificate, count), {
      keepAlive: false,
      sessions: resume,
      looksUp,
    });
    const { connections, limit } = warmUp;
    warmUp = LATER;
    const startedAt = performance.now();
    for (let done = 0; done < connections && performance.now() - startedAt < limit; done += 20) {
      await drive(client, { requests: 20, concurrency: 1 });
    }
    return {
      async sample() {
        const { cpu, wall } = await measure(() => drive(client, SAMPLE));
        return { cpu: cpu / SAMPLE.requests, wall: (wall * 1000) / SAMPLE.requests };
      },
      close: () => client.close(),
    };
  },

  verdicts: (result) => SETTINGS.flatMap((one) => verdictsOn(result, one)),
};

function verdictsOn(result: CaseResult, { name, authorities: count, looksUp }: ConnectSetting): Verdict[] {
  const ratio = (dividend: ContenderName, divisor: ContenderName): Summary | undefined => {
    const place = { setting: name, metric: 'cpu' };
    return ratioOf(result, { ...place, contender: dividend }, { ...place, contender: divisor });
  };
  const what = `CPU per connection, ${name}`;
  if (looksUp) return atMost(0.95, `${what}: at most 0.95 × zero pool`, ratio('ours', 'zero-pool'));
  return [
    ...atMost(1.1, `${what}: at most 1.10 × raw TLS`, ratio('ours', 'raw-tls')),
    ...atMost(1.1, `${what}: at most 1.10 × zero pool`, ratio('ours', 'zero-pool')),
    ...(count < MANY_AUTHORITIES
      ? []
      : OTHERS.flatMap((other) => atLeast(6, `${what}: ${other} at least 6 × ours`, ratio(other, 'ours')))),
  ];
}
