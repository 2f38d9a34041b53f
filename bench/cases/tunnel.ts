/**
 * Through a proxy: a warm request over a tunnel, beside one without a proxy, and a new tunnel for each request. Node's own agent goes by `proxyEnv`, where it
 * can; elsewhere it goes without the proxy, and is left out of the verdicts.
 */
import { Agent } from 'node:https';
import { drive, measure } from '../measure.js';
import type { Load } from '../measure.js';
import type { ContenderName } from '../contenders/index.js';
import { ratioOf } from '../results.js';
import type { CaseResult } from '../results.js';
import { atMost } from '../verdict.js';
import type { Verdict } from '../verdict.js';
import { createClient } from './case.js';
import type { Case, Setting } from './case.js';

interface TunnelSetting extends Setting {
  readonly isWarm: boolean;
  readonly isDirect: boolean;
  readonly resume: boolean;
}

const PACKAGES = ['https-proxy-agent', 'hpagent'] as const;

/** Node's agent takes in `proxyEnv` since 22.21 and 24.5. */
const hasProxyEnv = Object.getOwnPropertySymbols(
  new Agent({ proxyEnv: { https_proxy: 'http://127.0.0.1:9' } } as object),
).some(({ description }) => description === 'kProxyConfig');

const OTHERS: readonly ContenderName[] = hasProxyEnv ? [...PACKAGES, 'core'] : PACKAGES;
const WARM: Load = { requests: 2000, concurrency: 1 };
const COLD: Load = { requests: 60, concurrency: 1 };
/** Requests for V8 to optimize all. */
const WARM_UP = { warm: 5000, cold: 600 };

const DIRECT = 'warm, no proxy';
const THROUGH = 'warm, through a tunnel';
const NEW = [true, false].map((resume): TunnelSetting => {
  const name = `a new tunnel for each, ${resume ? 'sessions resumed' : 'full handshakes'}`;
  return { name, isWarm: false, isDirect: false, resume };
});
const SETTINGS: readonly TunnelSetting[] = [
  { name: DIRECT, isWarm: true, isDirect: true, resume: true, without: PACKAGES },
  { name: THROUGH, isWarm: true, isDirect: false, resume: true },
  ...NEW,
];

export const tunnel: Case<TunnelSetting> = {
  name: 'tunnel',
  about: 'requests through a proxy, over warm tunnels and new ones',
  contenders: ['core', ...PACKAGES, 'ours'],
  metrics: [
    { key: 'cpu', title: 'CPU µs/request', digits: 1 },
    { key: 'wall', title: 'µs/request', digits: 1 },
    { key: 'connections', title: 'connections', digits: 0 },
    { key: 'resumed', title: 'of these resumed', digits: 1 },
  ],
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 2 } : { rounds: 9, samples: 4 }),

  settings: () => SETTINGS,

  async prepare(contender, { isDirect, isWarm, resume }, target) {
    const client = createClient(contender, target, [target.certificate], {
      keepAlive: isWarm,
      sessions: resume,
      proxyPort: isDirect ? undefined : target.proxyPort,
    });
    const load = isWarm ? WARM : COLD;
    await drive(client, { requests: isWarm ? WARM_UP.warm : WARM_UP.cold, concurrency: 1 });
    return {
      async sample() {
        const { cpu, wall } = await measure(() => drive(client, load));
        return { cpu: cpu / load.requests, wall: (wall * 1000) / load.requests };
      },
      close: () => client.close(),
    };
  },

  verdicts: (result) => [
    ...atMost(
      1.03,
      'CPU per warm request: through a tunnel at most 1.03 × without a proxy',
      ratioOf(
        result,
        { setting: THROUGH, metric: 'cpu', contender: 'ours' },
        { setting: DIRECT, metric: 'cpu', contender: 'ours' },
      ),
    ),
    ...NEW.flatMap(({ name }) => OTHERS.flatMap((other) => cheaper(result, name, other))),
  ],
};

function cheaper(result: CaseResult, setting: string, other: ContenderName): Verdict[] {
  const place = { setting, metric: 'cpu' };
  return atMost(
    1,
    `CPU per request, ${setting}: at most that of ${other}`,
    ratioOf(result, { ...place, contender: 'ours' }, { ...place, contender: other }),
  );
}
