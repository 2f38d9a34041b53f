/**
 * The cost of a new connection: one after the other, each for one request. There are two floors, both with a context
 * that is ready: raw TLS is `tls.connect` and fixed bytes; the zero pool adds a request of Node's client, as every agent must. Each contender takes turns with
 * the zero pool in its process, so that both share the load of the machine; the zero pool itself shows how well that works.
 */
import { authorities, authoritiesTitle, MANY_AUTHORITIES } from '../authorities.js';
import { measureInTurn } from '../in-turn.js';
import { drive } from '../measure.js';
import type { Load } from '../measure.js';
import { loadContender } from '../contenders/index.js';
import type { ContenderName } from '../contenders/index.js';
import { ratioOf, valuesAt } from '../results.js';
import type { CaseResult } from '../results.js';
import { summarize } from '../statistics.js';
import type { Summary } from '../statistics.js';
import { atLeast, atMost } from '../verdict.js';
import type { Verdict } from '../verdict.js';
import { createClient } from './case.js';
import type { Client, Contender } from '../contenders/contender.js';
import type { Case, Setting } from './case.js';

interface ConnectSetting extends Setting {
  readonly authorities: number;
  readonly resume: boolean;
  readonly looksUp: boolean;
}

const COUNTS = [1, MANY_AUTHORITIES];
const OTHERS = ['core', 'undici'] as const;
/** One turn of each: some hundredths of a second. */
const TURN: Load = { requests: 20, concurrency: 1 };
/** Turns of each in one sample: in shorter samples the collection of garbage, and other work of the machine, come to more than what is measured. */
const TURNS = 10;
/** Connections of each in one sample. */
const SAMPLE = TURNS * TURN.requests;

/** Connections of each after which V8 has optimized all, and the milliseconds that they may take: a slower contender is slow for other reasons. */
interface WarmUp {
  readonly connections: number;
  readonly limit: number;
}

/** Before the first setting of a process. V8 optimizes code once: the other settings run the same code, but for a few functions. */
const FIRST: WarmUp = { connections: 4000, limit: 12_000 };
const LATER: WarmUp = { connections: 600, limit: 2500 };
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
    { key: 'ratio', title: '× zero pool, in turn', digits: 3 },
    { key: 'wall', title: 'µs/connection', digits: 0 },
    { key: 'connections', title: `opened for ${SAMPLE} of each`, digits: 0 },
    { key: 'resumed', title: 'of these resumed', digits: 1 },
  ],
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 2 } : { rounds: 3, samples: 4 }),

  settings: () => SETTINGS,

  async prepare(contender, { authorities: count, looksUp, resume }, target) {
    const create = (one: Contender): Client =>
      createClient(one, target, authorities(target.certificate, count), {
        keepAlive: false,
        sessions: resume,
        looksUp,
      });
    const client = create(contender);
    const floor = create(await loadContender('zero-pool'));
    const { connections, limit } = warmUp;
    warmUp = LATER;
    const startedAt = performance.now();
    for (let done = 0; done < connections && performance.now() - startedAt < limit; done += TURN.requests) {
      await drive(client, TURN);
      await drive(floor, TURN);
    }
    return {
      async sample() {
        const { cpu, ratio, wall } = await measureInTurn(client, floor, TURN, TURNS);
        return { cpu, ratio, wall };
      },
      async close() {
        await client.close();
        await floor.close();
      },
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
  const inTurn = summarize(valuesAt(result, { setting: name, contender: 'ours', metric: 'ratio' }));
  if (looksUp) return atMost(0.95, `${what}: at most 0.95 × zero pool, in turn`, inTurn);
  return [
    ...atMost(1.1, `${what}: at most 1.10 × raw TLS`, ratio('ours', 'raw-tls')),
    ...atMost(1.1, `${what}: at most 1.10 × zero pool, in turn`, inTurn),
    ...(count < MANY_AUTHORITIES
      ? []
      : OTHERS.flatMap((other) => atLeast(6, `${what}: ${other} at least 6 × ours`, ratio(other, 'ours')))),
  ];
}
