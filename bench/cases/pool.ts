/**
 * The pool's decisions alone, without sockets, TLS or HTTP: nanoseconds for each step of a request, with few and with
 * many hosts and waiting requests.
 */
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';
import type { Pool } from '../../src/pool/pool.js';
import { collectGarbage } from '../measure.js';
import { valuesAt } from '../results.js';
import type { CaseResult, Sample } from '../results.js';
import { summarize } from '../statistics.js';
import { atMost } from '../verdict.js';
import { BareDriver } from '../../test/support/bare-driver.js';
import type { BareKinds } from '../../test/support/bare-driver.js';
import type { Case, Setting } from './case.js';

interface PoolSetting extends Setting {
  readonly hosts: number;
  readonly waiting: number;
}

const OPERATIONS = 100_000;
/** Nanoseconds: a tenth of the cheapest HTTPS request that was ever seen here. */
const GROWTH_LIMIT = 3600;

function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}`;
}

function settingOf(hosts: number, waiting: number): PoolSetting {
  const name = `${count(hosts, hosts === 1 ? 'host' : 'hosts')}, ${count(waiting, 'waiting')}`;
  return { name, hosts, waiting };
}

const smallest = settingOf(1, 0);
const larger = [settingOf(10_000, 0), settingOf(1, 100_000), settingOf(10_000, 100_000)];

const metrics = [
  { key: 'lease', title: 'lease + release ns', digits: 0 },
  { key: 'handOver', title: 'enqueue + hand-over ns', digits: 0 },
  { key: 'abort', title: 'enqueue + abort ns', digits: 0 },
];

/** As many hosts with an idle connection as with a busy one; behind the latter the requests wait. */
class Population {
  readonly pool: Pool<BareKinds> = new BareDriver({ maxSockets: 1 }).pool;
  readonly #idle: HostPool<BareKinds>[] = [];
  readonly #busy: Connection<BareKinds>[] = [];
  readonly #waiting: Waiter<BareKinds>[] = [];

  constructor({ hosts, waiting }: PoolSetting) {
    for (let i = 0; i < hosts; i++) {
      const idle = this.#open(2 * i);
      this.pool.release(idle);
      this.#idle.push(idle.host);
      this.#busy.push(this.#open(2 * i + 1));
    }
    this.pool.turn();
    for (let i = 0; i < waiting; i++) this.#waiting.push(this.#enqueue(this.#at(this.#busy, i).host));
  }

  lease(i: number): void {
    const connection = this.pool.lease(this.#at(this.#idle, i));
    if (!connection) throw new Error('Nothing was idle');
    this.pool.release(connection);
    this.pool.turn();
  }

  /** The head of the queue gets a connection that comes free; another request takes its place at the end. */
  handOver(i: number): void {
    const connection = this.#at(this.#busy, i);
    this.#enqueue(connection.host);
    this.pool.release(connection);
    this.pool.turn();
  }

  /** A request somewhere in a queue is destroyed; another one comes. */
  abort(i: number): void {
    const { host } = this.#at(this.#busy, i);
    const waiter = this.#enqueue(host);
    const place = (i * 7919) % Math.max(1, this.#waiting.length);
    this.pool.abort(this.#waiting[place] ?? waiter);
    if (this.#waiting.length > 0) this.#waiting[place] = waiter;
  }

  #at<T>(members: readonly T[], i: number): T {
    return members[i % members.length] as T;
  }

  #enqueue(host: HostPool<BareKinds>): Waiter<BareKinds> {
    const waiter = new Waiter<BareKinds>(host, undefined);
    this.pool.enqueue(waiter);
    return waiter;
  }

  #open(origin: number): Connection<BareKinds> {
    const host = new HostPool<BareKinds>(origin, this.pool.limits);
    this.#enqueue(host);
    const [connection] = host.connections;
    if (!connection) throw new Error('Nothing was opened');
    return connection;
  }
}

function nanoseconds(operation: (i: number) => void): number {
  const startedAt = performance.now();
  for (let i = 0; i < OPERATIONS; i++) operation(i);
  return ((performance.now() - startedAt) * 1e6) / OPERATIONS;
}

function run(setting: PoolSetting): Sample {
  collectGarbage();
  const population = new Population(setting);
  // Hand-overs come last: they serve the requests that aborts pick from.
  return {
    lease: nanoseconds((i) => population.lease(i)),
    abort: nanoseconds((i) => population.abort(i)),
    handOver: nanoseconds((i) => population.handOver(i)),
  };
}

/** The growth of an operation's cost, round by round, in the worst setting. */
function growth(result: CaseResult, metric: string): number[] {
  const valuesIn = ({ name }: Setting): number[] =>
    valuesAt(result, { setting: name, contender: 'ours', metric });
  const dearest = larger.map(valuesIn);
  return valuesIn(smallest).map(
    (base, round) => Math.max(...dearest.map((values) => values[round] ?? NaN)) - base,
  );
}

export const pool: Case<PoolSetting> = {
  name: 'pool',
  about: 'the decisions alone, without sockets and HTTP',
  contenders: ['ours'],
  metrics,
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 3 } : { rounds: 3, samples: 5 }),

  settings: () => [smallest, ...larger],

  warmUp() {
    for (const setting of [smallest, ...larger]) run(setting);
  },

  prepare: (_contender, setting) => ({ sample: () => run(setting), close: () => {} }),

  verdicts(result) {
    return metrics.flatMap(({ key, title }) => {
      const goal = `Pool alone, ${title}: grows by at most ${GROWTH_LIMIT}`;
      return atMost(GROWTH_LIMIT, goal, summarize(growth(result, key)), 0);
    });
  },
};
