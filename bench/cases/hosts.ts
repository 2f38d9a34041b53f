/** Many hosts with an idle connection each, requested in turn, so that the processor's caches do not help. */
import { hostName } from '../certificate.js';
import { drive, measure } from '../measure.js';
import { flatness } from '../flatness.js';
import { needConnections } from '../files.js';
import { createClient } from './case.js';
import type { Case, Scale, Setting } from './case.js';

interface HostsSetting extends Setting {
  readonly hosts: number;
  readonly requests: number;
}

const CONCURRENCY = 10;
/** Connections opened at a time. */
const OPENING = 50;
const WARM_UP_REQUESTS = 10_000;
function setting(hosts: number, requests: number): HostsSetting {
  return { name: hosts === 1 ? '1 host' : `${hosts.toLocaleString('en')} hosts`, hosts, requests };
}

export const hosts: Case<HostsSetting> = {
  name: 'hosts',
  about: 'warm requests spread over many hosts',
  contenders: ['ours', 'zero-pool'],
  onRequest: ['core', 'agentkeepalive', 'undici', 'raw-tls'],
  metrics: [
    { key: 'cpu', title: 'CPU µs/request', digits: 1 },
    { key: 'rate', title: 'requests/s', digits: 0 },
    { key: 'memory', title: 'RSS MB', digits: 0 },
    { key: 'connections', title: 'opened meanwhile', digits: 0 },
  ],
  ownServers: true,
  limit: 120_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 3 } : { rounds: 2, samples: 5 }),

  settings({ hosts: count }: Scale) {
    needConnections(count, '--hosts');
    // Every host equally often.
    const requests = count * Math.ceil(5000 / count);
    return [setting(1, requests), setting(count, requests)];
  },

  async prepare(contender, { hosts: count, requests }, target) {
    const client = createClient(contender, target, [target.certificate], { manyHosts: true });
    const names = Array.from({ length: count }, (_, index) => hostName(index));
    const load = { requests, concurrency: CONCURRENCY, hosts: names };
    await drive(client, { requests: count, concurrency: Math.min(count, OPENING), hosts: names });
    // All hosts once more, and enough for V8 to have optimized all.
    await drive(client, { ...load, requests: Math.max(requests, WARM_UP_REQUESTS) });
    return {
      async sample() {
        await drive(client, { ...load, requests: 100 });
        const { cpu, wall } = await measure(() => drive(client, load));
        return {
          cpu: cpu / requests,
          rate: requests / (wall / 1000),
          memory: process.memoryUsage.rss() / 1024 ** 2,
        };
      },
      close: () => client.close(),
    };
  },

  verdicts: (result) => flatness(result),
};
