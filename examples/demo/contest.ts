/** Runs the agents through a phase, turn by turn; the order changes from round to round. */
import { Agent } from 'node:https';
import type { AgentOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import agentkeepalive from 'agentkeepalive';
import { PoolingAgent } from '../../src/index.js';
import { shown } from './inspect.js';
import { Load } from './load.js';
import type { Sample } from './load.js';
import { Outcomes } from './outcomes.js';
import type { Phase } from './phases.js';
import type { Target } from './target.js';

const contenders = {
  'https.Agent': (options: AgentOptions): Agent => new Agent(options),
  agentkeepalive: (options: AgentOptions): Agent => new agentkeepalive.HttpsAgent(options),
  PoolingAgent: (options: AgentOptions, name: string): Agent => shown(new PoolingAgent({ ...options, name })),
};

export type Name = keyof typeof contenders;
const names = Object.keys(contenders) as Name[];

export interface Result {
  /** One for each turn that counts. */
  readonly samples: Sample[];
  readonly outcomes: Outcomes;
  /** The server's counts, in the turns that count. */
  connections: number;
  resumed: number;
}

/** Requests of each agent that count for nobody: code is compiled, caches are filled, connections are opened. */
const WARM_UP = 4000;
/** The most that they may take of the time of a phase: a busy machine has to come to an end, too. */
const WARM_UP_SHARE = 0.4;

export type Results = Readonly<Record<Name, Result>>;

/**
 * @param time milliseconds for all agents together; each has a turn that counts in any case
 * @param doing is told which agent's turn it is
 */
export async function contest(
  phase: Phase,
  time: number,
  target: Target,
  doing: (name: Name) => void,
): Promise<Results> {
  const { ca, lookup } = target;
  const all = { keepAlive: true, ca, lookup, ...phase.options?.(target) };
  // A copy for each: agentkeepalive writes its defaults into what it is given.
  const entries = names.map((name) => ({
    name,
    agent: contenders[name]({ ...all }, phase.name),
    result: nothing(),
  }));
  const work = phase.work(target);
  const started = performance.now();
  const isWarm = (): boolean =>
    entries.every(({ result }) => result.outcomes.answered >= WARM_UP) ||
    performance.now() >= started + time * WARM_UP_SHARE;
  let lastRound = 0;
  let counted = 0;
  // One round counts in any case, and no other begins that would end too late.
  for (let round = 0; counted === 0 || performance.now() + lastRound < started + time; round++) {
    const begun = performance.now();
    // Only what is about speed has to be warm.
    const counts = phase.kind !== 'speed' || (round > 0 && isWarm());
    for (const { name, agent, result } of round % 2 === 0 ? entries : entries.toReversed()) {
      doing(name);
      const earlier = await target.counts();
      const sample = await new Load(agent, result.outcomes, phase.turn).run(work);
      if (phase.cold) {
        agent.destroy();
        // Until both ends have forgotten the connections; not measured.
        await sleep(30);
      }
      const later = await target.counts();
      if (!counts) continue;
      result.samples.push(sample);
      result.connections += later.connections - earlier.connections;
      result.resumed += later.resumed - earlier.resumed;
    }
    lastRound = performance.now() - begun;
    if (counts) counted++;
  }
  for (const { agent } of entries) agent.destroy();
  return Object.fromEntries(entries.map(({ name, result }) => [name, result])) as unknown as Results;
}

function nothing(): Result {
  return { samples: [], outcomes: new Outcomes(), connections: 0, resumed: 0 };
}
