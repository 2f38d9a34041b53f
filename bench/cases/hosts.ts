/** Many hosts with an idle connection each, requested one after the other, so that the processor's caches do not help. */
import { hostName } from '../certificate.js';
import type { Client, Contender } from '../contenders/contender.js';
import { needConnections } from '../files.js';
import { GROWTH_METRICS, growthVerdicts, prepareGrowth } from '../growth.js';
import { drive } from '../measure.js';
import { createClient } from './case.js';
import type { Case, Scale, Setting } from './case.js';

interface HostsSetting extends Setting {
  readonly hosts: number;
}

const CONCURRENCY = 10;
/** Connections opened at a time. */
const OPENING = 50;

/** Requests to all hosts in turn: each part begins where the one before it has ended. */
class Tour {
  readonly #client: Client;
  readonly #names: readonly string[];
  #next = 0;

  private constructor(client: Client, hosts: number) {
    this.#client = client;
    this.#names = Array.from({ length: hosts }, (_, index) => hostName(index));
  }

  /** Opens a connection to each host. */
  static async start(client: Client, hosts: number): Promise<Tour> {
    const tour = new Tour(client, hosts);
    await tour.#drive(hosts, Math.min(hosts, OPENING));
    return tour;
  }

  turn(requests: number): Promise<void> {
    return this.#drive(requests, CONCURRENCY);
  }

  close(): void {
    this.#client.close();
  }

  #drive(requests: number, concurrency: number): Promise<void> {
    const get = (): Promise<void> =>
      this.#client.get(this.#names[this.#next++ % this.#names.length] as string);
    return drive({ get }, { requests, concurrency });
  }
}

export const hosts: Case<HostsSetting> = {
  name: 'hosts',
  about: 'CPU per warm request spread over many hosts, in turn with one host, and with the zero pool',
  contenders: ['ours'],
  onRequest: ['core', 'agentkeepalive', 'undici', 'zero-pool'],
  metrics: GROWTH_METRICS,
  ownServers: true,
  limit: 120_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 2, samples: 3 }),

  settings({ hosts: count }: Scale) {
    // The contender's, and the zero pool's.
    needConnections(2 * (count + CONCURRENCY), '--hosts');
    return [{ name: `from 1 to ${count.toLocaleString('en')} hosts`, hosts: count }];
  },

  prepare(contender, { hosts: count }, target) {
    const start = (one: Contender, hostCount: number): Promise<Tour> =>
      Tour.start(createClient(one, target, [target.certificate], { manyHosts: true }), hostCount);
    return prepareGrowth(async (one) => [await start(one, 1), await start(one, count)], contender);
  },

  verdicts: growthVerdicts,
};
