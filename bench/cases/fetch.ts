/**
 * `fetch` and `undici.request`, over undici's own dispatchers and over this package's: requests on open connections, and a new connection for every request.
 * A dispatcher of ours runs requests over Node's client, which is the dearer one; the connector leaves them to undici's.
 */
import { authorities, authoritiesTitle, MANY_AUTHORITIES } from '../authorities.js';
import type { ContenderName } from '../contenders/index.js';
import { drive, measure } from '../measure.js';
import { ratioOf } from '../results.js';
import { atLeast, atMost } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface FetchSetting extends Setting {
  readonly authorities: number;
  /** A new connection for every request. */
  readonly isCold: boolean;
  readonly resume: boolean;
}

const WARM = { requests: 500, concurrency: 10 };
const COLD = { requests: 60, concurrency: 1 };
/** Requests for V8 to optimize all, and the milliseconds that they may take. */
const WARM_UP = { warm: 10_000, cold: 600 };
const WARM_UP_LIMIT = 2000;

function setting(count: number, kind: 'warm' | 'full handshakes' | 'sessions resumed'): FetchSetting {
  return {
    name: `${authoritiesTitle(count)}, ${kind}`,
    authorities: count,
    isCold: kind !== 'warm',
    resume: kind !== 'full handshakes',
  };
}

const SETTINGS = [1, MANY_AUTHORITIES].flatMap((count) => [
  setting(count, 'warm'),
  setting(count, 'full handshakes'),
  setting(count, 'sessions resumed'),
]);

export const fetchCase: Case<FetchSetting> = {
  name: 'fetch',
  about: 'fetch and undici.request, over undici and over this package',
  contenders: ['fetch-node', 'fetch-ours', 'undici', 'undici-ours', 'undici-connector', 'ours'],
  metrics: [
    { key: 'cpu', title: 'CPU µs/request', digits: 1 },
    { key: 'rate', title: 'requests/s', digits: 0 },
    { key: 'connections', title: 'opened meanwhile', digits: 1 },
    { key: 'resumed', title: 'of these resumed', digits: 1 },
  ],
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 2 } : { rounds: 3, samples: 6 }),

  settings: () => SETTINGS,

  async prepare(contender, { authorities: count, isCold, resume }, target) {
    const client = createClient(contender, target, authorities(target.certificate, count), {
      keepAlive: !isCold,
      sessions: resume,
    });
    const load = isCold ? COLD : WARM;
    const startedAt = performance.now();
    for (
      let done = 0;
      done < WARM_UP[isCold ? 'cold' : 'warm'] && performance.now() - startedAt < WARM_UP_LIMIT;
      done += load.requests
    )
      await drive(client, load);
    return {
      async sample() {
        const { cpu, wall } = await measure(() => drive(client, load));
        return { cpu: cpu / load.requests, rate: load.requests / (wall / 1000) };
      },
      close: () => client.close(),
    };
  },

  verdicts(result) {
    const ratio = (name: string, dividend: ContenderName, divisor: ContenderName) => {
      const place = { setting: name, metric: 'cpu' };
      return ratioOf(result, { ...place, contender: dividend }, { ...place, contender: divisor });
    };
    const many = (kind: 'full handshakes' | 'sessions resumed'): string =>
      setting(MANY_AUTHORITIES, kind).name;
    const warm = setting(1, 'warm').name;
    return [
      ...atMost(
        1.1,
        `${warm}: the connector at most 1.10 × undici`,
        ratio(warm, 'undici-connector', 'undici'),
      ),
      ...atMost(
        1.1,
        `${warm}: undici.request over ours at most 1.10 × https.request`,
        ratio(warm, 'undici-ours', 'ours'),
      ),
      ...(['full handshakes', 'sessions resumed'] as const).flatMap((kind) =>
        atLeast(
          10,
          `${many(kind)}: undici at least 10 × the connector`,
          ratio(many(kind), 'undici', 'undici-connector'),
        ),
      ),
    ];
  },
};
