/**
 * The graceful end of an agent with thousands of connections: the time that `close()` takes, and the longest time for which it holds the event
 * loop. The connections are real ones, opened anew for each sample.
 */
import { request } from 'node:https';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { PoolingAgent } from '../../src/index.js';
import { hostName } from '../certificate.js';
import { needConnections } from '../files.js';
import { lookup } from '../lookup.js';
import { collectGarbage } from '../measure.js';
import type { Target } from '../network.js';
import { valuesAt } from '../results.js';
import type { Sample } from '../results.js';
import { summarize } from '../statistics.js';
import { atMost } from '../verdict.js';
import type { Case, Scale, Setting } from './case.js';

interface CloseSetting extends Setting {
  readonly connections: number;
  readonly hosts: number;
  /** In use by requests that do not end: `close({ timeout: 0 })` ends them. Otherwise all are idle. */
  readonly isInUse: boolean;
}

const CONNECTIONS = 10_000;
/** Enough to see that it works. */
const FEW = 1000;
/** Connections opened at a time. */
const OPENING = 100;
/** Milliseconds that it may take, and for which it may hold the event loop at a time. */
const LIMIT = 2000;
const HOLD_LIMIT = 20;
/** Milliseconds in which what was opened comes to rest, and what was closed is gone on the other side, too. */
const REST = 500;

function settingsOf({ quick }: Pick<Scale, 'quick'>): CloseSetting[] {
  const connections = quick ? FEW : CONNECTIONS;
  needConnections(connections, '--quick');
  const count = connections.toLocaleString('en');
  return [
    { name: `${count} idle, 1 host`, connections, hosts: 1, isInUse: false },
    { name: `${count} idle, ${count} hosts`, connections, hosts: connections, isInUse: false },
    { name: `${count} in use, 1 host, timeout: 0`, connections, hosts: 1, isInUse: true },
  ];
}

/** An agent with as many open connections as `setting` says. */
async function filled({ connections, hosts, isInUse }: CloseSetting, target: Target): Promise<PoolingAgent> {
  const { certificate: ca, port } = target;
  const agent = new PoolingAgent({
    ca,
    ...{ lookup },
    maxFreeSockets: Infinity,
    idleTimeout: Infinity,
    trimInterval: 0,
  });
  for (let opened = 0; opened < connections; opened += OPENING) {
    const host = (i: number): string => (hosts === 1 ? 'localhost' : hostName(opened + i));
    // With one host, the connections that are free already count, too.
    const count = hosts === 1 ? opened + OPENING : 1;
    await Promise.all(
      Array.from({ length: hosts === 1 && !isInUse ? 1 : OPENING }, (_, i) =>
        isInUse
          ? use(agent, { host: host(i), port })
          : agent.preconnect({ host: host(i), port }, { connections: count }),
      ),
    );
  }
  const { active, idle } = agent.stats({ hosts: false });
  if ((isInUse ? active : idle) !== connections) throw new Error(`${active} are in use, and ${idle} idle`);
  return agent;
}

/** A request that was answered before it has ended: its connection stays in use. */
function use(agent: PoolingAgent, where: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request({ ...where, agent, method: 'POST' }, (response) => {
      response.on('end', resolve).on('error', () => {});
      response.resume();
    });
    req.on('error', reject);
    req.write('x');
  });
}

type CpuUsage = typeof process.cpuUsage;

/** The CPU time of this thread alone, where Node has it: other threads collect garbage and compile. */
const cpuUsage: CpuUsage = (process as { threadCpuUsage?: CpuUsage }).threadCpuUsage ?? process.cpuUsage;

/** The most CPU that one turn of the event loop has used, in milliseconds: what others do on the machine does not count. */
class LongestTurn {
  #milliseconds = 0;
  #before = cpuUsage();
  #isOver = false;

  constructor() {
    this.#look();
  }

  stop(): number {
    this.#isOver = true;
    return this.#milliseconds;
  }

  #look(): void {
    const { system, user } = cpuUsage(this.#before);
    this.#before = cpuUsage();
    this.#milliseconds = Math.max(this.#milliseconds, (system + user) / 1000);
    if (!this.#isOver) setImmediate(() => this.#look());
  }
}

async function run(setting: CloseSetting, target: Target): Promise<Sample> {
  const agent = await filled(setting, target);
  await sleep(REST);
  collectGarbage();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await sleep(REST);
  const turns = new LongestTurn();
  // Delays of before, and the collection of garbage, are not counted.
  delay.reset();
  const startedAt = performance.now();
  await agent.close(setting.isInUse ? { timeout: 0 } : {});
  const wall = performance.now() - startedAt;
  delay.disable();
  const cpu = turns.stop();
  if (agent.totalSocketCount > 0) throw new Error(`${agent.totalSocketCount} connections are left`);
  await sleep(REST);
  return { wall, hold: delay.max / 1e6, cpu };
}

export const close: Case<CloseSetting> = {
  name: 'close',
  about: 'close() of an agent with thousands of connections',
  contenders: ['ours'],
  metrics: [
    { key: 'wall', title: 'ms', digits: 0 },
    { key: 'hold', title: 'loop held ms at most', digits: 1 },
    { key: 'cpu', title: 'CPU ms/turn at most', digits: 1 },
  ],
  limit: 180_000,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 3, samples: 1 }),

  settings: settingsOf,

  async warmUp(_contender, target) {
    for (const setting of settingsOf({ quick: true })) await run(setting, target);
  },

  prepare: (_contender, setting, target) => ({ sample: () => run(setting, target), close: () => {} }),

  verdicts: (result) =>
    result.settings.flatMap(({ setting }) => {
      const of = (metric: string) => summarize(valuesAt(result, { setting, contender: 'ours', metric }));
      return [
        ...atMost(LIMIT, `close(), ${setting}: at most ${LIMIT} ms`, of('wall'), 0),
        ...atMost(
          HOLD_LIMIT,
          `close(), ${setting}: holds the loop for at most ${HOLD_LIMIT} ms`,
          of('hold'),
          1,
        ),
      ];
    }),
};
