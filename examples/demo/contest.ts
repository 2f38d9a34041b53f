/** Puts the agents through a phase, turn by turn; who goes first changes from round to round. */
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

export type Results = Readonly<Record<Name, Result>>;

/** @param doing is told which agent's turn it is */
export async function contest(phase: Phase, target: Target, doing: (name: Name) => void): Promise<Results> {
  const { ca, lookup } = target;
  const all = { keepAlive: true, ca, lookup, ...phase.options?.(target) };
  // A copy for each: agentkeepalive writes its defaults into what it is given.
  const entries = names.map((name) => ({
    name,
    agent: contenders[name]({ ...all }, phase.name),
    result: nothing(),
  }));
  const work = phase.work(target);
  // The first round of what is about speed counts for nobody: code is compiled, caches are filled, connections are opened.
  const warmUps = phase.kind === 'speed' ? 1 : 0;

  const started = performance.now();
  let lastRound = 0;
  for (let round = 0; round <= warmUps || performance.now() + lastRound < started + phase.time; round++) {
    const begun = performance.now();
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
      if (round < warmUps) continue;
      result.samples.push(sample);
      result.connections += later.connections - earlier.connections;
      result.resumed += later.resumed - earlier.resumed;
    }
    lastRound = performance.now() - begun;
  }
  for (const { agent } of entries) agent.destroy();
  return Object.fromEntries(entries.map(({ name, result }) => [name, result])) as unknown as Results;
}

function nothing(): Result {
  return { samples: [], outcomes: new Outcomes(), connections: 0, resumed: 0 };
}
