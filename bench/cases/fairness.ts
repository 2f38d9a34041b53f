/**
 * Hosts that compete for few slots under `maxTotalSockets`, without sockets: the cost of a release while ten, or ten thousand, hosts wait for a
 * slot; and the memory of the pool for a waiting request.
 */
import type { ClientRequest } from 'node:http';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';
import { PendingRequest } from '../../src/requests/pending-request.js';
import { collectGarbage } from '../measure.js';
import { valuesAt } from '../results.js';
import type { CaseResult, Sample } from '../results.js';
import { summarize } from '../statistics.js';
import { atMost } from '../verdict.js';
import { BareDriver } from '../../test/support/bare-driver.js';
import type { BareKinds } from '../../test/support/bare-driver.js';
import type { Case, Setting } from './case.js';

interface FairnessSetting extends Setting {
  readonly hosts: number;
  readonly fairness: 'round-robin' | 'fifo';
}

const SLOTS = 10;
const RELEASES = 100_000;
const WAITING = 100_000;
/** Nanoseconds: a tenth of the cheapest HTTPS request that was ever seen here. */
const GROWTH_LIMIT = 3600;
const MEMORY_LIMIT = 400;

const settings = (['round-robin', 'fifo'] as const).flatMap((fairness) =>
  [10, 10_000].map((hosts): FairnessSetting => ({
    name: `${hosts.toLocaleString('en')} hosts for ${SLOTS} slots, ${fairness}`,
    hosts,
    fairness,
  })),
);

/** Every host always has waiting requests: each that is served is followed by another. */
class Contention {
  readonly #driver: BareDriver;
  readonly #active: Connection<BareKinds>[] = [];

  constructor({ fairness, hosts }: FairnessSetting) {
    this.#driver = new BareDriver({ maxTotalSockets: SLOTS, fairness });
    this.#driver.assign = (connection) => void this.#active.push(connection);
    for (let i = 0; i < 2 * hosts; i++) this.#enqueue(new HostPool(i % hosts, this.#driver.pool.limits));
  }

  release(): void {
    const connection = this.#active.shift();
    if (!connection) throw new Error('Nothing is in use');
    this.#enqueue(connection.host);
    this.#driver.pool.release(connection);
    this.#driver.pool.turn();
  }

  #enqueue(host: HostPool<BareKinds>): void {
    this.#driver.pool.enqueue(new Waiter<BareKinds>(host, undefined));
  }
}

function nanosecondsPerRelease(setting: FairnessSetting): number {
  const contention = new Contention(setting);
  const startedAt = performance.now();
  for (let i = 0; i < RELEASES; i++) contention.release();
  return ((performance.now() - startedAt) * 1e6) / RELEASES;
}

/** The memory that the pool and its driver keep for each; the request itself and its async context are not ours. */
function bytesPerWaiting(): number {
  const { pool } = new BareDriver({ maxSockets: 1, acquireTimeout: 60_000 });
  const host = new HostPool<BareKinds>(0, pool.limits);
  const [req, options] = [{} as ClientRequest, {}];
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i <= WAITING; i++) {
    pool.enqueue(
      new Waiter<BareKinds>(
        host,
        new PendingRequest(req, options, undefined),
        'replayable',
        performance.now(),
      ),
    );
  }
  collectGarbage();
  const bytes = (process.memoryUsage().heapUsed - before) / host.waiting.size;
  return bytes;
}

const metrics = [
  { key: 'release', title: 'release ns', digits: 0 },
  { key: 'memory', title: 'bytes/waiting', digits: 0 },
];

export const fairness: Case<FairnessSetting> = {
  name: 'fairness',
  about: 'hosts that wait for room, and what a waiting request occupies; without sockets and HTTP',
  contenders: ['ours'],
  metrics,
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 2 } : { rounds: 3, samples: 3 }),

  settings: () => settings,

  warmUp() {
    for (const setting of settings) nanosecondsPerRelease(setting);
  },

  prepare: (_contender, setting) => ({
    sample(): Sample {
      collectGarbage();
      return { release: nanosecondsPerRelease(setting), memory: bytesPerWaiting() };
    },
    close: () => {},
  }),

  verdicts: (result: CaseResult) => {
    const valuesIn = ({ name }: Setting, metric: string): number[] =>
      valuesAt(result, { setting: name, contender: 'ours', metric });
    const [few, many] = [
      settings.filter(({ hosts }) => hosts === 10),
      settings.filter(({ hosts }) => hosts > 10),
    ];
    return [
      ...few.flatMap((setting, i) => {
        const base = valuesIn(setting, 'release');
        const growth = valuesIn(many[i] as Setting, 'release').map(
          (value, round) => value - (base[round] ?? NaN),
        );
        const goal = `Release, from 10 to 10,000 waiting hosts, ${setting.fairness}: grows by at most ${GROWTH_LIMIT} ns`;
        return atMost(GROWTH_LIMIT, goal, summarize(growth), 0);
      }),
      ...atMost(
        MEMORY_LIMIT,
        `${WAITING.toLocaleString('en')} waiting requests: at most ${MEMORY_LIMIT} bytes each`,
        summarize(settings.flatMap((setting) => valuesIn(setting, 'memory'))),
        0,
      ),
    ];
  },
};
