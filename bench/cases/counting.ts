/** The cost of statistics: nanoseconds that counting adds to a request, and microseconds that `stats()` takes. */
import type { AgentPool } from '../../src/connections/agent-pool.js';
import type { PooledSocket } from '../../src/connections/pooled-socket.js';
import { statsOf } from '../../src/observe/agent-stats.js';
import { Recorder } from '../../src/observe/recorder.js';
import type { AgentRequest } from '../../src/node/types.js';
import { collectGarbage } from '../measure.js';
import { valuesAt } from '../results.js';
import type { Sample } from '../results.js';
import { summarize } from '../statistics.js';
import { atMost } from '../verdict.js';
import { BareDriver } from '../../test/support/bare-driver.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Case, Setting } from './case.js';

interface CountingSetting extends Setting {
  readonly hosts: number;
}

const OPERATIONS = 1_000_000;
const LOOKS = 200;
/** Nanoseconds that a warm request may pay. */
const LIMIT = 100;

const SETTINGS: readonly CountingSetting[] = [1, 1000, 10_000].map((hosts) => ({
  name: `${hosts.toLocaleString('en')} ${hosts === 1 ? 'host' : 'hosts'}`,
  hosts,
}));

type Waiting = Parameters<Recorder['leftQueue']>[0];

/** An agent's recorder, with as many hosts as there are to be, each with an idle connection. */
class Scene {
  readonly recorder: Recorder = new Recorder('bench');
  readonly #pool = new BareDriver({}).pool;
  readonly #sockets: PooledSocket[] = [];
  readonly #pending: Waiting[] = [];
  readonly #req = {} as AgentRequest;

  constructor(hosts: number) {
    this.recorder.attach(this.#pool as never);
    for (let i = 0; i < hosts; i++) {
      const counters = this.recorder.countersOf({ host: `host-${i}.example.com`, port: 443 } as never);
      const host = new HostPool(i, this.#pool.limits, counters);
      const waiter = new Waiter(host, undefined);
      this.#pool.enqueue(waiter as never);
      const [connection] = host.connections;
      this.#pool.release(connection as never);
      this.#sockets.push({ connection, used: true } as unknown as PooledSocket);
      this.#pending.push({ since: performance.now(), waiter, req: this.#req } as unknown as Waiting);
    }
    this.#pool.turn();
  }

  /** All that a warm request pays. */
  warm(i: number): void {
    const pooled = this.#sockets[i % this.#sockets.length] as PooledSocket;
    this.recorder.came(pooled.connection.host);
    this.recorder.assigned(pooled, this.#req, undefined);
  }

  /** The additional price of a request that has waited. */
  queued(i: number): void {
    const pending = this.#pending[i % this.#pending.length] as Waiting;
    if (pending.waiter) this.recorder.queued(pending, pending.waiter.host);
    this.recorder.leftQueue(pending);
  }

  look(hosts: boolean): void {
    const agentPool = { addresses: () => new Map(), observer: this.recorder, view: this.#pool };
    statsOf(agentPool as unknown as AgentPool, { hosts });
  }
}

/** CPU time: other work on the machine does not count. */
function nanoseconds(times: number, operation: (i: number) => void): number {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) operation(i);
  const { system, user } = process.cpuUsage(before);
  return ((system + user) * 1000) / times;
}

function run({ hosts }: CountingSetting): Sample {
  collectGarbage();
  const scene = new Scene(hosts);
  const many = hosts > 1000 ? LOOKS / 10 : LOOKS;
  return {
    warm: nanoseconds(OPERATIONS, (i) => scene.warm(i)),
    queued: nanoseconds(OPERATIONS / 10, (i) => scene.queued(i)),
    totals: nanoseconds(LOOKS, () => scene.look(false)) / 1000,
    hosts: nanoseconds(many, () => scene.look(true)) / 1000,
  };
}

export const counting: Case<CountingSetting> = {
  name: 'counting',
  about: 'what counters and distributions cost',
  contenders: ['ours'],
  metrics: [
    { key: 'warm', title: 'ns/warm request', digits: 1 },
    { key: 'queued', title: 'ns more if it waited', digits: 0 },
    { key: 'totals', title: 'stats({ hosts: false }) µs', digits: 1 },
    { key: 'hosts', title: 'stats() µs', digits: 0 },
  ],
  limit: 60_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 3, samples: 3 }),

  settings: () => SETTINGS,

  warmUp() {
    for (const setting of SETTINGS) run(setting);
  },

  prepare: (_contender, setting) => ({ sample: () => run(setting), close: () => {} }),

  verdicts: (result) =>
    SETTINGS.flatMap(({ name }) => {
      const cost = summarize(valuesAt(result, { setting: name, contender: 'ours', metric: 'warm' }));
      return atMost(LIMIT, `Counting a warm request, ${name}: at most ${LIMIT} ns`, cost, 1);
    }),
};
