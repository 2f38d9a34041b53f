/** Many hosts with an idle connection each, requested one after the other, so that the processor's caches do not help. */
import { hostName } from '../certificate.js';
import type { Client } from '../contenders/contender.js';
import { loadContender } from '../contenders/index.js';
import { needConnections } from '../files.js';
import { GROWTH_METRICS, growthVerdicts, measureGrowth } from '../growth.js';
import type { Growing } from '../growth.js';
import { drive } from '../measure.js';
import { createClient } from './case.js';
import type { Case, Scale, Setting } from './case.js';

interface HostsSetting extends Setting {
  readonly hosts: number;
}

interface Clients extends Growing {
  close(): void;
}

const CONCURRENCY = 10;
/** Connections opened at a time. */
const OPENING = 50;
/** Requests in one part of a turn: the hosts' turn goes on in the next part. */
const REQUESTS = 2000;
/** Turns in one sample. */
const TURNS = 10;
/** Turns before the first sample: until V8 has optimized all. */
const WARM_UP_TURNS = 15;

/** Requests to all hosts in turn, as many at a time as are asked for. */
class Tour {
  readonly #client: Client;
  readonly #names: readonly string[];
  #next = 0;

  constructor(client: Client, hosts: number) {
    this.#client = client;
    this.#names = Array.from({ length: hosts }, (_, index) => hostName(index));
  }

  open(): Promise<void> {
    const { length } = this.#names;
    return this.#drive(length, Math.min(length, OPENING));
  }

  requests(): Promise<void> {
    return this.#drive(REQUESTS, CONCURRENCY);
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

async function openClients(create: () => Client, hosts: number): Promise<Clients> {
  const one = new Tour(create(), 1);
  const many = new Tour(create(), hosts);
  await one.open();
  await many.open();
  return {
    little: () => one.requests(),
    much: () => many.requests(),
    close() {
      one.close();
      many.close();
    },
  };
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

  async prepare(contender, { hosts: count }, target) {
    const create = (one: typeof contender) => (): Client =>
      createClient(one, target, [target.certificate], { manyHosts: true });
    const own = await openClients(create(contender), count);
    const floor = await openClients(create(await loadContender('zero-pool')), count);
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
